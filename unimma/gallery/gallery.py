"""The gallery: items, their media and their vectors in one folder, and the nearest of them to a query."""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from unimma.errors import ConfigError, GalleryError
from unimma.gallery.adding import Adding, AddReport
from unimma.gallery.embedder import Embedder
from unimma.gallery.exact import Background
from unimma.gallery.files import MediaFolder
from unimma.gallery.items import FORMAT, ItemStore
from unimma.gallery.lock import GalleryLock
from unimma.gallery.sources import clean_title, expand
from unimma.gallery.vectors import GalleryVectors, forget
from unimma.gallery.where import Where, checked_metadata
from unimma.settings import Limits
from unimma.types import Item, Metadata, Modality

FloatArray = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]
Items = list[Item]  # inside the class, `list` is the method
Nearest = list[tuple[str, float]]

_log = logging.getLogger(__name__)
_NOTE = "gallery.toml"


class Gallery:
    """Items with their media and vectors in a folder of their own; safe to use from several threads.

    The folder holds `items.sqlite` (the truth: items, vectors, a counter of changes), `media/` (a re-encoded file an
    item), `chroma/` (the index over the vectors), `gallery.toml` (what made it) and `lock`.

    **Vectors and media never disagree, whenever the process dies.** Adding goes: media file (made under another name,
    synced, renamed) → item and vector (one transaction) → index. Deleting goes: item and vectors → index → media. So
    at every moment each item in the database has its vector and its complete media file, and all that a crash can
    leave is too much: a media file without an item, or an index that lags behind. Opening deletes the one and mends the
    other: the database counts its changes, and notes the count up to which the index has followed; where that, or the
    number of vectors, differs, the index is compared id by id; where the index cannot be read, it is made anew.

    **Vectors of two models never mix.** They are kept by model fingerprint. A gallery opens with any model; items
    without a vector of that model stay in lists and counts but cannot be found, `missing` counts them, and opening
    logs a warning. Adding such an item's source again gives it its vector and changes nothing else about it.

    Args:
        folder: made when missing.
        model: embeds what is added and searched; None to list, count, update and delete only.
        limits: what one added file may cost; None for those of the environment.
    Raises:
        GalleryError: another process has it open, or it is damaged, or of another version.
    """

    def __init__(self, folder: str | Path, model: Embedder | None, limits: Limits | None = None) -> None:
        self.folder = Path(folder).absolute()
        self._model = model
        self._limits = limits or Limits.from_env()
        self._writing = threading.RLock()  # one change at a time; searches never wait for it
        _make_folder(self.folder)
        with ExitStack() as opened:
            opened.callback(GalleryLock(self.folder).release)
            self._store = _open_store(self.folder)
            opened.callback(self._store.close)
            self._files = MediaFolder(self.folder)
            self._files.sweep(self._store.media_files())
            self._vectors = self._open_vectors()
            if self._vectors is not None:
                opened.callback(self._vectors.close)
            self._opened = opened.pop_all()

    @classmethod
    def open(cls, folder: str | Path, model: Embedder | None, *, limits: Limits | None = None) -> Self:
        """Open the gallery in `folder`, or make an empty one there; arguments and errors are those of the class."""
        return cls(folder, model, limits)

    def close(self) -> None:
        """Let go of the folder; a second call does nothing."""
        with self._writing:
            self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def model(self) -> Embedder:
        """The model that embeds what is added and searched.

        Raises:
            GalleryError: it was opened without one.
        """
        if self._model is None:
            raise _without_model()
        return self._model

    # look

    def get(self, item_id: str) -> Item:
        """One item.

        Raises:
            GalleryError: there is none of this id.
        """
        found = self.get_many([item_id])
        if not found:
            raise _unknown(item_id)
        return found[item_id]

    def get_many(self, ids: Iterable[str]) -> dict[str, Item]:
        """The items there are among `ids`, by id."""
        return {item_id: self._located(item) for item_id, item in self._store.get_many(ids).items()}

    def list(
        self,
        modality: Modality | None = None,
        where: Where | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> Items:
        """A page of the items that match, in the order of addition, the newest last.

        Raises:
            ConfigError: a filter that is none of the forms in `unimma.gallery.where`, or a negative page.
        """
        if offset < 0 or limit < 0:
            raise ConfigError(f"a page from {offset} of {limit} items", "no negative number", "Begin at 0.")
        return [self._located(item) for item in self._store.page(modality, where, offset, limit)]

    def count(self, modality: Modality | None = None, where: Where | None = None) -> int:
        """How many items match."""
        return self._store.count(modality, where)

    def missing(self) -> int:
        """How many items have no vector of this model, and so cannot be found."""
        return self._store.without_vector(self.model.fingerprint)

    def is_new(self) -> bool:
        """Whether nothing has ever been added."""
        return self._store.generation() == 0

    # find

    def has_findable(self) -> bool:
        """Whether any item has a vector of this model."""
        return self._store.has_vectors(self.model.fingerprint)

    def background(self, query: FloatArray, modality: Modality) -> Background:
        """Mean and spread of the cosines of `query` float32 [dim] with all items of a modality."""
        return self._of_model().background(query, modality)

    def nearest(self, query: FloatArray, k: int, modality: Modality, where: Where | None = None) -> Nearest:
        """Ids and cosines of the `k` items of a modality that are nearest to `query`, best first.

        Exact up to `settings.EXACT_SEARCH_UP_TO` items, and with a filter; above, Chroma names several times as many
        candidates as asked for, and their cosines are computed. Equal cosines stay in the order of addition.

        Args:
            query: float32 [dim], unit length.
        """
        among = self._store.ids(modality, where) if where else None
        return self._of_model().nearest(query, k, modality, among)

    # change

    def add(
        self,
        sources: Iterable[str | Path | Item],
        *,
        progress: Progress | None = None,
        metadata: Metadata | None = None,
    ) -> AddReport:
        """Add sentences (str), files (Path), folders (Path: every file below, sorted, hidden ones left out) and items.

        An item is added as its modality, from its `text` or the file at its `uri`; its title, span and metadata are
        kept. The same content twice is one item. A source that cannot be used is reported and never stops the others.

        Args:
            progress: called with the number of settled sources and the number of all; what it raises ends the adding,
                and what was committed until then stays.
            metadata: facts for every source; those of an item itself go before them.
        Raises:
            ConfigError: metadata that cannot be stored, or one sentence or file where a list of them belongs.
            GalleryError: opened without a model, or nothing more can be written into the folder.
        """
        if isinstance(sources, str | Path | Item):
            raise ConfigError("one source", "a list of sources", "Write add([source]).")
        queue = expand(sources, metadata)
        return Adding(
            store=self._store,
            files=self._files,
            model=self.model,
            limits=self._limits,
            commit=self._commit,
            progress=progress or (lambda done, total: None),
            total=len(queue),
        ).run(queue)

    def update(self, item_id: str, *, title: str | None = None, metadata: Metadata | None = None) -> Item:
        """Give an item another title, or other metadata in place of all it has: the item as it is then.

        Raises:
            ConfigError: an empty title, or metadata that cannot be stored.
            GalleryError: there is no such item.
        """
        line = None if title is None else clean_title(title)
        if line == "":
            raise ConfigError("an empty title", "a word or more", "Leave it out to keep the old one.")
        facts = None if metadata is None else checked_metadata(metadata)
        with self._writing:
            if not self._store.update(item_id, line, facts):
                raise _unknown(item_id)
        return self.get(item_id)

    def delete(self, ids: Iterable[str]) -> int:
        """Delete items, their vectors of all models and their media: how many there were of `ids`.

        Raises:
            ConfigError: one id where a list of them belongs.
        """
        if isinstance(ids, str):
            raise ConfigError("one id", "a list of ids", "Write delete([id]).")
        with self._writing:
            items, generation = self._store.delete(ids)
            gone = [item.id for item in items]
            if self._vectors is not None:
                self._vectors.remove(gone, generation)
            else:
                forget(self.folder / "chroma", gone)
            self._files.delete(item.uri for item in items)
        return len(gone)

    # how

    def _commit(self, prepared: Sequence[Item], vectors: FloatArray) -> set[str]:
        """Keep staged media, store items and vectors, float32 [n, dim], in the order that the class promises.

        Another thread may have added or deleted the same content since the items were prepared, so what is there is
        asked again. Returns the ids that are findable now and were not before.
        """
        model = self.model
        with self._writing:
            there = self._store.get_many(item.id for item in prepared)
            rows, items = [], []
            for row, item in enumerate(prepared):
                if item.id in there and item.uri:
                    self._files.discard(Path(item.uri))
                if item.id in there and not self._store.has_vector(item.id, model.fingerprint):
                    rows.append(row)
                    items.append(there[item.id])
                elif item.id not in there and item.uri:  # without a staged file: was there, and is just deleted
                    rows.append(row)
                    items.append(replace(item, uri=self._files.keep(Path(item.uri), item.id)))
            if items:
                self._files.settle()
                generation = self._store.insert(items, vectors[rows], model.fingerprint, model.name)
                ids, modalities = [item.id for item in items], [item.modality for item in items]
                self._of_model().extend(ids, modalities, vectors[rows], generation)
        return {item.id for item in items}

    def _open_vectors(self) -> GalleryVectors | None:
        if self._model is None:
            return None
        fingerprint, name = self._model.fingerprint, self._model.name
        num_missing, num_items = self._store.without_vector(fingerprint), self._store.count()
        if num_missing:
            others = ", ".join(sorted({n for f, n in self._store.models().items() if f != fingerprint}))
            _log.warning(
                "%d of %d items have no vector of model %s (%s), only of %s, and cannot be found until they are added "
                "again.", num_missing, num_items, name, fingerprint, others or "none",
            )  # fmt: skip
        _note(self.folder / _NOTE, fingerprint, name)
        return GalleryVectors(self.folder / "chroma", self._store, fingerprint, self._model.dim)

    def _of_model(self) -> GalleryVectors:
        if self._vectors is None:
            raise _without_model()
        return self._vectors

    def _located(self, item: Item) -> Item:
        return replace(item, uri=str(self._files.folder / item.uri))


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


def _note(path: Path, fingerprint: str, name: str) -> None:
    """Write down, for people and other programs, what the gallery was last opened with."""
    text = (
        f"format = {FORMAT}\n\n[model]  # that it was last opened with\n"
        f"name = {json.dumps(name)}\nfingerprint = {json.dumps(fingerprint)}\n"
    )
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        made = path.with_suffix(".new")
        made.write_text(text, encoding="utf-8")
        os.replace(made, path)


def _unknown(item_id: str) -> GalleryError:
    return GalleryError(f"no item {item_id!r}", "the id of an item in this gallery", "List the gallery to see its ids.")


def _without_model() -> GalleryError:
    return GalleryError("a gallery opened without a model", "one with a model", "Open it with a model.")
