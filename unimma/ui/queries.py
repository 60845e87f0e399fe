"""What a visitor asked: a small value that the page's history can keep, and the door through which files come in."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gradio.utils import get_upload_folder
from markupsafe import Markup

from unimma.errors import MediaError
from unimma.media import decode
from unimma.types import Hit, Modality
from unimma.ui import cards
from unimma.ui.visits import Visit

if TYPE_CHECKING:
    from unimma.gallery.where import Where

MAX_HISTORY = 20


@dataclass(frozen=True)
class Query:
    """One thing that was asked.

    Attributes:
        kind: "text" (value is the sentence), "file" (the path of an upload) or "item" (the id of a gallery item).
        modality: what the file is to be taken as, None for what it is; of no meaning for the others.
    """

    kind: Literal["text", "file", "item"]
    value: str
    modality: Modality | None = Modality.TEXT


History = tuple[Query, ...]


def uploaded(path: str) -> Path:
    """The path of an upload, after a check that it is one.

    Gradio hands some paths on as the client sent them, so that without this any file of the server could be read.

    Raises:
        MediaError: the path lies outside of the folder of uploads, or is not there any more.
    """
    root = Path(get_upload_folder()).resolve()
    resolved = root if "\0" in path else Path(path).resolve()
    if root not in resolved.parents or not resolved.is_file():
        raise MediaError(
            f"{Path(path).name}: not an upload of this visit", "a file uploaded here", "Drop the file again."
        )
    return resolved


def hits_of(visit: Visit, query: Query, k: int, modalities: list[Modality], where: "Where | None" = None) -> list[Hit]:
    """Search with a query of any kind.

    Raises:
        UnimmaError: the file cannot be decoded, or the item is gone.
    """
    match query.kind:
        case "text":
            return visit.search(decode(query.value), k, modalities, where=where)
        case "file":
            return visit.search(visit.decode(uploaded(query.value), query.modality), k, modalities, where=where)
        case "item":
            return visit.search(visit.content(query.value), k, modalities, where=where, leave_out=query.value)


def asked(visit: Visit, query: Query) -> Markup:
    """The query as the page shows it above its hits."""
    match query.kind:
        case "text":
            return cards.asked_text(query.value)
        case "file":
            return cards.asked_file(Path(query.value).name, query.modality)
        case "item":
            return cards.asked_item(visit.find(query.value))
