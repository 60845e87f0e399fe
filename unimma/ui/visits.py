"""All visits: found by the session of a page or by their key, ended when their page is gone."""

import hmac
import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from unimma.errors import GalleryError
from unimma.ui.visit import IDLE_AFTER_S, LEFT_AFTER_S, Visit

log = logging.getLogger(__name__)


class Visits:
    """All visits there are, found by the session of a page or by their key.

    Args:
        new_visit: makes one whose private gallery would lie in the folder given.
        root: where those folders lie; it is deleted in the end.
        at_most: how many visits there may be at once.
    """

    def __init__(self, new_visit: Callable[[Path], Visit], root: Path, at_most: int) -> None:
        self._new_visit, self._root, self._at_most = new_visit, root, at_most
        self._lock = threading.Lock()
        self._by_session: dict[str, Visit] = {}
        self._left: dict[str, tuple[Visit, float]] = {}  # by key: nobody looks at them any more, since when
        self._closing = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep, name="unimma-visits", daemon=True)
        self._sweeper.start()

    def of(self, session: str) -> Visit:
        """The visit of a session, begun where there is none.

        Raises:
            GalleryError: there are too many at once.
        """
        with self._lock:
            visit = self._by_session.get(session)
            if visit is None:
                visit = self._by_session[session] = self._begin()
        visit.meter.seen = time.monotonic()
        return visit

    def enter(self, session: str, key: str) -> Visit:
        """The visit that a page comes back to with its key; a new one where that is over."""
        with self._lock:
            known = next((visit for visit in self._all() if hmac.compare_digest(visit.key, key)), None)
            if known is not None:
                self._by_session[session] = known
                self._left.pop(known.key, None)
        return self.of(session)

    def leave(self, session: str) -> None:
        """The page of this session was closed; its visit ends soon, if no other page has it open."""
        with self._lock:
            visit = self._by_session.pop(session, None)
            if visit is not None and visit not in self._by_session.values():
                self._left[visit.key] = (visit, time.monotonic())

    def end(self, session: str) -> None:
        """The session is over, and with it its visit, if no other has it open."""
        with self._lock:
            visit = self._by_session.pop(session, None)
            if visit is None or visit in self._by_session.values():
                return
        visit.end()

    def at(self, place: str) -> Visit | None:
        """The visit whose media lie at a place (see `Visit.address_of`)."""
        with self._lock:
            return next((visit for visit in self._all() if visit.is_at(place)), None)

    def sweep(self, now: float) -> int:
        """End the visits that are over at `now` (of the monotonic clock): how many."""
        with self._lock:
            over = [visit for visit, since in self._left.values() if now - since > LEFT_AFTER_S]
            over += [visit for visit in self._by_session.values() if now - visit.meter.seen > IDLE_AFTER_S]
            over = [visit for visit in dict.fromkeys(over) if not visit.is_working_for_others]
            self._drop(over)
        for visit in over:
            visit.end()
        return len(over)

    def close(self) -> None:
        """End them all."""
        self._closing.set()
        with self._lock:
            over = self._all()
            self._drop(over)
        for visit in over:
            visit.end()
        shutil.rmtree(self._root, ignore_errors=True)

    def __len__(self) -> int:
        with self._lock:
            return len(self._all())

    def _begin(self) -> Visit:
        if len(self._all()) >= self._at_most:
            came = f"{self._at_most} visitors at once"
            raise GalleryError(came, "room for one more", "Come back in a few minutes.")
        return self._new_visit(self._root / secrets.token_hex(8))

    def _all(self) -> list[Visit]:
        return list(dict.fromkeys([*self._by_session.values(), *(visit for visit, _ in self._left.values())]))

    def _drop(self, visits: Sequence[Visit]) -> None:
        gone = set(visits)
        self._by_session = {session: visit for session, visit in self._by_session.items() if visit not in gone}
        self._left = {key: (visit, since) for key, (visit, since) in self._left.items() if visit not in gone}

    def _sweep(self) -> None:
        while not self._closing.wait(15.0):
            try:
                self.sweep(time.monotonic())
            except Exception:  # the next round tries again; a thread that has died would keep everything for ever
                log.exception("visits could not be ended")
