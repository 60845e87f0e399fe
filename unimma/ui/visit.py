"""One visit: what its visitor may see, add and change, what it may cost, and how it all goes when they leave.

A visit is one opened page (or one client of the API). In a *private* library it has a gallery of its own beside the
host's, in a folder that ends with the visit; in a *shared* one everybody adds to the host's gallery; a *read-only* one
takes nothing in.
"""

import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from unimma.errors import GalleryError, MediaError
from unimma.settings import Quotas
from unimma.types import Decoded, Item, Modality
from unimma.ui.jobs import Job, Line
from unimma.ui.meter import Meter
from unimma.ui.uploads import discard, is_upload
from unimma.ui.view import View

if TYPE_CHECKING:
    from unimma.gallery import Gallery

LEFT_AFTER_S = 90  # a page that is reloaded, or a phone that looks away, comes back within this time
IDLE_AFTER_S = 3_600  # of a visit whose page never said goodbye


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


class Visit(View):
    """One visitor's view of the library, and everything that they may do with it.

    Args:
        host, decode: as for `View`.
        new_gallery: makes a gallery in a folder, for a private library.
        folder: where that would be.
        library: who sees what is added here.
        quotas: what the visit may cost; None for no bounds.
        line: what the visit's jobs wait in.

    Attributes:
        job: the last adding, running or over.
    """

    def __init__(
        self,
        *,
        host: "Callable[[], Gallery]",
        decode: Callable[[Path, Modality | None], Decoded],
        new_gallery: "Callable[[Path], Gallery]",
        folder: Path,
        library: Library,
        quotas: Quotas | None,
        line: Line,
    ) -> None:
        super().__init__(host, decode, Meter(quotas))
        self.job: Job | None = None
        self.library, self.quotas = library, quotas
        self._new_gallery, self._folder, self._line = new_gallery, folder, line
        self._lock = threading.Lock()
        self._hidden: set[str] = set()  # on its way out, and can still be brought back
        self._uploads: set[Path] = set()
        self._charged_s = 0.0  # of the job's time
        self._ended = False

    def decode(self, path: Path, modality: Modality | None = None) -> Decoded:
        """As `View.decode`; an upload goes with the visit."""
        self.keep_track(path)
        return super().decode(path, modality)

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
            discard(path)
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

    def keep_track(self, path: Path) -> None:
        """Delete this file with the visit, if it is an upload."""
        if is_upload(path):
            self._uploads.add(path)

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
        self.meter.add(job.busy_s - self._charged_s)
        self._charged_s = job.busy_s
        if self._ended:
            return "the visit is over"
        if self.quotas is None:
            return ""
        num_items, num_bytes = self.used()
        if num_items + job.in_hand >= self.quotas.max_visitor_items:
            return f"over this visit's {self.quotas.max_visitor_items} items: delete some first"
        if num_bytes >= self.quotas.max_visitor_bytes:
            return f"over this visit's {self.quotas.max_visitor_bytes / 1e6:,.0f} MB: delete some first"
        return self.meter.over()

    def _settle(self, job: Job) -> None:
        if self.library is Library.SHARED:
            self._added = list(dict.fromkeys([*self._added, *job.added]))
