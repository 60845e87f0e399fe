"""Folders that are watched: what comes in is added, what changes is replaced, what goes is deleted.

A folder is looked at again and again, not followed by the system's events: those do not reach over network drives, and
are lost where there are too many. A file is taken once it has stayed the same from one look to the next, so that it is
not taken while it is being copied.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from unimma.gallery.adding import AddReport
from unimma.gallery.sources import files_below
from unimma.gallery.where import Where
from unimma.types import Item, Metadata

_ALL = 2**31


class Watching(Protocol):
    """What is needed of a gallery."""

    def add(self, sources: Iterable[Path], /, *, metadata: Metadata | None = None) -> AddReport:
        """As `Gallery.add`."""
        ...

    def get_many(self, ids: Iterable[str], /) -> dict[str, Item]:
        """As `Gallery.get_many`."""
        ...

    def list(self, *, where: Where, limit: int) -> list[Item]:
        """As `Gallery.list`."""
        ...

    def delete(self, ids: Iterable[str], /) -> int:
        """As `Gallery.delete`."""
        ...


@dataclass(frozen=True)
class Stamp:
    """What changes when a file does."""

    num_bytes: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True)
class _Taken:
    """A file that was added or refused, as it was then, and the items that stand for it: of a zip there are many."""

    stamp: Stamp
    ids: frozenset[str]


@dataclass
class Watch:
    """Keeps a gallery like some folders.

    An item is deleted only where its metadata say that a watch of one of these folders added it: what somebody added by
    another way stays, though its file may lie here as well. What vanished while nobody watched goes as soon as every
    file has been looked at once. A folder that is gone altogether, such as a drive that is unplugged, takes nothing
    with it.

    Args:
        folders: each with the name that its items get as their source.
    """

    gallery: Watching
    folders: Sequence[tuple[str, Path]]
    _seen: dict[Path, Stamp] = field(default_factory=dict)
    _taken: dict[Path, _Taken] = field(default_factory=dict)
    _caught_up: set[Path] = field(default_factory=set)

    def look(self) -> Iterator[str]:
        """Look once: a line for each file that has come in, been replaced, refused or gone."""
        there = [(name, folder) for name, folder in self.folders if folder.is_dir()]
        sources = {path: (name, folder) for name, folder in there for path in files_below(folder)}
        now = {path: stamp for path in sources if (stamp := _stamp(path))}
        for path in settled(self._seen, now):
            known = self._taken.get(path)
            if known is None or known.stamp != now[path]:
                yield from self._take(path, now[path], *sources[path])
        gone = [path for path in self._taken if path not in now]
        for path in [path for path in gone if any(path.is_relative_to(folder) for _, folder in there)]:
            old = self._taken.pop(path)
            self._delete_unless_held(old.ids)
            yield f"gone: {path.name}"
        self._seen = now
        for _, folder in there:
            if folder not in self._caught_up and all(path in self._taken for path in now if sources[path][1] == folder):
                self._caught_up.add(folder)
                yield from self._catch_up(folder)

    def _take(self, path: Path, stamp: Stamp, source: str, folder: Path) -> Iterator[str]:
        report = self.gallery.add([path], metadata={"source": source, "watched": watched(folder)})
        old = self._taken.get(path)
        self._taken[path] = _Taken(stamp, frozenset((*report.added, *report.already_there)))
        if old is not None:
            self._delete_unless_held(old.ids)
        if report.added or (old is not None and self._taken[path].ids and old.ids != self._taken[path].ids):
            yield f"{'replaced' if old else 'added'}: {path.name}"
        yield from (reason for _, reason in report.refused)

    def _delete_unless_held(self, ids: frozenset[str]) -> None:
        free = ids.difference(*(taken.ids for taken in self._taken.values()))
        ours = {watched(folder) for _, folder in self.folders}
        items = self.gallery.get_many(free).values()
        self.gallery.delete([item.id for item in items if item.metadata.get("watched") in ours])

    def _catch_up(self, folder: Path) -> Iterator[str]:
        """Delete what an earlier watch of this folder added, and no file stands for any more."""
        held = frozenset[str]().union(*(taken.ids for taken in self._taken.values()))
        items = self.gallery.list(where={"watched": watched(folder)}, limit=_ALL)
        gone = [item for item in items if item.id not in held]
        if gone:
            self.gallery.delete([item.id for item in gone])
        yield from (f"gone: {item.title}" for item in gone)


def watched(folder: Path) -> str:
    """What the metadata of a folder's items say, so that another of the same name is not taken for it."""
    return hashlib.sha256(str(folder.absolute()).encode(errors="replace")).hexdigest()[:16]


def settled(before: dict[Path, Stamp], now: dict[Path, Stamp]) -> list[Path]:
    """The files that have not changed between two looks."""
    return [path for path, stamp in now.items() if before.get(path) == stamp]


def _stamp(path: Path) -> Stamp | None:
    """None for what is no file, or gone again."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return Stamp(facts.st_size, facts.st_mtime_ns, facts.st_ino)
