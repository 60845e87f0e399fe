"""Pictures and sounds that mean harm or are badly broken: refused with a sentence, or decoded within bounds."""

import io
import os
import random
import struct
import threading
import zipfile
import zlib
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image as PIL

from tests.makers import (
    CORNERS,
    corner_means,
    corners,
    peak_hz,
    tone,
    write_animation,
    write_clip,
    write_picture,
    write_tone,
)
from tests.media.bounds import at_most_megabytes
from tests.toy import ToyModel
from unimma.errors import MediaError
from unimma.gallery import Gallery
from unimma.media import decode, kind_of
from unimma.media.plain import write_plain
from unimma.settings import AUDIO_RATE_HZ, Limits
from unimma.types import Audio, Image, Modality


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, rows: bytes) -> bytes:
    """A grey PNG with any header over any rows (packed already)."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def wav(samples: bytes, *, rate_hz: int = 44_100, code: int = 1, bits: int = 16, data_size: int | None = None) -> bytes:
    """A mono WAV whose header may state any size."""
    size = len(samples) if data_size is None else data_size
    form = struct.pack("<HHIIHH", code, 1, rate_hz, rate_hz * bits // 8, bits // 8, bits)
    riff = struct.pack("<I", (36 + size) & 0xFFFFFFFF)
    return b"RIFF" + riff + b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size) + samples


def test_h01_png_of_50000_by_50000_pixels_is_refused_before_its_pixels_are_allocated() -> None:
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(50_001)) for _ in range(2_000)) + packer.flush()
    with at_most_megabytes(20), pytest.raises(MediaError, match=r"50000 x 50000 pixels|too many pixels"):
        decode(png(50_000, 50_000, rows), name="bomb.png")
    with at_most_megabytes(20), pytest.raises(MediaError, match="8000 x 8000 pixels; expected at most 50 million"):
        decode(png(8_000, 8_000, rows), name="bomb.png")


def test_h02_a_header_that_lies_about_the_size_is_refused() -> None:
    rows = zlib.compress(bytes(65 * 64))  # 64 x 64 pixels, a filter byte before each row
    assert decode(png(64, 64, rows)).pixels.shape == (64, 64, 3)
    with pytest.raises(MediaError, match=r"lie\.png: damaged"):
        decode(png(640, 640, rows), name="lie.png")
    gif = io.BytesIO()
    PIL.fromarray(corners()).save(gif, "GIF")
    larger = bytearray(gif.getvalue())
    place = larger.index(b",\0\0\0\0")  # the frame's own header
    larger[place + 5 : place + 9] = struct.pack("<HH", 60_000, 60_000)
    with at_most_megabytes(20), pytest.raises(MediaError, match=r"lie\.gif: (damaged|too many pixels|60000 x 60000)"):
        decode(bytes(larger), name="lie.gif")
    larger = bytearray(gif.getvalue())
    larger[6:10] = struct.pack("<HH", 60_000, 60_000)  # the screen that the frames lie on
    with at_most_megabytes(20), pytest.raises(MediaError, match=r"lie\.gif: (too many pixels|60000 x 60000)"):
        decode(bytes(larger), name="lie.gif")


def test_h03_a_truncated_jpeg_is_refused(picture: Path) -> None:
    content = picture.read_bytes()
    for share in (0.5, 0.9, 0.98):
        with pytest.raises(MediaError, match="damaged, or cut off"):
            decode(content[: int(len(content) * share)], name="cut.jpg")


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_h04_of_10000_frames_the_first_as_an_image_and_a_refusal_as_a_clip(tmp_path: Path, ending: str) -> None:
    frames = [np.full((2, 2, 3), i % 2 * 255, np.uint8) for i in range(10_000)]
    path = write_animation(tmp_path / f"endless.{ending}", frames, [20] * 10_000)
    assert isinstance(decode(path, modality=Modality.IMAGE), Image)
    with pytest.raises(MediaError, match="10,000 frames; expected at most 2,000"):
        decode(path)


def test_h05_a_printed_photo_of_a_turned_camera_shows_its_colours_in_their_places(tmp_path: Path) -> None:
    upright = corners(96, 64)
    exif = PIL.Exif()
    exif[0x0112] = 6
    PIL.fromarray(np.rot90(upright)).convert("CMYK").save(tmp_path / "print.jpg", quality=95, exif=exif)
    pixels = decode(tmp_path / "print.jpg").pixels
    assert pixels.shape == upright.shape
    assert np.abs(corner_means(pixels) - list(CORNERS.values())).max() < 12


@pytest.mark.parametrize("ending", ["png", "tiff"])
def test_h05_sixteen_bits_are_scaled_and_turned_and_not_clipped(tmp_path: Path, ending: str) -> None:
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)[None].repeat(8, 0)
    exif = PIL.Exif()
    exif[0x0112] = 3
    PIL.fromarray(np.rot90(ramp, 2).copy()).save(tmp_path / f"deep.{ending}", exif=exif)
    assert np.array_equal(decode(tmp_path / f"deep.{ending}").pixels[4, :, 0], np.arange(256))


@pytest.mark.parametrize("ending", ["png", "gif"])
def test_h05_a_palette_with_transparency_lies_on_white(tmp_path: Path, ending: str) -> None:
    indices = np.zeros((20, 30), np.uint8)
    indices[:, 15:] = 1
    picture = PIL.fromarray(indices, "P")
    picture.putpalette([9, 9, 9, 200, 100, 0])
    picture.save(tmp_path / f"palette.{ending}", transparency=0)
    expected = np.where(indices[..., None] == 0, 255, np.array([200, 100, 0])).astype(np.uint8)
    assert np.array_equal(decode(tmp_path / f"palette.{ending}").pixels, expected)


def test_h06_an_svg_with_script_and_entity_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    svg = f"""<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file://{tmp_path}/secret.txt">]>
    <svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><text>&x;</text></svg>"""
    for name in ("drawing.svg", "photo.png", "clip.mp4", ""):
        with pytest.raises(MediaError, match="an SVG drawing") as refused:
            decode(svg.encode(), name=name)
        assert "secret" not in str(refused.value)


def test_h07_html_renamed_to_jpg_is_refused() -> None:
    for page in (b"<html><script>alert(1)</script>", b"  \n<!DOCTYPE HTML>\n<html>", b"\xef\xbb\xbf<HTML>"):
        with pytest.raises(MediaError, match=r"photo\.jpg: a web page; expected a picture"):
            decode(page, name="photo.jpg")


def test_h08_what_is_both_picture_and_script_is_kept_only_re_encoded(tmp_path: Path) -> None:
    file = io.BytesIO()
    PIL.fromarray(corners()).save(file, "GIF", comment=b"*/=1;alert(document.domain)/*")
    both = file.getvalue() + b"<script>alert(document.domain)</script>"
    assert isinstance(decode(both, name="x.js"), Image)
    assert b"alert" not in write_plain(both, Modality.IMAGE, tmp_path, "kept").read_bytes()


def test_h09_position_and_thumbnail_are_absent_from_all_that_is_stored_and_exported(tmp_path: Path) -> None:
    thumbnail = io.BytesIO()
    PIL.fromarray(corners(32, 24)).save(thumbnail, "JPEG", comment=b"private thumbnail")
    photo = write_picture(tmp_path / "photo.jpg", exif=exif_of("PrivateCamera", b"2026:01:01", thumbnail.getvalue()))
    secrets = (b"PrivateCamera", b"2026:01:01", b"private thumbnail", b"Exif", b"EXIF")
    assert all(secret in photo.read_bytes() for secret in secrets[:4])
    with Gallery.open(tmp_path / "gallery", ToyModel()) as gallery:
        assert gallery.add([photo]).refused == ()
        gallery.export(tmp_path / "export.zip")
        (item,) = gallery.list()
        assert item.thumbnail
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        exported = [archive.read(name) for name in archive.namelist()]
    stored = [path.read_bytes() for path in (tmp_path / "gallery").rglob("*") if path.is_file()]
    assert len(exported) >= 2
    assert len(stored) >= 2
    for content in [*exported, *stored, item.thumbnail]:
        assert not any(secret in content for secret in secrets)


def exif_of(camera: str, day: bytes, thumbnail: bytes) -> bytes:
    """The EXIF block of a photo: who made it, a position with its day, and a small picture."""
    make, head = camera.encode() + b"\0", 8
    position_at = head + 2 + 2 * 12 + 4
    second_at = position_at + 2 + 12 + 4
    content_at = second_at + 2 + 2 * 12 + 4
    thumbnail_at = content_at + len(make) + len(day) + 1

    def tag(number: int, kind: int, count: int, value: int) -> bytes:
        return struct.pack("<HHII", number, kind, count, value)

    first = tag(0x010F, 2, len(make), content_at) + tag(0x8825, 4, 1, position_at)
    position = tag(29, 2, len(day) + 1, content_at + len(make))
    second = tag(0x0201, 4, 1, thumbnail_at) + tag(0x0202, 4, 1, len(thumbnail))
    tables = struct.pack("<H", 2) + first + struct.pack("<I", second_at)
    tables += struct.pack("<H", 1) + position + bytes(4) + struct.pack("<H", 2) + second + bytes(4)
    return b"Exif\0\0II*\0" + struct.pack("<I", head) + tables + make + day + b"\0" + thumbnail


def test_h10_of_a_tiff_of_very_many_pages_the_first(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "pages.tiff")
    content = path.read_bytes()
    (first,) = struct.unpack("<I", content[4:8])  # a page is a list of tags that ends with the place of the next page
    length = 2 + 12 * struct.unpack("<H", content[first : first + 2])[0]
    tags, begin = content[first : first + length], len(content)
    chain = [struct.pack("<I", begin + (i + 1) * (length + 4)) for i in range(65_000)]
    pages = b"".join(tags + next_page for next_page in [*chain[:-1], bytes(4)])
    path.write_bytes(content[:4] + struct.pack("<I", begin) + content[8:] + pages)
    assert kind_of(path) is Modality.IMAGE
    assert np.array_equal(decode(path).pixels, corners())
    assert write_plain(path, Modality.IMAGE, tmp_path, "kept").stat().st_size < 10_000


def test_h11_a_wav_that_claims_four_gigabytes_is_what_is_there() -> None:
    samples = (tone(1.0) * 32767).astype("<i2").tobytes()
    for claim in (0xFFFFFFFF, 0xFFFFFFFF - 36, 4_000_000_000, 0x7FFFFFFF):
        with at_most_megabytes(10):
            sound = decode(wav(samples, data_size=claim), name="live.wav")
        assert isinstance(sound, Audio)
        assert sound.duration_s == pytest.approx(1.0, abs=0.01)
    with pytest.raises(MediaError, match=r"cut\.wav: 88,244 bytes where its header states 1,000,044"):
        decode(wav(samples, data_size=1_000_000), name="cut.wav")


def test_h12_a_sound_without_samples_is_refused_as_empty(tmp_path: Path) -> None:
    for content, name in ((wav(b""), "none.wav"), (b"", "nothing.mp3")):
        with pytest.raises(MediaError, match=r"no samples|empty"):
            decode(content, name=name)
    flac = bytearray(write_tone(tmp_path / "tone.flac", "flac").read_bytes()[:42])  # the header alone
    flac[4] |= 0x80  # nothing comes after it
    with pytest.raises(MediaError, match=r"none\.flac"):
        decode(bytes(flac), name="none.flac")


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_h13_samples_that_are_no_numbers_are_refused(tmp_path: Path, number: float) -> None:
    waveform = tone(1.0)
    waveform[1000:1010] = number
    content = wav(waveform.astype("<f4").tobytes(), code=3, bits=32)
    with pytest.raises(MediaError, match=r"broken\.wav: [\d,]+ samples that are no numbers"):
        decode(content, name="broken.wav")
    kept = decode(write_plain(content, Modality.AUDIO, tmp_path, "kept"))
    assert np.isfinite(kept.waveform).all()


def test_h14_eight_channels_at_384_kilohertz_are_mixed_and_resampled() -> None:
    rate_hz, num_channels = 384_000, 8
    samples = (tone(0.5, rate_hz=rate_hz)[:, None].repeat(num_channels, 1) * 32767).astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, num_channels, rate_hz, rate_hz * 16, 16, 16)
    head = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(samples))
    sound = decode(b"RIFF" + struct.pack("<I", len(head) + len(samples)) + head + samples)
    assert isinstance(sound, Audio)
    assert sound.rate_hz == AUDIO_RATE_HZ
    assert sound.duration_s == pytest.approx(0.5, abs=0.01)
    assert peak_hz(sound.waveform, AUDIO_RATE_HZ) == pytest.approx(440, abs=5)
    assert np.abs(sound.waveform).max() == pytest.approx(0.5, abs=0.02)


def test_h15_a_day_of_silence_is_refused_by_header_by_packets_and_by_count(tmp_path: Path) -> None:
    flac = bytearray(write_tone(tmp_path / "day.flac", "flac", 8_000, level=0.0).read_bytes())
    flac[21] = flac[21] & 0xF0  # total samples: the low 4 bits of byte 21, then four bytes
    flac[22:26] = struct.pack(">I", 24 * 3600 * 8_000)
    soon = Limits(max_decode_seconds=1.0)  # or it would be refused for the time that it takes
    with pytest.raises(MediaError, match=r"day\.flac: 86,400 s long; expected at most 1,800 s"):
        decode(bytes(flac), name="day.flac", limits=soon)
    live = tmp_path / "day.webm"
    with av.open(str(live), "w", options={"live": "1"}) as output:
        stream = output.add_stream("libopus", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), format="flt", layout="mono")
        frame.rate = 48_000
        for hour in range(25):
            frame.pts = hour * 3600 * 48_000
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with pytest.raises(MediaError, match=r"day\.webm: [\d,]+ s long; expected at most 1,800 s"):
        decode(live, limits=soon)
    quiet = write_tone(tmp_path / "quiet.flac", "flac", 8_000, seconds=3.0).read_bytes()
    short = bytearray(quiet)
    short[22:26] = struct.pack(">I", 8_000)  # states a second, holds three
    with pytest.raises(MediaError, match=r"quiet\.flac: [23]\.\d s long; expected at most 1\.5 s"):
        decode(bytes(short), name="quiet.flac", limits=Limits(max_audio_seconds=1.5))


def test_h15_a_day_that_no_header_tells_of_is_measured_no_further_than_the_limit(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "quiet.mp3"), "w", options={"write_xing": "0", "id3v2_version": "0"}) as output:
        stream = output.add_stream("libmp3lame", rate=8_000, layout="mono")
        stream.bit_rate = 8_000
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 80_000), np.float32), format="flt", layout="mono")
        frame.rate = 8_000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    quiet = (tmp_path / "quiet.mp3").read_bytes()
    day = tmp_path / "day.mp3"
    day.write_bytes(quiet * (24 * 360))
    assert day.stat().st_size > 80_000_000
    with (
        at_most_megabytes(50),
        pytest.raises(MediaError, match=r"day\.mp3: longer than 1,800 s; expected at most 1,800 s"),
    ):
        decode(day)


def test_h16_an_mp3_with_a_picture_of_a_hundred_megabytes_is_its_sound(tmp_path: Path) -> None:
    sound = write_tone(tmp_path / "song.mp3", "libmp3lame").read_bytes()
    picture = b"\0image/png\0\3\0" + b"\x89PNG\r\n\x1a\n" + bytes(100_000_000)
    frame = b"APIC" + struct.pack(">I", len(picture)) + b"\0\0" + picture
    size = bytes((len(frame) >> shift) & 127 for shift in (21, 14, 7, 0))
    song = tmp_path / "song.mp3"
    song.write_bytes(b"ID3\3\0\0" + size + frame + sound[sound.index(b"\xff\xfb") :])
    del picture, frame
    with at_most_megabytes(350):
        decoded = decode(song)
    assert isinstance(decoded, Audio)
    assert decoded.duration_s == pytest.approx(1.0, abs=0.1)
    assert write_plain(song, Modality.AUDIO, tmp_path, "kept").stat().st_size < 100_000


def test_h23_names_of_folders_and_devices_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path, tmp_path / "pipe.wav", Path("/dev/zero"), Path("http://127.0.0.1/x.mp4"), Path("a\0b")):
        with pytest.raises(MediaError, match=r"no such file|cannot be read"):
            decode(path)


def test_mutated_files_are_decoded_or_refused_and_never_anything_else(tmp_path: Path) -> None:
    chance = random.Random(9)
    frames = [np.full((16, 16, 3), grey, np.uint8) for grey in (0, 200)]
    files = [
        *(write_picture(tmp_path / f"p.{ending}") for ending in ("jpg", "png", "webp", "gif", "bmp", "tiff", "avif")),
        write_animation(tmp_path / "m.gif", frames, (90, 90)),
        write_tone(tmp_path / "t.wav", seconds=0.2),
        write_tone(tmp_path / "t.mp3", "libmp3lame", seconds=0.2),
        write_tone(tmp_path / "t.ogg", "libopus", 48_000, seconds=0.2),
        write_clip(tmp_path / "c.mp4", seconds=0.5, sound_hz=440.0),
        write_clip(tmp_path / "c.avi", "mpeg4", seconds=0.5),
    ]
    limits = Limits(max_decode_seconds=20)
    for path in files:
        for _ in range(8):
            content = bytearray(path.read_bytes())
            for _ in range(chance.randint(1, 20)):
                content[chance.randrange(len(content))] = chance.randrange(256)
            try:
                decoded = decode(bytes(content), name=path.name, limits=limits)
            except MediaError:
                continue
            assert decoded.modality in Modality


def test_a_decoder_in_one_thread_does_not_hold_up_another(clip: Path) -> None:
    results: list[object] = []
    threads = [threading.Thread(target=lambda: results.append(decode(clip))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
