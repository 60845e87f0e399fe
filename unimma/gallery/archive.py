"""Zips of strangers: what may be taken out of one, file by file, under names of ours and within limits.

Nothing that the archive says of itself is believed: a member's name never becomes a path, and its size is counted while
it is read.
"""

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from typing import IO

from unimma.errors import MediaError
from unimma.gallery.sources import Source, unreadable
from unimma.media.source import clean_name
from unimma.settings import Limits

MAX_MEMBERS = 10_000
_DIRECTORY_BYTES = 400  # of an archive's list of members, for each that it may have
_MAX_RATIO = 50  # sounds, clips and photos hardly shrink; plain text does by a factor of five
_CHUNK = 1 << 18
_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
_READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may claim gigabytes to unpack
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)\s*(\..*)?")
_DAMAGES = (  # what zipfile throws at damaged bytes
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, OverflowError, NotImplementedError,
    RuntimeError,
)  # fmt: skip
_TODO = "Take it out of the archive and add it alone."


class Archive:
    """A zip file, open to be taken out of.

    Args:
        limits: `max_file_bytes` of them for each member.
        max_members: more, and nothing is taken out.
    Attributes:
        names: members that may be taken out, as the archive calls them; no folders, no hidden ones.
        refused: name for people and reason of each that may not.
    Raises:
        MediaError: no zip, damaged, or with too many members.
    """

    def __init__(self, path: Path, limits: Limits, max_members: int = MAX_MEMBERS) -> None:
        self._name, self._limits = clean_name(path.name), limits
        self.names: list[str] = []
        self.refused: list[tuple[str, str]] = []
        with ExitStack() as opened, self._readable():
            file = opened.enter_context(_Bounded(path, max_members * _DIRECTORY_BYTES))
            self._zip = opened.enter_context(zipfile.ZipFile(file))
            self._bytes_left = limits.max_file_bytes + _MAX_RATIO * path.stat().st_size
            self._check_members(max_members)
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Let go of the file."""
        self._opened.close()

    def unpack(self, name: str, target: Path) -> None:
        """Write the content of one of `names` to `target`.

        Raises:
            MediaError: damaged, or larger than the limits; `target` may hold the beginning of it.
        """
        with self._readable(), target.open("wb") as file:
            for chunk in self._chunks(name, self._limits.max_file_bytes):
                file.write(chunk)

    def read(self, name: str, max_bytes: int) -> bytes:
        """The content of one of `names`.

        Raises:
            MediaError: damaged, or larger than `max_bytes`.
        """
        with self._readable():
            return b"".join(self._chunks(name, max_bytes))

    def _chunks(self, name: str, max_bytes: int) -> Iterator[bytes]:
        count = 0
        with self._zip.open(name) as member:
            while chunk := member.read(_CHUNK):
                count += len(chunk)
                self._bytes_left -= len(chunk)
                if count > max_bytes:
                    came = f"{clean_name(name)}: unpacks to more than {max_bytes / 1e6:,.0f} MB"
                    raise MediaError(came, "a smaller file", "Cut or shrink it.")
                if self._bytes_left < 0:
                    came = f"{self._name}: unpacks to more than {_MAX_RATIO} times its size"
                    raise MediaError(came, "an archive of media", _TODO)
                yield chunk

    def _check_members(self, max_members: int) -> None:
        members = self._zip.infolist()
        if len(members) > max_members:
            came = f"{self._name}: {len(members):,} files"
            raise MediaError(came, f"at most {max_members:,}", "Split it into several archives.")
        seen: set[str] = set()
        for member in members:
            parts = re.split(r"[/\\]", member.filename)
            objection = _objection(member, parts)
            if not objection and not parts[-1]:
                continue  # a folder
            if not objection and member.filename.casefold() in seen:
                objection = ("a name that was there before", "one file of each name")
            seen.add(member.filename.casefold())
            if objection:
                came, expected = objection
                name = clean_name(member.orig_filename)
                self.refused.append((name, str(MediaError(f"{name}: {came}", expected, _TODO))))
            elif not any(part.startswith((".", "__MACOSX")) for part in parts):
                self.names.append(member.filename)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise unreadable(self._name, error) from error
        except _DAMAGES as error:
            came = f"{self._name}: damaged, or no ZIP archive"
            raise MediaError(came, "a whole archive", "Copy or download it again.") from error


@dataclass(frozen=True, eq=False)
class Packed:
    """A member of an open archive."""

    archive: Archive
    name: str

    def unpack(self, target: Path) -> None:
        """Write its content to `target`; errors are those of `Archive.unpack`."""
        self.archive.unpack(self.name, target)


def unzipped(
    sources: Iterable[Source], limits: Limits, opened: ExitStack
) -> tuple[list[Source], list[tuple[str, str]]]:
    """The sources with each .zip file replaced by what may be taken out of it, and what may not, with reasons.

    Args:
        opened: closes the archives, once all of it is added.
    """
    files: list[Source] = []
    refused: list[tuple[str, str]] = []
    for source in sources:
        path = source.content
        if not isinstance(path, Path) or source.modality is not None or not _is_zip(path):
            files.append(source)
            continue
        try:
            archive = Archive(path, limits)
        except MediaError as error:
            refused.append((source.name, str(error)))
            continue
        opened.callback(archive.close)
        refused += archive.refused
        files += [
            replace(source, content=Path(clean_name(name)), packed=Packed(archive, name)) for name in archive.names
        ]
    return files, refused


class _Bounded(FileIO):
    """A file of which nobody reads much at once: zipfile would read any list of members whole, however long."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        super().__init__(path)
        self._max_bytes = max(max_bytes, _CHUNK)
        self._size = path.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = self._size - self.tell() if size is None or size < 0 else size
        if wanted > self._max_bytes:
            raise zipfile.BadZipFile("a list of members that is too long")
        return super().read(wanted) or b""


def _is_zip(path: Path) -> bool:
    if path.suffix.lower() != ".zip" or not path.is_file():
        return False
    try:
        file: IO[bytes]
        with path.open("rb") as file:
            return file.read(4) in _SIGNATURES
    except OSError:
        return False


def _objection(member: zipfile.ZipInfo, parts: list[str]) -> tuple[str, str] | None:
    """What came and what was expected, where a member must not be taken out."""
    name, kind = member.orig_filename, stat.S_IFMT(member.external_attr >> 16)
    if not name.isprintable():
        return "a name with control characters", "a plain name"
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "an absolute path", "a path inside the archive"
    if ".." in parts:
        return "a path that leads out of the archive", "a path inside it"
    if ":" in name or any(_DEVICES.fullmatch(part) for part in parts):
        return "the name of a device", "the name of a file"
    if kind == stat.S_IFLNK:
        return "a link", "a file"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a device", "a file"
    if member.flag_bits & 1:
        return "encrypted", "a file without a password"
    if member.compress_type not in _READABLE:
        return "packed in an unusual way", "a plain ZIP archive"
    return None
