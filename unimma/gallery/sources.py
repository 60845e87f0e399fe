"""From a source (sentence, file, folder, item) to what a gallery stores: identified, decoded, named, staged."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from unimma.errors import MediaError
from unimma.gallery.files import MediaFolder
from unimma.gallery.likeness import likeness
from unimma.gallery.where import checked_metadata
from unimma.media import decode, kind_of
from unimma.media.thumbnail import thumbnail
from unimma.settings import Limits
from unimma.types import Audio, Decoded, Image, Item, Metadata, Modality, Span, Text, Video

if TYPE_CHECKING:
    from unimma.gallery.archive import Packed

_TITLE_CHARS = 80  # of one that is made here ...
_MOST_CHARS = 500  # ... and of one that is given
_HASH_DIGITS = 32


@dataclass(frozen=True, eq=False)
class Source:
    """One thing to add.

    Attributes:
        content: a sentence or a file.
        modality: as what the file is wanted; None for what it is by itself.
        title: "" for one made from the words or the file's name.
        file_name: what the file is called, where its path does not say it.
        packed: where the content still lies in an archive.
        item_id, added: those of an item that is known already; "" for an id by the content, and for now.
        vector: its embedding by the gallery's model, float32 [dim], where that is known already.
    """

    content: str | Path
    modality: Modality | None = None
    title: str = ""
    span: Span | None = None
    metadata: Metadata | None = None
    file_name: str = ""
    packed: "Packed | None" = None
    item_id: str = ""
    added: str = ""
    vector: npt.NDArray[np.float32] | None = None

    @property
    def name(self) -> str:
        """What people know it by: the file's name or the beginning of the sentence."""
        if isinstance(self.content, Path):
            return _printable(self.file_name or self.content.name)
        return shortened(self.content)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A source as a gallery stores it.

    Attributes:
        item: its `uri` is the staged file, or "" where the gallery keeps its media already.
        decoded: what is to be embedded.
        likeness: perceptual hash of that, where it has one.
    """

    item: Item
    decoded: Decoded
    likeness: bytes | None


def expand(sources: Iterable[str | Path | Item], metadata: Metadata | None) -> list[Source]:
    """Every source as one `Source`: a folder becomes the files below it, sorted, without hidden ones.

    Raises:
        ConfigError: metadata that cannot be stored.
    """
    common = checked_metadata(metadata or {})
    return [source for given in sources for source in _expand_one(given, common)]


def identify(source: Source, limits: Limits) -> str:
    """The id of a source: a hash of its bytes or words, and of modality and span where it is not all of itself.

    Raises:
        MediaError: a file that is not there, too large, or of no kind that is known.
    """
    kind = kind_of(source.content, source.file_name, limits=limits)
    if kind is Modality.TEXT:  # by its words, so that a sentence and the file of it are one item
        digest = hashlib.sha256(_words(source, limits).encode())
    else:
        try:
            with Path(source.content).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
        except OSError as error:
            raise unreadable(source.name, error) from error
    if source.span or source.modality not in (None, kind):
        digest.update(f"\0{source.modality or kind}\0{source.span}".encode())
    return digest.hexdigest()[:_HASH_DIGITS]


def prepare(
    source: Source, item_id: str, taken: frozenset[Modality], files: MediaFolder | None, stem: str, limits: Limits
) -> Prepared:
    """Decode a source and stage its media; a film takes as long as it takes to re-encode it.

    Args:
        taken: the modalities that the model can embed.
        files: where media are staged; None where the gallery keeps them already.
        stem: of the staged file.
    Raises:
        MediaError: it cannot be decoded, embedded, or kept on disk.
    """
    try:
        decoded = decode(source.content, modality=source.modality, name=source.file_name, limits=limits)
        if decoded.modality not in taken:
            came, kinds = f"{source.name}: {decoded.modality}", " or ".join(sorted(taken))
            raise MediaError(came, f"{kinds}, which the model knows", "Choose another model for this file.")
        part = decoded if source.span is None else stretch(decoded, source.span, source.name)
        staged = _staged(source, decoded, files, stem, limits) if files else None
        num_bytes = staged.stat().st_size if staged else 0
    except OSError as error:
        raise unreadable(source.name, error) from error
    item = Item(
        modality=decoded.modality,
        title=source.title or default_title(source, decoded),
        uri=str(staged or ""),
        id=item_id,
        span=source.span,
        metadata=source.metadata or {},
        thumbnail=thumbnail(decoded),
        text=decoded.text if isinstance(decoded, Text) else None,
        added=source.added,
        duration_s=part.duration_s if isinstance(part, Audio | Video) else None,
        num_bytes=num_bytes,
    )
    return Prepared(item, part, likeness(part))


def stretch(decoded: Decoded, span: Span, name: str) -> Decoded:
    """The part of sound, clip or text that `span` names: seconds, or character offsets for text.

    Raises:
        MediaError: a span that lies outside or is empty, or one of a picture.
    """
    todo = "Leave the span out for the whole file."
    if isinstance(decoded, Image):
        raise MediaError(f"{name}: a span of a picture", "a sound, a clip or a text", todo)
    length = len(decoded.text) if isinstance(decoded, Text) else decoded.duration_s
    if not 0 <= span.start < span.end <= length + 0.1:  # containers round their lengths
        raise MediaError(f"{name}: the span {span.start:g} to {span.end:g}", f"0 to {length:g}", todo)
    match decoded:
        case Text(text=text):
            return replace(decoded, text=text[int(span.start) : int(span.end)])
        case Audio():
            return _cut(decoded, span)
        case Video(frames=frames, times=times, sound=sound):
            inside = np.flatnonzero((times >= span.start) & (times <= span.end))
            if not len(inside):  # shorter than the distance of two frames: the nearest one
                inside = np.argmin(np.abs(times - (span.start + span.end) / 2), keepdims=True)
            cut = None if sound is None or span.start >= sound.duration_s else _cut(sound, span)
            shifted = np.maximum(times[inside] - span.start, 0.0)
            return replace(decoded, frames=frames[inside], times=shifted, duration_s=span.end - span.start, sound=cut)


def default_title(source: Source, decoded: Decoded) -> str:
    """A file's name without its ending, made readable; of a sentence, its beginning."""
    if isinstance(source.content, Path):
        stem = Path(source.name).stem
        return clean_title(re.sub(r"[_\-.]+", " ", stem)) or str(decoded.modality)
    return shortened(decoded.text if isinstance(decoded, Text) else source.content)


def clean_title(title: str) -> str:
    """One line of printable characters, 500 at most."""
    return " ".join(_printable(title[: 4 * _MOST_CHARS]).split())[:_MOST_CHARS].strip()


def shortened(text: str) -> str:
    """The first 80 characters or so of a text, cut between words."""
    line = clean_title(text[: 20 * _TITLE_CHARS])
    if len(line) <= _TITLE_CHARS:
        return line
    return line[: _TITLE_CHARS - 1].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def unreadable(name: str, error: OSError) -> MediaError:
    """What the system said, without the path that it would name."""
    return MediaError(
        f"{name}: {error.strerror or type(error).__name__}", "a file that can be read and kept", "Try again."
    )


def _expand_one(given: str | Path | Item, common: dict[str, str | int | float | bool]) -> Iterator[Source]:
    if isinstance(given, Item):
        facts = common | checked_metadata(given.metadata)
        content = given.text if given.text is not None else Path(given.uri)
        yield Source(content, given.modality, clean_title(given.title), given.span, facts)
    elif isinstance(given, Path) and given.is_dir():
        yield from (Source(path, metadata=common) for path in files_below(given))
    else:
        yield Source(given, metadata=common)


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, sorted, without hidden ones and without those in hidden folders."""
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(here, name) for name in sorted(names) if not name.startswith("."))


def _staged(source: Source, decoded: Decoded, files: MediaFolder, stem: str, limits: Limits) -> Path:
    if isinstance(decoded, Text):
        return files.stage(decoded.text.encode(), decoded.modality, stem, limits)
    return files.stage(Path(source.content), decoded.modality, stem, limits, source.file_name)


def _words(source: Source, limits: Limits) -> str:
    decoded = decode(source.content, modality=Modality.TEXT, name=source.file_name, limits=limits)
    assert isinstance(decoded, Text)
    return decoded.text


def _cut(sound: Audio, span: Span) -> Audio:
    start, end = round(span.start * sound.rate_hz), round(span.end * sound.rate_hz)
    return replace(sound, waveform=sound.waveform[start:end])


def _printable(text: str) -> str:
    """Without control characters and halves of characters, which a file name may hold."""
    return "".join(c if c.isprintable() else " " for c in text.encode(errors="replace").decode())
