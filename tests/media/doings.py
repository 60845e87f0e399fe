"""What the tests let a child process do: importable there, and small."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from unimma.errors import MediaError
from unimma.gallery.sources import Source
from unimma.media import decode, image, plain, pulse
from unimma.types import Decoded, Image, Modality

T = TypeVar("T")
_never = threading.Event()


def hang(_path: Path) -> None:
    """Blocks without a sign of life."""
    _never.wait()


def hang_alive(_path: Path) -> None:
    """Gives signs of life and comes to no end."""
    while not _never.wait(0.01):
        pulse.alive()


def hang_while_decoding(path: Path) -> Decoded:
    """A real file whose decoder blocks."""
    image.to_rgb = hang  # type: ignore[assignment]
    return decode(path)


def beat_slowly(_path: Path, beats: int, apart_s: float) -> str:
    """Takes long, but shows that it works."""
    for _ in range(beats):
        _never.wait(apart_s)
        pulse.alive()
    return "done"


def exit_at_once(_path: Path) -> None:
    os._exit(3)


def be_killed(_path: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def read_address_zero(_path: Path) -> None:
    ctypes.string_at(0)


def raise_what_python_raises(path: Path) -> None:
    raise RuntimeError(f"no luck with {path}")


def refuse(path: Path) -> None:
    raise MediaError(f"{path.name}: no", "yes", "Ask again.")


def swallow(num_bytes: int) -> int:
    return len(bytearray(num_bytes))


def die_at_deadly_names(function: Callable[..., T], source: Source, *args: Any) -> T:
    """Runs it; where the name of the file says so, the process dies in the middle of writing what is kept."""
    left = iter(range(1 if "2" in source.name else 0))  # dies with a part of the file written, or with all of it
    to_disk = plain._to_disk

    def deadly(path: Path) -> None:
        return to_disk(path) if "deadly" not in source.name or next(left, None) is not None else os._exit(3)

    plain._to_disk = deadly
    try:
        return function(source, *args)
    finally:
        plain._to_disk = to_disk


def numbers(shape: tuple[int, ...]) -> dict[str, npt.NDArray[np.generic]]:
    """Arrays of several types and layouts."""
    count = int(np.prod(shape))
    floats = np.arange(count, dtype=np.float32).reshape(shape)
    return {"floats": floats, "turned": floats.T, "bools": floats > 1, "large": floats.astype(np.int64)[::2]}


def an_image_and_a_note(path: Path) -> tuple[Image, frozenset[Modality], None]:
    picture = decode(path)
    assert isinstance(picture, Image)
    return picture, frozenset({Modality.TEXT}), None


def something_that_is_not_data() -> object:
    return os.system


def say_much() -> str:
    """Prints, as libraries do."""
    os.write(1, b"noise " * 1000)
    print("noise")
    return "said"


def size_of(content: bytes) -> int:
    return len(content)


def surroundings() -> dict[str, object]:
    """What a decoder that was taken over would find."""
    try:
        folder = os.getcwd()
    except FileNotFoundError:
        folder = ""
    return {"environment": dict(os.environ), "folder": folder, "modules": sorted(sys.modules), "pid": os.getpid()}


def pid() -> int:
    return os.getpid()
