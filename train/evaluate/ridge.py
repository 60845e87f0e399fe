"""Ridge regression in closed form, its strength given or chosen on rows held out of the training rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]
STRENGTHS = 10.0 ** np.arange(-4, 2.5, 0.5)  # per row, of standardised features
HELD_OUT_SHARE = 0.2
CHUNK_ROWS = 4_096


@dataclass(frozen=True)
class Ridge:
    """A linear map of standardised features: x → ((x - mean) / scale) @ weight + bias.

    Attributes:
        mean, scale: float32 [F].
        weight: float32 [F, D].
        bias: float32 [D].
        strength: the penalty, per row.
    """

    mean: FloatArray
    scale: FloatArray
    weight: FloatArray
    bias: FloatArray
    strength: float

    def __call__(self, features: npt.NDArray[np.floating]) -> FloatArray:
        """float32 [n, D]."""
        predicted: FloatArray = _standard(features, self.mean, self.scale) @ self.weight + self.bias
        return predicted


def fit_ridge(
    features: npt.NDArray[np.floating], targets: FloatArray, row_weights: npt.NDArray[np.floating], strength: float
) -> Ridge:
    """Weighted least squares with a penalty on the squared map (Hoerl and Kennard 1970).

    Args:
        features: [n, F], n of 1 at least.
        targets: float32 [n, D], unit rows.
        row_weights: [n], how much a row counts; their mean is 1.
        strength: the penalty, per row.
    """
    mean, scale = _moments(features)
    weights = row_weights.astype(np.float32)
    bias = np.average(targets, axis=0, weights=weights).astype(np.float32)
    gram, moments = _sums(features, targets - bias, weights, mean, scale)
    return Ridge(mean, scale, _solved(gram, moments, strength * weights.sum()), bias, strength)


def search_ridge(
    features: npt.NDArray[np.floating],
    targets: FloatArray,
    groups: Sequence[str],
    row_weights: npt.NDArray[np.floating],
    seed: int = 0,
) -> Ridge:
    """`fit_ridge` with the penalty that finds most.

    It is the one with which the most rows of a fifth of the groups, held out, come closest to their own target among
    all held-out targets; the map is then fitted to all rows.

    Args:
        features: [n, F], n of at least two groups.
        groups: n names; rows of one group are never on both sides.
    """
    mean, scale = _moments(features)
    weights = row_weights.astype(np.float32)
    bias = np.average(targets, axis=0, weights=weights).astype(np.float32)
    held = held_out(groups, np.random.default_rng(seed))
    fit, rest = (_sums(features[rows], targets[rows] - bias, weights[rows], mean, scale) for rows in (~held, held))
    values, vectors = np.linalg.eigh(fit[0])
    turned = vectors.T @ fit[1]
    unseen = _standard(features[held], mean, scale) @ vectors.astype(np.float32)
    shares = []
    for strength in STRENGTHS:
        shrunk = turned / (np.maximum(values, 0) + strength * weights[~held].sum())[:, None]
        shares.append(_share_found(unseen @ shrunk.astype(np.float32) + bias, targets[held], weights[held]))
    strength = float(STRENGTHS[int(np.argmax(shares))])
    weight = _solved(fit[0] + rest[0], fit[1] + rest[1], strength * weights.sum())
    return Ridge(mean, scale, weight, bias, strength)


def _solved(gram: DoubleArray, moments: DoubleArray, penalty: float) -> FloatArray:
    solved: FloatArray = np.linalg.solve(gram + penalty * np.eye(len(gram)), moments).astype(np.float32)
    return solved


def held_out(groups: Sequence[str], rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which rows belong to the fifth of the groups that is held out; at least one group is on either side."""
    names, code = np.unique(np.array(groups), return_inverse=True)
    chosen = rng.permutation(len(names)) < max(1, round(HELD_OUT_SHARE * len(names)))
    held: npt.NDArray[np.bool_] = chosen[code]
    return held


def _moments(features: npt.NDArray[np.floating]) -> tuple[FloatArray, FloatArray]:
    mean = features.mean(axis=0, dtype=np.float64)
    square = sum(np.square(part, dtype=np.float64).sum(axis=0) for part in _chunks(features)) / len(features)
    scale = np.sqrt(np.maximum(square - mean**2, 1e-6))
    return mean.astype(np.float32), scale.astype(np.float32)


def _standard(features: npt.NDArray[np.floating], mean: FloatArray, scale: FloatArray) -> FloatArray:
    standard: FloatArray = (features.astype(np.float32) - mean) / scale
    return standard


def _sums(
    features: npt.NDArray[np.floating], targets: FloatArray, weights: FloatArray, mean: FloatArray, scale: FloatArray
) -> tuple[DoubleArray, DoubleArray]:
    """Weighted X^T X [F, F] and X^T Y [F, D], X standardised, a chunk of rows at a time."""
    gram = np.zeros((features.shape[1], features.shape[1]))
    moments = np.zeros((features.shape[1], targets.shape[1]))
    for part, y, weight in zip(_chunks(features), _chunks(targets), _chunks(weights), strict=True):
        x = _standard(part, mean, scale)
        weighted = (x * weight[:, None]).T
        gram += weighted @ x
        moments += weighted @ y
    return gram, moments


def _chunks(rows: npt.NDArray[np.floating]) -> list[npt.NDArray[np.floating]]:
    return [rows[start : start + CHUNK_ROWS] for start in range(0, len(rows), CHUNK_ROWS)]


def _share_found(predicted: FloatArray, targets: FloatArray, weights: FloatArray) -> float:
    """Weighted share of rows whose own target has the highest cosine of all distinct targets."""
    distinct, own = np.unique(targets, axis=0, return_inverse=True)
    nearest = np.concatenate([(part @ distinct.T).argmax(axis=1) for part in _chunks(predicted)])
    return float(np.average(nearest == own.ravel(), weights=weights))
