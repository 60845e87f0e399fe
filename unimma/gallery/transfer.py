"""A gallery as one zip, to carry elsewhere; and such a zip, from whomever it comes, as sources to add.

    items.json     a JSON object a line: id, modality, title, text, span, metadata, added, media (a name below media/),
                   vector (a row of vectors.npy, or null)
    media/         the re-encoded files
    vectors.npy    float32 [n, dim], unit rows
    model.json     format, and name, fingerprint and dim of the model that made the vectors

Of a zip that comes in, media are decoded and re-encoded like every other file, and vectors count only where they are of
the gallery's own model and are unit vectors.
"""

import io
import json
import math
import os
import re
import secrets
import zipfile
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unimma.errors import ConfigError, GalleryError, MediaError
from unimma.gallery.archive import Archive, Packed
from unimma.gallery.embedder import Embedder
from unimma.gallery.sources import Source, clean_title
from unimma.gallery.where import checked_metadata
from unimma.settings import Limits
from unimma.types import Item, Modality, Span

FloatArray = npt.NDArray[np.float32]

MAX_MEMBERS = 200_000
FORMAT = 1
_MAX_LISTING_BYTES = 250_000_000
_MAX_MODEL_BYTES = 10_000
_MAX_NPY_HEADER = 10_000
_ID = re.compile(r"[0-9a-f]{32}")
_TODO = "Export it again with `python -m unimma export-gallery`."


def write_zip(
    path: Path,
    pages: Iterable[Iterable[tuple[Item, FloatArray | None]]],
    model: Embedder | None,
    tell: Callable[[int], None],
) -> int:
    """Write items, their media and vectors; the file appears under its name when all of it is there.

    Args:
        pages: items with the paths of their media, and with their vectors, float32 [dim]; read while writing.
        tell: called with the number of items written.
    Returns:
        How many items; one whose media are gone meanwhile is left out.
    Raises:
        GalleryError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}-{secrets.token_hex(4)}.part")
    try:
        with unfinished.open("xb") as file:
            count = _write(file, pages, model, tell)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        came = f"{path.name}: {error.strerror or type(error).__name__}"
        raise GalleryError(came, "a file that can be written", "Make room, or name another file.") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def read_zip(archive: Archive, model: Embedder, limits: Limits) -> tuple[list[Source], list[tuple[str, str]]]:
    """What an archive lists, as sources that lie in it; and what of it cannot be used, with reasons.

    Raises:
        MediaError: no exported gallery at all.
    """
    names = set(archive.names)
    if "items.json" not in names:
        raise MediaError("an archive without items.json", "an exported gallery", _TODO)
    listing = archive.read("items.json", _MAX_LISTING_BYTES).split(b"\n")
    vectors = _vectors(archive, names, model)
    sources: list[Source] = []
    refused = list(archive.refused)
    for number, line in enumerate(filter(None, listing), start=1):
        try:
            if len(line) > 6 * limits.max_text_chars + 100_000:
                raise ValueError("a line that is too long")
            sources.append(_source(json.loads(line), archive, names, vectors))
        except (ValueError, TypeError, KeyError, RecursionError, ConfigError) as error:
            came = f"line {number} of items.json ({error if isinstance(error, ValueError) else type(error).__name__})"
            refused.append((f"line {number}", str(MediaError(came, "an item", _TODO))))
    return sources, refused


def _write(
    file: io.BufferedWriter,
    pages: Iterable[Iterable[tuple[Item, FloatArray | None]]],
    model: Embedder | None,
    tell: Callable[[int], None],
) -> int:
    lines: list[str] = []
    vectors: list[FloatArray] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for page in pages:
            for item, vector in page:
                media = Path(item.uri)
                try:
                    archive.write(media, f"media/{media.name}", zipfile.ZIP_STORED)  # packed already
                except FileNotFoundError:  # deleted meanwhile
                    continue
                if vector is not None:
                    vectors.append(vector)
                lines.append(_line(item, None if vector is None else len(vectors) - 1))
            tell(len(lines))
        archive.writestr("items.json", "".join(f"{line}\n" for line in lines))
        if model is not None:
            about = {"format": FORMAT, "name": model.name, "fingerprint": model.fingerprint, "dim": model.dim}
            archive.writestr("model.json", json.dumps(about))
            rows = np.stack(vectors) if vectors else np.zeros((0, model.dim), np.float32)
            with archive.open("vectors.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, rows.astype("<f4"), allow_pickle=False)
    return len(lines)


def _line(item: Item, row: int | None) -> str:
    entry = {
        "id": item.id,
        "modality": item.modality,
        "title": item.title,
        "text": item.text,
        "span": None if item.span is None else [item.span.start, item.span.end],
        "metadata": dict(item.metadata),
        "added": item.added,
        "media": Path(item.uri).name,
        "vector": row,
    }
    return json.dumps(entry, ensure_ascii=False)


def _source(entry: Mapping[str, Any], archive: Archive, names: set[str], vectors: FloatArray | None) -> Source:
    """One line of the listing; errors of any of `read_zip`'s kinds where it is none."""
    modality, text, row = Modality(entry["modality"]), entry["text"], entry.get("vector")
    media, title, item_id = str(entry["media"]), str(entry["title"]), str(entry["id"])
    source = Source(
        content=_words(text) if modality is Modality.TEXT else Path(clean_title(title) or media),
        modality=modality,
        title=clean_title(title),
        span=None if entry["span"] is None else _span(*entry["span"]),
        metadata=checked_metadata(entry["metadata"]),
        packed=None if modality is Modality.TEXT else Packed(archive, f"media/{media}"),
        item_id=item_id if _ID.fullmatch(item_id) else "",
        added=_moment(str(entry["added"])),
        vector=None if vectors is None or not _is_row(row, len(vectors)) else vectors[row],
    )
    if source.packed and source.packed.name not in names:
        raise ValueError("its media file is not in the archive")
    return source


def _words(text: object) -> str:
    if not isinstance(text, str):
        raise ValueError("a text without words")
    return text


def _span(start: float, end: float) -> Span:
    if not (math.isfinite(start) and math.isfinite(end)):
        raise ValueError("a span that is no number")
    return Span(float(start), float(end))


def _moment(written: str) -> str:
    """The time as it is written, or "" where that is none."""
    try:
        datetime.strptime(written, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return ""
    return written


def _is_row(row: object, num_rows: int) -> bool:
    return isinstance(row, int) and 0 <= row < num_rows


def _vectors(archive: Archive, names: set[str], model: Embedder) -> FloatArray | None:
    """The vectors of an archive, float32 [n, dim], where they are the gallery's own; else all is embedded anew."""
    if not {"model.json", "vectors.npy"} <= names:
        return None
    try:
        about = json.loads(archive.read("model.json", _MAX_MODEL_BYTES))
        if about["fingerprint"] != model.fingerprint:
            return None
        content = archive.read("vectors.npy", MAX_MEMBERS * model.dim * 4 + _MAX_NPY_HEADER)
        return _checked(content, model.dim)
    except (ValueError, TypeError, KeyError, RecursionError, MediaError):
        return None


def _checked(content: bytes, dim: int) -> FloatArray | None:
    """The rows of an .npy file, read without anything that it could run; None unless all are unit vectors."""
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = read(file, max_header_size=_MAX_NPY_HEADER)
    except Exception:  # numpy throws nearly every class there is at a damaged header
        return None
    body = content[file.tell() :]
    if (
        is_fortran
        or dtype != np.dtype("<f4")
        or len(shape) != 2
        or shape[1] != dim
        or len(body) != 4 * math.prod(shape)
    ):
        return None
    rows = np.frombuffer(body, "<f4").reshape(shape).astype(np.float32)
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
    return rows if bool((np.abs(lengths - 1.0) < 1e-3).all()) else None  # NaN is refused, too
