"""Adding in the background: a job that can be watched, paused, resumed and stopped, and the line that jobs stand in."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from unimma.ui.messages import in_words

if TYPE_CHECKING:
    from unimma.gallery import Gallery

CHUNK = 16  # sources that are handed over at once, so that the list of what was refused grows while people watch
_RATE_WINDOW = 30  # settled items over which the speed is measured


class Line:
    """First come, first served; tells each how many stand before it."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._served = 0

    @contextmanager
    def turn(self, ticket: object) -> Iterator[None]:
        """Wait for one's turn; the next one's comes when the block ends."""
        with self._changed:
            self._waiting.append(ticket)
            self._changed.wait_for(lambda: self._waiting[0] is ticket and self._served < self._at_once)
            self._waiting.popleft()
            self._served += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._served -= 1
                self._changed.notify_all()

    def before(self, ticket: object) -> int:
        """How many have to be done before this one's turn; 0 for one whose turn it is."""
        with self._changed:
            return self._waiting.index(ticket) + self._served if ticket in self._waiting else 0


class Job:
    """One adding of many sources, in a thread of its own. Nothing happens before `start`.

    Attributes:
        state: "waiting" (in the line), "running", "paused", then "done", "stopped" or "failed".
        done, total: settled sources and all; members of a ZIP file count one by one once it is opened.
        added, already_there: ids; refused: name and reason of each; all grow while it runs.
        failure: why it ended early, for people; "" where it did not.
        busy_s: seconds of work until the source in hand, without those in the line or paused.

    Args:
        gallery: where the sources go, asked for when the job's turn comes.
        line: what the job waits in.
        veto: asked before each source: why it may not go on, "" where it may; the rest is then refused.
        settled: called after each chunk, and at the end.
    """

    def __init__(
        self,
        gallery: "Callable[[], Gallery]",
        sources: Sequence[Path | str],
        *,
        line: Line,
        veto: "Callable[[Job], str]" = lambda job: "",
        settled: "Callable[[Job], None]" = lambda job: None,
    ) -> None:
        self._gallery, self._sources, self._line, self._veto, self._settled = gallery, sources, line, veto, settled
        self._go_on, self._stopping, self._over = threading.Event(), threading.Event(), threading.Event()
        self._go_on.set()
        self._ticks: deque[tuple[float, int]] = deque(maxlen=_RATE_WINDOW)
        self._before = self._later = 0  # settled in the chunks before, sources in those to come
        self._taken = 0  # of the chunk in hand
        self._since, self.busy_s = 0.0, 0.0
        self.state, self.failure = "waiting", ""
        self.done, self.total = 0, len(sources)
        self.added: list[str] = []
        self.already_there: list[str] = []
        self.refused: list[tuple[str, str]] = []

    def start(self) -> "Job":
        """Get in line, in the background."""
        threading.Thread(target=self._run, name="unimma-add", daemon=True).start()
        return self

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False if it has not come within `timeout_s` seconds."""
        return self._over.wait(timeout_s)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self._over.is_set()

    @property
    def place(self) -> int:
        """How many jobs of others come first."""
        return self._line.before(self)

    @property
    def in_hand(self) -> int:
        """How many sources were taken and are not settled yet."""
        return self._taken - (self.done - self._before)

    @property
    def rate(self) -> float:
        """Settled sources a second, lately; 0 where nothing is known yet."""
        ticks = list(self._ticks)
        if len(ticks) < 2 or ticks[-1][0] <= ticks[0][0]:
            return 0.0
        return (ticks[-1][1] - ticks[0][1]) / (ticks[-1][0] - ticks[0][0])

    @property
    def left_s(self) -> float | None:
        """About how many seconds are left; None where nothing is known yet."""
        return (self.total - self.done) / self.rate if self.rate else None

    def pause(self) -> None:
        """Stand still after the source in hand."""
        if not self.is_over and not self._stopping.is_set():
            self._go_on.clear()
            self.state = "paused"

    def resume(self) -> None:
        """Go on."""
        self._ticks.clear()
        if self.state == "paused":
            self.state = "running"
        self._go_on.set()

    def stop(self) -> None:
        """End after the source in hand; what came in stays."""
        self._stopping.set()
        self._go_on.set()

    def _run(self) -> None:
        try:
            with self._line.turn(self):
                if self.state == "waiting":
                    self.state = "running"
                self._since = time.monotonic()
                self._add_all()
        except Exception as error:  # whatever it is, whoever waits has to be told
            self.failure = in_words(error)
        finally:
            self.state = "failed" if self.failure else "stopped" if self._stopping.is_set() else "done"
            self._settled(self)
            self._over.set()

    def _add_all(self) -> None:
        for start in range(0, len(self._sources), CHUNK):
            chunk = self._sources[start : start + CHUNK]
            self._later, self._taken = len(self._sources) - start - len(chunk), 0
            report = self._gallery().add(
                chunk, progress=self._tell, metadata={"source": "upload"}, go_on=self._may_go_on
            )
            self.added += report.added
            self.already_there += report.already_there
            self.refused += report.refused
            self._before = self.done = len(self.added) + len(self.already_there) + len(self.refused)
            self.total = self._before + self._later
            self._settled(self)
            if self.failure or self._stopping.is_set():
                left = self._sources[start + self._taken :]
                return self._leave(left)
        return None

    def _may_go_on(self) -> bool:
        self.busy_s += time.monotonic() - self._since
        self._go_on.wait()
        self._since = time.monotonic()
        if not self._stopping.is_set():
            self.failure = self._veto(self)
            if not self.failure:
                self._taken += 1
                return True
        return False

    def _leave(self, left: Sequence[Path | str]) -> None:
        """Say of each source that was not taken why."""
        reason = self.failure or "not added: stopped before its turn"
        self.refused += [(source.name if isinstance(source, Path) else source[:80], reason) for source in left]
        self.done = self.total = len(self.added) + len(self.already_there) + len(self.refused)

    def _tell(self, done: int, total: int) -> None:
        self.done, self.total = self._before + done, self._before + total + self._later
        self._ticks.append((time.monotonic(), self.done))
