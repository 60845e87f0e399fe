"""How a process and its child speak: pickled messages over pipes, large arrays beside the pickle and not in it.

What a child says is not trusted, since its decoders have read hostile bytes: unpickling its messages makes nothing but
data of this package, paths, and read-only arrays of plain numbers.
"""

import io
import os
import pickle
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, is_dataclass
from enum import Enum
from pathlib import PosixPath, WindowsPath
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from unimma.errors import UnimmaError

_LENGTH = struct.Struct("<Q")
_MOST_PARTS = 1_000  # of a message: a clip has three arrays
_NUMBERS = "buif"  # kinds of array elements that are sent as they lie in memory
_PATHS = {path.__name__: path for path in (PosixPath, WindowsPath)}


@dataclass(frozen=True)
class Task:
    """To the child: what to run."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    named: dict[str, Any]


@dataclass(frozen=True)
class Ready:
    """From the child: everything is loaded."""


@dataclass(frozen=True)
class Alive:
    """From the child: work goes on."""


@dataclass(frozen=True)
class Answer:
    """From the child, last of a task.

    Attributes:
        result: what the function returned.
        refusal: what it raised, where that was meant for people.
        fault: the traceback of anything else that it raised.
        exhausted: whether memory ran out.
    """

    result: Any = None
    refusal: UnimmaError | None = None
    fault: str = ""
    exhausted: bool = False


def packed(message: object) -> list[memoryview]:
    """A message as parts to write: the pickle and, uncopied, the arrays in it.

    Raises:
        Exception: something in it cannot be pickled.
    """
    file, arrays = io.BytesIO(), list[pickle.PickleBuffer]()
    _Pickler(file, protocol=5, buffer_callback=arrays.append).dump(message)
    # a copy of what is small: early versions of Python 3.12 crash where a cycle holds `file.getbuffer()`
    return [memoryview(file.getvalue()), *(array.raw() for array in arrays)]


def write(stream: IO[bytes], parts: Sequence[memoryview]) -> None:
    """Writes a packed message: the number of its parts, their lengths in bytes, the parts.

    Raises:
        OSError: nobody reads any more.
    """
    lengths = [len(parts), *(part.nbytes for part in parts)]
    for part in (memoryview(b"".join(map(_LENGTH.pack, lengths))), *parts):
        rest = part.cast("B")
        while rest:
            rest = rest[stream.write(rest) :]


def read(stream: IO[bytes], most_bytes: int | None = None) -> Any:
    """The next message.

    Args:
        most_bytes: where the sender is not trusted, the size of the largest message that it may send.
    Raises:
        EOFError: the stream has ended.
        Exception: what came is no message, or one that may not be sent.
    """
    (count,) = _LENGTH.unpack(_bytes(stream, _LENGTH.size))
    if count > _MOST_PARTS:
        raise pickle.UnpicklingError(f"a message of {count} parts")
    lengths = [_LENGTH.unpack(_bytes(stream, _LENGTH.size))[0] for _ in range(count)]
    if most_bytes is not None and sum(lengths) > most_bytes:
        raise pickle.UnpicklingError(f"a message of {sum(lengths)} bytes")
    message, *arrays = (_bytes(stream, length) for length in lengths)
    reader = pickle.Unpickler if most_bytes is None else _DataUnpickler
    return reader(io.BytesIO(message), buffers=arrays).load()


def _bytes(stream: IO[bytes], length: int) -> memoryview:
    """Exactly so many bytes."""
    content = np.empty(length, np.uint8).data  # unlike a bytearray, not filled with zeros first
    rest = content
    while rest:
        got = stream.readinto(rest)  # type: ignore[attr-defined]
        if not got:
            raise EOFError
        rest = rest[got:]
    return content.toreadonly()


def array_of(content: memoryview, numbers: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """The array that was sent, read-only."""
    array = np.frombuffer(content, np.dtype(numbers)).reshape(shape)
    array.setflags(write=False)
    return array


class _Pickler(pickle.Pickler):
    """Arrays go out of band; paths go absolute, since the other side works in another folder."""

    def reducer_override(self, value: Any) -> Any:
        if type(value) is np.ndarray and value.dtype.kind in _NUMBERS:
            plain = np.ascontiguousarray(value)
            return array_of, (pickle.PickleBuffer(plain.data), value.dtype.str, value.shape)
        if type(value) in _PATHS.values():
            return type(value), (os.path.abspath(value),)
        return NotImplemented


class _DataUnpickler(pickle.Unpickler):
    """Makes data and calls nothing: a pickle may otherwise name any function of any module."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (__name__, array_of.__name__):
            return array_of
        if module.partition(".")[0] == "pathlib" and name in _PATHS:
            return _PATHS[name]
        found = getattr(sys.modules.get(module), name, None)  # never imports, never looks inside a class
        if not (isinstance(found, type) and found.__module__ == module and module.startswith("unimma.")):
            raise pickle.UnpicklingError(f"{module}.{name} is not for sending")
        if not (is_dataclass(found) or issubclass(found, Enum | UnimmaError)):
            raise pickle.UnpicklingError(f"{module}.{name} is no data")
        return found
