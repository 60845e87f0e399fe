"""Text: a sentence or a UTF-8 file → its words."""

import re
from pathlib import PurePath

from unimma.errors import MediaError
from unimma.media.kind import Format
from unimma.media.source import Source
from unimma.settings import Limits
from unimma.types import Text

_TIMING = re.compile(r"^\s*(\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}\s*-->")
_CUE_TAG = re.compile(r"</?(?:[cibuv]|ruby|rt|lang|font)\b[^<>]*>|<\d[\d:.]*>|\{\\an?\d+\}", re.IGNORECASE)
_VTT_BLOCKS = ("WEBVTT", "NOTE", "STYLE", "REGION")


def from_sentence(sentence: str, limits: Limits, name: str = "") -> Text:
    """A sentence as it came, without the space around it.

    Raises:
        MediaError: empty, over `limits.max_text_chars`, or with characters that no text has.
    """
    label = name or "the text"
    words = sentence.strip()
    if not words:
        raise MediaError(f"{label}: no words", "a word or more", "Write what you are looking for.")
    if len(words) > limits.max_text_chars:
        most = f"at most {limits.max_text_chars:,}"
        raise MediaError(f"{label}: {len(words):,} characters", most, "Cut it into shorter texts.")
    if "\0" in words or any("\ud800" <= c <= "\udfff" for c in words):
        raise MediaError(f"{label}: characters that are no text", "Unicode text without NUL", "Save it as UTF-8.")
    return Text(words, name)


def decode_text(source: Source, _form: Format, limits: Limits) -> Text:
    """A text file's words; of subtitles (.srt, .vtt) the spoken words alone, without numbers, times and tags.

    Raises:
        MediaError: not UTF-8, with NUL, empty, or over `limits.max_text_chars`.
    """
    with source.open() as stream:
        content = stream.read(
            4 * limits.max_text_chars + 4
        )  # UTF-8 takes four bytes a character at most, three for the mark
    if len(content) < source.size:
        most = f"at most {limits.max_text_chars:,}"
        raise MediaError(f"{source.name}: more characters than fit", most, "Cut it into shorter texts.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MediaError(
            f"{source.name}: not UTF-8", "a text file in UTF-8", "Save it anew with that encoding."
        ) from error
    if PurePath(source.name).suffix.lower() in (".srt", ".vtt"):
        text = spoken_words(text)
    return from_sentence(text, limits, source.name)


def spoken_words(subtitles: str) -> str:
    """The words of an SRT or WebVTT file, a line each; a line said twice in a row (roll-up captions) once."""
    said: list[str] = []
    for block in re.split(r"\n\s*\n", subtitles.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip().split("\n")
        timing = next((i for i, line in enumerate(lines) if _TIMING.match(line)), None)
        if timing is None and (lines[0].startswith(_VTT_BLOCKS) or not said):
            continue  # a header, a comment or a style: only what follows a time is spoken
        for line in lines[0 if timing is None else timing + 1 :]:
            words = _CUE_TAG.sub("", line).strip()
            if words and words != (said[-1] if said else None):
                said.append(words)
    return "\n".join(said)
