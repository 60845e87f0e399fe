"""Files that mean harm or are badly broken: refused with a sentence, or decoded within bounds."""

import io
import os
import random
import socket
import struct
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image as PIL

from tests.makers import corners, peak_hz, tone, write_animation, write_clip, write_picture, write_tone
from unimma.errors import MediaError
from unimma.media import decode, kind_of
from unimma.media.plain import write_plain
from unimma.settings import AUDIO_RATE_HZ, NUM_FRAMES, Limits
from unimma.types import Audio, Image, Modality, Video


@contextmanager
def at_most_megabytes(most: float) -> Iterator[None]:
    """What Python and numpy allocate inside stays below a bound."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most * 1e6
    finally:
        tracemalloc.stop()


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
    with pytest.raises(MediaError):
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


def test_h09_position_and_thumbnail_are_absent_from_what_is_kept(tmp_path: Path) -> None:
    exif = PIL.Exif()
    exif[0x010F] = "PrivateCamera"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 29: "2026:01:01"})
    photo = write_picture(tmp_path / "photo.jpg", exif=exif)
    assert b"2026:01:01" in photo.read_bytes()
    kept = write_plain(photo, Modality.IMAGE, tmp_path, "kept")
    assert not any(tag in kept.read_bytes() for tag in (b"PrivateCamera", b"2026:01:01", b"EXIF", b"Exif", b"XMP"))


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
    with pytest.raises(MediaError, match=r"day\.flac: 86,400 s long; expected at most 1,800 s"):
        decode(bytes(flac), name="day.flac")
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
        decode(live)
    quiet = write_tone(tmp_path / "quiet.flac", "flac", 8_000, seconds=3.0).read_bytes()
    short = bytearray(quiet)
    short[22:26] = struct.pack(">I", 8_000)  # states a second, holds three
    with pytest.raises(MediaError, match=r"[23] s long"):
        decode(bytes(short), name="quiet.flac", limits=Limits(max_audio_seconds=1.5))


def test_h16_an_mp3_with_a_huge_picture_is_its_sound(tmp_path: Path) -> None:
    sound = write_tone(tmp_path / "song.mp3", "libmp3lame").read_bytes()
    picture = b"\0image/png\0\3\0" + b"\x89PNG\r\n\x1a\n" + bytes(20_000_000)
    frame = b"APIC" + struct.pack(">I", len(picture)) + b"\0\0" + picture
    size = bytes((len(frame) >> shift) & 127 for shift in (21, 14, 7, 0))
    content = b"ID3\3\0\0" + size + frame + sound[sound.index(b"\xff\xfb") :]
    decoded = decode(content, name="song.mp3")
    assert isinstance(decoded, Audio)
    assert decoded.duration_s == pytest.approx(1.0, abs=0.1)


PLAYLISTS = {
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{marked}\n#EXT-X-ENDLIST\n",
    "relative.m3u8": "#EXTM3U\n#EXTINF:5,\nmarked.ts\n",
    "address.m3u8": "#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:{port}/marked.ts\n",
    "list.ffconcat": "ffconcat version 1.0\nfile marked.ts\n",
    "unsafe.ffconcat": "ffconcat version 1.0\noption safe 0\nfile {marked}\n",
    "session.sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video {port} RTP/AVP 96\r\n",
    "list.mpd": '<?xml version="1.0"?><MPD><Period><BaseURL>http://127.0.0.1:{port}/</BaseURL></Period></MPD>',
    "list.pls": "[playlist]\nFile1={marked}\n",
    "list.xspf": '<?xml version="1.0"?><playlist><track><location>file://{marked}</location></track></playlist>',
    "names.txt.mp4": "concat:{marked}|{marked}",
    "data.mp4": "data:video/mp2t;base64,AAAA",
}


@pytest.mark.parametrize("name", ["", "x.avi", "x.mp4", "x.m3u8", "x.jpg", "x.wav"])
@pytest.mark.parametrize("listed", PLAYLISTS)
def test_h17_a_list_of_other_files_opens_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: str, name: str
) -> None:
    """The marked file is a pipe: whoever opens it for reading is caught by the writer that waits; so is a caller."""
    monkeypatch.chdir(tmp_path)
    marked = tmp_path / "marked.ts"
    os.mkfifo(marked)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        text = PLAYLISTS[listed].format(marked=marked, port=server.getsockname()[1])
        path = tmp_path / (name or listed)
        path.write_text(text)
        for source in (path, text.encode()):
            with pytest.raises(MediaError):
                decode(source, name=name or listed)
        with pytest.raises(OSError, match="No such device"):  # nobody has the pipe open for reading
            os.open(marked, os.O_WRONLY | os.O_NONBLOCK)
        with pytest.raises(BlockingIOError):  # nobody called
            server.accept()


def test_h17_a_film_that_refers_to_another_file_does_not_open_it(tmp_path: Path) -> None:
    marked = tmp_path / "marked.mov"
    film = write_clip(tmp_path / "film.mov").read_bytes()
    marked.write_bytes(film)
    place = film.index(b"url ") - 4  # QuickTime's data reference: "in this file", made into the name of another
    alias = struct.pack(">I", 12 + len(str(marked)) + 1) + b"url \0\0\0\0" + str(marked).encode() + b"\0"
    refers = film[:place] + alias + film[place + 12 :]
    before = marked.stat().st_atime_ns
    os.utime(marked, ns=(before - 10**12, before - 10**12))
    read = marked.stat().st_atime_ns
    try:
        decode(refers, name="film.mov")
    except MediaError as error:
        assert str(tmp_path) not in str(error)
    assert marked.stat().st_atime_ns == read


def test_h18_a_video_without_pictures_is_a_sound_and_no_video(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "talk.mp4", "aac")
    assert isinstance(decode(path), Audio)
    with pytest.raises(MediaError, match=r"talk\.mp4: no moving picture; expected a video\. Use it as a sound"):
        decode(path, modality=Modality.VIDEO)


def test_h19_a_video_without_sound_has_none_and_is_no_sound(silent_clip: Path) -> None:
    video = decode(silent_clip)
    assert isinstance(video, Video)
    assert video.sound is None
    with pytest.raises(MediaError, match=r"silent\.webm: no sound; expected a file with a sound"):
        decode(silent_clip, modality=Modality.AUDIO)


def test_h20_a_frame_rate_of_zero_and_time_stamps_below_zero_do_no_harm(tmp_path: Path) -> None:
    avi = bytearray(write_clip(tmp_path / "zero.avi", "mjpeg").read_bytes())
    place = avi.index(b"strh") + 8 + 20  # scale and rate of the stream, and the time of a frame in the file's header
    avi[place : place + 8] = struct.pack("<II", 0, 0)
    avi[avi.index(b"avih") + 8 : avi.index(b"avih") + 12] = bytes(4)
    video = decode(bytes(avi), name="zero.avi")
    assert isinstance(video, Video)
    assert len(video.frames) >= 1
    assert np.isfinite(video.times).all()
    assert np.isfinite(video.duration_s)
    times_s = [i / 10 - 3 for i in range(20)]
    early = write_clip(tmp_path / "early.mkv", times_s=times_s, container_options={"avoid_negative_ts": "disabled"})
    assert decode(early).times[0] >= 0


def test_h21_a_two_hour_film_is_sampled_within_little_memory(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "film.mkv", seconds=7_100.0, times_s=range(0, 7_100, 5), key_frame_every=20)
    with at_most_megabytes(30):
        video = decode(path)
    assert isinstance(video, Video)
    assert len(video.frames) == NUM_FRAMES
    assert video.times[-1] > 6_500


def test_h23_names_of_folders_and_devices_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path, tmp_path / "pipe.wav", Path("/dev/zero"), Path("http://127.0.0.1/x.mp4"), Path("a\0b")):
        with pytest.raises(MediaError, match=r"no such file|cannot be read"):
            decode(path)


def test_a_film_with_enormous_frames_is_refused_before_one_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=1, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 8192, 4096, "yuv420p"
        frame = av.VideoFrame(8192, 4096, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with pytest.raises(MediaError, match=r"bomb\.mkv"):
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
