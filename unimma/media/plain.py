"""Media to keep and to serve: re-encoded into one plain format a modality; no private tag and no trick survives."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from PIL import Image as PIL

from unimma.errors import MediaError
from unimma.media import pulse
from unimma.media.image import open_picture, to_rgb
from unimma.media.kind import Format, Reader, format_of
from unimma.media.source import Source, open_source, reading
from unimma.media.text import decode_text
from unimma.media.transcode import write_animation, write_film, write_sound
from unimma.settings import Limits
from unimma.types import Modality

_LONG_SIDE = 2048  # pixels of a kept picture
_QUALITY = 85
_ENDINGS = {Modality.TEXT: ".txt", Modality.IMAGE: ".webp", Modality.AUDIO: ".mp3", Modality.VIDEO: ".mp4"}


def write_plain(
    source: Path | bytes, modality: Modality, folder: Path, stem: str, limits: Limits | None = None, *, name: str = ""
) -> Path:
    """Re-encodes a file into what browsers play: image → WebP, audio → MP3, video → MP4, text → UTF-8.

    The file appears under its name only when all of it is on the disk. Frames pass one at a time: a two-hour film
    needs no more memory than a short one.

    Args:
        source: a file, or a file's content.
        modality: what to keep of it: AUDIO of a video is its sound, IMAGE of a moving picture its first frame.
        folder: an existing folder to write into.
        stem: the new file's name without its ending.
        limits: None for the defaults with the environment's UNIMMA_MAX_… put in their place.
        name: the file's name where `source` is its content.
    Returns:
        The written file, `folder / (stem + ending)`.
    Raises:
        MediaError: as `decode`.
        OSError: the folder cannot be written, or the disk is full.
    """
    limits = limits or Limits.from_env()
    if isinstance(source, bytes) and modality is Modality.TEXT:
        name = name or f"{stem}.txt"  # whoever has the words and asks for text says so
    file = open_source(source, name, limits)
    form = format_of(file)
    if (form.reader, modality) not in _WRITERS:
        raise MediaError(f"{file.name}: no {modality}", f"a file with {modality} in it", "Add it as what it is.")
    target = folder / (stem + _ENDINGS[modality])
    unfinished = folder / f".{stem}-{secrets.token_hex(4)}.part"
    unfinished.touch()  # a folder that cannot be written is no fault of the file
    try:
        _WRITERS[form.reader, modality](file, form, unfinished, limits)
        _to_disk(unfinished)
        unfinished.replace(target)
        _to_disk(folder)
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def _write_picture(source: Source, form: Format, path: Path, limits: Limits) -> None:
    with reading(source), open_picture(source, form, limits) as picture:
        pixels = to_rgb(picture)
        pulse.alive()
        pixels.thumbnail((_LONG_SIDE, _LONG_SIDE), PIL.Resampling.LANCZOS)
        bare = PIL.frombytes("RGB", pixels.size, pixels.tobytes())  # no tag of the old file can hide in its info
        bare.save(path, format="WEBP", quality=_QUALITY)


def _write_text(source: Source, form: Format, path: Path, limits: Limits) -> None:
    path.write_text(decode_text(source, form, limits).text, encoding="utf-8", newline="\n")


def _to_disk(path: Path) -> None:
    """Waits until a file's content, or a folder's list of names, is on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows keeps the list of names itself and opens no folder
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_WRITERS: dict[tuple[Reader, Modality], Callable[[Source, Format, Path, Limits], None]] = {
    (Reader.TEXT, Modality.TEXT): _write_text,
    (Reader.PICTURE, Modality.IMAGE): _write_picture,
    (Reader.PICTURE, Modality.VIDEO): write_animation,
    (Reader.STREAM, Modality.AUDIO): write_sound,
    (Reader.STREAM, Modality.VIDEO): write_film,
}
