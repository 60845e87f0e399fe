"""Real files, and ways to damage them that parsers are known to stumble over."""

import io
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image as PIL

from tests.makers import corners, write_animation, write_clip, write_picture, write_tone
from tests.media.test_colour import ADOBE_RGB, greys_of_ink, rgb_profile

Mutation = Callable[[bytearray, random.Random, list[bytes]], None]

_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 62)
_FIELDS = (">B", ">H", "<H", ">I", "<I", ">Q", "<Q")


def real_files(folder: Path) -> dict[str, bytes]:
    """A small file of every format that is taken in, and of some that are not, by name."""
    photo, wide = corners(), {"icc_profile": rgb_profile(ADOBE_RGB, 2.2)}
    exif = PIL.Exif()
    exif[0x0112], exif[0x010E] = 6, "a note"
    deep = np.linspace(0, 65535, 64 * 48).reshape(48, 64)
    layers = np.dstack([photo, np.full(photo.shape[:2], 128, np.uint8)])
    frames = [np.full((24, 32, 3), grey, np.uint8) for grey in (0, 90, 200)]
    write_picture(folder / "photo.jpg", exif=exif, **wide)
    write_picture(folder / "progressive.jpg", progressive=True)
    PIL.fromarray(photo).convert("CMYK").save(folder / "inks.jpg", icc_profile=greys_of_ink())
    PIL.fromarray(photo).save(
        folder / "pair.jpg", format="MPO", save_all=True, append_images=[PIL.new("RGB", (64, 48))]
    )
    write_picture(folder / "photo.png", exif=exif, **wide)
    PIL.fromarray(layers).save(folder / "layers.png")
    PIL.fromarray(photo).quantize(8).save(folder / "palette.png", transparency=0)
    PIL.fromarray(deep.astype(np.uint16)).save(folder / "deep.png")
    write_animation(folder / "moving.png", frames, (90, 90, 90))
    write_picture(folder / "still.gif")
    write_animation(folder / "moving.gif", frames, (90, 90, 90))
    write_picture(folder / "lossy.webp", exif=exif, **wide)
    PIL.fromarray(layers).save(folder / "lossless.webp", lossless=True)
    write_animation(folder / "moving.webp", frames, (90, 90, 90))
    write_picture(folder / "photo.avif", **wide)
    write_animation(folder / "moving.avif", frames, (90, 90, 90))
    write_picture(folder / "photo.heic", **wide)
    for compression in ("raw", "tiff_lzw", "jpeg", "tiff_adobe_deflate", "packbits"):
        write_picture(folder / f"{compression}.tiff", compression=compression, exif=exif)
    PIL.fromarray(deep.astype(np.float32)).save(folder / "float.tiff")
    PIL.fromarray(photo).convert("LAB").save(folder / "lab.tiff")
    write_picture(folder / "photo.bmp")
    PIL.fromarray(photo).quantize(8).save(folder / "palette.bmp")
    for name, codec, rate_hz, layout in (
        ("pcm.wav", "pcm_s16le", 16_000, "stereo"),
        ("float.wav", "pcm_f32le", 16_000, "mono"),
        ("adpcm.wav", "adpcm_ms", 16_000, "mono"),
        ("tone.flac", "flac", 16_000, "stereo"),
        ("tone.mp3", "libmp3lame", 22_050, "stereo"),
        ("tone.ogg", "libopus", 48_000, "stereo"),
        ("tone.m4a", "aac", 22_050, "mono"),
        ("alac.m4a", "alac", 22_050, "mono"),
        ("tone.aac", "aac", 22_050, "mono"),
        ("tone.webm", "libopus", 48_000, "mono"),
    ):
        write_tone(folder / name, codec, rate_hz, layout, seconds=0.3, metadata={"title": "a note"})
    for name, codec, sound_codec in (
        ("film.mp4", "libx264", "aac"),
        ("hevc.mp4", "libx265", "aac"),
        ("av1.mp4", "libsvtav1", "aac"),
        ("film.mov", "libx264", "pcm_s16le"),
        ("film.mkv", "libx264", "flac"),
        ("vp9.webm", "libvpx-vp9", "libopus"),
        ("vp8.webm", "libvpx", "libopus"),
        ("film.avi", "mpeg4", "libmp3lame"),
        ("mjpeg.avi", "mjpeg", "pcm_s16le"),
    ):
        write_clip(
            folder / name, codec, seconds=0.6, size=(64, 48), sound_hz=440.0, sound_codec=sound_codec,
            sound_rate_hz=48_000, rotation=90 if name == "film.mp4" else 0,
        )  # fmt: skip
    (folder / "note.txt").write_text("Grüße: a dog barks at the falling rain. 雨が降る\n" * 20, encoding="utf-8")
    (folder / "words.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\n<i>Rain</i> falls.\n\n" * 20)
    (folder / "words.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\n<c.x>Rain</c> falls.\n\n" * 20)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("note.txt", "words " * 50)
    (folder / "files.zip").write_bytes(packed.getvalue())
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def mutated(content: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """The file with one to four kinds of damage."""
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
        chance.choice(_MUTATIONS)(damaged, chance, others)
        if not damaged:
            break
    return bytes(damaged)


def _place(content: bytearray, chance: random.Random) -> int:
    """Where to strike: often near the beginning, where headers are, else anywhere."""
    return chance.randrange(min(len(content), chance.choice((64, 512, len(content), len(content), len(content)))))


def _flip_bits(content: bytearray, chance: random.Random, _others: list[bytes]) -> None:
    for _ in range(chance.randint(1, 8)):
        content[_place(content, chance)] ^= 1 << chance.randrange(8)


def _scatter_bytes(content: bytearray, chance: random.Random, _others: list[bytes]) -> None:
    for _ in range(chance.randint(1, max(2, len(content) // 50))):
        content[_place(content, chance)] = chance.randrange(256)


def _write_number(content: bytearray, chance: random.Random, _others: list[bytes]) -> None:
    """What may be a length, a count or an offset becomes another."""
    layout = chance.choice(_FIELDS)
    number = chance.choice((*_NUMBERS, chance.getrandbits(16), len(content)))
    place, size = _place(content, chance), struct.calcsize(layout)
    content[place : place + size] = struct.pack(layout, number & ((1 << 8 * size) - 1))


def _add_to_number(content: bytearray, chance: random.Random, _others: list[bytes]) -> None:
    layout = chance.choice(_FIELDS)
    place, size = _place(content, chance), struct.calcsize(layout)
    field = bytes(content[place : place + size]).ljust(size, b"\0")
    (number,) = struct.unpack(layout, field)
    content[place : place + size] = struct.pack(layout, (number + chance.randint(-9, 9)) % (1 << 8 * size))


def _cut_off(content: bytearray, chance: random.Random, _others: list[bytes]) -> None:
    del content[chance.randrange(len(content)) :]


def _cut_out(content: bytearray, chance: random.Random, _others: list[bytes]) -> None:
    place = _place(content, chance)
    del content[place : place + chance.randint(1, 1 + len(content) // 4)]


def _repeat(content: bytearray, chance: random.Random, _others: list[bytes]) -> None:
    place = _place(content, chance)
    piece = content[place : place + chance.randint(1, 400)]
    content[place:place] = piece * chance.choice((1, 2, 20, 400))


def _splice(content: bytearray, chance: random.Random, others: list[bytes]) -> None:
    """A piece of another file goes in, or over what was there."""
    other = chance.choice(others)
    start = chance.randrange(len(other))
    piece = other[start : start + chance.randint(1, 2_000)]
    place = _place(content, chance)
    content[place : place + chance.choice((0, len(piece)))] = piece


def _swap_head(content: bytearray, chance: random.Random, others: list[bytes]) -> None:
    size = chance.choice((4, 8, 12, 16, 32, 64, 256))
    content[:size] = chance.choice(others)[:size]


def _swap_pieces(content: bytearray, chance: random.Random, _others: list[bytes]) -> None:
    size = chance.randint(1, 64)
    one, other = _place(content, chance), _place(content, chance)
    first, second = bytes(content[one : one + size]), bytes(content[other : other + size])
    if len(first) == len(second) == size:
        content[one : one + size], content[other : other + size] = second, first


def _fill(content: bytearray, chance: random.Random, _others: list[bytes]) -> None:
    place, size = _place(content, chance), chance.randint(1, 300)
    content[place : place + size] = bytes([chance.choice((0, 0xFF, chance.randrange(256)))]) * size


_MUTATIONS: tuple[Mutation, ...] = (
    _flip_bits,
    _flip_bits,
    _scatter_bytes,
    _write_number,
    _write_number,
    _write_number,
    _add_to_number,
    _add_to_number,
    _cut_off,
    _cut_out,
    _repeat,
    _splice,
    _swap_head,
    _swap_pieces,
    _fill,
)
