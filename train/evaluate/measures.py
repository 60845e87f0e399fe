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
    found: FloatArray = (first_relevant_rank(similarity_QG, relevant_QG) <= k).astype(np.float64)
    return found


def precision_at_k(similarity_QG: FloatArray, relevant_QG: BoolArray, k: int) -> FloatArray:
    """Share of relevant items among the first k of each query: float64 [Q].

    Of a query with fewer than k relevant items, the share of those that there are: 1 is always within reach.
    """
    top_Qk = np.argsort(-similarity_QG, axis=1, kind="stable")[:, :k]
    found = np.take_along_axis(relevant_QG, top_Qk, axis=1).sum(axis=1)
    share: FloatArray = found / np.clip(relevant_QG.sum(axis=1), 1, k)
    return share


def first_relevant_rank(similarity_QG: FloatArray, relevant_QG: BoolArray) -> FloatArray:
    """Rank of each query's first relevant item, 1 for the best: float64 [Q]; infinite where nothing is relevant."""
    order = np.argsort(-similarity_QG, axis=1, kind="stable")
    hit = np.take_along_axis(relevant_QG, order, axis=1)
    rank: FloatArray = np.where(hit.any(axis=1), hit.argmax(axis=1) + 1.0, np.inf)
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
    return _measure(float(statistic(per_query, axis=0)), statistic(drawn, axis=1), len(per_query))


def modality_gap(a_ND: FloatArray, b_MD: FloatArray, seed: int = 0) -> Measure:
    """Distance between the centres of two modalities' embeddings, 0 to 2 (Liang et al. 2022, arXiv 2203.02053).

    The interval is of the gap of items drawn anew on both sides; like every distance it can only grow by chance.
    """
    rng = np.random.default_rng(seed)
    centres = [rng.multinomial(len(z), np.full(len(z), 1 / len(z)), NUM_RESAMPLES) @ z / len(z) for z in (a_ND, b_MD)]
    value = float(np.linalg.norm(a_ND.mean(axis=0) - b_MD.mean(axis=0)))
    return _measure(value, np.linalg.norm(centres[0] - centres[1], axis=1), len(b_MD))


def hubness(similarity_QG: FloatArray, k: int = 10, seed: int = 0) -> Measure:
    """Skewness of how often each gallery item is among the first k (Radovanović et al. 2010, JMLR 11); 0 is even."""
    num_queries = len(similarity_QG)
    top_Qk = np.argsort(-similarity_QG, axis=1, kind="stable")[:, :k]
    found_QG = np.zeros(similarity_QG.shape, np.float32)
    np.put_along_axis(found_QG, top_Qk, 1.0, axis=1)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(num_queries, np.full(num_queries, 1 / num_queries), NUM_RESAMPLES).astype(np.float32)
    return _measure(float(_skewness(found_QG.sum(axis=0))), _skewness(drawn @ found_QG), num_queries)


def _skewness(counts: FloatArray) -> FloatArray:
    """Of the last axis; 0 where all are equal."""
    centred = counts.astype(np.float64) - counts.mean(axis=-1, keepdims=True)
    deviation = np.sqrt(np.square(centred).mean(axis=-1))
    skewed: FloatArray = (centred**3).mean(axis=-1) / np.where(deviation > 0, deviation, np.inf) ** 3
    return skewed


def _measure(value: float, resampled: FloatArray, n: int) -> Measure:
    """The value with the 2.5 and 97.5 percentiles, made to hold it: a distance between resampled means is too large."""
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Measure(value, min(float(low), value), max(float(high), value), n)
