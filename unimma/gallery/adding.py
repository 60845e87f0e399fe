"""Adding many sources: prepared one by one, embedded and committed in small batches, so that progress moves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unimma.errors import ModelError, UnimmaError
from unimma.gallery.embedder import Embedder
from unimma.gallery.files import MediaFolder
from unimma.gallery.items import ItemStore
from unimma.gallery.sources import Source, identify, prepare
from unimma.settings import Limits
from unimma.types import Audio, Decoded, Image, Item, Text

FloatArray = npt.NDArray[np.float32]

_BATCH = 16
_BATCH_BYTES = 256_000_000  # of decoded media: a few large photos or clips are a batch of their own


@dataclass(frozen=True)
class AddReport:
    """What became of the sources.

    Attributes:
        added: ids of items that can now be found and could not before.
        already_there: ids of items that were there with a vector of this model; nothing about them was changed.
        refused: name and reason of each source that could not be used.
    """

    added: tuple[str, ...]
    already_there: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Prepared:
    name: str
    item: Item  # its `uri` is the staged file
    decoded: Decoded


@dataclass
class Adding:
    """One run of `Gallery.add`.

    Args:
        commit: stores items with their vectors, float32 [n, dim], and says which of them are new to this model.
        progress: called with the number of settled sources and `total`.
    """

    store: ItemStore
    files: MediaFolder
    model: Embedder
    limits: Limits
    commit: Callable[[Sequence[Item], FloatArray], set[str]]
    progress: Callable[[int, int], None]
    total: int
    _pending: list[_Prepared] = field(default_factory=list)
    _added: list[str] = field(default_factory=list)
    _already_there: list[str] = field(default_factory=list)
    _refused: list[tuple[str, str]] = field(default_factory=list)

    def run(self, sources: Sequence[Source]) -> AddReport:
        """Add them all; staged files of an unfinished batch are deleted on the way out of an error."""
        try:
            for source in sources:
                self._take(source)
            self._flush()
        finally:
            for prepared in self._pending:
                self.files.discard(Path(prepared.item.uri))
        return AddReport(tuple(self._added), tuple(self._already_there), tuple(self._refused))

    def _take(self, source: Source) -> None:
        try:
            item_id = identify(source, self.limits)
        except UnimmaError as error:
            return self._refuse(source.name, error)
        if any(item_id == prepared.item.id for prepared in self._pending):
            self._flush()
        if self.store.has_vector(item_id, self.model.fingerprint):
            self._already_there.append(item_id)
            return self._tell()
        try:
            files = None if self.store.get_many([item_id]) else self.files
            prepared = _Prepared(source.name, *prepare(source, item_id, self.model.modalities, files, self.limits))
        except UnimmaError as error:
            return self._refuse(source.name, error)
        self._pending.append(prepared)
        if len(self._pending) == _BATCH or sum(_num_bytes(each.decoded) for each in self._pending) > _BATCH_BYTES:
            self._flush()
        return None

    def _flush(self) -> None:
        embedded = self._embed(self._pending)
        if embedded:
            items = [prepared.item for prepared, _ in embedded]
            new = self.commit(items, np.stack([vector for _, vector in embedded]))
            self._added += [item.id for item in items if item.id in new]
            self._already_there += [item.id for item in items if item.id not in new]
        self._pending = []
        self._tell()

    def _embed(self, batch: Sequence[_Prepared]) -> list[tuple[_Prepared, FloatArray]]:
        """Those of the batch that the model takes, with their vectors; the others are refused."""
        if not batch:
            return []
        try:
            vectors = self.model.embed([prepared.decoded for prepared in batch])
            if not np.isfinite(vectors).all():
                raise ModelError("an embedding that is no number", "a finite one", "Leave this file out.")
        except UnimmaError as error:
            if len(batch) > 1:  # one by one, so that one spoils no other
                return [pair for prepared in batch for pair in self._embed([prepared])]
            self.files.discard(Path(batch[0].item.uri))
            self._refused.append((batch[0].name, str(error)))
            return []
        return list(zip(batch, vectors, strict=True))

    def _refuse(self, name: str, error: UnimmaError) -> None:
        self._refused.append((name, str(error)))
        self._tell()

    def _tell(self) -> None:
        self.progress(len(self._added) + len(self._already_there) + len(self._refused), self.total)


def _num_bytes(decoded: Decoded) -> int:
    match decoded:
        case Text(text=text):
            return len(text)
        case Image(pixels=pixels):
            return pixels.nbytes
        case Audio(waveform=waveform):
            return waveform.nbytes
    return decoded.frames.nbytes + (_num_bytes(decoded.sound) if decoded.sound else 0)
