"""Clips of each container: the right frames at the right times, upright, with their sound."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.makers import MARK_RGB, grey_at, peak_hz, write_clip
from unimma.errors import MediaError
from unimma.media import decode
from unimma.settings import AUDIO_RATE_HZ, NUM_FRAMES, Limits
from unimma.types import Video


def clip_of(source: Path | bytes, **options: object) -> Video:
    decoded = decode(source, **options)  # type: ignore[arg-type]
    assert isinstance(decoded, Video)
    return decoded


def greys(video: Video) -> np.ndarray:
    """The grey of each frame, away from the mark."""
    return video.frames[:, -9:-3, -9:-3].mean(axis=(1, 2, 3))


def assert_frames_tell_their_times(video: Video, seconds: float, tolerance: float = 6) -> None:
    expected = [grey_at(time_s, seconds) for time_s in video.times]
    assert np.abs(greys(video) - expected).max() <= tolerance
    assert (np.diff(video.times) > 0).all()


@pytest.mark.parametrize(
    ("ending", "codec", "sound_codec"),
    [
        ("mp4", "libx264", "aac"),
        ("mp4", "libx265", "aac"),
        ("mp4", "libsvtav1", "aac"),
        ("mov", "libx264", "pcm_s16le"),
        ("mkv", "libx264", "flac"),
        ("webm", "libvpx-vp9", "libopus"),
        ("webm", "libvpx", "libopus"),
        ("avi", "mpeg4", "libmp3lame"),
        ("avi", "mjpeg", "pcm_s16le"),
    ],
)
def test_a_clip_shows_its_frames_in_time_and_its_sound(
    tmp_path: Path, ending: str, codec: str, sound_codec: str
) -> None:
    path = write_clip(
        tmp_path / f"rising.{ending}",
        codec,
        seconds=4.0,
        fps=25,
        sound_hz=440.0,
        sound_codec=sound_codec,
        sound_rate_hz=48_000,
    )
    video = clip_of(path)
    assert video.frames.shape == (NUM_FRAMES, 64, 96, 3)
    assert video.duration_s == pytest.approx(4.0, abs=0.15)
    assert video.times == pytest.approx((np.arange(NUM_FRAMES) + 0.5) * 4 / NUM_FRAMES, abs=0.1)
    assert_frames_tell_their_times(video, 4.0)
    assert np.abs(video.frames[:, 5:9, 5:9].mean(axis=(0, 1, 2)) - MARK_RGB).max() < 12
    assert video.sound is not None
    assert video.sound.duration_s == pytest.approx(4.0, abs=0.1)
    assert peak_hz(video.sound.waveform, AUDIO_RATE_HZ) == pytest.approx(440, abs=2)


def test_a_clip_without_sound_has_none(silent_clip: Path) -> None:
    video = clip_of(silent_clip)
    assert video.sound is None
    assert_frames_tell_their_times(video, 2.0)


def test_nothing_of_a_clip_can_be_changed(clip: Path) -> None:
    video = clip_of(clip)
    for array in (video.frames, video.times, video.sound.waveform):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_content_and_file_decode_alike(clip: Path) -> None:
    assert np.array_equal(clip_of(clip).frames, clip_of(clip.read_bytes()).frames)


def test_a_large_clip_is_scaled_while_it_is_decoded(tmp_path: Path) -> None:
    video = clip_of(write_clip(tmp_path / "large.mp4", seconds=0.5, size=(1280, 720)))
    assert video.frames.shape[1:] == (360, 640, 3)
    assert_frames_tell_their_times(video, 0.5)


def test_colours_of_an_untagged_high_definition_clip_are_those_of_television(tmp_path: Path) -> None:
    colour = np.full((720, 1280, 3), (40, 200, 60), np.uint8)
    path = tmp_path / "green.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(colour, format="rgb24").reformat(
                format="yuv420p", dst_colorspace="ITU709"
            )
            frame.colorspace = 2  # unspecified
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    assert np.abs(clip_of(path).frames.astype(int) - (40, 200, 60)).max() <= 6


@pytest.mark.parametrize(("rotation", "corner"), [(90, (-1, 0)), (180, (-1, -1)), (270, (0, -1)), (-90, (0, -1))])
def test_a_turned_clip_comes_upright(tmp_path: Path, rotation: int, corner: tuple[int, int]) -> None:
    video = clip_of(write_clip(tmp_path / "phone.mp4", rotation=rotation))
    assert video.frames.shape[1:3] == ((64, 96) if rotation == 180 else (96, 64))
    y, x = (6 if end == 0 else -6 for end in corner)
    assert np.abs(video.frames[0, y, x].astype(int) - MARK_RGB).max() < 12


def test_a_phone_held_upright_writes_a_matrix_that_turns_right(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "upright.mov")
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40  # version and flags, times, id, reserved, layer, group, volume: 40 bytes
    one, zero, minus, unit = b"\0\1\0\0", bytes(4), b"\xff\xff\0\0", b"\x40\0\0\0"
    content[matrix : matrix + 36] = zero + one + zero + minus + zero + zero + zero + zero + unit
    video = clip_of(bytes(content))
    assert video.frames.shape[1:3] == (96, 64)
    assert np.abs(video.frames[0, 6, -6].astype(int) - MARK_RGB).max() < 12  # upper left went to the upper right


def test_wide_pixels_are_made_square(tmp_path: Path) -> None:
    path = tmp_path / "wide.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2, 1)
        for _ in range(3):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 96, 3), np.uint8), format="rgb24")))
        output.mux(stream.encode(None))
    assert clip_of(path).frames.shape[1:3] == (64, 192)


def test_a_variable_frame_rate_is_sampled_by_time(tmp_path: Path) -> None:
    times_s = [*np.arange(0, 1, 0.05), 1.0, 1.5, 2.0, 3.0, 3.9]  # quick at first, then hardly moving
    video = clip_of(write_clip(tmp_path / "variable.mp4", seconds=4.0, fps=20, times_s=times_s))
    assert_frames_tell_their_times(video, 4.0)
    assert set(np.round(video.times, 3)) <= set(np.round(times_s, 3))
    assert np.sum(video.times >= 1.0) >= 4  # by count of frames, nearly all would lie in the first second


def test_time_stamps_below_zero_begin_at_zero(tmp_path: Path) -> None:
    times_s = np.arange(-1.0, 1.0, 0.1)
    path = write_clip(tmp_path / "early.mkv", times_s=times_s, container_options={"avoid_negative_ts": "disabled"})
    video = clip_of(path)
    assert video.times[0] >= 0
    assert (np.diff(video.times) > 0).all()
    assert len(video.frames) >= 10


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_long_clip_is_sampled_by_jumping(tmp_path: Path, ending: str) -> None:
    seconds = 1_200.0
    path = write_clip(tmp_path / f"long.{ending}", seconds=seconds, fps=1, key_frame_every=10)
    video = clip_of(path)
    assert len(video.frames) == NUM_FRAMES
    assert video.times == pytest.approx((np.arange(NUM_FRAMES) + 0.5) * seconds / NUM_FRAMES, abs=1)
    assert_frames_tell_their_times(video, seconds)


def test_a_live_recording_without_a_length_is_measured_first(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "live.webm", "libvpx-vp9", seconds=3.0, container_options={"live": "1"})
    with av.open(str(path)) as container:
        assert container.duration is None
    video = clip_of(path)
    assert video.duration_s == pytest.approx(3.0, abs=0.2)
    assert video.times[-1] > 2.5
    assert_frames_tell_their_times(video, 3.0)


def test_tags_that_are_not_utf8_do_no_harm(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "tagged.mkv", metadata={"title": "Sommerfest"})
    path.write_bytes(path.read_bytes().replace(b"Sommerfest", b"S\xf6mmerfes\xff"))
    assert_frames_tell_their_times(clip_of(path), 2.0)


def test_frames_that_change_their_size_on_the_way_are_brought_to_one(tmp_path: Path) -> None:
    small, large = (
        write_clip(tmp_path / f"{width}.h264", seconds=1.0, size=(width, height)).read_bytes()
        for width, height in ((96, 64), (192, 128))
    )
    (tmp_path / "call.h264").write_bytes(small + large)
    path = tmp_path / "call.mkv"
    with av.open(str(tmp_path / "call.h264"), format="h264") as read, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(read.streams.video[0])
        for i, packet in enumerate(read.demux()):
            if packet.size:
                packet.stream, packet.pts, packet.dts, packet.time_base = stream, i * 100, i * 100, Fraction(1, 1000)
                output.mux(packet)
    video = clip_of(path)
    assert len(video.frames) == NUM_FRAMES
    assert video.frames.shape[1:] == (64, 96, 3)
    assert greys(video)[-1] > 180


def test_a_clip_of_few_frames_brings_each_once(tmp_path: Path) -> None:
    video = clip_of(write_clip(tmp_path / "short.mp4", seconds=0.5, fps=10))
    assert video.times == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(max_video_seconds=1), "2.0 s long; expected at most 1.0 s"),
        (Limits(max_frame_pixels=96 * 63), "frames of 96 x 64 pixels; expected frames of at most"),
        (Limits(max_streams=1), "2 streams; expected at most 1"),
        (Limits(max_file_bytes=1_000), "MB; expected at most"),
        (Limits(max_decode_seconds=1e-9), "not read after 1e-09 s"),
    ],
)
def test_a_clip_over_a_limit_is_refused(clip: Path, limits: Limits, words: str) -> None:
    with pytest.raises(MediaError, match=rf"rising\.mp4: .*{words}"):
        decode(clip, limits=limits)


def test_a_clip_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "cut.mp4", seconds=4, fps=25, container_options={"movflags": "+faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(MediaError, match=r"cut\.mp4"):
        decode(path)


@pytest.mark.parametrize(("ending", "codec"), [("webm", "libvpx-vp9"), ("mkv", "libx264")])
def test_a_stream_that_broke_off_is_the_shorter_clip_that_it_is(tmp_path: Path, ending: str, codec: str) -> None:
    path = write_clip(tmp_path / f"broken.{ending}", codec, seconds=8.0, fps=25)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    video = clip_of(path)
    assert 1.0 < video.duration_s < 7.0  # not the 8 s that its header states
    assert video.duration_s * 0.8 < video.times[-1] < video.duration_s
    assert_frames_tell_their_times(video, 8.0)


def test_pictures_are_found_behind_a_sound_that_comes_first(tmp_path: Path) -> None:
    pictures, sound = write_clip(tmp_path / "pictures.mp4"), write_clip(tmp_path / "sound.mp4", sound_hz=440.0)
    path = tmp_path / "film.mp4"
    with av.open(str(pictures)) as one, av.open(str(sound)) as other, av.open(str(path), "w") as output:
        tracks = [other.streams.audio[0], one.streams.video[0]]
        places = {track.type: output.add_stream_from_template(track) for track in tracks}
        for container, track in zip((other, one), tracks, strict=True):
            for packet in container.demux(track):
                if packet.dts is not None:
                    packet.stream = places[track.type]
                    output.mux(packet)
    with av.open(str(path)) as container:
        assert container.streams[0].type == "audio"
    video = clip_of(path)
    assert_frames_tell_their_times(video, 2.0)
    assert video.sound is not None
