"""Ridge regression against scikit-learn's, and the choice of its penalty."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge as TheirRidge
from sklearn.preprocessing import StandardScaler

from train.evaluate.ridge import fit_ridge, held_out, search_ridge


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_it_is_scikit_learns_on_standardised_features_with_the_same_weights() -> None:
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(300, 12)) * np.linspace(1, 9, 12) + 4).astype(np.float16)
    targets = unit(rng.normal(size=(300, 5)) + features[:, :5].astype(np.float64))
    weights = rng.uniform(0.5, 1.5, 300)
    found = search_ridge(features, targets, [str(i) for i in range(300)], weights)
    x = StandardScaler().fit_transform(features.astype(np.float64))
    centred = targets - np.average(targets, axis=0, weights=weights)
    theirs = TheirRidge(alpha=found.strength * weights.sum(), fit_intercept=False).fit(x, centred, weights)
    expected = theirs.predict(x) + np.average(targets, axis=0, weights=weights)
    assert found(features) == pytest.approx(expected, abs=1e-4)
    assert fit_ridge(features, targets, weights, found.strength)(features) == pytest.approx(expected, abs=1e-4)
    slack = fit_ridge(features, targets, weights, 10.0)
    assert np.linalg.norm(slack.weight) < 0.9 * np.linalg.norm(found.weight)


def test_noise_asks_for_a_stronger_penalty_than_a_clean_line() -> None:
    rng = np.random.default_rng(1)
    kinds = rng.integers(0, 4, 200)
    targets = unit(np.eye(4)[kinds])
    clean = np.eye(4)[kinds] + 0.01 * rng.normal(size=(200, 4))
    noisy = np.concatenate([clean, rng.normal(size=(200, 150))], axis=1) + 1.5 * rng.normal(size=(200, 154))
    groups = [str(i) for i in range(200)]
    assert (
        search_ridge(noisy, targets, groups, np.ones(200)).strength
        > 10 * search_ridge(clean, targets, groups, np.ones(200)).strength
    )


def test_rows_of_one_recording_are_not_on_both_sides_of_the_choice() -> None:
    recording = np.repeat(np.arange(20), 10)
    held = held_out([f"r{i}" for i in recording], np.random.default_rng(2))
    assert set(recording[held]).isdisjoint(recording[~held])
    assert held.sum() == 40  # a fifth
    assert held_out(["a", "b"], np.random.default_rng(0)).sum() == 1
