"""Retrieval and classification measures on embeddings, each with a bootstrap interval; arrays in, numbers out."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

NUM_RESAMPLES = 1_000
FloatArray = npt.NDArray[Any]  # of floats
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Measure:
    """A number with its 95 % bootstrap interval and the number of queries behind it."""

    value: float
    low: float
    high: float
    n: int

    def as_json(self) -> dict[str, float | int]:
        return asdict(self)


def recall_at_k(similarity_QG: FloatArray, relevant_QG: BoolArray, k: int) -> FloatArray:
    """1 for each query with a relevant item among the first k, else 0: float64 [Q]. Ties keep the gallery's order."""
    top_Qk = np.argsort(-similarity_QG, axis=1, kind="stable")[:, :k]
    found: FloatArray = np.asarray(np.take_along_axis(relevant_QG, top_Qk, axis=1).any(axis=1), np.float64)
    return found


def precision_at_k(similarity_QG: FloatArray, relevant_QG: BoolArray, k: int) -> FloatArray:
    """Share of relevant items among the first k of each query: float64 [Q]."""
    top_Qk = np.argsort(-similarity_QG, axis=1, kind="stable")[:, :k]
    share: FloatArray = np.take_along_axis(relevant_QG, top_Qk, axis=1).mean(axis=1)
    return share


def first_relevant_rank(similarity_QG: FloatArray, relevant_QG: BoolArray) -> FloatArray:
    """Rank of each query's first relevant item, 1 for the best: float64 [Q]."""
    order = np.argsort(-similarity_QG, axis=1, kind="stable")
    rank: FloatArray = np.take_along_axis(relevant_QG, order, axis=1).argmax(axis=1) + 1.0
    return rank


def average_precision(similarity_QG: FloatArray, relevant_QG: BoolArray) -> FloatArray:
    """Mean of the precision at each relevant item's rank, per query: float64 [Q]."""
    order = np.argsort(-similarity_QG, axis=1, kind="stable")
    hit = np.take_along_axis(relevant_QG, order, axis=1)
    precision = hit.cumsum(axis=1) / np.arange(1, hit.shape[1] + 1)
    mean: FloatArray = (precision * hit).sum(axis=1) / hit.sum(axis=1)
    return mean


def with_interval(per_query: FloatArray, statistic: Callable[..., FloatArray] = np.mean, seed: int = 0) -> Measure:
    """A statistic over queries and its 95 % percentile bootstrap (Efron and Tibshirani 1993), queries drawn anew.

    Args:
        per_query: float64 [Q], Q > 0.
        statistic: takes an array and `axis`.
    """
    rng = np.random.default_rng(seed)
    drawn = per_query[rng.integers(0, len(per_query), size=(NUM_RESAMPLES, len(per_query)))]
    low, high = np.percentile(statistic(drawn, axis=1), [2.5, 97.5])
    return Measure(float(statistic(per_query, axis=0)), float(low), float(high), len(per_query))


def modality_gap(a_ND: FloatArray, b_MD: FloatArray) -> float:
    """Distance between the centres of two modalities' embeddings, 0 to 2 (Liang et al. 2022, arXiv 2203.02053)."""
    return float(np.linalg.norm(a_ND.mean(axis=0) - b_MD.mean(axis=0)))


def hubness(similarity_QG: FloatArray, k: int = 10) -> float:
    """Skewness of how often each gallery item is among the first k (Radovanović et al. 2010, JMLR 11); 0 is even."""
    k = min(k, similarity_QG.shape[1])
    top_Qk = np.argsort(-similarity_QG, axis=1, kind="stable")[:, :k]
    counts = np.bincount(top_Qk.ravel(), minlength=similarity_QG.shape[1]).astype(np.float64)
    deviation = counts.std()
    return float(((counts - counts.mean()) ** 3).mean() / deviation**3) if deviation > 0 else 0.0
