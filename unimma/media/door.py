"""Where media come in: `decode` and `kind_of`, each a short list of who does what."""

from collections.abc import Callable
from pathlib import Path

from unimma.errors import MediaError
from unimma.media.animation import decode_animation
from unimma.media.audio import decode_audio
from unimma.media.container import open_container, video_stream
from unimma.media.image import decode_image, is_moving
from unimma.media.kind import Format, Reader, format_of
from unimma.media.source import Source, open_source, reading
from unimma.media.text import decode_text, from_sentence
from unimma.media.video import decode_video
from unimma.settings import Limits
from unimma.types import Audio, Decoded, Image, Modality, Text, Video

_DECODERS: dict[tuple[Reader, Modality], Callable[[Source, Format, Limits], Decoded]] = {
    (Reader.TEXT, Modality.TEXT): decode_text,
    (Reader.PICTURE, Modality.IMAGE): decode_image,
    (Reader.PICTURE, Modality.VIDEO): decode_animation,
    (Reader.STREAM, Modality.AUDIO): decode_audio,
    (Reader.STREAM, Modality.VIDEO): decode_video,
}
_WORDS = {Modality.TEXT: "a text", Modality.IMAGE: "a picture", Modality.AUDIO: "a sound", Modality.VIDEO: "a video"}


def decode(
    source: str | Path | bytes | Decoded,
    *,
    modality: Modality | None = None,
    name: str = "",
    limits: Limits | None = None,
) -> Decoded:
    """Anything a person brings → decoded media, every array read-only.

    Args:
        source: a sentence (str), a file (Path), its content (bytes), or decoded media (returned as they are).
        modality: the one kind that is wanted: AUDIO of a video is its sound, IMAGE of a moving picture its first
            frame. None: what the content is (a moving GIF, WebP, APNG or AVIF is a video).
        name: the file's name, where `source` has none; it decides only whether a file is text.
        limits: None for the defaults with the environment's UNIMMA_MAX_… put in their place.
    Raises:
        MediaError: unreadable, empty, damaged, cut off, over a limit, or not of the wanted kind.
    """
    limits = limits or Limits.from_env()
    if isinstance(source, str):
        source = from_sentence(source, limits, name)
    if isinstance(source, Text | Image | Audio | Video):
        if modality not in (None, source.modality):
            raise _wrong_kind(source.name or "this", source.modality, modality)
        return source
    file = open_source(source, name, limits)
    form = format_of(file)
    wanted = modality or _kind(file, form, limits)
    if (form.reader, wanted) not in _DECODERS:
        raise _wrong_kind(file.name, _kind(file, form, limits), wanted)
    return _DECODERS[form.reader, wanted](file, form, limits)


def kind_of(source: str | Path | bytes, name: str = "", *, limits: Limits | None = None) -> Modality:
    """What `decode` would make of it, from its first bytes and header, without decoding.

    Raises:
        MediaError: unreadable, empty, or of no kind that is taken in.
    """
    if isinstance(source, str):
        return Modality.TEXT
    limits = limits or Limits.from_env()
    file = open_source(source, name, limits)
    return _kind(file, format_of(file), limits)


def _kind(file: Source, form: Format, limits: Limits) -> Modality:
    if form.reader is Reader.TEXT:
        return Modality.TEXT
    if form.reader is Reader.PICTURE:
        return Modality.VIDEO if is_moving(file, form, limits) else Modality.IMAGE
    with reading(file), open_container(file, form, limits) as container:
        return Modality.VIDEO if video_stream(container) else Modality.AUDIO


def _wrong_kind(name: str, came: Modality, wanted: Modality | None) -> MediaError:
    return MediaError(f"{name}: {_WORDS[came]}", _WORDS[wanted or came], f"Use it as {_WORDS[came]}, or bring another.")
