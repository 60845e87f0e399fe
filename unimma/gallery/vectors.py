"""The vectors of one model in a gallery: in memory for exact search, and in Chroma for quick candidates from many."""

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
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
        folder: of the index; None for exact search alone.
        dim: length of the vectors of the model with this fingerprint.
    """

    def __init__(self, folder: Path | None, store: ItemStore, fingerprint: str, dim: int) -> None:
        self._folder, self._store, self._fingerprint, self._dim = folder, store, fingerprint, dim
        self._using = threading.Lock()  # the index, which must not be closed while it is asked
        self._exact = self._loaded()
        self._index = self._opened = self._mended_index()

    def close(self) -> None:
        """Let go of the index."""
        with self._using:
            opened, self._index, self._opened = self._opened, None, None
        if opened is not None:
            opened.close()

    def bring_back(self, generation: int) -> None:
        """Take in, at their old places, vectors that the store has brought back as its `generation`."""
        self.reload()
        self._follow(generation, self._match)

    def reload(self) -> None:
        """Bring memory to the order of addition, after items came in that do not belong at its end."""
        self._exact = self._loaded()

    def rebuild(self) -> None:
        """Make memory and index anew; a search goes on meanwhile, exactly."""
        self.drop_index()
        self.reload()
        self._index = self._opened = self._mended_index()

    def drop_index(self) -> None:
        """Delete the index; searches are exact until the gallery is next opened, which makes it anew."""
        self.close()
        if self._folder is not None:
            self._store.forget_index()  # before the files go: what a crash leaves of them is not trusted
            wipe(self._folder)

    def background(self, query: FloatArray, modality: Modality) -> Background:
        """Mean and spread of the cosines of `query` with all vectors of a modality."""
        return self._exact[modality].background(query)

    def embeddings(self, ids: Iterable[str]) -> dict[str, FloatArray]:
        """The vectors, float32 [dim], of those of `ids` that have one."""
        wanted = list(ids)
        return {item_id: row for exact in self._exact.values() for item_id, row in exact.embeddings(wanted).items()}

    def nearest(
        self, query: FloatArray, k: int, modality: Modality, among: Collection[str] | None
    ) -> list[tuple[str, float]]:
        """Ids and cosines of the `k` nearest, best first; exact with `among`, or with few vectors."""
        exact = self._exact[modality]
        if among is None and len(exact) > settings.EXACT_SEARCH_UP_TO:
            among = self._candidates(query, k, modality)
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

    def drop_other_models(self, generation: int) -> None:
        """Forget the vectors of every model but this one, which the store has dropped as its `generation`."""
        self._follow(generation, lambda index: index.drop_other_models(self._fingerprint))

    def _candidates(self, query: FloatArray, k: int, modality: Modality) -> list[str] | None:
        with self._using:
            if self._index is None:
                return None
            try:
                return self._index.nearest(self._fingerprint, modality, query, num_candidates(k))
            except GalleryError as error:
                self._give_up(error)
                return None

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
        self._index = None
        with suppress(GalleryError):  # a full disk: then the generations differ, which is noticed as well
            self._store.set_indexed(self._fingerprint, -1)

    def _loaded(self) -> dict[Modality, ExactIndex]:
        exact = {modality: ExactIndex(self._dim) for modality in Modality}
        for modality, vectors in exact.items():
            vectors.extend(*self._store.vectors(self._fingerprint, modality, self._dim))
        return exact

    def _mended_index(self) -> CandidateIndex | None:
        if self._folder is None:
            return None
        if self._store.indexed(self._fingerprint) < 0:
            wipe(self._folder)
        for _ in range(2):  # a damaged one is thrown away and made anew
            try:
                return self._matching_index(self._folder)
            except GalleryError as error:
                _log.warning("Making the search index anew: %s", error)
                wipe(self._folder)
        return None

    def _match(self, index: CandidateIndex) -> None:
        for modality, exact in self._exact.items():
            index.match(self._fingerprint, modality, *exact.snapshot())

    def _matching_index(self, folder: Path) -> CandidateIndex:
        """The index, brought to what is in memory; compared id by id only where it is not known to have followed."""
        index = CandidateIndex(folder)
        try:
            generation = self._store.generation()
            counts_agree = all(
                index.count(self._fingerprint, modality) == len(exact) for modality, exact in self._exact.items()
            )
            if not counts_agree or self._store.indexed(self._fingerprint) != generation:
                self._match(index)
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
