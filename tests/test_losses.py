"""Losses against their definitions written out slowly in plain Python, and against limits known by hand."""

import math
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from unimma.errors import ModelError
from unimma.losses import (
    LogitBias,
    LogitScale,
    feature_cosine,
    feature_mse,
    info_nce,
    nt_xent,
    relational_angle,
    relational_distance,
    sigmoid_loss,
    soft_label_kl,
    three_way,
    triplet_loss,
)

Rows = Sequence[Sequence[float]]
Mask = Sequence[Sequence[bool]]
SCALE = torch.tensor(7.0)
# Six queries and five gallery rows: several positives, one (the second) without any, one gallery row that nobody wants.
MEANING_Q, MEANING_G = [0, 9, 1, 2, 2, 1], [0, 1, 2, 1, 7]
SAME = torch.tensor([[a == b for b in MEANING_G] for a in MEANING_Q])


def unit(count: int, seed: int, width: int = 9) -> Tensor:
    return F.normalize(torch.randn(count, width, generator=torch.Generator().manual_seed(seed)), dim=1)


@pytest.fixture
def pairs() -> tuple[Tensor, Tensor]:
    return unit(6, 0), unit(6, 1)


@pytest.fixture
def uneven() -> tuple[Tensor, Tensor]:
    return unit(6, 2), unit(5, 3)


def cosines(query: Tensor, gallery: Tensor) -> list[list[float]]:
    """Of unit rows, in double precision."""
    others = gallery.double().tolist()
    return [
        [sum(a * b for a, b in zip(row, other, strict=True)) for other in others] for row in query.double().tolist()
    ]


def transposed(table: Sequence[Sequence[float]]) -> list[list[float]]:
    return [list(column) for column in zip(*table, strict=True)]


def slow_cross_entropy(similarity: Rows, same: Mask, scale: float) -> float:
    costs = []
    for row, positive in zip(similarity, same, strict=True):
        everyone = math.log(sum(math.exp(scale * s) for s in row))
        own = [everyone - scale * s for s, wanted in zip(row, positive, strict=True) if wanted]
        if own:
            costs.append(sum(own) / len(own))
    return sum(costs) / len(costs)


def test_info_nce_is_its_definition(pairs: tuple[Tensor, Tensor]) -> None:
    q, z = pairs
    e = torch.exp(7.0 * q @ z.T)
    slow = -sum(math.log(e[i, i] / e[i].sum()) + math.log(e[i, i] / e[:, i].sum()) for i in range(6)) / 12
    assert info_nce(q, z, SCALE).item() == pytest.approx(slow, rel=1e-5)


def test_info_nce_with_a_mask_is_the_mean_over_positives_of_rows_that_have_any(uneven: tuple[Tensor, Tensor]) -> None:
    similarity = cosines(*uneven)
    slow = slow_cross_entropy(similarity, SAME.tolist(), 7.0)
    slow += slow_cross_entropy(transposed(similarity), SAME.T.tolist(), 7.0)
    assert info_nce(*uneven, SCALE, SAME).item() == pytest.approx(slow / 2, rel=1e-5)


KNOWN = torch.tensor([[1, 1, 1], [1, 1, 0], [0, 0, 0], [0, 1, 0], [1, 1, 1], [0, 0, 1]], dtype=torch.bool)


def slow_with_wrong_ones(query: Tensor, gallery: Tensor, same: Mask, wrong: Tensor, known: Mask) -> float:
    """Row by row: the sum of exponentials also runs over the row's own negatives, but only from query to gallery."""
    costs = []
    for i, (row, positive) in enumerate(zip(cosines(query, gallery), same, strict=True)):
        (own,) = cosines(query[i : i + 1], wrong[i])
        against = [*row, *(s for s, there in zip(own, known[i], strict=True) if there)]
        everyone = math.log(sum(math.exp(7.0 * s) for s in against))
        found = [everyone - 7.0 * s for s, wanted in zip(row, positive, strict=True) if wanted]
        if found:
            costs.append(sum(found) / len(found))
    flipped = [list(column) for column in zip(*same, strict=True)]
    back = slow_cross_entropy(transposed(cosines(query, gallery)), flipped, 7.0)
    return (sum(costs) / len(costs) + back) / 2


def test_negatives_of_a_rows_own_are_seen_by_it_alone(uneven: tuple[Tensor, Tensor]) -> None:
    wrong = unit(18, 4).view(6, 3, 9)
    found = info_nce(*uneven, SCALE, SAME, wrong_QKD=wrong, known_QK=KNOWN).item()
    assert found == pytest.approx(slow_with_wrong_ones(*uneven, SAME.tolist(), wrong, KNOWN.tolist()), rel=1e-5)
    everyone = torch.ones_like(KNOWN)
    found = info_nce(*uneven, SCALE, SAME, wrong_QKD=wrong).item()
    assert found == pytest.approx(slow_with_wrong_ones(*uneven, SAME.tolist(), wrong, everyone.tolist()), rel=1e-5)


def test_negatives_that_are_not_there_change_nothing_and_get_no_gradient(pairs: tuple[Tensor, Tensor]) -> None:
    wrong = unit(18, 4).view(6, 3, 9).requires_grad_(True)
    query = pairs[0].clone().requires_grad_(True)
    plain = info_nce(*pairs, SCALE)
    assert info_nce(*pairs, SCALE, wrong_QKD=wrong, known_QK=torch.zeros_like(KNOWN)).item() == plain.item()
    assert info_nce(*pairs, SCALE, wrong_QKD=wrong[:, :0]).item() == plain.item()
    info_nce(query, pairs[1], SCALE, wrong_QKD=wrong, known_QK=KNOWN).backward()
    assert wrong.grad is not None and query.grad is not None and query.grad.isfinite().all()
    assert torch.equal(wrong.grad.norm(dim=2) > 0, KNOWN)


@pytest.mark.parametrize(
    ("wrong", "known"), [((6, 9), None), ((5, 2, 9), None), ((6, 2, 8), None), ((6, 2, 9), (6, 3))]
)
def test_negatives_of_another_shape_are_refused(
    pairs: tuple[Tensor, Tensor], wrong: tuple[int, ...], known: tuple[int, ...] | None
) -> None:
    mask = torch.ones(known, dtype=torch.bool) if known else None
    with pytest.raises(ModelError, match="negatives"):
        info_nce(*pairs, SCALE, wrong_QKD=torch.zeros(wrong), known_QK=mask)


def test_rows_without_signal_cost_the_logarithm_of_their_number() -> None:
    equal = F.normalize(torch.ones(8, 3), dim=1)
    assert info_nce(equal, equal, torch.tensor(20.0)).item() == pytest.approx(math.log(8), rel=1e-5)
    assert nt_xent(equal, equal, torch.tensor(20.0)).item() == pytest.approx(math.log(15), rel=1e-5)
    assert three_way(equal, equal, equal, torch.tensor(20.0)).item() == pytest.approx(math.log(8), rel=1e-5)


def test_a_false_negative_that_the_mask_names_no_longer_pushes() -> None:
    query, gallery = torch.eye(3), torch.eye(3)
    twins = torch.eye(3, dtype=torch.bool)
    twins[0, 1] = twins[1, 0] = True
    z = query.clone().requires_grad_(True)
    info_nce(z, gallery, SCALE, twins).backward()
    assert z.grad is not None
    assert z.grad[0, 1] < 0 < z.grad[0, 2]  # minimising pulls towards the twin, away from the stranger


def test_nt_xent_is_its_definition(pairs: tuple[Tensor, Tensor]) -> None:
    rows = torch.cat(pairs)
    similarity = cosines(rows, rows)
    costs = []
    for i in range(12):
        others = [math.exp(7.0 * similarity[i][k]) for k in range(12) if k != i]
        costs.append(-math.log(math.exp(7.0 * similarity[i][(i + 6) % 12]) / sum(others)))
    assert nt_xent(*pairs, SCALE).item() == pytest.approx(sum(costs) / 12, rel=1e-5)


def test_the_sigmoid_loss_is_its_definition(uneven: tuple[Tensor, Tensor]) -> None:
    cost = 0.0
    for row, positive in zip(cosines(*uneven), SAME.tolist(), strict=True):
        for s, wanted in zip(row, positive, strict=True):
            cost += math.log(1 + math.exp((-1 if wanted else 1) * (7.0 * s - 2.0)))
    found = sigmoid_loss(*uneven, SCALE, torch.tensor(-2.0), SAME)
    assert found.item() == pytest.approx(cost / 5.5, rel=1e-5)


def test_a_pair_in_the_sigmoid_loss_does_not_feel_the_others() -> None:
    z = torch.eye(4)[:, :3].requires_grad_(True)  # the last row is at right angles to all
    sigmoid_loss(z, torch.eye(3), SCALE, torch.tensor(-3.0), torch.zeros(4, 3, dtype=torch.bool)).backward()
    assert z.grad is not None
    pull = 7.0 / (1 + math.exp(3.0)) * 2 / 7
    assert torch.allclose(z.grad[3], torch.full((3,), pull), atol=1e-6)


def test_the_bias_of_the_sigmoid_loss_starts_where_the_paper_does_and_learns() -> None:
    bias = LogitBias()
    assert bias().item() == -10.0
    sigmoid_loss(torch.eye(3), torch.eye(3), SCALE, bias()).backward()
    assert bias.logit_bias.grad is not None
    assert bias.logit_bias.grad.item() < 0  # positives at 7 - 10 are not yet believed: the bias rises


def slow_triplet(similarity: Rows, same: Mask, margin: float, *, semi_hard: bool) -> float:
    costs = []
    for row, positive in zip(similarity, same, strict=True):
        wrong = [s for s, wanted in zip(row, positive, strict=True) if not wanted]
        own = []
        for s in (s for s, wanted in zip(row, positive, strict=True) if wanted):
            below = [n for n in wrong if n < s]
            worst = (max(below) if below else min(wrong)) if semi_hard else max(wrong)
            own.append(max(0.0, margin + worst - s))
        if own:
            costs.append(sum(own) / len(own))
    return sum(costs) / len(costs)


@pytest.mark.parametrize("negatives", ["hardest", "semi-hard"])
@pytest.mark.parametrize("seed", range(4))
def test_the_triplet_loss_is_its_definition(negatives: str, seed: int) -> None:
    query, gallery = unit(6, seed), unit(5, seed + 10)
    similarity, semi_hard = cosines(query, gallery), negatives == "semi-hard"
    slow = slow_triplet(similarity, SAME.tolist(), 0.3, semi_hard=semi_hard)
    slow += slow_triplet(transposed(similarity), SAME.T.tolist(), 0.3, semi_hard=semi_hard)
    found = triplet_loss(query, gallery, SAME, margin=0.3, negatives=negatives)  # type: ignore[arg-type]
    assert found.item() == pytest.approx(slow / 2, rel=1e-5)


@pytest.mark.parametrize("negatives", ["hardest", "semi-hard"])
def test_triplets_that_stand_out_by_the_margin_cost_nothing(negatives: str) -> None:
    eye = torch.eye(4, requires_grad=True)
    loss = triplet_loss(eye, eye, margin=0.9, negatives=negatives)  # type: ignore[arg-type]
    loss.backward()
    assert loss.item() == 0.0
    assert eye.grad is not None
    assert not eye.grad.any()
    assert triplet_loss(eye, eye, margin=1.5, negatives=negatives).item() == pytest.approx(0.5)  # type: ignore[arg-type]


def test_the_three_way_loss_is_the_mean_of_its_three_pairs() -> None:
    audio, image, text = unit(6, 4), unit(6, 5), unit(6, 6)
    same = torch.tensor([[a == b for b in MEANING_Q] for a in MEANING_Q])
    slow = 0.0
    for one, other in ((audio, image), (audio, text), (image, text)):
        similarity = cosines(one, other)
        slow += slow_cross_entropy(similarity, same.tolist(), 7.0) / 6
        slow += slow_cross_entropy(transposed(similarity), same.T.tolist(), 7.0) / 6
    assert three_way(audio, image, text, SCALE, same).item() == pytest.approx(slow, rel=1e-5)


def test_features_are_compared_in_units_of_the_teachers_deviation() -> None:
    teacher = torch.tensor([[0.0, 10.0], [2.0, 50.0]])
    student = torch.tensor([[1.0, 10.0], [2.0, 30.0]])
    assert feature_mse(student, teacher, torch.tensor([1.0, 20.0])).item() == pytest.approx((1 + 1) / 4)
    many = torch.randn(4000, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 9.0, 0.1])
    assert feature_mse(many.mean(dim=0).expand_as(many), many, many.std(dim=0)).item() == pytest.approx(1.0, abs=1e-3)


def test_the_cosine_of_features_does_not_see_their_length() -> None:
    teacher = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]])
    student = torch.tensor([[9.0, 0.0], [5.0, 0.0], [-1.0, 0.0]])
    assert feature_cosine(student, teacher).item() == pytest.approx((0 + 1 + 2) / 3)


def slow_distance_share(rows: list[list[float]]) -> dict[tuple[int, int], float]:
    count = len(rows)
    apart = {(i, j): math.dist(rows[i], rows[j]) for i in range(count) for j in range(count) if i != j}
    mean = sum(apart.values()) / len(apart)
    return {pair: distance / mean for pair, distance in apart.items()}


def slow_angles(rows: list[list[float]]) -> dict[tuple[int, int, int], float]:
    cosine = {}
    for i in range(len(rows)):
        for j in range(len(rows)):
            for k in range(len(rows)):
                if len({i, j, k}) == 3:
                    one = [a - b for a, b in zip(rows[i], rows[j], strict=True)]
                    other = [a - b for a, b in zip(rows[k], rows[j], strict=True)]
                    dot = sum(a * b for a, b in zip(one, other, strict=True))
                    cosine[i, j, k] = dot / math.hypot(*one) / math.hypot(*other)
    return cosine


@pytest.mark.parametrize(
    ("loss", "relations"), [(relational_distance, slow_distance_share), (relational_angle, slow_angles)]
)
def test_relational_losses_are_their_definitions(
    loss: Callable[[Tensor, Tensor], Tensor], relations: Callable[[list[list[float]]], dict[object, float]]
) -> None:
    student, teacher = unit(5, 7), torch.randn(5, 3, generator=torch.Generator().manual_seed(8)) * 4
    own, wanted = relations(student.double().tolist()), relations(teacher.double().tolist())
    apart = [abs(own[key] - wanted[key]) for key in own]
    slow = sum(d * d / 2 if d < 1 else d - 0.5 for d in apart) / len(apart)
    assert loss(student, teacher).item() == pytest.approx(slow, rel=1e-4)


@pytest.mark.parametrize("loss", [relational_distance, relational_angle])
def test_relations_survive_turning_moving_and_scaling(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    teacher = unit(6, 9, width=4)
    turn = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(1))).Q
    assert loss(3.0 * teacher @ turn + 1.0, teacher).item() == pytest.approx(0.0, abs=1e-6)
    assert loss(unit(6, 10, width=4), teacher).item() > 0.01


def test_an_embedding_that_sees_what_the_teacher_sees_costs_nothing(pairs: tuple[Tensor, Tensor]) -> None:
    z, classes = pairs
    scale = torch.tensor(4.0)
    teacher = torch.softmax(scale * z @ classes.T, dim=1)
    assert soft_label_kl(z, classes, teacher, scale).item() == pytest.approx(0.0, abs=1e-6)
    other = torch.full_like(teacher, 1 / 6)
    slow = (other * (other.log() - teacher.log())).sum(dim=1).mean().item()
    assert soft_label_kl(z, classes, other, scale).item() == pytest.approx(slow, rel=1e-4)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "info_nce": lambda q, z: info_nce(q, z, SCALE),
    "nt_xent": lambda q, z: nt_xent(q, z, SCALE),
    "sigmoid_loss": lambda q, z: sigmoid_loss(q, z, SCALE, torch.tensor(-3.0)),
    "triplet_hardest": lambda q, z: triplet_loss(q, z),
    "triplet_semi_hard": lambda q, z: triplet_loss(q, z, negatives="semi-hard"),
    "three_way": lambda q, z: three_way(q, z, F.normalize(q + z, dim=1), SCALE),
    "feature_mse": lambda q, z: feature_mse(q, z, torch.full((9,), 0.3)),
    "feature_cosine": feature_cosine,
    "relational_distance": relational_distance,
    "relational_angle": relational_angle,
}


@pytest.mark.parametrize("name", LOSSES)
def test_the_order_of_the_pairs_does_not_matter(name: str, pairs: tuple[Tensor, Tensor]) -> None:
    q, z = pairs
    order = torch.tensor([3, 1, 5, 0, 4, 2])
    assert LOSSES[name](q[order], z[order]).item() == pytest.approx(LOSSES[name](q, z).item(), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_following_the_gradient_brings_pairs_together(name: str, pairs: tuple[Tensor, Tensor]) -> None:
    q, z = pairs
    free = q.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([free], lr=0.05)
    before = LOSSES[name](q, z).item()
    for _ in range(150):
        optimiser.zero_grad()
        loss = LOSSES[name](F.normalize(free, dim=1), z)
        loss.backward()
        optimiser.step()
    assert loss.item() < before * (1.0 if name == "nt_xent" else 0.5)  # there the gallery's own rows stay in the way
    if not name.startswith("relational"):  # those may settle for the same shape elsewhere
        found = (F.normalize(free.detach(), dim=1) @ z.T).argmax(dim=1)
        assert found.tolist() == list(range(6))


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_is_finite_where_rows_coincide(name: str) -> None:
    z = unit(5, 11)[[0, 0, 1, 2, 2]].requires_grad_(True)
    LOSSES[name](z, z.detach().clone()).backward()
    assert z.grad is not None
    assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize(
    "loss",
    [
        lambda q, z, same: info_nce(q, z, SCALE, same),
        lambda q, z, same: triplet_loss(q, z, same),
        lambda q, z, same: triplet_loss(q, z, same, negatives="semi-hard"),
    ],
)
def test_a_batch_without_any_positive_costs_nothing_and_has_a_gradient(
    loss: Callable[[Tensor, Tensor, Tensor], Tensor], uneven: tuple[Tensor, Tensor]
) -> None:
    q, z = uneven
    free = q.clone().requires_grad_(True)
    cost = loss(free, z, torch.zeros(6, 5, dtype=torch.bool))
    cost.backward()
    assert cost.item() == 0.0
    assert free.grad is not None
    assert not free.grad.any()
    everything = loss(q, z, torch.ones(6, 5, dtype=torch.bool))
    assert torch.isfinite(everything)


def test_masks_and_sides_that_do_not_fit_are_refused(uneven: tuple[Tensor, Tensor]) -> None:
    with pytest.raises(ModelError, match="6 rows beside 5"):
        info_nce(*uneven, SCALE)
    with pytest.raises(ModelError, match=r"a mask of \[5, 6\]; expected \[6, 5\]"):
        triplet_loss(*uneven, SAME.T)
    with pytest.raises(ModelError, match="6 rows beside 5"):
        nt_xent(*uneven, SCALE)


def test_the_scale_is_clamped() -> None:
    scale = LogitScale(0.07)
    assert scale().item() == pytest.approx(1 / 0.07, rel=1e-5)
    scale.logit_scale.data.fill_(50.0)
    assert scale().item() == 100.0
