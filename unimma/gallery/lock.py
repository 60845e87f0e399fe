"""One process at a time on a gallery folder: a second writer would lose vectors of the index without an error."""

from pathlib import Path

from filelock import FileLock, Timeout

from unimma.errors import GalleryError


class GalleryLock:
    """Holds the gallery in `folder` until `release`; the system lets go of it when the process ends, however it ends.

    Raises:
        GalleryError: somebody else holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = FileLock(folder / "lock", thread_local=False)  # may be released by another thread
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            came = "this gallery is open in another app, command or part of this program"
            todo = "Close the other one first, or name another gallery folder."
            raise GalleryError(came, "one user at a time", todo) from error

    def release(self) -> None:
        """Let others open the gallery."""
        self._lock.release()
