"""Files that visitors have uploaded: which are, and how one is deleted."""

from contextlib import suppress
from pathlib import Path

from gradio.utils import get_upload_folder


def is_upload(path: Path) -> bool:
    """Whether a file lies in the folder of uploads, wherever links lead."""
    return "\0" not in str(path) and Path(get_upload_folder()).resolve() in path.resolve().parents


def discard(path: Path) -> None:
    """Delete an upload, and the folder that Gradio gave it."""
    path.unlink(missing_ok=True)
    with suppress(OSError):  # other files are in it
        path.parent.rmdir()
