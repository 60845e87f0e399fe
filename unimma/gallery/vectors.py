"""The vectors of one model in a gallery: in memory for exact search, and in Chroma for quick candidates from many."""

import logging
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unimma import settings
from unimma.errors import GalleryError
from unimma.gallery.exact import Background, ExactIndex
from unimma.gallery.index import CandidateIndex, wipe
from unimma.gallery.items import ItemStore
from unimma.types import Modality

FloatArray = npt.NDArray[np.float32]

_log = logging.getLogger(__name__)
_OVERSAMPLING = 4  # candidates for each hit ...
_MIN_CANDIDATES = 100  # ... and never fewer (benchmarks/search_switch.py)


def num_candidates(k: int) -> int:
    """How many candidates Chroma names where `k` hits are wanted: the more, the fewer it misses."""
    return max(_OVERSAMPLING * k, _MIN_CANDIDATES)


class GalleryVectors:
    """Follows an `ItemStore`: memory at once, the index right after; both are made from the store on opening.

    Where the index fails, search goes on exactly, and the index is made anew when the gallery is next opened.

    Args:
        folder: of the index.
        dim: length of the vectors of the model with this fingerprint.
    """

    def __init__(self, folder: Path, store: ItemStore, fingerprint: str, dim: int) -> None:
        self._folder, self._store, self._fingerprint = folder, store, fingerprint
        self._exact = {modality: ExactIndex(dim) for modality in Modality}
        for modality, exact in self._exact.items():
            exact.extend(*store.vectors(fingerprint, modality, dim))
        self._index = self._opened = self._mended_index()

    def close(self) -> None:
        """Let go of the index."""
        if self._opened is not None:
            self._opened.close()
            self._index = self._opened = None

    def background(self, query: FloatArray, modality: Modality) -> Background:
        """Mean and spread of the cosines of `query` with all vectors of a modality."""
        return self._exact[modality].background(query)

    def nearest(
        self, query: FloatArray, k: int, modality: Modality, among: Collection[str] | None
    ) -> list[tuple[str, float]]:
        """Ids and cosines of the `k` nearest, best first; exact with `among`, or with few vectors."""
        exact, index = self._exact[modality], self._index
        if among is None and index is not None and len(exact) > settings.EXACT_SEARCH_UP_TO:
            try:
                among = index.nearest(self._fingerprint, modality, query, num_candidates(k))
            except GalleryError as error:
                self._give_up(error)
        return exact.nearest(query, k, among)

    def extend(self, ids: Sequence[str], modalities: Sequence[Modality], vectors: FloatArray, generation: int) -> None:
        """Vectors float32 [n, dim] that the store has committed as its `generation`."""
        batches: list[tuple[Modality, list[str], FloatArray]] = []
        for modality in Modality:
            rows = [row for row, each in enumerate(modalities) if each is modality]
            if rows:
                batches.append((modality, [ids[row] for row in rows], vectors[rows]))
        for modality, some, theirs in batches:
            self._exact[modality].extend(some, theirs)

        def upsert(index: CandidateIndex) -> None:
            for modality, some, theirs in batches:
                index.upsert(self._fingerprint, modality, some, theirs)

        self._follow(generation, upsert)

    def remove(self, ids: Sequence[str], generation: int) -> None:
        """Forget ids that the store has deleted as its `generation`."""
        for exact in self._exact.values():
            exact.remove(ids)
        self._follow(generation, lambda index: index.delete(ids))

    def _follow(self, generation: int, change: Callable[[CandidateIndex], None]) -> None:
        """Bring the index to `generation`."""
        if self._index is None:
            return
        try:
            change(self._index)
            self._store.set_indexed(self._fingerprint, generation)
        except GalleryError as error:
            self._give_up(error)

    def _give_up(self, error: GalleryError) -> None:
        _log.warning("%s Until then every search is exact.", error)
        self._index = None  # closed later, since another search may be in it
        self._store.set_indexed(self._fingerprint, -1)

    def _mended_index(self) -> CandidateIndex | None:
        if self._store.indexed(self._fingerprint) < 0:
            wipe(self._folder)
        for _ in range(2):  # a damaged one is thrown away and made anew
            try:
                return self._matching_index()
            except GalleryError as error:
                _log.warning("Making the search index anew: %s", error)
                wipe(self._folder)
        return None

    def _matching_index(self) -> CandidateIndex:
        """The index, brought to what is in memory; compared id by id only where it is not known to have followed."""
        index = CandidateIndex(self._folder)
        try:
            generation = self._store.generation()
            counts_agree = all(
                index.count(self._fingerprint, modality) == len(exact) for modality, exact in self._exact.items()
            )
            if not counts_agree or self._store.indexed(self._fingerprint) != generation:
                for modality, exact in self._exact.items():
                    index.match(self._fingerprint, modality, *exact.snapshot())
                self._store.set_indexed(self._fingerprint, generation)
        except GalleryError:
            index.close()
            raise
        return index


def forget(folder: Path, ids: Sequence[str]) -> None:
    """Delete ids from the index of a gallery that is open without a model."""
    if not folder.exists():
        return
    try:
        index = CandidateIndex(folder)
        try:
            index.delete(ids)
        finally:
            index.close()
    except GalleryError:
        wipe(folder)
