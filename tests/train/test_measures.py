"""Measures against their definitions, and against cases whose answer is known."""

import numpy as np
import pytest
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
    assert m.precision_at_k(similarity, relevant, 4).tolist() == [0.5]


def test_the_interval_holds_the_value_and_narrows_with_more_queries() -> None:
    rng = np.random.default_rng(0)
    few, many = (m.with_interval((rng.random(n) < 0.7).astype(float)) for n in (30, 3000))
    for measure in (few, many):
        assert measure.low <= measure.value <= measure.high
    assert many.high - many.low < (few.high - few.low) / 4
    assert (many.n, few.n) == (3000, 30)


def test_an_even_gallery_has_no_hubs_and_a_magnet_is_one() -> None:
    even = np.eye(20)
    assert m.hubness(even, k=1) == 0.0
    magnet = even.copy()
    magnet[:, 4] = 2.0
    assert m.hubness(magnet, k=1) > 3


def test_the_gap_of_opposite_poles_is_two() -> None:
    north = np.tile([[0.0, 1.0]], (5, 1))
    assert m.modality_gap(north, -north) == pytest.approx(2.0)
