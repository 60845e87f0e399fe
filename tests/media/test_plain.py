"""What is kept of a file: plain, playable, bare of tags, and there either whole or not at all."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image as PIL

from tests.makers import (
    CORNERS,
    MARK_RGB,
    corner_means,
    corners,
    grey_at,
    peak_hz,
    write_animation,
    write_clip,
    write_picture,
    write_tone,
)
from unimma.errors import MediaError
from unimma.media import decode
from unimma.media.plain import write_plain
from unimma.settings import AUDIO_RATE_HZ, Limits
from unimma.types import Modality

COLOURS = np.array(list(CORNERS.values()), np.float64)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    folder = tmp_path / "kept"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "gif", "bmp", "tiff", "avif", "heic"])
def test_a_picture_becomes_webp(tmp_path: Path, kept: Path, ending: str) -> None:
    path = write_plain(write_picture(tmp_path / f"quarters.{ending}"), Modality.IMAGE, kept, "abc")
    assert path == kept / "abc.webp"
    assert np.abs(corner_means(decode(path).pixels) - COLOURS).max() < 12
    assert [file.name for file in kept.iterdir()] == ["abc.webp"]


def test_a_large_picture_is_kept_at_two_thousand_pixels(tmp_path: Path, kept: Path) -> None:
    path = write_picture(tmp_path / "wide.jpg", corners(4096, 64))
    assert decode(write_plain(path, Modality.IMAGE, kept, "abc")).pixels.shape == (32, 2048, 3)


@pytest.mark.parametrize(
    ("ending", "codec", "rate_hz", "layout", "kept_rate_hz"),
    [
        ("wav", "pcm_s16le", 8_000, "mono", 8_000),
        ("flac", "flac", 96_000, "stereo", 48_000),
        ("ogg", "libopus", 48_000, "5.1", 48_000),
        ("m4a", "aac", 22_050, "stereo", 22_050),
        ("wav", "pcm_f32le", 37_000, "mono", 44_100),
    ],
)
def test_a_sound_becomes_mp3(
    tmp_path: Path, kept: Path, ending: str, codec: str, rate_hz: int, layout: str, kept_rate_hz: int
) -> None:
    path = write_plain(write_tone(tmp_path / f"tone.{ending}", codec, rate_hz, layout), Modality.AUDIO, kept, "abc")
    assert path == kept / "abc.mp3"
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.codec.canonical_name == "mp3"
        assert container.streams.audio[0].sample_rate == kept_rate_hz
        assert container.streams.audio[0].layout.nb_channels == (1 if layout == "mono" else 2)
    sound = decode(path)
    assert sound.duration_s == pytest.approx(1.0, abs=0.08)
    assert peak_hz(sound.waveform, AUDIO_RATE_HZ) == pytest.approx(440, abs=3)
    middle = sound.waveform[AUDIO_RATE_HZ // 4 : AUDIO_RATE_HZ * 3 // 4]
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize(
    ("ending", "codec", "sound_codec"),
    [
        ("mp4", "libx265", "aac"),
        ("webm", "libvpx-vp9", "libopus"),
        ("mkv", "libx264", "flac"),
        ("avi", "mpeg4", "libmp3lame"),
        ("mov", "libx264", None),
    ],
)
def test_a_clip_becomes_mp4(tmp_path: Path, kept: Path, ending: str, codec: str, sound_codec: str | None) -> None:
    source = write_clip(
        tmp_path / f"rising.{ending}",
        codec,
        seconds=4.0,
        fps=25,
        sound_hz=440.0 if sound_codec else None,
        sound_codec=sound_codec or "",
        sound_rate_hz=48_000,
    )
    path = write_plain(source, Modality.VIDEO, kept, "abc")
    assert path == kept / "abc.mp4"
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert [stream.codec_context.name for stream in container.streams.audio] == ["aac"] * bool(sound_codec)
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # plays before all of it has come
    video = decode(path)
    assert video.duration_s == pytest.approx(4.0, abs=0.15)
    greys = video.frames[:, -9:-3, -9:-3].mean(axis=(1, 2, 3))
    assert np.abs(greys - [grey_at(time_s, 4.0) for time_s in video.times]).max() <= 8
    assert (video.sound is not None) == bool(sound_codec)
    if video.sound:
        assert video.sound.duration_s == pytest.approx(4.0, abs=0.1)
        assert peak_hz(video.sound.waveform, AUDIO_RATE_HZ) == pytest.approx(440, abs=3)


def test_a_turned_large_fast_clip_is_kept_upright_small_and_slow(tmp_path: Path, kept: Path) -> None:
    source = write_clip(tmp_path / "phone.mp4", seconds=1.0, fps=60, size=(1280, 720), rotation=-90)
    path = write_plain(source, Modality.VIDEO, kept, "abc")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (480, 852)
        frames = list(container.decode(stream))
        assert 28 <= len(frames) <= 31
        assert {frame.rotation for frame in frames} == {0}
    assert np.abs(decode(path).frames[0, 9, -9].astype(int) - MARK_RGB).max() < 15


def test_sound_that_begins_later_stays_in_its_place(tmp_path: Path, kept: Path) -> None:
    source = write_clip(tmp_path / "late.mkv", seconds=3.0, sound_hz=440.0, sound_codec="flac", sound_at_s=1.0)
    with av.open(str(write_plain(source, Modality.VIDEO, kept, "abc"))) as container:
        assert container.streams.video[0].start_time == 0
        first = next(container.decode(container.streams.audio[0]))
        assert first.time == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_a_moving_picture_becomes_mp4_in_its_own_time(tmp_path: Path, kept: Path, ending: str) -> None:
    frames = [np.full((41, 61, 3), grey, np.uint8) for grey in (20, 120, 240)]
    source = write_animation(tmp_path / f"moving.{ending}", frames, (200, 300, 1500))
    video = decode(write_plain(source, Modality.VIDEO, kept, "abc"))
    assert video.duration_s == pytest.approx(2.0, abs=0.1)
    shown = {round(float(t), 1): round(float(f.mean())) for t, f in zip(video.times, video.frames, strict=True)}
    assert shown[0.2] == pytest.approx(120, abs=5)
    assert shown[0.5] == pytest.approx(240, abs=5)


def test_a_moving_picture_may_be_kept_as_its_first_frame_and_a_clip_as_its_sound(
    tmp_path: Path, kept: Path, clip: Path
) -> None:
    frames = [np.full((40, 60, 3), grey, np.uint8) for grey in (20, 240)]
    source = write_animation(tmp_path / "moving.gif", frames, (200, 200))
    still = decode(write_plain(source, Modality.IMAGE, kept, "still"))
    assert still.pixels.mean() == pytest.approx(20, abs=3)
    assert decode(write_plain(clip, Modality.AUDIO, kept, "sound")).duration_s == pytest.approx(2.0, abs=0.08)


def test_a_text_is_kept_as_its_words(kept: Path, note: Path) -> None:
    path = write_plain(note, Modality.TEXT, kept, "abc")
    assert path.read_bytes() == b"A dog barks at the falling rain."
    assert write_plain("Grüße".encode(), Modality.TEXT, kept, "def").read_text(encoding="utf-8") == "Grüße"


def test_position_and_author_are_in_nothing_that_is_kept(tmp_path: Path, kept: Path) -> None:
    secret, tags = "Private Lane 7", {"title": "Private Lane 7", "artist": "Private Lane 7", "location": "+52.5+013.4/"}
    exif = PIL.Exif()
    exif[0x010E] = exif[0x013B] = secret
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    photo = write_picture(tmp_path / "photo.jpg", exif=exif, comment=secret.encode(), icc_profile=secret.encode())
    song = write_tone(tmp_path / "song.mp3", "libmp3lame", metadata=tags)
    film = write_clip(tmp_path / "film.mp4", sound_hz=440.0, metadata=tags)
    for source, modality in ((photo, Modality.IMAGE), (song, Modality.AUDIO), (film, Modality.VIDEO)):
        assert secret.encode() in source.read_bytes()
        content = write_plain(source, modality, kept, "abc").read_bytes()
        assert b"Private" not in content
        assert b"+52.5" not in content
        assert b"Exif" not in content
    with PIL.open(kept / "abc.webp") as picture:
        assert not picture.getexif()
        assert not {"exif", "icc_profile", "xmp"} & picture.info.keys()


def test_the_same_file_is_kept_as_the_same_bytes(tmp_path: Path, kept: Path, clip: Path, picture: Path) -> None:
    for source, modality in ((picture, Modality.IMAGE), (clip, Modality.AUDIO)):
        first, second = (write_plain(source, modality, kept, stem).read_bytes() for stem in ("one", "two"))
        assert first == second


@pytest.mark.parametrize("modality", [Modality.IMAGE, Modality.AUDIO, Modality.VIDEO])
def test_what_cannot_be_kept_leaves_nothing_behind(
    kept: Path, picture: Path, sound: Path, clip: Path, modality: Modality
) -> None:
    source = {Modality.IMAGE: picture, Modality.AUDIO: sound, Modality.VIDEO: clip}[modality]
    damaged = source.read_bytes()[: source.stat().st_size // 2]
    with pytest.raises(MediaError):
        write_plain(damaged, modality, kept, "abc", name="damaged.bin")
    with pytest.raises(MediaError, match="no text; expected a file with text in it"):
        write_plain(source, Modality.TEXT, kept, "abc")
    over = Limits(max_image_pixels=9, max_audio_seconds=0.1, max_video_seconds=0.1)
    with pytest.raises(MediaError, match="at most"):
        write_plain(source, modality, kept, "abc", over)
    assert list(kept.iterdir()) == []


def test_a_folder_that_is_not_there_is_no_fault_of_the_file(tmp_path: Path, picture: Path, sound: Path) -> None:
    for source, modality in ((picture, Modality.IMAGE), (sound, Modality.AUDIO)):
        with pytest.raises(OSError, match="No such file"):
            write_plain(source, modality, tmp_path / "nowhere", "abc")
