"""What a visitor asked: a small value that the page's history can keep, and the door through which files come in."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from unimma.errors import MediaError
from unimma.media import decode
from unimma.media.thumbnail import thumbnail
from unimma.types import Decoded, Hit, Modality
from unimma.ui.uploads import is_upload
from unimma.ui.visit import Visit

if TYPE_CHECKING:
    from unimma.gallery.where import Where


@dataclass(frozen=True)
class Query:
    """One thing that was asked.

    Attributes:
        kind: "text" (value is the sentence), "file" (the path of an upload) or "item" (the id of a gallery item).
        modality: what the file is to be taken as, None for what it is; of no meaning for the others.
        preview: WebP bytes of what the file shows, once it was decoded; empty for others.
    """

    kind: Literal["text", "file", "item"]
    value: str
    modality: Modality | None = Modality.TEXT
    preview: bytes = field(default=b"", repr=False, compare=False)


def uploaded(path: str) -> Path:
    """The path of an upload, after a check that it is one.

    Gradio hands some paths on as the client sent them, so that without this any file of the server could be read.

    Raises:
        MediaError: the path lies outside of the folder of uploads, or is not there any more.
    """
    if not is_upload(Path(path)) or not Path(path).is_file():
        raise MediaError(
            f"{Path(path).name}: not an upload of this visit", "a file uploaded here", "Drop the file again."
        )
    return Path(path).resolve()


def prepared(visit: Visit, query: Query) -> tuple[Query, str | Decoded]:
    """What is searched with; and the query, which knows of a file now what it is and how it looks.

    Raises:
        UnimmaError: the file cannot be decoded, the item is gone, or there are no words.
    """
    match query.kind:
        case "text":
            return query, decode(query.value)
        case "file":
            decoded = visit.decode(uploaded(query.value), query.modality)
            return replace(query, modality=decoded.modality, preview=thumbnail(decoded) or b""), decoded
        case "item":
            return query, visit.content(query.value)


def hits_of(visit: Visit, query: Query, k: int, modalities: list[Modality], where: "Where | None" = None) -> list[Hit]:
    """Search with a query of any kind.

    Raises:
        UnimmaError: as `prepared`; or the filter is none.
    """
    return found(visit, query, prepared(visit, query)[1], k, modalities, where)


def found(
    visit: Visit, query: Query, content: str | Decoded, k: int, modalities: list[Modality], where: "Where | None" = None
) -> list[Hit]:
    """Search with what was prepared; an item is no answer to itself."""
    leave_out = query.value if query.kind == "item" else ""
    return visit.search(content, k, modalities, where=where, leave_out=leave_out)
