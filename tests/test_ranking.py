import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, strategies

from unimma.ranking import PRIOR_WEIGHT, Candidate, Stack, best_stretch, deviation, fair, is_likely, raw, stacked
from unimma.types import Modality, Span


def candidates(rng: np.random.Generator, count: int) -> list[Candidate]:
    names = list(Modality)
    return [
        Candidate(f"item {i}", names[rng.integers(4)], float(rng.uniform(-1, 1)), float(rng.normal(0, 2)))
        for i in range(count)
    ]


def test_the_score_is_the_normal_distribution_function():
    for z in (-9.0, -2.0, -0.3, 0.0, 0.5, 1.96, 7.0, 40.0):
        assert Candidate("a", Modality.TEXT, 0.0, z).score == pytest.approx(NormalDist().cdf(z), abs=1e-12)
        assert 0.0 <= Candidate("a", Modality.TEXT, 0.0, z).score <= 1.0


def test_an_empty_background_leaves_the_models_own_values():
    assert deviation(0.5, 0, 0.0, 0.0, (0.2, 0.1)) == pytest.approx(3.0)


def test_a_large_gallery_judges_by_itself():
    assert deviation(0.5, 10**9, 0.3, 0.05, (0.2, 0.1)) == pytest.approx(4.0, rel=1e-6)


def test_mean_and_variance_are_weighted_by_items_and_prior():
    n, mean, std, null = 60, 0.3, 0.05, (0.1, 0.2)
    usual = np.average([mean, null[0]], weights=[n, PRIOR_WEIGHT])
    variance = np.average([std**2, null[1] ** 2], weights=[n, PRIOR_WEIGHT])
    assert deviation(0.9, n, mean, std, null) == pytest.approx((0.9 - usual) / math.sqrt(variance))


def test_equal_cosines_and_no_prior_spread_give_a_finite_deviation():
    assert math.isfinite(deviation(0.5, 3, 0.5, 0.0, (0.5, 0.0)))


def fair_slowly(given: list[Candidate], k: int) -> list[Candidate]:
    """By the definition: of all ways to fill the list, best of each modality first, then the others by score."""
    by_score = sorted(given, key=lambda c: c.deviation, reverse=True)
    seen: set[Modality] = set()
    leaders, others = [], []
    for candidate in by_score:
        (others if candidate.modality in seen else leaders).append(candidate)
        seen.add(candidate.modality)
    return sorted([*leaders, *others][:k], key=lambda c: c.deviation, reverse=True)


def test_the_fair_list_is_its_definition():
    rng = np.random.default_rng(0)
    for _ in range(300):
        given, k = candidates(rng, int(rng.integers(0, 40))), int(rng.integers(1, 15))
        assert fair(given, k) == fair_slowly(given, k)


def test_every_modality_present_is_among_the_hits_and_scores_fall():
    rng = np.random.default_rng(1)
    for _ in range(300):
        given = candidates(rng, 40)
        hits = fair(given, 8)
        assert {hit.modality for hit in hits} == {c.modality for c in given}
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        assert hits[0].deviation == max(c.deviation for c in given)


def test_eight_fitting_sentences_do_not_crowd_out_the_one_picture():
    texts = [Candidate(f"t{i}", Modality.TEXT, 0.9, 5.0 + i) for i in range(20)]
    picture = Candidate("p", Modality.IMAGE, 0.1, -1.0)
    assert picture in fair([*texts, picture], 8)


def test_raw_sorts_by_cosine_whatever_the_score():
    rng = np.random.default_rng(2)
    given = candidates(rng, 30)
    assert [c.similarity for c in raw(given, 9)] == sorted((c.similarity for c in given), reverse=True)[:9]


def test_equal_candidates_keep_their_order():
    same = [Candidate(name, Modality.TEXT, 0.5, 1.0) for name in "abc"]
    assert fair(same, 3) == raw(same, 3) == same


NULL = (0.1, 0.1)


@pytest.mark.parametrize(
    ("similarity", "far", "num_items", "likely"),
    [
        (0.45, 3.2, 10, True),
        (0.45, 2.9, 10, False),  # does not stand out in the gallery
        (0.29, 5.0, 10, False),  # nor from unrelated pairs
        (0.31, 3.2, 10, True),
        (0.65, 4.5, 10_000, True),
        (0.65, 4.3, 10_000, False),  # one of so many lies so far out by chance
        (0.61, 0.0, 10, True),  # a dog among dogs
        (0.61, 0.0, 10_000, False),
        (0.45, 3.2, 0, True),
    ],
)
def test_a_likely_match_stands_out_in_the_gallery_and_from_unrelated_pairs(similarity, far, num_items, likely):
    assert is_likely(similarity, far, num_items, NULL) is likely


def test_one_question_in_twenty_gets_a_likely_match_by_chance_at_most():
    rng = np.random.default_rng(3)
    for num_items in (50, 1_000):
        farthest = rng.standard_normal((2_000, num_items)).max(axis=1)
        share = np.mean([is_likely(NULL[0] + far * NULL[1], far, num_items, NULL) for far in farthest])
        assert 0.03 < share < 0.07


@given(strategies.floats(-1, 1), strategies.floats(-9, 9), strategies.integers(1, 10**6))
def test_a_line_is_a_line(similarity, far, num_items):
    if is_likely(similarity, far, num_items, NULL):
        assert is_likely(min(1.0, similarity + 0.1), far + 0.1, num_items, NULL)
        assert is_likely(similarity, far, max(1, num_items // 2), NULL)


def test_where_unrelated_pairs_were_never_measured_the_gallery_alone_counts():
    assert deviation(0.9, 30, 0.6, 0.1, None) == pytest.approx(3.0)
    assert is_likely(0.9, 3.1, 30, None) and not is_likely(0.9, 2.9, 30, None)
    assert is_likely(0.1, 0.0, 19, None)  # too few to tell


def test_a_model_without_spread_gives_an_answer():
    assert is_likely(0.5, 4.0, 3, (0.1, 0.0))


def near(values, within: int):
    """Copies are those whose number is near."""
    numbers = np.array(list(values))
    return lambda row, others: np.abs(numbers[others] - numbers[row]) <= within


def test_near_duplicates_gather_below_the_best_of_them():
    numbers = {"a": 10, "b": 50, "c": 11, "d": 90, "e": 9, "f": 51}
    given = [Candidate(name, Modality.IMAGE, 0.0, 9.0 - i) for i, name in enumerate(numbers)]
    stacks = stacked(given, near(numbers.values(), 1))
    assert [(s.best.id, [c.id for c in s.others]) for s in stacks] == [("a", ["c", "e"]), ("b", ["f"]), ("d", [])]


def test_a_row_of_slow_changes_is_no_stack():
    numbers = {name: i for i, name in enumerate("abcdef")}
    given = [Candidate(name, Modality.IMAGE, 0.0, 0.0) for name in numbers]
    stacks = stacked(given, near(numbers.values(), 1))
    assert [(s.best.id, len(s.others)) for s in stacks] == [("a", 1), ("c", 1), ("e", 1)]


@given(strategies.lists(strategies.integers(0, 40), max_size=30))
def test_stacking_loses_nobody_and_keeps_the_order(values):
    given_ = candidates(np.random.default_rng(0), len(values))
    numbers = {candidate.id: value for candidate, value in zip(given_, values, strict=True)}
    stacks = stacked(given_, near(numbers.values(), 2))
    assert sorted(c.id for s in stacks for c in (s.best, *s.others)) == sorted(c.id for c in given_)
    best = [numbers[s.best.id] for s in stacks]
    assert all(abs(x - y) > 2 for i, x in enumerate(best) for y in best[:i])
    assert [s.best for s in stacks] == [c for c in given_ if c in [s.best for s in stacks]]
    assert stacks == [] or isinstance(stacks[0], Stack)


WINDOWS = np.array([[2.0 * i, 2.0 * i + 4.0] for i in range(8)])


@pytest.mark.parametrize(
    ("similarities", "span"),
    [
        ([0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1], Span(4.0, 8.0)),
        ([0.1, 0.1, 0.9, 0.85, 0.1, 0.1, 0.9, 0.1], Span(4.0, 10.0)),  # not the other one, which does not touch
        ([0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], Span(0.0, 4.0)),
        ([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.8, 0.9], Span(12.0, 18.0)),
        ([0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3], None),
    ],
)
def test_a_match_lies_in_the_best_window_and_those_around_it_that_are_nearly_as_good(similarities, span):
    assert best_stretch(np.array(similarities), WINDOWS) == span


def test_an_item_without_windows_has_no_best_one():
    assert best_stretch(np.zeros(0), np.zeros((0, 2))) is None
