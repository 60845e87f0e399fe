"""The gallery: items, their media and their vectors in one folder, and the nearest of them to a query."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Self

from unimma.errors import ConfigError
from unimma.gallery.adding import Adding, AddReport, Call, direct
from unimma.gallery.archive import Archive, unzipped
from unimma.gallery.embedder import Embedder
from unimma.gallery.keeping import Keeper
from unimma.gallery.reading import FloatArray, Ids, Reading, unknown
from unimma.gallery.sources import Source, clean_title, expand
from unimma.gallery.transfer import MAX_MEMBERS, read_zip, write_zip
from unimma.gallery.where import checked_metadata
from unimma.settings import Limits
from unimma.types import Item, Metadata

Progress = Callable[[int, int], None]
Rows = list[tuple[Item, FloatArray | None]]

_PAGE = 100  # items that are read at once where all are gone through


class Gallery(Reading):
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

    **Deleted means gone.** `delete` takes an item out of every answer and its media, text, preview and vectors out of
    the files; but what the index, and the database of a large gallery, still hold of it is gone after `compact`.
    `trash` only hides: `restore` brings back, `purge` and the next opening delete.

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
        self._limits = limits or Limits.from_env()
        self._call = call
        super().__init__(Keeper(self.folder, model, index), model)

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
            raise unknown(item_id)
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
        """Write the database anew: no larger than what it holds, and without a trace of what was deleted.

        The index goes altogether, for the same reason; searches are exact until the next opening, which makes it anew.

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


def _several(ids: Iterable[str], method: str) -> Iterable[str]:
    if isinstance(ids, str):
        raise ConfigError("one id", "a list of ids", f"Write {method}([id]).")
    return ids
