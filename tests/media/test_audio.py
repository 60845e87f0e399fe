"""Sounds of each codec: the right pitch, length and loudness."""

import io
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from tests.makers import corners, peak_hz, tone, write_tone
from unimma.errors import MediaError
from unimma.media import decode
from unimma.media.plain import write_plain
from unimma.settings import AUDIO_RATE_HZ, Limits
from unimma.types import Audio, Modality


def sound_of(source: Path | bytes, **options: object) -> Audio:
    decoded = decode(source, **options)  # type: ignore[arg-type]
    assert isinstance(decoded, Audio)
    return decoded


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
@pytest.mark.parametrize(
    ("ending", "codec", "rate_hz"),
    [
        ("wav", "pcm_s16le", 44_100),
        ("wav", "pcm_s24le", 48_000),
        ("wav", "pcm_f32le", 96_000),
        ("wav", "pcm_u8", 8_000),
        ("mp3", "libmp3lame", 22_050),
        ("mp3", "libmp3lame", 44_100),
        ("flac", "flac", 48_000),
        ("ogg", "libopus", 48_000),
        ("m4a", "aac", 32_000),
        ("m4a", "alac", 44_100),
        ("webm", "libopus", 48_000),
        ("mka", "flac", 16_000),
        ("aac", "aac", 44_100),
        ("mov", "pcm_s16le", 44_100),
    ],
)
def test_a_tone_keeps_pitch_length_and_loudness(
    tmp_path: Path, ending: str, codec: str, rate_hz: int, layout: str
) -> None:
    if codec == "libmp3lame" and layout == "5.1":
        layout = "stereo"  # MP3 has no more channels
    sound = sound_of(write_tone(tmp_path / f"tone.{ending}", codec, rate_hz, layout, 1.0))
    assert sound.rate_hz == AUDIO_RATE_HZ
    assert sound.waveform.dtype == np.float32
    assert sound.duration_s == pytest.approx(1.0, abs=0.08)  # codecs add up to two blocks of silence
    assert peak_hz(sound.waveform, AUDIO_RATE_HZ) == pytest.approx(440, abs=3)
    middle = sound.waveform[AUDIO_RATE_HZ // 4 : AUDIO_RATE_HZ * 3 // 4]
    loss = 0.83 if (codec, layout) == ("aac", "5.1") else 0.93  # the bass channel of AAC carries no 440 Hz
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(0.5, rel=1 - loss)


def test_a_plain_wav_comes_back_sample_by_sample(tmp_path: Path) -> None:
    written = (tone(0.5) * 32767).astype("<i2")
    path = tmp_path / "plain.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, AUDIO_RATE_HZ, 0, "NONE", ""))
        file.writeframes(written.tobytes())
    assert np.abs(sound_of(path).waveform - written / 32768).max() < 1e-6
    assert np.array_equal(sound_of(path.read_bytes()).waveform, sound_of(path).waveform)


def test_channels_are_averaged(tmp_path: Path) -> None:
    left, right = tone(0.5, hz=300), tone(0.5, hz=900)
    path = tmp_path / "two.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, AUDIO_RATE_HZ, 0, "NONE", ""))
        file.writeframes((np.stack([left, right], 1) * 32767).astype("<i2").tobytes())
    assert np.abs(sound_of(path).waveform - (left + right) / 2).max() < 1e-4


def test_the_sound_of_a_video_on_request(clip: Path) -> None:
    sound = sound_of(clip, modality=Modality.AUDIO)
    assert sound.duration_s == pytest.approx(2.0, abs=0.08)
    assert peak_hz(sound.waveform, AUDIO_RATE_HZ) == pytest.approx(440, abs=3)


def test_the_samples_cannot_be_changed(sound: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        sound_of(sound).waveform[0] = 0


def test_a_cover_does_not_make_a_song_a_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as output:
        sound = output.add_stream("libmp3lame", rate=44_100, layout="mono")
        picture = output.add_stream("png", rate=1)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "rgb24"
        picture.disposition = av.stream.Disposition.attached_pic
        output.mux(picture.encode(av.VideoFrame.from_ndarray(corners(), format="rgb24")))
        output.mux(picture.encode(None))
        frame = av.AudioFrame.from_ndarray(tone(1.0)[None], format="flt", layout="mono")
        frame.rate = 44_100
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 1
    assert sound_of(path).duration_s == pytest.approx(1.0, abs=0.08)
    with pytest.raises(MediaError, match="no moving picture"):
        decode(path, modality=Modality.VIDEO)


def test_float_samples_on_an_integer_scale_are_brought_to_one(tmp_path: Path) -> None:
    sound = sound_of(write_tone(tmp_path / "loud.wav", "pcm_f32le", level=20_000.0))
    assert np.abs(sound.waveform).max() == pytest.approx(1.0)


def test_a_live_recording_without_a_length_decodes(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "live.webm", "libopus", 48_000)
    content = path.read_bytes()
    place = content.index(b"\x44\x89\x88")  # Matroska's Duration, a double: turned into an empty element
    live = content[:place] + b"\xec\x89" + bytes(9) + content[place + 11 :]
    with av.open(io.BytesIO(live)) as container:
        assert container.duration is None
    assert sound_of(live).duration_s == pytest.approx(1.0, abs=0.08)


def test_a_sound_over_the_limit_is_refused_by_its_header(sound: Path) -> None:
    with pytest.raises(MediaError, match=r"tone\.wav: 1\.0 s long; expected at most 0\.5 s"):
        decode(sound, limits=Limits(max_audio_seconds=0.5))


@pytest.mark.parametrize("ending", ["wav", "flac", "m4a"])
def test_a_sound_that_is_cut_off_is_refused(tmp_path: Path, ending: str) -> None:
    codec = {"wav": "pcm_s16le", "flac": "flac", "m4a": "aac"}[ending]
    path = write_tone(tmp_path / f"song.{ending}", codec, seconds=4.0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(MediaError, match=rf"song\.{ending}"):
        decode(path)


@pytest.mark.parametrize("rate_hz", [20, 300, 8_404_608, 268_451_456])
def test_a_sampling_rate_that_no_recorder_has_is_refused(tmp_path: Path, rate_hz: int) -> None:
    path = tmp_path / "rate.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes((tone(0.1) * 32767).astype("<i2").tobytes())
    words = f"rate.wav: {rate_hz:,} samples a second; expected 1,000 to 768,000"
    with pytest.raises(MediaError, match=words):
        decode(path)
    with pytest.raises(MediaError, match=words):
        write_plain(path, Modality.AUDIO, tmp_path, "kept")
    assert list(tmp_path.iterdir()) == [path]


def test_a_sound_too_short_for_one_sample_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "click.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 768_000, 0, "NONE", ""))
        file.writeframes(bytes(2))
    with pytest.raises(MediaError, match=r"click\.wav: no samples"):
        decode(path)
    with pytest.raises(MediaError, match=r"click\.wav: no samples"):
        write_plain(path, Modality.AUDIO, tmp_path, "kept")
    assert list(tmp_path.iterdir()) == [path]
