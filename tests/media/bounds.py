"""Watching what decoding does behind its own back: the memory that it asks for, and the files that it opens."""

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def at_most_megabytes(most: float) -> Iterator[None]:
    """Whoever asks for more memory inside, Python or a decoder, gets none (on Linux; elsewhere nothing is bounded)."""
    if sys.platform != "linux":
        yield
        return
    import resource

    (used_kb,) = re.findall(r"VmData:\s+(\d+)", Path("/proc/self/status").read_text())
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (int(used_kb) * 1024 + round(most * 1e6), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


class Bait:
    """A pipe in the place of a file, with a writer that waits: it goes on as soon as anybody opens the file to read."""

    def __init__(self, path: Path) -> None:
        self.path, self._taken = path, threading.Event()
        os.mkfifo(path)
        self._writer = threading.Thread(target=self._wait, daemon=True)
        self._writer.start()

    def taken(self) -> bool:
        """Whether somebody has opened it; it is gone afterwards."""
        taken = self._taken.is_set()
        release = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)  # lets the writer go
        self._writer.join()
        os.close(release)
        self.path.unlink()
        return taken

    def _wait(self) -> None:
        handle = os.open(self.path, os.O_WRONLY)
        self._taken.set()
        os.close(handle)
