"""What a visit costs: the time of computing that it has used up, and when it last showed a sign of life."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from unimma.errors import MediaError
from unimma.settings import Quotas

_HOUR_S = 3_600


class Meter:
    """Counts seconds of computing, an hour at a time.

    Args:
        quotas: what may be used; None for no bounds.

    Attributes:
        seen: the last sign of life, on the monotonic clock.
    """

    def __init__(self, quotas: Quotas | None) -> None:
        self._quotas = quotas
        self.seen = self._hour_from = time.monotonic()
        self._used_s = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time of what is done in the block.

        Raises:
            MediaError: the share of this hour is used up.
        """
        if reason := self.over():
            raise MediaError(reason, "a little patience", "Go on in an hour, or run the app on a machine of your own.")
        start = time.monotonic()
        try:
            yield
        finally:
            self.add(time.monotonic() - start)

    def add(self, seconds: float) -> None:
        """Count work that was done elsewhere, and a sign of life."""
        self.seen = time.monotonic()
        self._used_s += seconds

    def over(self) -> str:
        """Why nothing more may be computed; "" where it may."""
        if self._quotas is None:
            return ""
        if time.monotonic() - self._hour_from > _HOUR_S:
            self._hour_from, self._used_s = time.monotonic(), 0.0
        if self._used_s < self._quotas.max_visitor_seconds:
            return ""
        return f"over this visit's {self._quotas.max_visitor_seconds:.0f} seconds of computing an hour"
