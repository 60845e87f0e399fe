"""Sound and video re-encoded to what every browser plays, a frame at a time, nothing of the old file's tags in it."""

from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.container import Flags, OutputContainer

from unimma.errors import MediaError
from unimma.media.animation import moving_frames
from unimma.media.container import (
    audio_stream,
    check_length,
    frames,
    open_container,
    prepare_video,
    seconds,
    start_seconds,
    stated_seconds,
    video_stream,
)
from unimma.media.image import open_picture, to_rgb
from unimma.media.kind import Format
from unimma.media.source import Clock, Source, reading
from unimma.media.video import FrameT, Shown, rgb_pixels, shown_frames
from unimma.settings import Limits

_SHORT_SIDE = 480  # pixels
_MAX_RATE = 30  # frames a second
_SLACK_S = 0.002  # so that 30 frames a second with rounded time stamps stay 30
_BT_709 = 1  # H.273's number for the colours of high definition
_TICKS = 90_000  # time stamps a second, as in MPEG: every usual frame rate divides it
_RATES_HZ = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)  # of MP3, and of AAC
_BIT_RATES = {"mono": 96_000, "stereo": 160_000}


def write_sound(source: Source, form: Format, path: Path, limits: Limits) -> None:
    """Any sound → MP3 of one or two channels, at most 48 kHz.

    Raises:
        MediaError: no sound in it, no samples, damaged, or over `limits.max_audio_seconds` or `max_encode_seconds`.
    """
    clock = Clock.start(source.name, limits.max_encode_seconds)
    with reading(source), open_container(source, form, limits) as container, _output(path, "mp3") as output:
        stream = audio_stream(container)
        heard = frames(container, stream, clock) if stream else iter(())
        first = next(heard, None)
        if first is None:
            raise MediaError(f"{source.name}: no sound", "a file with a sound", "Record or export it again.")
        sound = _Sound(output, "libmp3lame", first)
        for frame in chain([first], heard):
            sound.write(frame)
            check_length(source.name, sound.end_s, limits.max_audio_seconds)
        sound.close()
        if not sound.end_s:
            raise MediaError(f"{source.name}: no samples", "a sound with something in it", "Record or export it again.")


def write_film(source: Source, form: Format, path: Path, limits: Limits) -> None:
    """Any clip → MP4 of H.264 and AAC: upright, square pixels, at most 480 lines and 30 frames a second.

    Raises:
        MediaError: no moving picture, no frame that decodes, or over one of the limits of `decode_video`
            (with `max_encode_seconds` for the wall time).
    """
    clock = Clock.start(source.name, limits.max_encode_seconds)
    with reading(source), ExitStack() as opened:
        container = opened.enter_context(open_container(source, form, limits))
        beside = opened.enter_context(open_container(source, form, limits))  # neither reader waits for the other
        output = opened.enter_context(_output(path, "mp4"))
        stream, audible = video_stream(container), audio_stream(beside)
        if stream is None:
            raise MediaError(f"{source.name}: no moving picture", "a video", "Use it as a sound or a picture.")
        check_length(source.name, stated_seconds(container, stream), limits.max_video_seconds)
        prepare_video(stream, source.name, limits)
        seen = _thinned(shown_frames(container, stream, clock, limits))
        heard = frames(beside, audible, clock) if audible else iter(())
        first_seen, first_heard = next(seen, None), next(heard, None)
        if first_seen is None:
            raise MediaError(f"{source.name}: no frame that decodes", "a whole video", "Copy or export it again.")
        film = _Film(output, rgb_pixels(first_seen.frame, stream, _SHORT_SIDE))
        sound = _Sound(output, "aac", first_heard, start_seconds(stream)) if first_heard else None
        heard = chain([first_heard], heard) if first_heard else heard
        for shown in chain([first_seen], seen):
            check_length(source.name, shown.until_s, limits.max_video_seconds)
            film.write(rgb_pixels(shown.frame, stream, _SHORT_SIDE), shown.at_s, shown.until_s)
            _write_until(shown.at_s, sound, heard)
        film.close()
        _write_until(limits.max_video_seconds, sound, heard)
        if sound:
            sound.close()


def write_animation(source: Source, form: Format, path: Path, limits: Limits) -> None:
    """A moving GIF, WebP, APNG or AVIF → MP4 without sound, alpha on white; one round of it.

    Raises:
        MediaError: as `decode_animation`, with `limits.max_encode_seconds` for the wall time.
    """
    clock = Clock.start(source.name, limits.max_encode_seconds)
    with reading(source), open_picture(source, form, limits) as picture, _output(path, "mp4") as output:
        film: _Film | None = None
        for shown in _thinned(moving_frames(picture, clock, limits)):
            pixels = np.asarray(to_rgb(shown.frame))
            film = film or _Film(output, pixels)
            film.write(pixels, shown.at_s, shown.until_s)
        if film:
            film.close()


def _output(path: Path, container: str) -> OutputContainer:
    """A new file without tags, name of a program or time in it; an MP4 plays before all of it has come."""
    options = {"movflags": "+faststart"} if container == "mp4" else {"id3v2_version": "0"}
    output = av.open(str(path.absolute()), "w", format=container, options=options)
    output.flags |= int(Flags.bitexact.value)  # type: ignore[call-overload]
    return output


def _thinned(frames_shown: Iterator[Shown[FrameT]]) -> Iterator[Shown[FrameT]]:
    """At most `_MAX_RATE` frames a second, in rising time."""
    due_s = 0.0
    for shown in frames_shown:
        if shown.at_s >= due_s:
            due_s = shown.at_s + 1 / _MAX_RATE - _SLACK_S
            yield shown


def _write_until(time_s: float, sound: "_Sound | None", heard: Iterator[av.AudioFrame]) -> None:
    """Keeps the sound level with the pictures, so that the file can be played while it loads."""
    while sound and sound.end_s < time_s and (frame := next(heard, None)):
        sound.write(frame)


class _Film:
    """The picture track of an MP4."""

    def __init__(self, output: OutputContainer, pixels: npt.NDArray[np.uint8]) -> None:
        height, width = pixels.shape[:2]
        scale = min(1.0, _SHORT_SIDE / min(height, width))
        self._output = output
        # no B-frames: with them, an MP4 of a variable frame rate states too short a length, and players stop there
        options = {"preset": "veryfast", "crf": "26", "bf": "0"}
        self._stream = output.add_stream("libx264", rate=_MAX_RATE, options=options)
        self._stream.width, self._stream.height = (max(2, round(side * scale / 2) * 2) for side in (width, height))
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base = Fraction(1, _TICKS)
        # said and not left to be guessed: players guess by the number of lines, which a turned clip misleads
        context.colorspace = context.color_primaries = context.color_trc = _BT_709
        self._pixels, self._at_s, self._until_s = pixels, 0.0, 0.0

    def write(self, pixels: npt.NDArray[np.uint8], at_s: float, until_s: float) -> None:
        """Adds a frame; the encoder scales it to the first one's size."""
        self._pixels, self._at_s, self._until_s = pixels, at_s, until_s
        self._encode(pixels, at_s)

    def close(self) -> None:
        """Ends the track; a last frame that is shown for long is written again, or players would cut its time."""
        if self._until_s - self._at_s > 2 / _MAX_RATE:
            self._encode(self._pixels, self._until_s - 1 / _MAX_RATE)
        self._output.mux(self._stream.encode(None))

    def _encode(self, pixels: npt.NDArray[np.uint8], at_s: float) -> None:
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24").reformat(
            self._stream.width, self._stream.height, "yuv420p", dst_colorspace="ITU709", interpolation="AREA"
        )
        frame.pts, frame.time_base = round(at_s * _TICKS), Fraction(1, _TICKS)
        self._output.mux(self._stream.encode(frame))


class _Sound:
    """The sound track of a file: one channel or two, in 16 bits, which no sample that is not a number survives.

    Attributes:
        end_s: where what was written ends, seconds from the first picture.
    """

    def __init__(
        self, output: OutputContainer, codec: str, first: av.AudioFrame, pictures_start_s: float = 0.0
    ) -> None:
        self._output = output
        self._rate_hz = next((rate for rate in _RATES_HZ if rate >= first.sample_rate), _RATES_HZ[-1])
        self._layout = "mono" if first.layout.nb_channels == 1 else "stereo"
        stream = output.add_stream(codec, rate=self._rate_hz, layout=self._layout)
        assert isinstance(stream, av.AudioStream)  # both codecs are of sound
        self._stream = stream
        self._stream.bit_rate = _BIT_RATES[self._layout]
        self._resampler: av.AudioResampler | None = None
        self._setting = ("", 0, "")
        begin_s = (seconds(first.pts, first.time_base) or 0.0) - pictures_start_s if codec == "aac" else 0.0
        self._written = max(0, round(begin_s * self._rate_hz))

    @property
    def end_s(self) -> float:
        return self._written / self._rate_hz

    def write(self, frame: av.AudioFrame) -> None:
        """Adds a frame of any rate, format and number of channels; these may change on the way."""
        if self._setting != (frame.layout.name, frame.sample_rate, frame.format.name):
            self._setting = (frame.layout.name, frame.sample_rate, frame.format.name)
            self._resampler = av.AudioResampler(
                format="s16", layout=self._layout, rate=self._rate_hz, options={"rematrix_maxval": "1.0"}
            )
        self._encode(frame)

    def close(self) -> None:
        """Ends the track."""
        self._encode(None)
        self._output.mux(self._stream.encode(None))

    def _encode(self, frame: av.AudioFrame | None) -> None:
        for part in self._resampler.resample(frame) if self._resampler else ():
            part.pts, part.time_base = self._written, Fraction(1, self._rate_hz)
            self._written += part.samples
            self._output.mux(self._stream.encode(part))
