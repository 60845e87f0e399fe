"""The gallery: items, their media and their vectors in one folder, and the nearest of them to a query."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from unimma.errors import ConfigError, GalleryError
from unimma.gallery.adding import Adding, AddReport, Call, direct
from unimma.gallery.archive import Archive, unzipped
from unimma.gallery.embedder import Embedder
from unimma.gallery.exact import Background
from unimma.gallery.facets import Facets, facets
from unimma.gallery.items import Moments
from unimma.gallery.keeping import Keeper, without_model
from unimma.gallery.phrases import holder
from unimma.gallery.sources import Source, clean_title, expand
from unimma.gallery.transfer import MAX_MEMBERS, read_zip, write_zip
from unimma.gallery.vectors import GalleryVectors
from unimma.gallery.where import Where, checked_metadata
from unimma.settings import Limits
from unimma.types import Item, Metadata, Modality

FloatArray = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]
Ids = list[str]  # inside the class, `list` is the method
Items = list[Item]
Rows = list[tuple[Item, FloatArray | None]]
Nearest = list[tuple[str, float]]

_PAGE = 100  # items that are read at once where all are gone through


class Gallery:
    """Items with their media and vectors in a folder of their own; safe to use from several threads.

    The folder holds `items.sqlite` (the truth: items, vectors, what is in the trash, a counter of changes), `media/` (a
    re-encoded file an item), `chroma/` (the index over the vectors), `gallery.toml` (what made it) and `lock`.

    **Vectors and media never disagree, whenever the process dies.** Adding goes: media file (made under another name,
    synced, renamed) → item and vector (one transaction) → index. Deleting goes: item and vectors → index → media. So
    at every moment each item in the database has its vector and its complete media file, and all that a crash can
    leave is too much: a media file without an item, or an index that lags behind. Opening deletes the one and mends the
    other: the database counts its changes, and notes the count up to which the index has followed; where that, or the
    number of vectors, differs, the index is compared id by id; where the index cannot be read, it is made anew.

    **Vectors of two models never mix.** They are kept by model fingerprint. A gallery opens with any model; items
    without a vector of that model stay in lists and counts but cannot be found, `missing` counts them, and opening
    logs a warning. `reembed` gives them their vectors from the kept media.

    **Deleted means gone.** After `delete` no text, preview, vector or media of an item is in a file of the folder but,
    until `compact`, in the index. `trash` only hides: `restore` brings back, `purge` and the next opening delete.

    Args:
        folder: made when missing.
        model: embeds what is added and searched; None to list, count, update and delete only.
        limits: what one added file may cost; None for those of the environment.
        index: False for exact search alone, which is all that a small gallery needs.
        call: runs what decodes files, `call(function, *args)`; such as `unimma.media.child.Workers.call`, in a process
            of its own. What it raises must be an UnimmaError for the file to be refused and the others to go on.
    Raises:
        GalleryError: another process has it open, or it is damaged, or of another version.
    """

    def __init__(
        self,
        folder: str | Path,
        model: Embedder | None,
        limits: Limits | None = None,
        index: bool = True,
        call: Call = direct,
    ) -> None:
        self.folder = Path(folder).absolute()
        self._model = model
        self._limits = limits or Limits.from_env()
        self._call = call
        self._keeper = Keeper(self.folder, model, index)
        self._store = self._keeper.store

    @classmethod
    def open(
        cls,
        folder: str | Path,
        model: Embedder | None,
        *,
        limits: Limits | None = None,
        index: bool = True,
        call: Call = direct,
    ) -> Self:
        """Open the gallery in `folder`, or make an empty one there; arguments and errors are those of the class."""
        return cls(folder, model, limits, index, call)

    def close(self) -> None:
        """Let go of the folder; a second call does nothing."""
        self._keeper.close()

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
            raise without_model()
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
        *,
        order: str = "added",
        descending: bool = False,
    ) -> Items:
        """A page of the items that match.

        Args:
            order: "added", "title", "length" (of sounds and clips; the others come last) or "size".
        Raises:
            ConfigError: a filter that is none of the forms in `unimma.gallery.where`, a negative page, no such order.
        """
        if offset < 0 or limit < 0:
            raise ConfigError(f"a page from {offset} of {limit} items", "no negative number", "Begin at 0.")
        return [self._located(item) for item in self._store.page(modality, where, offset, limit, order, descending)]

    def count(self, modality: Modality | None = None, where: Where | None = None) -> int:
        """How many items match."""
        return self._store.count(modality, where)

    def ids(self, modality: Modality | None = None, where: Where | None = None) -> Ids:
        """The ids of the items that match, in the order of addition."""
        return self._store.ids(modality, where)

    def facets(self, where: Where | None = None, modality: Modality | None = None) -> Facets:
        """What the matching items can be narrowed by, with counts: see `unimma.gallery.facets.facets`."""
        return facets(self._store, where, modality)

    def containing(self, phrases: Iterable[str], modality: Modality | None = None, where: Where | None = None) -> Ids:
        """Ids of matching items in whose title, caption or text each phrase stands, as whole words in whatever case."""
        return self._store.holding(holder(phrases), modality, where)

    def likenesses(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Perceptual hashes of the pictures and clips among `ids`, for `unimma.gallery.likeness.is_alike`."""
        return self._store.likenesses(ids)

    def sequence(self, ids: Iterable[str]) -> dict[str, Moments]:
        """Windows of the long sounds and clips among `ids`: [T, 2] start and end in seconds, and [T, dim] unit rows."""
        return self._store.moments(ids, self.model.fingerprint)

    def num_bytes(self) -> int:
        """What the kept media take on disk, those in the trash as well."""
        return self._store.num_bytes() + self._keeper.trash.num_bytes()

    def missing(self) -> int:
        """How many items have no vector of this model, and so cannot be found."""
        return len(self._store.without_vector(self.model.fingerprint))

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

    def embeddings(self, ids: Iterable[str]) -> dict[str, FloatArray]:
        """The vectors, float32 [dim], of those of `ids` that have one of this model."""
        return self._of_model().embeddings(ids)

    def nearest(
        self,
        query: FloatArray,
        k: int,
        modality: Modality,
        where: Where | None = None,
        among: Collection[str] | None = None,
    ) -> Nearest:
        """Ids and cosines of the `k` items of a modality that are nearest to `query`, best first.

        Exact up to `settings.EXACT_SEARCH_UP_TO` items, and with a filter; above, Chroma names several times as many
        candidates as asked for, and their cosines are computed. Equal cosines stay in the order of addition.

        Args:
            query: float32 [dim], unit length.
            among: only those of these ids; None for all.
        """
        if where:
            matching = self._store.ids(modality, where)
            among = matching if among is None else set(matching).intersection(among)
        return self._of_model().nearest(query, k, modality, among)

    # change

    def add(
        self,
        sources: Iterable[str | Path | Item],
        *,
        progress: Progress | None = None,
        metadata: Metadata | None = None,
        go_on: Callable[[], bool] = lambda: True,
    ) -> AddReport:
        """Add sentences (str), files (Path), folders (Path: every file below, sorted, hidden ones left out) and items.

        A .zip file is as good as the files in it (`unimma.gallery.archive`).

        An item is added as its modality, from its `text` or the file at its `uri`; its title, span and metadata are
        kept. The same content twice is one item. A source that cannot be used is reported and never stops the others.

        Args:
            progress: called with the number of settled sources and the number of all; what it raises ends the adding,
                and what was committed until then stays.
            metadata: facts for every source; those of an item itself go before them.
            go_on: asked before each source, and may block to pause; False ends the adding with a report of what was
                settled until then.
        Raises:
            ConfigError: metadata that cannot be stored, or one sentence or file where a list of them belongs.
            GalleryError: opened without a model.
        """
        if isinstance(sources, str | Path | Item):
            raise ConfigError("one source", "a list of sources", "Write add([source]).")
        with ExitStack() as opened:
            queue, refused = unzipped(expand(sources, metadata), self._limits, opened)
            return self._adding(progress, len(queue), go_on, refused).run(queue)

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
        if not self._keeper.update(item_id, line, facts):
            raise _unknown(item_id)
        return self.get(item_id)

    def delete(self, ids: Iterable[str]) -> int:
        """Delete items, their vectors of all models and their media, also from the trash: how many there were of `ids`.

        Raises:
            ConfigError: one id where a list of them belongs.
        """
        return self._keeper.delete(_several(ids, "delete"))

    def trash(self, ids: Iterable[str]) -> int:
        """Hide items from everything; `restore` brings them back until `purge`, or until the next opening.

        Raises:
            ConfigError: one id where a list of them belongs.
        """
        return self._keeper.put_in_trash(_several(ids, "trash"))

    def restore(self, ids: Iterable[str]) -> int:
        """Bring items back out of the trash, into the places they had: how many there were of `ids`.

        What has been added again in the meantime stays as it is.

        Raises:
            ConfigError: one id where a list of them belongs.
        """
        return self._keeper.take_out_of_trash(_several(ids, "restore"))

    def purge(self) -> int:
        """Delete for good what lies in the trash: how many items."""
        return self._keeper.empty_trash()

    # keep up

    def reembed(self, progress: Progress | None = None) -> AddReport:
        """Give each item that has no vector of this model one, from the media that are kept.

        Every batch is committed, so that it goes on where it was interrupted. The vectors of other models stay until no
        item is left without one of this model; then they go.

        Args:
            progress: as for `add`.
        Raises:
            GalleryError: opened without a model.
        """
        ids = self._store.without_vector(self.model.fingerprint)
        report = self._adding(progress, len(ids)).run(self._kept(ids))
        if not self.missing():
            self._keeper.drop_other_models()
        return report

    def export(self, zip_path: str | Path, progress: Progress | None = None) -> int:
        """Write all items with their media, and their vectors of this model, into a zip: how many items.

        The file appears under its name when all of it is there; `unimma.gallery.transfer` tells what is in it.

        Raises:
            ConfigError: a file inside the gallery's own folder.
            GalleryError: it cannot be written.
        """
        path = Path(zip_path).absolute()
        if path.is_relative_to(self.folder):
            raise ConfigError(f"{path.name} inside the gallery", "a file elsewhere", "Name another folder.")
        ids = self._store.ids()
        tell = progress or (lambda done, total: None)
        return write_zip(path, self._with_vectors(ids), self._model, lambda done: tell(done, len(ids)))

    def import_(self, zip_path: str | Path, progress: Progress | None = None) -> AddReport:
        """Add what another gallery exported, from whomever the file comes: everything in it is decoded and re-encoded.

        Ids, titles, metadata and times of addition are kept. Vectors of this very model are taken over; without them,
        items are embedded anew.

        Args:
            progress: as for `add`.
        Raises:
            MediaError: no exported gallery.
            GalleryError: opened without a model.
        """
        archive = Archive(Path(zip_path), self._limits, MAX_MEMBERS)
        with closing(archive):
            queue, refused = read_zip(archive, self.model, self._limits)
            return self._adding(progress, len(queue), refused=refused).run(queue)

    def rebuild(self) -> None:
        """Make the search index anew from the stored vectors; searches go on meanwhile."""
        self._keeper.rebuild()

    def compact(self) -> None:
        """Write database and index anew: no larger than what they hold, and without a trace of what was deleted.

        Raises:
            GalleryError: there is no room for a second copy while it is made.
        """
        self._keeper.compact()

    # how

    def _adding(
        self,
        progress: Progress | None,
        num_sources: int,
        go_on: Callable[[], bool] = lambda: True,
        refused: Sequence[tuple[str, str]] = (),
    ) -> Adding:
        return Adding(
            store=self._store,
            files=self._keeper.files,
            model=self.model,
            limits=self._limits,
            call=self._call,
            commit=self._keeper.commit,
            progress=progress or (lambda done, total: None),
            total=num_sources + len(refused),
            go_on=go_on,
            refused=refused,
        )

    def _kept(self, ids: Ids) -> Iterator[Source]:
        """Items as sources, each from its kept media; what is deleted meanwhile is left out."""
        for start in range(0, len(ids), _PAGE):
            for item in self.get_many(ids[start : start + _PAGE]).values():
                content = Path(item.uri) if item.text is None else item.text
                yield Source(content, item.modality, span=item.span, file_name=item.title, item_id=item.id)

    def _with_vectors(self, ids: Ids) -> Iterator[Rows]:
        for start in range(0, len(ids), _PAGE):
            items = self.get_many(ids[start : start + _PAGE])
            vectors = self._store.vectors_of(items, self._model.fingerprint) if self._model else {}
            yield [(item, vectors.get(item.id)) for item in items.values()]

    def _of_model(self) -> GalleryVectors:
        if self._keeper.vectors is None:
            raise without_model()
        return self._keeper.vectors

    def _located(self, item: Item) -> Item:
        return replace(item, uri=str(self._keeper.files.folder / item.uri))


def _several(ids: Iterable[str], method: str) -> Iterable[str]:
    if isinstance(ids, str):
        raise ConfigError("one id", "a list of ids", f"Write {method}([id]).")
    return ids


def _unknown(item_id: str) -> GalleryError:
    return GalleryError(f"no item {item_id!r}", "the id of an item in this gallery", "List the gallery to see its ids.")
