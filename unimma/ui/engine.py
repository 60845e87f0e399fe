"""What stands behind the page: loads the model and the gallery in a thread of its own, and receives visitors.

The only module of the app that opens a model or a gallery. What a page asks goes through its visit
(`unimma.ui.visit`), so that the tabs are decode → call → show.
"""

import hmac
import logging
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from filelock import FileLock, Timeout

import unimma
from unimma import remote
from unimma.errors import GalleryError, UnimmaError
from unimma.media import child, decode
from unimma.settings import Limits, Quotas, data_dir
from unimma.types import Decoded, Modality
from unimma.ui import zero
from unimma.ui.jobs import Line
from unimma.ui.visit import Library, Visit
from unimma.ui.visits import Visits

if TYPE_CHECKING:
    from unimma.gallery import Gallery
    from unimma.model import UniMMA

log = logging.getLogger(__name__)

Say = Callable[[str, int, int], None]  # message, done, total; total 0 where nothing can be counted
Call = Callable[..., Any]  # runs a function of a module: here, or in a child process
Loader = Callable[[Say, Call], tuple["UniMMA", "Gallery"]]
Filler = Callable[["Gallery", Say], None]
_AT_ONCE = max((os.cpu_count() or 1) // 2, 1)  # addings; each keeps a core busy with decoding and one with embedding
_MAX_VISITS = 1_000  # on one's own machine
UNEXPECTED = "the start failed, the log of the server says why"


class Asker(Protocol):
    """The part of `gradio.Request` that says who asks."""

    session_hash: str | None

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the HTTP request."""
        ...


@dataclass(frozen=True)
class Status:
    """How far the start has come: `message` is for people; `state` is one of these.

    "loading": nothing can be asked yet; "filling": what is in the gallery so far can be; "ready"; "failed".
    """

    state: str
    message: str
    done: int = 0
    total: int = 0


def loader(model_name: str, folder: Path | None, device: str = "auto") -> Loader:
    """Opens the named model, on that device, and the gallery in `folder` (None: the user's own)."""

    def load(say: Say, call: Call) -> tuple["UniMMA", "Gallery"]:
        say("Loading the model…", 0, 0)
        model = unimma.load_model(model_name, device=device, say=say)
        zero.borrow(model, model_name)
        say("Opening the gallery…", 0, 0)
        return model, unimma.Gallery.open(folder or data_dir() / "gallery", model, call=call)

    return load


def filler(folder: Path | None) -> Filler:
    """Puts the starter gallery into a gallery that is new, then what `folder` holds into any (None: nothing more)."""

    def fill(gallery: "Gallery", say: Say) -> None:
        from unimma.gallery import starter

        starter.seed(gallery, lambda done, total: say(f"Indexing the starter gallery: {done} of {total}", done, total))
        if folder:
            told = f"Indexing {folder.name}"
            report = gallery.add([folder], progress=lambda done, total: say(f"{told}: {done} of {total}", done, total))
            for name, reason in report.refused:
                log.warning("%s was not added: %s", name, reason)

    return fill


class Engine:
    """A model and a gallery that may still be on their way, and the visitors of both.

    Args:
        load: makes both, telling its progress; runs once, in a background thread that `start` begins. It is given what
            runs the decoding of files: in child processes, apart from the app.
        fill: puts the first items into the gallery, in the same thread; people search what is there meanwhile.
        library: who sees what visitors add.
        quotas: what one visitor may cost; None for no bounds.

    Attributes:
        token: lets programs of this machine work through the app with the host's rights.
    """

    def __init__(
        self,
        load: Loader,
        fill: Filler | None = None,
        *,
        library: Library = Library.SHARED,
        quotas: Quotas | None = None,
    ) -> None:
        self.library, self.quotas = library, quotas
        self.token = secrets.token_urlsafe(24)
        self._load, self._fill = load, fill
        self._status = Status("loading", "Starting…")
        self._settled, self._changing = threading.Event(), threading.Lock()
        self._opened: tuple[UniMMA, Gallery] | None = None
        self._failure: UnimmaError = GalleryError(UNEXPECTED, "a start without errors", "Mend it and start again.")
        limits = Limits.from_env()
        self._asking = child.Workers(1, limits)  # apart from those that add, so that no search waits for a film
        self._adding = child.Workers(_AT_ONCE, limits)
        self._line = Line(_AT_ONCE)
        self._root = VisitsFolder(data_dir() / "visits")
        at_most = quotas.max_visits if quotas else _MAX_VISITS
        self.visits = Visits(lambda folder: self._visit(folder, library, quotas), self._root.path, at_most)
        self.host = self._visit(self._root.path / "host", Library.SHARED, None)

    def start(self, opened: "Callable[[Gallery], None]" = lambda gallery: None) -> None:
        """Begin to load, in the background; `opened` is called with the gallery as soon as it is."""
        threading.Thread(target=self._run, args=[opened], name="unimma-load", daemon=True).start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until something can be searched, or the start failed; False if neither within `timeout_s` seconds.

        Raises:
            UnimmaError: the start failed; the message says why.
        """
        settled = self._settled.wait(timeout_s)
        if settled and self._opened is None:
            raise self._failure
        return settled

    def visit(self, request: "Asker") -> Visit:
        """The visit that a request belongs to; the host's own for a program that shows the token."""
        if self.is_host(request.headers):
            return self.host
        return self.visits.of(request.session_hash or secrets.token_hex(16))  # a call without a session stands alone

    def is_host(self, headers: Mapping[str, str]) -> bool:
        """Whether a request shows the token."""
        shown = headers.get("authorization", "")
        return hmac.compare_digest(shown.encode(), f"Bearer {self.token}".encode())

    @property
    def status(self) -> Status:
        """How far the start has come."""
        return self._status

    @property
    def model(self) -> "UniMMA":
        """The model, once it is there."""
        return self._both()[0]

    @property
    def gallery(self) -> "Gallery":
        """The host's gallery, once it is there."""
        return self._both()[1]

    def missing(self) -> int:
        """How many items cannot be found, since they were embedded with another model alone; 0 while it loads."""
        return self._opened[1].missing() if self._opened and self._status.state == "ready" else 0

    def reembed(self) -> None:
        """Embed them with this model, in the background; `status` tells how far it is."""
        with self._changing:
            if self._status.state != "ready":
                return
            self._filling("Embedding again…", 0, 0)
        threading.Thread(target=self._reembed, name="unimma-reembed", daemon=True).start()

    def close(self) -> None:
        """End all visits and let go of the gallery, so that another program can open it."""
        self.visits.close()
        self.host.end()
        self._asking.close()
        self._adding.close()
        self._root.close()
        if self._opened:
            remote.withdraw(self._opened[1].folder)
            self._opened[1].close()

    def _both(self) -> tuple["UniMMA", "Gallery"]:
        if self._opened is None:
            raise GalleryError(
                "the gallery is still being opened", "a moment of patience", "Try again in a few seconds."
            )
        return self._opened

    def _visit(self, folder: Path, library: Library, quotas: Quotas | None) -> Visit:
        return Visit(
            host=lambda: self.gallery,
            new_gallery=lambda place: unimma.Gallery.open(place, self.model, index=False, call=self._adding.call),
            folder=folder,
            library=library,
            quotas=quotas,
            line=self._line,
            decode=self._decode,
        )

    def _decode(self, path: Path, modality: Modality | None) -> Decoded:
        decoded: Decoded = self._asking.call(decode, path, modality=modality)
        return decoded

    def _run(self, opened: "Callable[[Gallery], None]") -> None:
        try:
            self._opened = self._load(self._say, self._adding.call)
            opened(self._opened[1])
            if self._fill:
                self._fill(self._opened[1], self._filling)
            if self.library is not Library.SHARED and self._opened[1].missing():
                self._opened[1].reembed(self._reembedding)  # nobody is there who could be asked
            self._status = Status("ready", "Ready")
        except UnimmaError as error:
            self._failure = error
            self._status = Status("failed", str(error))
        except Exception:  # the page must say that the start failed, whatever the reason
            log.exception("the model or the gallery could not be opened")
            self._status = Status("failed", str(self._failure))
        finally:
            self._settled.set()

    def _reembed(self) -> None:
        try:
            self.gallery.reembed(self._reembedding)
        except Exception:  # those that are left are offered again
            log.exception("embedding again ended early")
        finally:
            self._status = Status("ready", "Ready")

    def _reembedding(self, done: int, total: int) -> None:
        self._filling(f"Embedding again: {done} of {total}", done, total)

    def _say(self, message: str, done: int, total: int) -> None:
        self._status = Status("loading", message, done, total)

    def _filling(self, message: str, done: int, total: int) -> None:
        self._status = Status("filling", message, done, total)
        if done:
            self._settled.set()


class VisitsFolder:
    """A folder for what visitors add, deleted in the end; what a killed app has left is deleted by the next one."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        for left in root.glob("*.lock"):
            with suppress(Timeout), FileLock(left).acquire(timeout=0):
                shutil.rmtree(left.with_suffix(""), ignore_errors=True)
                left.unlink(missing_ok=True)
        self.path = root / secrets.token_hex(8)
        self._lock = FileLock(self.path.with_suffix(".lock"), thread_local=False)
        self._lock.acquire(timeout=0)
        self.path.mkdir()

    def close(self) -> None:
        """Delete it."""
        shutil.rmtree(self.path, ignore_errors=True)
        Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()
