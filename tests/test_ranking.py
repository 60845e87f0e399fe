import math
from statistics import NormalDist

import numpy as np
import pytest

from unimma.ranking import PRIOR_WEIGHT, Candidate, deviation, fair, raw
from unimma.types import Modality


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
