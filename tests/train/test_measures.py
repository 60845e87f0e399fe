"""Measures against their definitions, and against cases whose answer is known."""

import numpy as np
import pytest
from scipy.stats import skew
from sklearn.metrics import average_precision_score

from train.evaluate import measures as m


@pytest.fixture
def ranking() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    relevant = rng.random((7, 12)) < 0.3
    relevant[:, 0] = True
    return rng.normal(size=(7, 12)), relevant


def test_recall_is_a_relevant_item_among_the_first_k(ranking: tuple[np.ndarray, np.ndarray]) -> None:
    similarity, relevant = ranking
    for k in (1, 3, 12):
        slow = [any(relevant[q, g] for g in sorted(range(12), key=lambda g: -similarity[q, g])[:k]) for q in range(7)]
        assert m.recall_at_k(similarity, relevant, k).tolist() == slow


def test_ties_keep_the_gallerys_order() -> None:
    assert m.recall_at_k(np.zeros((1, 3)), np.array([[False, True, False]]), 1).tolist() == [0.0]
    assert m.recall_at_k(np.zeros((1, 3)), np.array([[True, False, False]]), 1).tolist() == [1.0]


def test_average_precision_is_scikit_learns(ranking: tuple[np.ndarray, np.ndarray]) -> None:
    similarity, relevant = ranking
    theirs = [average_precision_score(relevant[q], similarity[q]) for q in range(7)]
    assert m.average_precision(similarity, relevant) == pytest.approx(theirs)


def test_the_first_relevant_rank_and_precision_are_counted_from_the_top() -> None:
    similarity = np.array([[0.1, 0.9, 0.5, 0.3]])
    relevant = np.array([[False, False, True, True]])
    assert m.first_relevant_rank(similarity, relevant).tolist() == [2.0]
    assert m.precision_at_k(similarity, relevant, 2).tolist() == [0.5]
    assert m.precision_at_k(similarity, relevant, 4).tolist() == [1.0]  # both that there are


def test_a_query_without_any_answer_is_never_right() -> None:
    similarity, relevant = np.array([[0.1, 0.9]]), np.array([[False, False]])
    assert m.first_relevant_rank(similarity, relevant).tolist() == [np.inf]
    assert m.recall_at_k(similarity, relevant, 2).tolist() == [0.0]


def test_the_interval_holds_the_value_and_narrows_with_more_queries() -> None:
    rng = np.random.default_rng(0)
    few, many = (m.with_interval((rng.random(n) < 0.7).astype(float)) for n in (30, 3000))
    for measure in (few, many):
        assert measure.low <= measure.value <= measure.high
    assert many.high - many.low < (few.high - few.low) / 4
    assert (many.n, few.n) == (3000, 30)


def test_an_even_gallery_has_no_hubs_and_a_magnet_is_one() -> None:
    even = np.eye(20)
    assert m.hubness(even, k=1).value == 0.0
    magnet = even.copy()
    magnet[:, 4] = 2.0
    found = m.hubness(magnet, k=1)
    assert found.value == found.low == found.high > 3  # whichever queries are drawn, all find the magnet


def test_hubness_is_the_skewness_of_scipy() -> None:
    similarity = np.random.default_rng(0).normal(size=(50, 30)) + np.linspace(0, 2, 30)
    counts = np.bincount(np.argsort(-similarity, axis=1)[:, :10].ravel(), minlength=30)
    found = m.hubness(similarity)
    assert found.value == pytest.approx(skew(counts), rel=1e-5)
    assert found.low < found.value < found.high


def test_the_gap_of_opposite_poles_is_two() -> None:
    north = np.tile([[0.0, 1.0]], (5, 1))
    assert m.modality_gap(north, -north) == m.Measure(2.0, 2.0, 2.0, 5)


def test_the_gap_of_few_scattered_points_is_less_certain_than_that_of_many() -> None:
    rng = np.random.default_rng(0)
    few, many = (m.modality_gap(rng.normal(size=(n, 3)), rng.normal(size=(n, 3)) + 1) for n in (20, 2000))
    assert few.low <= few.value <= few.high
    assert many.high - many.low < (few.high - few.low) / 3
