"""Sounds: a sound file, or the sound of a video → one channel at `settings.AUDIO_RATE_HZ`."""

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer

from unimma.errors import MediaError
from unimma.media.container import (
    audio_stream,
    check_length,
    check_whole,
    frames,
    measured_seconds,
    open_container,
    stated_seconds,
)
from unimma.media.kind import Format
from unimma.media.source import Clock, Source, reading
from unimma.settings import AUDIO_RATE_HZ, Limits
from unimma.types import Audio

_INTEGER_SCALE = 4.0  # a float file that peaks above this was written on an integer scale; codecs overshoot by far less
_BLOCK_SAMPLES = 16_384  # handed over at a time: codecs' own blocks are so small that the handing over costs more
_GUESSED = {"mp3", "aac"}  # files without a length: FFmpeg states what the bit rate of the beginning would give
_EXACT = {"flac", "mov"}  # formats that state the length of the sound itself


def decode_audio(source: Source, form: Format, limits: Limits) -> Audio:
    """The sound, channels averaged, resampled.

    Returns:
        waveform float32 [num_samples] at `AUDIO_RATE_HZ`, about -1 to 1, finite, read-only.
    Raises:
        MediaError: no sound in it, no samples, samples that are no numbers, damaged, cut off, or over
            `limits.max_audio_seconds`, `max_streams` or `max_decode_seconds`.
    """
    clock = Clock.start(source.name, limits.max_decode_seconds)
    with reading(source), open_container(source, form, limits) as container:
        stream = audio_stream(container)
        if stream is None:
            raise MediaError(f"{source.name}: no sound", "a file with a sound", "Use it as a video or a picture.")
        most_s, stated_s = limits.max_audio_seconds, stated_seconds(container, stream)
        if stated_s is None or (stated_s > most_s and form.code in _GUESSED):
            stated_s = measured_seconds(source, form, limits, stream.index, clock, most_s)
        check_length(source.name, stated_s, most_s)
        waveform = _read(container, stream, clock, most_s + 1)
    found_s = len(waveform) / AUDIO_RATE_HZ
    check_length(source.name, found_s, most_s)  # what the header kept quiet about
    if len(waveform) == 0:
        raise MediaError(f"{source.name}: no samples", "a sound with something in it", "Record or export it again.")
    if stated_s and form.code in _EXACT:
        check_whole(source.name, "sound", found_s, stated_s)
    return Audio(waveform, AUDIO_RATE_HZ, source.name)


def soundtrack(source: Source, form: Format, limits: Limits, clock: Clock) -> Audio | None:
    """The sound of a video, or None; of a film longer than `limits.max_audio_seconds`, so much of its beginning."""
    with open_container(source, form, limits) as container:
        stream = audio_stream(container)
        waveform = _read(container, stream, clock, limits.max_audio_seconds) if stream else np.zeros(0, np.float32)
    return Audio(waveform, AUDIO_RATE_HZ, source.name) if len(waveform) else None


def _read(container: InputContainer, stream: av.AudioStream, clock: Clock, most_s: float) -> npt.NDArray[np.float32]:
    """Decodes until the end or `most_s` seconds: float32 [num_samples], read-only."""
    samples = bytearray()  # grows in place; a list of parts would be held twice when joined
    most_bytes = int(most_s * AUDIO_RATE_HZ) * 4
    resampler: av.AudioResampler | None = None
    setting = ("", 0, "")
    for frame in frames(container, stream, clock):
        if setting != (frame.layout.name, frame.sample_rate, frame.format.name):  # may change on the way
            setting = (frame.layout.name, frame.sample_rate, frame.format.name)
            samples += _averaged(resampler, None)
            resampler = av.AudioResampler("flt", frame.layout, AUDIO_RATE_HZ, frame_size=_BLOCK_SAMPLES)
        samples += _averaged(resampler, frame)
        if len(samples) > most_bytes:
            break
    samples += _averaged(resampler, None)
    return _checked(np.frombuffer(samples, np.float32)[: most_bytes // 4], clock.name)


def _averaged(resampler: av.AudioResampler | None, frame: av.AudioFrame | None) -> bytes:
    """A frame (None: what is left over) resampled, the mean of its channels as float32 bytes.

    The mean, and not FFmpeg's own mixing, which makes a sound that is equal on both channels 3 dB louder.
    Interleaved, since PyAV reads past the planes of a planar frame of eight channels or more.
    """
    parts = resampler.resample(frame) if resampler else []
    return b"".join(
        part.to_ndarray().reshape(-1, part.layout.nb_channels).mean(axis=1, dtype=np.float32).tobytes()
        for part in parts
    )


def _checked(waveform: npt.NDArray[np.float32], name: str) -> npt.NDArray[np.float32]:
    """The waveform, finite and on the scale of -1 to 1, read-only."""
    peak = max(float(waveform.max(initial=0)), -float(waveform.min(initial=0)))
    if not np.isfinite(peak):
        broken = int(np.count_nonzero(~np.isfinite(waveform)))
        raise MediaError(f"{name}: {broken:,} samples that are no numbers", "finite samples", "Export it again.")
    if peak > _INTEGER_SCALE:
        waveform = waveform / peak
    waveform.setflags(write=False)
    return waveform
