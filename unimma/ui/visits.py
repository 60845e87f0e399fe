"""Visitors: what each may see, add and change, what it may cost, and how it all goes when they leave.

A visit is one opened page (or one client of the API). In a *private* library it has a gallery of its own beside the
host's, in a folder that ends with the visit; in a *shared* one everybody adds to the host's gallery; a *read-only* one
takes nothing in. Addresses of private media carry a pass that only the visit itself is given: who knows an item's id
or a file's name cannot fetch it.
"""

import hashlib
import hmac
import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import unimma
from unimma.errors import GalleryError, MediaError
from unimma.settings import Quotas
from unimma.types import Decoded, Hit, Item, Modality
from unimma.ui.jobs import Job, Line

if TYPE_CHECKING:
    from unimma.gallery import Gallery
    from unimma.gallery.union import Union
    from unimma.gallery.where import Where

log = logging.getLogger(__name__)
LEFT_AFTER_S = 90  # a page that is reloaded, or a phone that looks away, comes back within this time
IDLE_AFTER_S = 3_600  # of a visit whose page never said goodbye
HOST_PLACE = "gallery"  # the place of the host's gallery in an address


class Library(StrEnum):
    """Who sees what visitors add."""

    PRIVATE = "private"
    SHARED = "shared"
    READ_ONLY = "read-only"


def promise(library: Library) -> str:
    """Where files go and when they vanish, in words that are always on the page."""
    if library is Library.PRIVATE:
        return (
            "Only you see what you add or search with. It is deleted when you close this page, "
            f"at the latest after {IDLE_AFTER_S // 60} minutes without a sign of you."
        )
    if library is Library.SHARED:
        return (
            "What you search with is deleted when you close this page. What you add is kept on the machine that "
            "runs this app, for everyone who opens it, until it is deleted."
        )
    return "What you search with is deleted when you close this page. Nothing can be added here."


class Visit:
    """One visitor's view of the library, and everything that they may do with it.

    Args:
        host: the host's gallery, asked for at each use, since it may still be on its way.
        new_gallery: makes a gallery in a folder, for a private library.
        folder: where that would be.
        library: who sees what is added here.
        quotas: what the visit may cost; None for no bounds.
        line: what the visit's jobs wait in.
        decode: decodes a query.

    Attributes:
        key: names the visit; only its own page knows it.
        job: the last adding, running or over.
    """

    def __init__(
        self,
        *,
        host: "Callable[[], Gallery]",
        new_gallery: "Callable[[Path], Gallery]",
        folder: Path,
        library: Library,
        quotas: Quotas | None,
        line: Line,
        decode: Callable[[Path, Modality | None], Decoded],
    ) -> None:
        self.key = secrets.token_urlsafe(24)
        self.job: Job | None = None
        self.library = library
        self.quotas = quotas
        self._host, self._new_gallery, self._folder, self._line, self._decode = host, new_gallery, folder, line, decode
        self._place = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._own: Gallery | None = None
        self._added: list[str] = []  # in this visit, to a shared library
        self._hidden: set[str] = set()  # on its way out, and can still be brought back
        self._uploads: set[Path] = set()
        self._ended = False
        self._budget_from, self._computed_s, self._charged_s = time.monotonic(), 0.0, 0.0
        self.seen = time.monotonic()

    # what there is

    @property
    def gallery(self) -> "Gallery | Union":
        """Everything that this visit can find."""
        own = self._own
        if own is None:
            return self._host()
        from unimma.gallery.union import Union

        return Union([own, self._host()])

    def search(
        self,
        query: "str | Path | Decoded",
        k: int,
        modalities: Sequence[Modality],
        *,
        where: "Where | None" = None,
        leave_out: str = "",
        stack: bool = True,
    ) -> list[Hit]:
        """The `k` best hits of those modalities, without the item `leave_out` (the query itself, say).

        The `uri` of each hit's item is the address of its media, relative to the page.
        """
        with self.computing():
            hits = unimma.search(
                self.gallery, query, k=k + bool(leave_out), modalities=list(modalities), where=where, stack=stack
            )
        kept = [hit for hit in (_without(hit, leave_out) for hit in hits) if hit][:k]
        return [
            replace(hit, rank=rank, item=self._shown(hit.item), alike=tuple(map(self._shown, hit.alike)))
            for rank, hit in enumerate(kept, start=1)
        ]

    def decode(self, path: Path, modality: Modality | None = None) -> Decoded:
        """An upload, decoded apart from the app; it goes with the visit.

        Raises:
            MediaError: it cannot be decoded, or the visit has used up its share.
        """
        self.keep_track(path)
        with self.computing():
            return self._decode(path, modality)

    def content(self, item_id: str) -> str | Decoded:
        """What an item is asked with: its words, or its decoded media."""
        item = self.gallery.get(item_id)
        with self.computing():
            return item.text if item.text is not None else self._decode(Path(item.uri), item.modality)

    def find(self, item_id: str) -> Item:
        """The item of that id, its `uri` an address.

        Raises:
            GalleryError: no such item is in this visit's library.
        """
        return self._shown(self.gallery.get(item_id))

    def shelf(
        self,
        modality: Modality | None,
        offset: int,
        limit: int,
        *,
        where: "Where | None" = None,
        order: str = "added",
        descending: bool = True,
    ) -> list[Item]:
        """One page of the library; by default, what was added last first."""
        page = self.gallery.list(modality, where, offset, limit, order=order, descending=descending)
        return [self._shown(item) for item in page]

    def counts(self, where: "Where | None" = None) -> Mapping[Modality, int]:
        """How many items of each modality match."""
        gallery = self.gallery
        return {modality: gallery.count(modality, where) for modality in Modality}

    def num_bytes(self) -> int:
        """Size of everything in this visit's library."""
        own = self._own
        return self._host().num_bytes() + (own.num_bytes() if own is not None else 0)

    def used(self) -> tuple[int, int]:
        """Items and bytes that this visit has brought in, but for those of the chunk in hand."""
        if self._own is not None:
            return self._own.count(), self._own.num_bytes()
        there = self._host().get_many(self._added).values() if self._added else ()
        return len(there), sum(item.num_bytes for item in there)

    def facets(self, where: "Where | None" = None, modality: Modality | None = None) -> Mapping[str, Mapping[str, int]]:
        """Counts by modality, source, label, date and length (see `Gallery.facets`)."""
        return self.gallery.facets(where, modality)

    def containing(
        self, words: Sequence[str], modality: Modality | None = None, where: "Where | None" = None
    ) -> list[str]:
        """Ids of the matching items whose title, caption or text holds every word."""
        return self.gallery.containing(words, modality, where)

    def found(self, ids: Iterable[str]) -> dict[str, Item]:
        """The items there are among `ids`, by id, each `uri` an address."""
        return {item_id: self._shown(item) for item_id, item in self.gallery.get_many(ids).items()}

    def examples(self, modality: Modality, count: int) -> list[Item]:
        """Up to `count` items spread evenly over the library's items of that modality."""
        items = [self._shown(item) for item in self.gallery.list(modality, limit=200)]
        step = max(len(items) / count, 1.0)
        return [items[int(index * step)] for index in range(min(count, len(items)))]

    def sentences(self, count: int) -> list[str]:
        """Up to `count` short sentences that the library has an answer to: its own texts, else its titles."""
        texts = [item.text for item in self.examples(Modality.TEXT, 60) if item.text and len(item.text) <= 60]
        texts = texts or [item.title for kind in Modality for item in self.examples(kind, count)]
        step = max(len(texts) / count, 1.0)
        return [texts[int(index * step)] for index in range(min(count, len(texts)))]

    # what may be changed

    def may_change(self, item_id: str) -> bool:
        """Whether this visit may edit and delete that item."""
        if self.library is Library.SHARED:
            return True
        return self._own is not None and bool(self._own.get_many([item_id]))

    def add(self, sources: Sequence[Path | str]) -> Job:
        """Begin to add files (a Path) and sentences (a str).

        Raises:
            GalleryError: nothing may be added here.
            MediaError: another adding of this visit is not over yet.
        """
        self._check_takes()
        for source in sources:
            if isinstance(source, Path):
                self.keep_track(source)
        with self._lock:
            if self.job and not self.job.is_over:
                raise MediaError("an adding that is still going on", "one at a time", "Wait for it, or stop it.")
            self._charged_s = 0.0  # of the job's time
            self.job = Job(self._takes, sources, line=self._line, veto=self._veto, settled=self._settle)
        return self.job.start()

    def trash(self, ids: Sequence[str]) -> int:
        """Hide items that are to be deleted; `restore` brings them back until `purge`."""
        count = self._changed(ids).trash(ids)
        self._hidden.update(ids)
        return count

    def restore(self, ids: Sequence[str]) -> int:
        """Bring back what this visit has hidden."""
        back = self._hidden.intersection(ids)
        self._hidden -= back
        return self._writable().restore(back)

    def purge(self, ids: Iterable[str] | None = None) -> int:
        """Delete for good what this visit has hidden: all of it, or these; what was added again meanwhile stays."""
        self._check_takes()
        gone = self._hidden if ids is None else self._hidden.intersection(ids)
        if not gone:
            return 0
        self._hidden = self._hidden - gone
        gallery = self._writable()
        return gallery.delete(gone - gallery.get_many(gone).keys())

    def delete(self, ids: Sequence[str]) -> int:
        """Delete items at once and for good."""
        return self._changed(ids).delete(ids)

    def update(self, item_id: str, *, title: str, caption: str) -> Item:
        """Give an item another title and caption; an empty caption takes it away."""
        gallery = self._changed([item_id])
        metadata = {key: value for key, value in gallery.get(item_id).metadata.items() if key != "caption"}
        if caption.strip():
            metadata["caption"] = caption.strip()
        gallery.update(item_id, title=title, metadata=metadata)
        return self.find(item_id)

    def forget(self) -> int:
        """Delete everything now: what was added in this visit, and every upload. How many items there were."""
        if self.job:
            self.job.stop()
            self.job.wait()
            self.job = None
        if self.library is Library.SHARED:
            self.purge()  # else it goes with the gallery
        with self._lock:
            own, self._own, self._hidden = self._own, None, set()
            added, self._added = self._added, []
            uploads, self._uploads = self._uploads, set()
        count = 0
        if own is not None:
            count = own.count()
            own.close()
            shutil.rmtree(self._folder, ignore_errors=True)
        elif added:
            count = self._host().delete(added)
        for path in uploads:
            shutil.rmtree(path.parent, ignore_errors=True)  # Gradio gives each upload a folder of its own
        return count

    def end(self) -> None:
        """The visitor has left: what was private and all uploads are deleted."""
        self._ended = True
        self._added = []  # to a shared library: stays for the others
        self.forget()

    @property
    def is_working_for_others(self) -> bool:
        """Whether something goes on that is not this visitor's alone."""
        return self.library is Library.SHARED and self.job is not None and not self.job.is_over

    # what it costs

    def keep_track(self, path: Path) -> None:
        """This upload is to be deleted with the visit."""
        self._uploads.add(path)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Count the time of what is done in the block as this visit's.

        Raises:
            MediaError: its share of this hour is used up.
        """
        if reason := self._spent():
            raise MediaError(reason, "a little patience", "Go on in an hour, or run the app on a machine of your own.")
        start = time.monotonic()
        try:
            yield
        finally:
            self.seen = time.monotonic()
            self._computed_s += self.seen - start

    # addresses

    def address_of(self, item_id: str) -> str:
        """Where the page finds the media of an item, relative to the page."""
        private = self._own is not None and bool(self._own.get_many([item_id]))
        return f"media/{f'{self._place}-{self._pass(item_id)}' if private else HOST_PLACE}/{item_id}"

    def opens(self, place: str, item_id: str) -> Item | None:
        """The item behind an address of this visit; None where the pass is not for it."""
        name, _, shown = place.partition("-")
        if self._own is None or name != self._place or not hmac.compare_digest(shown, self._pass(item_id)):
            return None
        return self._own.get_many([item_id]).get(item_id)

    def is_at(self, place: str) -> bool:
        """Whether an address with this place is one of this visit's."""
        return place.partition("-")[0] == self._place

    def _pass(self, item_id: str) -> str:
        return hmac.new(self.key.encode(), item_id.encode(), hashlib.sha256).hexdigest()[:32]

    def _shown(self, item: Item) -> Item:
        return replace(item, uri=self.address_of(item.id))

    # how

    def _check_takes(self) -> None:
        if self.library is Library.READ_ONLY:
            raise GalleryError("a library that is read-only", "one that takes files", "Run the app yourself to add.")

    def _takes(self) -> "Gallery":
        """The gallery that takes what this visit adds."""
        self._check_takes()
        if self.library is Library.SHARED:
            return self._host()
        with self._lock:
            if self._ended:
                raise GalleryError("a visit that is over", "an open page", "Open the page anew.")
            if self._own is None:
                self._own = self._new_gallery(self._folder)
            return self._own

    def _writable(self) -> "Gallery":
        """The gallery that this visit may change."""
        self._check_takes()
        if self.library is Library.SHARED:
            return self._host()
        if self._own is None:
            raise GalleryError("an item of the host's gallery", "one that you added", "Yours alone can be changed.")
        return self._own

    def _changed(self, ids: Sequence[str]) -> "Gallery":
        gallery = self._writable()
        if len(gallery.get_many(ids)) < len(set(ids)):
            raise GalleryError("an item that is not yours or gone", "ones that you added", "Choose among those.")
        return gallery

    def _veto(self, job: Job) -> str:
        """Why the job may not go on."""
        self.seen = time.monotonic()
        self._computed_s += job.busy_s - self._charged_s
        self._charged_s = job.busy_s
        if self._ended:
            return "the visit is over"
        if self.quotas is None:
            return ""
        num_items, num_bytes = self.used()
        if num_items >= self.quotas.max_visitor_items:
            return f"over this visit's {self.quotas.max_visitor_items} items: delete some first"
        if num_bytes >= self.quotas.max_visitor_bytes:
            return f"over this visit's {self.quotas.max_visitor_bytes / 1e6:,.0f} MB: delete some first"
        return self._spent()

    def _settle(self, job: Job) -> None:
        if self.library is Library.SHARED:
            self._added = list(dict.fromkeys([*self._added, *job.added]))

    def _spent(self) -> str:
        if self.quotas is None:
            return ""
        if time.monotonic() - self._budget_from > 3_600:
            self._budget_from, self._computed_s = time.monotonic(), 0.0
        if self._computed_s < self.quotas.max_visitor_seconds:
            return ""
        return f"over this visit's {self.quotas.max_visitor_seconds:.0f} seconds of computing an hour"


def _without(hit: Hit, item_id: str) -> Hit | None:
    """A hit that does not show that item; one of its copies takes its place."""
    if hit.item.id != item_id:
        return replace(hit, alike=tuple(item for item in hit.alike if item.id != item_id))
    return replace(hit, item=hit.alike[0], alike=hit.alike[1:]) if hit.alike else None


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
        visit.seen = time.monotonic()
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
            over += [visit for visit in self._by_session.values() if now - visit.seen > IDLE_AFTER_S]
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
