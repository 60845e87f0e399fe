"""Losses against their definitions written out slowly, and against limits known by hand."""

import math

import pytest
import torch
from torch.nn import functional as F

from unimma.losses import LogitScale, info_nce, soft_label_kl


@pytest.fixture
def pairs() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    q, z = (F.normalize(torch.randn(6, 9, generator=generator), dim=1) for _ in range(2))
    return q, z


def test_info_nce_is_its_definition(pairs: tuple[torch.Tensor, torch.Tensor]) -> None:
    q, z = pairs
    e = torch.exp(7.0 * q @ z.T)
    slow = -sum(math.log(e[i, i] / e[i].sum()) + math.log(e[i, i] / e[:, i].sum()) for i in range(6)) / 12
    assert info_nce(q, z, torch.tensor(7.0)).item() == pytest.approx(slow, rel=1e-5)


def test_info_nce_with_several_positives_is_the_mean_over_them(pairs: tuple[torch.Tensor, torch.Tensor]) -> None:
    q, z = pairs
    meaning = [0, 0, 1, 2, 2, 2]
    same = torch.tensor([[a == b for b in meaning] for a in meaning])
    e = torch.exp(5.0 * q @ z.T)
    slow = 0.0
    for i in range(6):
        friends = [j for j in range(6) if meaning[j] == meaning[i]]
        slow -= sum(math.log(e[i, j] / e[i].sum()) for j in friends) / len(friends)
        slow -= sum(math.log(e[j, i] / e[:, i].sum()) for j in friends) / len(friends)
    assert info_nce(q, z, torch.tensor(5.0), same).item() == pytest.approx(slow / 12, rel=1e-5)


def test_rows_without_signal_cost_the_logarithm_of_their_number() -> None:
    equal = F.normalize(torch.ones(8, 3), dim=1)
    assert info_nce(equal, equal, torch.tensor(20.0)).item() == pytest.approx(math.log(8), rel=1e-5)


def test_an_embedding_that_sees_what_the_teacher_sees_costs_nothing(pairs: tuple[torch.Tensor, torch.Tensor]) -> None:
    z, classes = pairs
    scale = torch.tensor(4.0)
    teacher = torch.softmax(scale * z @ classes.T, dim=1)
    assert soft_label_kl(z, classes, teacher, scale).item() == pytest.approx(0.0, abs=1e-6)
    other = torch.full_like(teacher, 1 / 6)
    slow = (other * (other.log() - teacher.log())).sum(dim=1).mean().item()
    assert soft_label_kl(z, classes, other, scale).item() == pytest.approx(slow, rel=1e-4)


def test_the_scale_is_clamped() -> None:
    scale = LogitScale(0.07)
    assert scale().item() == pytest.approx(1 / 0.07, rel=1e-5)
    scale.logit_scale.data.fill_(50.0)
    assert scale().item() == 100.0
