"""Exact search over the vectors of one modality, held in memory in the order in which they were added."""

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

_TIE = 1e-5  # float32 products of equal rows differ by less: everything this near to the k-th is compared exactly


@dataclass(frozen=True)
class Background:
    """How one query's cosines spread over all items of one modality.

    Attributes:
        num_items: how many items there are.
        mean, std: of the cosines; 0 where there are none.
    """

    num_items: int
    mean: float
    std: float


class ExactIndex:
    """Unit vectors by id, searchable while others are added: a search sees the state in which it began.

    Beside the vectors it keeps their sum and their second moment, so that mean and spread of a query's cosines over
    all items are exact and cost the same however many items there are.

    Args:
        dim: length of each vector.
    """

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self._lock = threading.Lock()
        self._ids: list[str] = []  # grows in place; replaced, never shortened, so that a running search keeps its own
        self._row_of: dict[str, int] = {}
        self._buffer = np.empty((64, dim), np.float32)  # rows below len(self._ids) never change
        self._sum = np.zeros(dim)
        self._second = np.zeros((dim, dim))

    def __len__(self) -> int:
        return len(self._ids)

    def snapshot(self) -> tuple[list[str], FloatArray]:
        """All ids and their vectors, float32 [n, dim], in the order of addition."""
        with self._lock:
            return list(self._ids), self._buffer[: len(self._ids)]

    def extend(self, ids: Sequence[str], vectors: FloatArray) -> None:
        """Append `vectors` float32 [n, dim] under new `ids`."""
        with self._lock:
            start, end = len(self._ids), len(self._ids) + len(ids)
            if end > len(self._buffer):
                grown = np.empty((max(end, 2 * len(self._buffer)), self._dim), np.float32)
                grown[:start] = self._buffer[:start]
                self._buffer = grown
            self._buffer[start:end] = vectors
            self._row_of.update(zip(ids, range(start, end), strict=True))
            self._ids.extend(ids)
            self._count(self._buffer[start:end], 1.0)

    def remove(self, ids: Iterable[str]) -> None:
        """Forget these ids; unknown ones are passed over."""
        with self._lock:
            gone = sorted(self._row_of[item_id] for item_id in set(ids) if item_id in self._row_of)
            if not gone:
                return
            rows = self._buffer[: len(self._ids)]
            self._count(rows[gone], -1.0)
            keep = np.ones(len(rows), bool)
            keep[gone] = False
            self._buffer = rows[keep]
            self._ids = [item_id for item_id, kept in zip(self._ids, keep, strict=True) if kept]
            self._row_of = {item_id: row for row, item_id in enumerate(self._ids)}
            if not self._ids:
                self._sum[:], self._second[:] = 0.0, 0.0  # no rounding is left behind

    def background(self, query: FloatArray) -> Background:
        """Mean and spread of the cosines of `query` float32 [dim] with every vector."""
        with self._lock:
            num_items = len(self._ids)
            if not num_items:
                return Background(0, 0.0, 0.0)
            wide = query.astype(np.float64)
            mean = float(self._sum @ wide) / num_items
            square = float(wide @ self._second @ wide) / num_items
        return Background(num_items, mean, max(square - mean**2, 0.0) ** 0.5)

    def embeddings(self, ids: Iterable[str]) -> dict[str, FloatArray]:
        """The vectors, float32 [dim], of those of `ids` that are there."""
        with self._lock:
            return {item_id: self._buffer[self._row_of[item_id]] for item_id in ids if item_id in self._row_of}

    def nearest(self, query: FloatArray, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` ids nearest to `query`, with their cosines, best first; equal ones in the order of addition.

        Args:
            query: float32 [dim], unit length.
            among: only these ids; None for all.
        """
        with self._lock:
            ids, matrix = self._ids, self._buffer[: len(self._ids)]
            rows = None if among is None else np.array(sorted(self._rows(among)), np.intp)
        similarities = (matrix if rows is None else matrix[rows]) @ query
        if len(similarities) > k:
            kth = np.partition(similarities, -k)[-k]
            chosen = np.flatnonzero(similarities >= kth - _TIE)
        else:
            chosen = np.arange(len(similarities))
        return _ranked(ids, matrix, chosen if rows is None else rows[chosen], query, k)

    def _rows(self, ids: Collection[str]) -> list[int]:
        return [self._row_of[item_id] for item_id in ids if item_id in self._row_of]

    def _count(self, rows: FloatArray, sign: float) -> None:
        wide = rows.astype(np.float64)
        self._sum += sign * wide.sum(axis=0)
        self._second += sign * (wide.T @ wide)


def _ranked(
    ids: list[str], matrix: FloatArray, rows: npt.NDArray[np.intp], query: FloatArray, k: int
) -> list[tuple[str, float]]:
    """The first `k` of `rows` (rising) by cosine; summed row by row in float64, so that equal rows stay equal."""
    similarities = (matrix[rows].astype(np.float64) * query.astype(np.float64)).sum(axis=1)
    order = np.argsort(-similarities, kind="stable")[:k]
    return [(ids[rows[i]], float(np.clip(similarities[i], -1.0, 1.0))) for i in order]
