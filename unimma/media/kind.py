"""What a file is, told by its first bytes; its name counts only for text."""

import codecs
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath

from unimma.errors import MediaError
from unimma.media.source import Source

TEXT_ENDINGS = (".txt", ".md", ".srt", ".vtt")
ACCEPTED = "a picture, a sound, a clip or a text file"


class Reader(Enum):
    """Who decodes a format."""

    PICTURE = "Pillow"
    STREAM = "PyAV"
    TEXT = "text"


@dataclass(frozen=True)
class Format:
    """A format that can be decoded.

    Attributes:
        reader: who decodes it.
        code: the name of that reader's plug-in, and the only one it may use: Pillow's format or FFmpeg's demuxer.
    """

    reader: Reader
    code: str


_PICTURES = (  # offset, signature, Pillow's format
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (8, b"WEBP", "WEBP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"BM", "BMP"),
)
_STREAMS = (  # offset, signature, FFmpeg's demuxer
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (8, b"WAVE", "wav"),
    (8, b"AVI ", "avi"),
)
_RIFF_CODES = {"WEBP", "wav", "avi"}
_RIFF_UNKNOWN = 0x7FFF0000  # from about 2 GB on: a recorder that did not know the length; the true one is in the file
_RIFF_SLACK = 0.98  # some programs state a few bytes too many
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_MOV_BOXES = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}  # how a QuickTime file without ftyp begins
_REFUSED = (  # offset, signature, what to call it
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive or office document"),
    (0, b"PK\x05\x06", "an empty ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"MThd", "a MIDI score"),
    (0, b"FLV", "a Flash clip"),
    (0, b"\x30\x26\xb2\x75", "a Windows Media file"),
    (0, b"\x00\x00\x01\xba", "an MPEG program stream"),
    (0, b"FORM", "an AIFF sound"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"#EXTM3U", "a playlist"),
    (0, b"ffconcat", "a list of other files"),
    (0, b"[playlist]", "a playlist"),
    (0, b"v=0", "a session description (SDP)"),
    (0, b"{\\rtf", "an RTF document"),
)
_REFUSED_MARKUP = (  # anywhere in the first bytes of a file that begins with "<"
    (b"<svg", "an SVG drawing"),
    (b"<html", "a web page"),
    (b"<!doctype html", "a web page"),
    (b"<mpd", "a DASH playlist"),
    (b"<script", "a script"),
    (b"", "a markup file"),
)


def format_of(source: Source) -> Format:
    """Who can decode a file, by its first bytes (and, for text alone, its name's ending).

    Raises:
        MediaError: nothing here decodes it.
    """
    head = source.head
    named_text = PurePath(source.name).suffix.lower() in TEXT_ENDINGS
    if named_text and _reads_as_text(head):  # first, or a note that begins with "BMW" would be a BMP
        return Format(Reader.TEXT, "utf-8")
    if head[:4] == b"RIFF":
        _check_riff_length(source)
    if code := _match(_PICTURES, head):
        return Format(Reader.PICTURE, code)
    if code := _match(_STREAMS, head):
        return Format(Reader.STREAM, code)
    if head[4:8] == b"ftyp":
        return _iso_format(head)
    if head[4:8] in _MOV_BOXES:
        return Format(Reader.STREAM, "mov")
    if head[:3] == b"ID3" or _is_mpeg_audio(head):
        return Format(Reader.STREAM, _id3_format(source))
    if _is_adts(head):
        return Format(Reader.STREAM, "aac")
    if named_text:
        return Format(Reader.TEXT, "utf-8")  # of no other kind: reading it says what is wrong with it
    raise MediaError(f"{source.name}: {_name_of_refused(head)}", ACCEPTED, _todo(head))


def _match(table: tuple[tuple[int, bytes, str], ...], head: bytes) -> str:
    """The first row that fits; formats inside RIFF also need its four letters."""
    for offset, signature, code in table:
        if head.startswith(signature, offset) and (code not in _RIFF_CODES or head[:4] in (b"RIFF", b"RF64")):
            return code
    return ""


def _check_riff_length(source: Source) -> None:
    """Raises a MediaError for a WAV, AVI or WebP shorter than its header states, since FFmpeg passes over that."""
    stated = int.from_bytes(source.head[4:8], "little") + 8
    if stated < _RIFF_UNKNOWN and source.size < stated * _RIFF_SLACK:
        came = f"{source.name}: {source.size:,} bytes where its header states {stated:,}"
        raise MediaError(came, "a whole file", "Copy or download it again.")


def _iso_format(head: bytes) -> Format:
    """ISO base media: still pictures by their brands, everything else is a QuickTime / MP4 family clip."""
    length = min(int.from_bytes(head[:4]), len(head))
    brands = {head[8:12]} | {head[i : i + 4] for i in range(16, length - 3, 4)}
    if brands & {b"avif", b"avis"}:
        return Format(Reader.PICTURE, "AVIF")
    if head[8:12] in _HEIF_BRANDS:
        return Format(Reader.PICTURE, "HEIF")
    return Format(Reader.STREAM, "mov")


def _is_mpeg_audio(head: bytes) -> bool:
    """An MPEG audio frame header of layer II or III with a bit rate and sample rate that exist."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    return version != 1 and layer in (1, 2) and head[2] >> 4 not in (0, 15) and head[2] >> 2 & 3 != 3


def _is_adts(head: bytes) -> bool:
    """An AAC frame of a raw .aac file: 12 sync bits, layer 0, a sampling rate that exists."""
    return len(head) > 6 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < 13


def _id3_format(source: Source) -> str:
    """What stands behind an ID3 tag: mostly MP3, sometimes FLAC or AAC."""
    head = source.head
    if head[:3] != b"ID3":
        return "mp3"
    length = 10 + sum((byte & 127) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False))
    with source.open() as stream:
        stream.seek(length)
        behind = stream.read(8)
    return "flac" if behind[:4] == b"fLaC" else "aac" if _is_adts(behind) else "mp3"


def _name_of_refused(head: bytes) -> str:
    """What to call a file that is not taken in."""
    if name := _match(_REFUSED, head):
        return name
    words = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if words.startswith(b"<"):
        return next(name for mark, name in _REFUSED_MARKUP if mark in words)
    if head[0] == 0x47 and head[188:189] == b"\x47":
        return "an MPEG transport stream"
    return "some kind of text" if _reads_as_text(head) else "of no known kind"


def _reads_as_text(head: bytes) -> bool:
    """Whether the first bytes are UTF-8 without NUL; the last character may be cut."""
    try:
        return "\0" not in codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False


def _todo(head: bytes) -> str:
    if _reads_as_text(head):
        return f"If it is text to read, save it with one of the endings {', '.join(TEXT_ENDINGS)}."
    return "Save it as JPEG or PNG, MP3 or WAV, MP4 or WebM."
