"""Media on disk: `media/<id>.<ending>`, re-encoded, complete or not there at all."""

import os
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

from unimma.media.plain import write_plain
from unimma.settings import Limits
from unimma.types import Modality


class MediaFolder:
    """The kept media of a gallery, and beside them a place where files are made before they are kept.

    Args:
        gallery: the gallery's folder; `media` and `staging` in it are made when missing.
    """

    def __init__(self, gallery: Path) -> None:
        self.folder, self._staging = gallery / "media", gallery / "staging"
        self.folder.mkdir(exist_ok=True)
        self._staging.mkdir(exist_ok=True)

    def stage(self, source: Path | bytes, modality: Modality, limits: Limits) -> Path:
        """Re-encode `source` to what browsers play, under a name of its own, not yet part of the gallery.

        Raises:
            MediaError: it cannot be decoded within the limits.
        """
        return write_plain(source, modality, self._staging, uuid.uuid4().hex, limits)

    def keep(self, staged: Path, item_id: str) -> str:
        """Make a staged file the media of an item, in one step: its name in `folder`."""
        name = item_id + staged.suffix
        os.replace(staged, self.folder / name)
        return name

    def discard(self, staged: Path) -> None:
        """Delete a staged file that is not kept after all."""
        staged.unlink(missing_ok=True)

    def settle(self) -> None:
        """See to it that the names of kept files, too, survive the end of the power."""
        if os.name == "posix":  # elsewhere a folder cannot be opened
            handle = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def delete(self, names: Iterable[str]) -> None:
        """Delete kept files; those that are gone already are passed over."""
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def sweep(self, kept: set[str]) -> int:
        """Delete everything that a crash left: all that is staged, and media not among `kept`. How many files."""
        left = [path for path in self.folder.iterdir() if path.name not in kept] + list(self._staging.iterdir())
        for path in left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return len(left)
