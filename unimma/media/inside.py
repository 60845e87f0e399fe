"""The child's side of `unimma.media.child`: bounded, without secrets or a folder, it runs one task after the other."""

import contextlib
import ctypes
import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import IO, Any

from unimma.errors import UnimmaError
from unimma.media import pulse, wire
from unimma.settings import Limits

_BEAT_S = 0.05  # between two signs of life: more would cost more than they tell
_KILL_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux
_EXPENDABLE = "500"  # where memory runs out, the kernel ends this process before the app


def serve(parent: int) -> None:
    """Runs tasks from standard input until it ends, and writes to standard output what became of them.

    Args:
        parent: the process that this one must not outlive.
    """
    tasks, answers = _own_pipes()
    _die_with(parent)
    limits: Limits = wire.read(tasks)
    _leave_every_folder()
    _load()
    _bound(limits.max_decode_bytes)
    pulse.listen(_Heart(answers).beat)
    wire.write(answers, wire.packed(wire.Ready()))
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            wire.write(answers, _run(tasks))


def _run(tasks: IO[bytes]) -> list[memoryview]:
    """Waits for a task: its answer, packed."""
    try:
        task: wire.Task = wire.read(tasks)
        return wire.packed(wire.Answer(task.function(*task.args, **task.named)))
    except EOFError:
        raise
    except UnimmaError as error:
        return wire.packed(wire.Answer(refusal=error, exhausted=isinstance(error.__cause__, MemoryError)))
    except Exception as error:
        return wire.packed(wire.Answer(fault=traceback.format_exc(), exhausted=isinstance(error, MemoryError)))


class _Heart:
    """Beats, but not all the time."""

    def __init__(self, answers: IO[bytes]) -> None:
        self._answers, self._sign, self._due = answers, wire.packed(wire.Alive()), 0.0

    def beat(self) -> None:
        """Says that work goes on, if that was not said just now."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + _BEAT_S
            wire.write(self._answers, self._sign)


def _own_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Standard input and output for us alone: whatever a library prints goes nowhere."""
    tasks, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return open(tasks, "rb", buffering=0), open(answers, "wb", buffering=0)


def _die_with(parent: int) -> None:
    """Sees to it that the end of the parent ends this process, also in the middle of a task.

    Elsewhere than on Linux it ends when it next reads or writes.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_KILL_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:  # it was quicker
            os._exit(0)


def _leave_every_folder() -> None:
    """Works in a folder that no longer exists, so that a relative name in a file leads nowhere."""
    with contextlib.suppress(OSError):
        folder = tempfile.mkdtemp(prefix="unimma-")
        os.chdir(folder)
        os.rmdir(folder)  # Windows keeps a folder that is in use


def _load() -> None:
    """Everything that decoding needs, before the first file comes."""
    import unimma.media.door
    import unimma.media.plain
    import unimma.media.thumbnail  # noqa: F401


def _bound(most_bytes: int) -> None:
    """No more memory than this, where the system can hold to it, and no memory image of a crash on the disk."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _lower(resource, resource.RLIMIT_DATA, most_bytes)
    _lower(resource, resource.RLIMIT_CORE, 0)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_EXPENDABLE)


def _lower(resource: Any, which: int, most: int) -> None:
    """Lowers a limit; one that is lower already stays."""
    _, hard = resource.getrlimit(which)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(which, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
