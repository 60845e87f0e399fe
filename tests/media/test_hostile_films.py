"""Films and lists that mean harm or are badly broken: refused with a sentence, or decoded within bounds."""

import itertools
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.makers import MARK_RGB, grey_at, write_clip, write_tone
from tests.media.bounds import Bait, at_most_megabytes
from unimma.errors import MediaError
from unimma.media import decode
from unimma.media.plain import write_plain
from unimma.media.video import shown_frames
from unimma.settings import NUM_FRAMES
from unimma.types import Audio, Modality, Video

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


def referring(film: bytes, path: Path) -> bytes:
    """A QuickTime film whose samples lie in another file: its data reference becomes an alias record."""
    name, full = path.name.encode(), str(path).encode()
    full += b"\0" * (len(full) % 2)
    alias = bytes(10 + 28 + 12) + bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16)
    alias += struct.pack(">HH", 1, 1) + bytes(16) + struct.pack(">HH", 2, len(full)) + full + b"\xff\xff\0\0"
    entry = struct.pack(">I", 12 + len(alias)) + b"alis" + bytes(4) + alias
    place = film.index(b"url ", film.index(b"dref")) - 4  # "in this file", 12 bytes
    refers = bytearray(film[:place] + entry + film[place + 12 :])
    for box in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        head = film.rindex(box, 0, place) - 4
        refers[head : head + 4] = struct.pack(">I", int.from_bytes(film[head : head + 4]) + len(entry) - 12)
    return bytes(refers)


def test_h17_a_film_that_refers_to_another_file_does_not_open_it(tmp_path: Path) -> None:
    film = tmp_path / "film.mov"
    write_clip(film)
    film.write_bytes(referring(film.read_bytes(), tmp_path / "marked.mov"))
    bait = Bait(tmp_path / "marked.mov")
    try:
        decode(film)
        write_plain(film, Modality.VIDEO, tmp_path, "kept")
    except MediaError as error:
        assert str(tmp_path) not in str(error)
    assert not bait.taken()
    bait = Bait(tmp_path / "marked.mov")  # now as a decoder without our bounds may be told to
    with suppress(av.FFmpegError), av.open(str(film), options={"enable_drefs": "1", "use_absolute_path": "1"}):
        pass
    assert bait.taken()


def test_h17_a_list_under_any_name_is_what_an_unbounded_decoder_would_follow(tmp_path: Path) -> None:
    (tmp_path / "x.avi").write_text(PLAYLISTS["list.ffconcat"])
    bait = Bait(tmp_path / "marked.ts")
    with suppress(av.FFmpegError), av.open(str(tmp_path / "x.avi")):
        pass
    assert bait.taken()


@pytest.mark.parametrize("name", ["concat:{}|{}", "subfile,,start,0,end,0,,:{}", "file:{}", "data:video/mp4;base64,AA"])
def test_h17_a_name_that_is_an_address_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    bait = Bait(tmp_path / "marked.ts")
    for marked in ("marked.ts", tmp_path / "marked.ts"):
        with pytest.raises(MediaError, match="no such file"):
            decode(Path(name.format(marked, marked)))
    assert not bait.taken()


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


def test_h20_a_variable_frame_rate_from_a_phone_held_upright_is_sampled_by_time_and_turned(tmp_path: Path) -> None:
    times_s = [*np.arange(0, 1, 0.05), 1.0, 1.5, 2.0, 3.0, 3.9]
    video = decode(write_clip(tmp_path / "phone.mp4", seconds=4.0, fps=20, times_s=times_s, rotation=90))
    assert isinstance(video, Video)
    assert video.frames.shape[1:3] == (96, 64)
    assert set(np.round(video.times, 3)) <= set(np.round(times_s, 3))
    assert np.sum(video.times >= 1.0) >= 4  # by count of frames, nearly all would lie in the first second
    assert np.abs(video.frames[0, -6, 6].astype(int) - MARK_RGB).max() < 12  # the upper left went to the lower left
    greys = video.frames[:, 3:9, -9:-3].mean(axis=(1, 2, 3))
    assert np.abs(greys - [grey_at(time_s, 4.0) for time_s in video.times]).max() <= 6


def test_h21_a_two_hour_film_is_sampled_by_seeking_within_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = itertools.count()

    def counted(*args: Any) -> Iterator[Any]:
        return (shown for shown in shown_frames(*args) if next(decoded) >= 0)

    monkeypatch.setattr("unimma.media.video.shown_frames", counted)
    path = write_clip(tmp_path / "film.mkv", seconds=7_100.0, times_s=range(0, 7_100, 5), key_frame_every=20)
    with at_most_megabytes(100):  # most of it the stacks of decoding threads
        video = decode(path)
    assert isinstance(video, Video)
    assert len(video.frames) == NUM_FRAMES
    assert video.times[-1] > 6_500
    assert next(decoded) < 500  # of 1,420


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
