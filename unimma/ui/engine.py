"""What stands behind the page: loads the model and the gallery in a thread of its own, then answers for them.

The only module of the app that opens a model or a gallery. Everything that the page asks is a method here, so that
the tabs are decode → call → show.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import unimma
from unimma.errors import GalleryError, UnimmaError
from unimma.settings import data_dir
from unimma.types import Decoded, Hit, Item, Modality

if TYPE_CHECKING:
    from unimma.gallery import AddReport, Gallery
    from unimma.model import UniMMA

log = logging.getLogger(__name__)

Say = Callable[[str, int, int], None]  # message, done, total; total 0 where nothing can be counted
Loader = Callable[[Say], tuple["UniMMA", "Gallery"]]
Filler = Callable[["Gallery", Say], None]
UNEXPECTED = "the start failed, the log of the server says why"


@dataclass(frozen=True)
class Status:
    """How far the start has come: `message` is for people; `state` is one of these.

    "loading": nothing can be asked yet; "filling": what is in the gallery so far can be; "ready"; "failed".
    """

    state: str
    message: str
    done: int = 0
    total: int = 0


def loader(model_name: str, folder: Path | None) -> Loader:
    """Opens the named model and the gallery in `folder` (None: the user's own)."""

    def load(say: Say) -> tuple["UniMMA", "Gallery"]:
        say("Loading the model…", 0, 0)
        model = unimma.load_model(model_name)
        say("Opening the gallery…", 0, 0)
        return model, unimma.Gallery.open(folder or data_dir() / "gallery", model)

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
    """A model and a gallery that may still be on their way.

    Args:
        load: makes both, telling its progress; runs once, in a background thread that `start` begins.
        fill: puts the first items into the gallery, in the same thread; people search what is there meanwhile.
    """

    def __init__(self, load: Loader, fill: Filler | None = None) -> None:
        self._load, self._fill = load, fill
        self._status = Status("loading", "Starting…")
        self._settled = threading.Event()
        self._opened: tuple[UniMMA, Gallery] | None = None
        self._failure: UnimmaError = GalleryError(UNEXPECTED, "a start without errors", "Mend it and start again.")

    def start(self) -> None:
        """Begin to load, in the background."""
        threading.Thread(target=self._run, name="unimma-load", daemon=True).start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until something can be searched, or the start failed; False if neither within `timeout_s` seconds.

        Raises:
            UnimmaError: the start failed; the message says why.
        """
        settled = self._settled.wait(timeout_s)
        if settled and self._opened is None:
            raise self._failure
        return settled

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
        """The gallery, once it is there."""
        return self._both()[1]

    def search(self, query: str | Decoded, k: int, modalities: Sequence[Modality], *, leave_out: str = "") -> list[Hit]:
        """The `k` best hits of those modalities, without the item `leave_out` (the query itself, say)."""
        hits = unimma.search(self.gallery, query, k=k + bool(leave_out), modalities=list(modalities))
        kept = [hit for hit in hits if hit.item.id != leave_out][:k]
        return [Hit(hit.item, rank, hit.score, hit.similarity, hit.span) for rank, hit in enumerate(kept, start=1)]

    def find(self, item_id: str) -> Item:
        """The item of that id.

        Raises:
            GalleryError: no such item is in the gallery.
        """
        return self.gallery.get(item_id)

    def shelf(self, modality: Modality | None, offset: int, limit: int) -> list[Item]:
        """One page of the gallery, what was added last first."""
        end = max(self.gallery.count(modality) - offset, 0)
        start = max(end - limit, 0)
        return self.gallery.list(modality=modality, offset=start, limit=end - start)[::-1]

    def counts(self) -> Mapping[Modality, int]:
        """How many items of each modality there are."""
        return {modality: self.gallery.count(modality) for modality in Modality}

    def examples(self, modality: Modality, count: int) -> list[Item]:
        """Up to `count` items spread evenly over the gallery's items of that modality."""
        items = self.gallery.list(modality=modality, limit=200)
        step = max(len(items) / count, 1.0)
        return [items[int(index * step)] for index in range(min(count, len(items)))]

    def sentences(self, count: int) -> list[str]:
        """Up to `count` short sentences that the gallery has an answer to: its own texts, else its titles."""
        texts = [item.text for item in self.examples(Modality.TEXT, 60) if item.text and len(item.text) <= 60]
        texts = texts or [item.title for kind in Modality for item in self.examples(kind, count)]
        step = max(len(texts) / count, 1.0)
        return [texts[int(index * step)] for index in range(min(count, len(texts)))]

    def add(self, sources: Sequence[Path | str], progress: Callable[[int, int], None]) -> "AddReport":
        """Add files (a Path) and sentences (a str) to the gallery."""
        return self.gallery.add(sources, progress=progress)

    def delete(self, ids: Sequence[str]) -> None:
        """Remove items from the gallery."""
        self.gallery.delete(ids)

    def close(self) -> None:
        """Let go of the gallery, so that another program can open it."""
        if self._opened:
            self._opened[1].close()

    def _both(self) -> tuple["UniMMA", "Gallery"]:
        if self._opened is None:
            raise GalleryError(
                "the gallery is still being opened", "a moment of patience", "Try again in a few seconds."
            )
        return self._opened

    def _run(self) -> None:
        try:
            self._opened = self._load(self._say)
            if self._fill:
                self._fill(self._opened[1], self._filling)
            self._status = Status("ready", "Ready")
        except UnimmaError as error:
            self._failure = error
            self._status = Status("failed", str(error))
        except Exception:  # the page must say that the start failed, whatever the reason
            log.exception("the model or the gallery could not be opened")
            self._status = Status("failed", str(self._failure))
        finally:
            self._settled.set()

    def _say(self, message: str, done: int, total: int) -> None:
        self._status = Status("loading", message, done, total)

    def _filling(self, message: str, done: int, total: int) -> None:
        self._status = Status("filling", message, done, total)
        if done:
            self._settled.set()
