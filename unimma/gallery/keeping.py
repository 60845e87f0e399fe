"""Changes of a gallery, one at a time, each in an order that leaves nothing wrong whenever the process dies."""

import json
import logging
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from unimma.errors import GalleryError
from unimma.gallery.database import FORMAT, iso_utc
from unimma.gallery.embedder import Embedder
from unimma.gallery.files import MediaFolder
from unimma.gallery.index import wipe
from unimma.gallery.items import ItemStore, Record
from unimma.gallery.lock import GalleryLock
from unimma.gallery.trash import Trash
from unimma.gallery.vectors import GalleryVectors, forget
from unimma.types import Item, Metadata

_log = logging.getLogger(__name__)
_NOTE = "gallery.toml"


class Keeper:
    """Holds a gallery's folder: the lock, the store, the media, the vectors in memory and in the index.

    Args:
        folder: made when missing.
        model: whose vectors are searched; None for none.
        index: whether there is an index beside exact search.
    Raises:
        GalleryError: another process has it open, or it is damaged, or of another version.
    """

    def __init__(self, folder: Path, model: Embedder | None, index: bool) -> None:
        self._model = model
        self._chroma, self._has_index = folder / "chroma", index and model is not None
        self._writing = threading.RLock()  # one change at a time; searches never wait for it
        _make_folder(folder)
        with ExitStack() as opened:
            opened.callback(GalleryLock(folder).release)
            self.store = _open_store(folder)
            opened.callback(self.store.close)
            self.trash = Trash(self.store)
            thrown, _ = self.trash.empty()
            if thrown:
                self.store.erase_deleted()
            self.files = MediaFolder(folder)
            self.files.sweep(self.store.media_files())
            self.vectors: GalleryVectors | None = None
            if model is not None:
                _warn_of_missing(self.store, model)
                _note(folder / _NOTE, model)
                chroma = self._chroma if self._has_index else None
                self.vectors = GalleryVectors(chroma, self.store, model.fingerprint, model.dim)
                opened.callback(self.vectors.close)
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Let go of the folder; a second call does nothing."""
        with self._writing:
            self._opened.close()

    def commit(self, prepared: Sequence[Record]) -> set[str]:
        """Keep staged media, store items and vectors: the ids that are findable now and were not before.

        Another thread may have added or deleted the same content since the items were prepared, so what is there is
        asked again.

        Raises:
            GalleryError: it cannot be stored; nothing has changed.
        """
        model, vectors = self._with_model()
        with self._writing:
            there = self.store.get_many(record.item.id for record in prepared)
            names: list[str] = []
            try:
                records = [each for record in prepared if (each := self._kept(record, there, model, names))]
                if not records:
                    return set()
                self.files.settle()
                generation = self.store.insert(records, model.fingerprint, model.name)
            except OSError as error:
                self.files.delete(names)
                came = f"a file that cannot be kept ({error.strerror or type(error).__name__})"
                raise GalleryError(came, "room and the right to write", "Make room, then try again.") from error
            except BaseException:
                self.files.delete(names)
                raise
            ids, modalities = [each.item.id for each in records], [each.item.modality for each in records]
            vectors.extend(ids, modalities, np.stack([each.vector for each in records]), generation)
        return set(ids)

    def _kept(self, record: Record, there: Mapping[str, Item], model: Embedder, names: list[str]) -> Record | None:
        """The record as it is stored, its media in place and noted in `names`; None where nothing is to be stored."""
        item, known = record.item, there.get(record.item.id)
        if known is not None:
            if item.uri:
                self.files.discard(Path(item.uri).stem)
            if self.store.has_vector(item.id, model.fingerprint):
                return None
            length_s = item.duration_s if known.duration_s is None else known.duration_s
            return replace(record, item=replace(known, duration_s=length_s))
        if not item.uri:  # was there when it was prepared, and is just deleted
            return None
        names.append(self.files.keep(Path(item.uri), item.id))
        added = item.added or iso_utc(datetime.now(UTC))
        return replace(record, item=replace(item, uri=names[-1], added=added))

    def update(self, item_id: str, title: str | None, metadata: Metadata | None) -> bool:
        """Change what people gave to an item; False where there is no such item."""
        with self._writing:
            return self.store.update(item_id, title, metadata)

    def delete(self, ids: Iterable[str]) -> int:
        """Delete items for good, and what lies of them in the trash: how many there were."""
        with self._writing:
            wanted = list(ids)
            items, generation = self.store.delete(wanted)
            thrown, names = self.trash.empty(wanted)
            self._unfind([item.id for item in items], generation)
            self.files.delete([*(item.uri for item in items), *names])
            gone = {item.id for item in items}.union(thrown)
            if gone:
                self.store.erase_deleted()
        return len(gone)

    def put_in_trash(self, ids: Iterable[str]) -> int:
        """Hide items from everything; their media stay: how many there were."""
        with self._writing:
            moved, generation = self.trash.put(ids)
            self._unfind(moved, generation)
        return len(moved)

    def take_out_of_trash(self, ids: Iterable[str]) -> int:
        """Bring items back into their old places: how many there were."""
        with self._writing:
            moved, generation = self.trash.take_out(ids)
            if self.vectors is not None:
                self.vectors.bring_back(generation)
        return len(moved)

    def empty_trash(self) -> int:
        """Forget for good all that lies in the trash: how many items."""
        with self._writing:
            gone, names = self.trash.empty()
            self.files.delete(names)
            if gone:
                self.store.erase_deleted()
        return len(gone)

    def drop_other_models(self) -> None:
        """Forget the vectors of every model but the one that is open."""
        model, vectors = self._with_model()
        with self._writing:
            vectors.reload()
            if set(self.store.models()) - {model.fingerprint}:
                vectors.drop_other_models(self.store.drop_other_models(model.fingerprint))
                self.store.erase_deleted()

    def rebuild(self) -> None:
        """Make the index anew from the store; without a model, when one next opens the gallery."""
        with self._writing:
            if self._has_index and self.vectors is not None:
                self.vectors.rebuild()
            else:
                self._drop_index()

    def compact(self) -> None:
        """Write the store anew, and drop the index, without a trace of what they held before.

        The index is left to the next opening: its files are larger than what is in them, and are filled up with
        whatever the memory of the process held before, which may be what was deleted.
        """
        with self._writing:
            self.store.compact()
            self._drop_index()

    def _unfind(self, ids: Sequence[str], generation: int) -> None:
        if self.vectors is not None:
            self.vectors.remove(ids, generation)
        else:
            forget(self._chroma, ids)

    def _drop_index(self) -> None:
        if self._has_index and self.vectors is not None:
            self.vectors.drop_index()
        elif self._chroma.exists():  # of another opening
            self.store.forget_index()
            wipe(self._chroma)

    def _with_model(self) -> tuple[Embedder, GalleryVectors]:
        if self._model is None or self.vectors is None:
            raise without_model()
        return self._model, self.vectors


def without_model() -> GalleryError:
    """What is said where a model is needed."""
    return GalleryError("a gallery opened without a model", "one with a model", "Open it with a model.")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        came = f"{folder.name}: {error.strerror}"
        raise GalleryError(came, "a folder that can be made and written", "Name another gallery folder.") from error


def _open_store(folder: Path) -> ItemStore:
    """The database; one that is lost is not made anew, or all media would be swept as if a crash had left them."""
    path = folder / "items.sqlite"
    if (folder / _NOTE).exists() and not path.exists():
        todo = f"Restore it from a copy, or delete {_NOTE} to begin anew without the media that are left."
        raise GalleryError(f"a gallery without {path.name}", "its database", todo)
    return ItemStore(path)


def _warn_of_missing(store: ItemStore, model: Embedder) -> None:
    num_missing = len(store.without_vector(model.fingerprint))
    if num_missing:
        others = ", ".join(sorted({n for f, n in store.models().items() if f != model.fingerprint}))
        _log.warning(
            "%d of %d items have no vector of model %s (%s), only of %s, and cannot be found until "
            "`python -m unimma reembed` gives them one.",
            num_missing, store.count(), model.name, model.fingerprint, others or "none",
        )  # fmt: skip


def _note(path: Path, model: Embedder) -> None:
    """Write down, for people and other programs, what the gallery was last opened with."""
    text = (
        f"format = {FORMAT}\n\n[model]  # that it was last opened with\n"
        f"name = {json.dumps(model.name)}\nfingerprint = {json.dumps(model.fingerprint)}\n"
    )
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        made = path.with_suffix(".new")
        made.write_text(text, encoding="utf-8")
        os.replace(made, path)
