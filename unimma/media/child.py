"""Warm child processes that decode: a file that hangs, crashes or swallows memory costs itself, and not the app.

A child is a fresh interpreter, never a fork: a fork of a process with threads may hang on a lock that one of them held.
It gets a list of modules' folders, the names of files, and no secret of the environment.
"""

import contextlib
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from queue import Empty, LifoQueue, SimpleQueue
from threading import Lock, Thread, Timer
from types import TracebackType
from typing import IO, Any, ParamSpec, Self, TypeVar

from unimma.errors import MediaError
from unimma.media import wire
from unimma.media.source import clean_name
from unimma.settings import Limits

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger(__name__)
_BOOT = "import sys; sys.path[:] = sys.argv[2:]; from unimma.media.inside import serve; serve(int(sys.argv[1]))"
_START_S = 60.0  # for a child to be ready: it takes half a second, but machines may be busy
_END_S = 5.0  # for a killed child to be gone
_TASKS_OF_A_LIFE = 500  # then a fresh child: what decoders leak does not add up
_BUFFER_BYTES = 1 << 20  # between child and parent: a photo has megabytes
_KEPT_VARIABLES = {"PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR", "LD_LIBRARY_PATH"}
_KEPT_PREFIXES = ("LC_", "UNIMMA_MAX_")
# One thread for numpy's algebra, which is not used here, and few arenas: both would reserve memory
_SET_VARIABLES = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


class Workers:
    """So many warm child processes, each running one task at a time. Several threads may call at once.

    Args:
        count: children, and so tasks at a time; further callers wait for their turn.
        limits: `max_decode_bytes` and `max_silent_seconds` of each child; None for the defaults with the environment's
            UNIMMA_MAX_… put in their place.
    """

    def __init__(self, count: int, limits: Limits | None = None) -> None:
        self._limits = limits or Limits.from_env()
        self._nursery = ThreadPoolExecutor(1, "unimma-children")  # Linux ends a child with the thread that made it
        self._lock, self._closed, self._children = Lock(), False, set[_Child]()
        self._idle: LifoQueue[_Child | None] = LifoQueue()  # a seat each; the last used child is the warmest
        for _ in range(count):
            self._idle.put(self._fresh())

    def call(self, function: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Runs a module-level function in a child, in its own time and memory.

        Args:
            function: importable there by its name; it, the arguments and the result are pickled.
        Returns:
            What the function returned; arrays are read-only.
        Raises:
            UnimmaError: as the function raised it.
            MediaError: it raised anything else, died, used too much memory, ran for longer than both clocks of
                `limits` together allow, or gave no sign of life for `limits.max_silent_seconds`. What it was writing
                may be left: the caller knows where.
        """
        task = wire.packed(wire.Task(function, args, named))
        name = _file_name(args, named)
        child = self._idle.get()
        try:
            if child is None or not child.usable:
                child = self._replaced(child)
            if child is None:
                raise MediaError(f"{name}: no decoder could be started", "a machine with memory to spare", "Try again.")
            answer = child.run(task, name)
        finally:
            self._idle.put(child if child and child.usable else self._replaced(child))
        if answer.refusal:
            raise answer.refusal
        if answer.exhausted:
            most = f"at most {self._limits.max_decode_bytes / 1e6:,.0f} MB"
            raise MediaError(f"{name}: needs too much memory", most, "Make it smaller or shorter.")
        if answer.fault:
            _log.error("A task of a child process failed.\n%s", answer.fault)
            raise MediaError(f"{name}: cannot be read", "a whole file", "Copy or download it again, or export it anew.")
        result: T = answer.result
        return result

    def close(self) -> None:
        """Ends the children, also those that work; their callers get a MediaError."""
        with self._lock:
            self._closed = True
            children, self._children = self._children, set()
        for child in children:
            child.end()
        self._nursery.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _replaced(self, child: "_Child | None") -> "_Child | None":
        """A fresh child in place of one that is used up."""
        if child:
            child.end()
            with self._lock:
                self._children.discard(child)
        return self._fresh()

    def _fresh(self) -> "_Child | None":
        """A child that is starting; None after closing, or where the system gives no process."""
        with self._lock:
            if self._closed:
                return None
            try:
                child = _Child(*self._nursery.submit(_process).result(), self._limits)
            except (OSError, RuntimeError):  # the latter where Python itself is ending
                _log.exception("No child process could be started.")
                return None
            self._children.add(child)
            return child


class _Child:
    """One child process and what it says."""

    def __init__(self, process: "subprocess.Popen[bytes]", answers: IO[bytes], limits: Limits) -> None:
        self._process, self._limits = process, limits
        assert process.stdin
        self._tasks, self._ready, self._num_tasks, self._spent = process.stdin, False, 0, False
        self._messages: SimpleQueue[Any] = SimpleQueue()
        self._listener = Thread(target=self._listen, args=(answers,), name="unimma-child", daemon=True)
        self._listener.start()
        with contextlib.suppress(OSError):  # gone already: the first task will tell
            wire.write(self._tasks, wire.packed(limits))

    @property
    def usable(self) -> bool:
        """Whether it can take one more task."""
        return not self._spent and self._num_tasks < _TASKS_OF_A_LIFE and self._process.poll() is None

    def run(self, task: list[memoryview], name: str) -> wire.Answer:
        """Runs a packed task; without an answer, the child is ended.

        Raises:
            MediaError: it died, was silent for too long, or took too long.
        """
        answer = None
        try:
            self._await_ready(name)
            self._send(task)
            answer = self._answer(name)
        finally:
            self._num_tasks += 1
            self._spent = answer is None or answer.exhausted
            if answer is None:
                self.end()
        return answer

    def end(self) -> None:
        """Kills it and waits until nothing of it is left."""
        self._spent = True
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self._listener.join(_END_S)
        with contextlib.suppress(OSError):
            self._tasks.close()

    def _listen(self, answers: IO[bytes]) -> None:
        """Passes on what it says, then None: in a thread of its own, since Windows cannot wait for a pipe."""
        with answers, contextlib.suppress(EOFError, OSError):
            try:
                while True:
                    self._messages.put(wire.read(answers, self._limits.max_decode_bytes))
            except (EOFError, OSError):
                raise
            except Exception:  # an answer of a decoder that was taken over, or of a function that does not belong there
                _log.exception("A child process said what it may not say.")
        self._messages.put(None)

    def _await_ready(self, name: str) -> None:
        if not self._ready:
            self._next(name, time.monotonic() + _START_S, _START_S)
            self._ready = True

    def _send(self, task: list[memoryview]) -> None:
        """Hands the task over; a child that does not take it is killed, which the next message tells."""
        guard = Timer(self._limits.max_silent_seconds, self._process.kill)
        guard.start()
        with contextlib.suppress(OSError):
            wire.write(self._tasks, task)
        guard.cancel()

    def _answer(self, name: str) -> wire.Answer:
        """Waits while signs of life come."""
        silent_s = self._limits.max_silent_seconds
        total_s = self._limits.max_decode_seconds + self._limits.max_encode_seconds + silent_s
        deadline = time.monotonic() + total_s
        while True:
            message = self._next(name, deadline, silent_s)
            if isinstance(message, wire.Answer):
                return message

    def _next(self, name: str, deadline: float, silent_s: float) -> Any:
        """The next message.

        Raises:
            MediaError: none in time, or none at all.
        """
        todo = "Export it anew, or leave it out."
        try:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise Empty
            message = self._messages.get(timeout=min(silent_s, left_s))
        except Empty:
            came = f"{name}: its decoder got stuck and was stopped"
            raise MediaError(came, "a file that is quicker to decode", todo) from None
        if message is None:
            raise MediaError(f"{name}: its decoder crashed", "a file that can be decoded", todo)
        return message


def _process() -> tuple["subprocess.Popen[bytes]", IO[bytes]]:
    """A fresh interpreter that waits for its limits, then for tasks, and what it says."""
    if os.name == "nt":
        process = _started(subprocess.PIPE)
        assert process.stdout
        return process, process.stdout
    ours, theirs = socket.socketpair()  # a third quicker than a pipe
    with ours, theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        process = _started(theirs.fileno())
        return process, open(ours.detach(), "rb", buffering=0)


def _started(output: int) -> "subprocess.Popen[bytes]":
    paths = [os.path.abspath(path) for path in sys.path]
    environment = {
        name: value
        for name, value in os.environ.items()
        if name.upper() in _KEPT_VARIABLES or name.startswith(_KEPT_PREFIXES)
    }
    return subprocess.Popen(
        [sys.executable, "-I", *["-B"] * sys.dont_write_bytecode, "-c", _BOOT, str(os.getpid()), *paths],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env=environment | _SET_VARIABLES,
        process_group=0,  # Ctrl-C at the terminal is for the app, which closes its children
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _file_name(args: Sequence[Any], named: Mapping[str, Any]) -> str:
    """What to call the file of a task: by the argument `name`, or by the first one that has a name itself."""
    names = [named.get("name"), *(getattr(value, "name", "") for value in args if not isinstance(value, Enum))]
    return clean_name(next((name for name in names if name and isinstance(name, str)), ""))
