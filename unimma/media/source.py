"""One file to decode: its name for people, its first bytes, and a way to open it; checked before it is read."""

import errno
import io
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from unimma.errors import MediaError, UnimmaError
from unimma.media import pulse
from unimma.settings import Limits

_log = logging.getLogger(__name__)
_NOT_ITS_FAULT = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EROFS}  # the machine's, not the file's
HEAD_BYTES = 4096  # enough for every signature, and for the root element of a page behind a long preamble


@dataclass(frozen=True)
class Source:
    """A file on disk or in memory that is neither empty nor over the limit of bytes.

    Attributes:
        name: file name without any folder or control character; "this file" where there is none.
        head: its first bytes, at most `HEAD_BYTES`.
        size: bytes.
    """

    name: str
    head: bytes
    size: int
    origin: Path | bytes

    def open(self) -> BinaryIO:
        """The content from its start, seekable; the caller closes it."""
        return self.origin.open("rb") if isinstance(self.origin, Path) else io.BytesIO(self.origin)


@dataclass(frozen=True)
class Clock:
    """Wall time that decoding one file may take."""

    name: str
    limit_s: float
    deadline: float

    @classmethod
    def start(cls, name: str, limit_s: float) -> "Clock":
        """A clock that runs out `limit_s` seconds from now."""
        return cls(name, limit_s, time.monotonic() + limit_s)

    def check(self) -> None:
        """Called between packets and frames; tells whoever watches that work goes on.

        Raises:
            MediaError: the time is used up.
        """
        pulse.alive()
        if time.monotonic() > self.deadline:
            raise MediaError(
                f"{self.name}: not read after {self.limit_s:g} s",
                "a file that is quicker to decode",
                "Cut or shrink it.",
            )


def open_source(origin: Path | bytes, name: str, limits: Limits) -> Source:
    """Looks at a file's size and first bytes.

    Raises:
        MediaError: no such file, not a regular file, empty, unreadable, or over `limits.max_file_bytes`.
    """
    label = clean_name(name or (origin.name if isinstance(origin, Path) else ""))
    size = _size_of(origin, label)
    if size == 0:
        raise MediaError(f"{label}: empty", "a file with content", "Check that the copy or download was completed.")
    if size > limits.max_file_bytes:
        most = f"at most {limits.max_file_bytes / 1e6:,.0f} MB"
        raise MediaError(f"{label}: {size / 1e6:,.0f} MB", most, "Cut or shrink it.")
    source = Source(label, b"", size, origin)
    with reading(source), source.open() as stream:
        return Source(label, stream.read(HEAD_BYTES), size, origin)


def clean_name(name: str) -> str:
    """The last part of a path of any system, without control or direction characters."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "".join(c if c.isprintable() else "?" for c in last)[:200] or "this file"


@contextmanager
def reading(source: Source) -> Iterator[None]:
    """Turns whatever a decoder throws at a damaged file into a MediaError.

    Raises:
        MediaError: the block raised anything at all, but for an UnimmaError and a full disk or table of files.
    """
    try:
        yield
    except UnimmaError:
        raise
    except MemoryError as error:
        came = f"{source.name}: needs more memory than there is"
        raise MediaError(came, "a whole file, or a smaller one", "Export it anew, or shrink it.") from error
    except Exception as error:  # decoders throw nearly every class there is at hostile bytes
        if isinstance(error, OSError) and error.errno in _NOT_ITS_FAULT:
            raise
        _log.debug("%s could not be read", source.name, exc_info=True)
        came = f"{source.name}: damaged, or cut off before its end"
        raise MediaError(came, "a whole file", "Copy or download it again, or export it anew.") from error


def _size_of(origin: Path | bytes, label: str) -> int:
    if isinstance(origin, bytes):
        return len(origin)
    try:
        if not origin.is_file():  # never a folder, a pipe or a device: reading one may never end
            raise MediaError(f"{label}: no such file", "a file on this machine", "Check its name and folder.")
        return origin.stat().st_size
    except (OSError, ValueError) as error:
        raise MediaError(f"{label}: cannot be read", "a readable file", "Check its name and permissions.") from error
