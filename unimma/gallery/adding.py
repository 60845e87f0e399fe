"""Adding many sources: prepared one by one, embedded and committed in small batches, so that progress moves."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from unimma.errors import GalleryError, ModelError, UnimmaError
from unimma.gallery.embedder import Embedder
from unimma.gallery.files import MediaFolder
from unimma.gallery.items import ItemStore, Moments, Record
from unimma.gallery.sources import Prepared, Source, identify, prepare
from unimma.settings import Limits
from unimma.types import Audio, Decoded, Image, Text, Video

FloatArray = npt.NDArray[np.float32]

_BATCH = 16
_BATCH_BYTES = 256_000_000  # of decoded media: a few large photos or clips are a batch of their own
_MOMENTS_FROM_S = 12.0  # shorter sounds and clips are looked through at a glance
_MOMENTS_UP_TO_S = 1_800.0  # 900 windows; of longer films too few frames are sampled to tell their moments apart
_T = TypeVar("_T")


class Call(Protocol):
    """Runs a module-level function with arguments that pickle, here or in a process of its own."""

    def __call__(self, function: Callable[..., _T], /, *args: Any) -> _T: ...


def direct(function: Callable[..., _T], /, *args: Any) -> _T:
    """Runs it here and now."""
    return function(*args)


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
class _Pending:
    name: str
    stem: str  # of its staged file
    prepared: Prepared
    vector: FloatArray | None  # where it is known already


@dataclass
class Adding:
    """One run of `Gallery.add`, `reembed` or `import_`.

    Args:
        call: through which sources are identified and prepared.
        commit: stores records and says which of them are new to this model; a record's `uri` is the staged file.
        progress: called with the number of settled sources and `total`.
        go_on: asked before each source; False ends the run, and the report tells of what was settled until then.
        refused: what could not be used before it became a source: counted in `total`, and reported.
    """

    store: ItemStore
    files: MediaFolder
    model: Embedder
    limits: Limits
    call: Call
    commit: Callable[[Sequence[Record]], set[str]]
    progress: Callable[[int, int], None]
    total: int
    go_on: Callable[[], bool] = lambda: True
    refused: Sequence[tuple[str, str]] = ()
    _pending: list[_Pending] = field(default_factory=list)
    _added: list[str] = field(default_factory=list)
    _already_there: list[str] = field(default_factory=list)
    _refused: list[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self._refused = list(self.refused)

    def run(self, sources: Iterable[Source]) -> AddReport:
        """Add them all; staged files of an unfinished batch are deleted on the way out of an error."""
        try:
            for source in takewhile(lambda _: self.go_on(), sources):
                self._take(source)
            self._flush()
        finally:
            for pending in self._pending:
                self.files.discard(pending.stem)
        return AddReport(tuple(self._added), tuple(self._already_there), tuple(self._refused))

    def _take(self, source: Source) -> None:
        stem = uuid.uuid4().hex
        unpacked = self.files.unpacked(stem)
        try:
            if source.packed is not None:
                source.packed.unpack(unpacked)
                source = replace(source, content=unpacked, file_name=source.name, packed=None)
            item_id = source.item_id or self.call(identify, source, self.limits)
        except UnimmaError as error:
            self._refuse([source.name], error)
        else:
            self._prepare(source, item_id, stem)
        finally:
            unpacked.unlink(missing_ok=True)

    def _prepare(self, source: Source, item_id: str, stem: str) -> None:
        if any(item_id == pending.prepared.item.id for pending in self._pending):
            self._flush()
        if self.store.has_vector(item_id, self.model.fingerprint):
            self._already_there.append(item_id)
            return self._tell()
        files = None if self.store.get_many([item_id]) else self.files
        try:
            ready = self.call(prepare, source, item_id, self.model.modalities, files, stem, self.limits)
        except UnimmaError as error:
            self.files.discard(stem)
            return self._refuse([source.name], error)
        self._pending.append(_Pending(source.name, stem, ready, source.vector))
        if len(self._pending) == _BATCH or sum(map(_num_bytes, self._pending)) > _BATCH_BYTES:
            self._flush()
        return None

    def _flush(self) -> None:
        embedded = self._embed(self._pending)
        records = [record for _, record in embedded]
        try:
            new = self.commit(records) if records else set()
        except GalleryError as error:  # the disk is full: smaller ones may still find room
            for pending, _ in embedded:
                self.files.discard(pending.stem)
            self._pending = []
            return self._refuse([pending.name for pending, _ in embedded], error)
        self._added += [record.item.id for record in records if record.item.id in new]
        self._already_there += [record.item.id for record in records if record.item.id not in new]
        self._pending = []
        return self._tell()

    def _embed(self, batch: Sequence[_Pending]) -> list[tuple[_Pending, Record]]:
        """Those of the batch that the model takes; the others are refused."""
        if not batch:
            return []
        try:
            return list(zip(batch, self._records(batch), strict=True))
        except UnimmaError as error:
            if len(batch) > 1:  # one by one, so that one spoils no other
                return [pair for pending in batch for pair in self._embed([pending])]
            self.files.discard(batch[0].stem)
            self._refused.append((batch[0].name, str(error)))
            return []

    def _records(self, batch: Sequence[_Pending]) -> list[Record]:
        rows = iter(self.model.embed([each.prepared.decoded for each in batch if each.vector is None]))
        records = []
        for each in batch:
            vector = next(rows) if each.vector is None else each.vector
            moments = _moments(self.model, each.prepared.decoded)
            if not all(np.isfinite(array).all() for array in [vector, *(moments or ())]):
                raise ModelError("an embedding that is no number", "a finite one", "Leave this file out.")
            records.append(Record(each.prepared.item, vector, moments, each.prepared.likeness))
        return records

    def _refuse(self, names: Sequence[str], error: UnimmaError) -> None:
        self._refused += [(name, str(error)) for name in names]
        self._tell()

    def _tell(self) -> None:
        self.progress(len(self._added) + len(self._already_there) + len(self._refused), self.total)


def _moments(model: Embedder, decoded: Decoded) -> Moments | None:
    """The windows of a sound or clip that is long enough to have several."""
    if not isinstance(decoded, Audio | Video) or not _MOMENTS_FROM_S < decoded.duration_s <= _MOMENTS_UP_TO_S:
        return None
    rows, times = model.embed_sequence(decoded)
    return (times, rows) if len(rows) > 1 else None


def _num_bytes(pending: _Pending) -> int:
    return _in_memory(pending.prepared.decoded)


def _in_memory(decoded: Decoded) -> int:
    match decoded:
        case Text(text=text):
            return len(text)
        case Image(pixels=pixels):
            return pixels.nbytes
        case Audio(waveform=waveform):
            return waveform.nbytes
    return decoded.frames.nbytes + (_in_memory(decoded.sound) if decoded.sound else 0)
