"""Media on disk: `media/<id>.<ending>`, re-encoded, complete or not there at all."""

import os
import shutil
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

    def stage(self, source: Path | bytes, modality: Modality, stem: str, limits: Limits, name: str = "") -> Path:
        """Re-encode `source` to what browsers play, under a stem that nothing else has, not yet part of the gallery.

        Args:
            name: the file's name, where `source` does not say it.
        Raises:
            MediaError: it cannot be decoded within the limits.
        """
        return write_plain(source, modality, self._staging, stem, limits, name=name)

    def unpacked(self, stem: str) -> Path:
        """Where a file out of an archive may lie until it is staged."""
        return self._staging / f"{stem}.unpacked"

    def keep(self, staged: Path, item_id: str) -> str:
        """Make a staged file the media of an item, in one step: its name in `folder`."""
        name = item_id + staged.suffix
        os.replace(staged, self.folder / name)
        return name

    def discard(self, stem: str) -> None:
        """Delete what is staged under this stem and not kept after all, finished or not."""
        for path in self._staging.glob(f"*{stem}*"):
            path.unlink(missing_ok=True)

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
