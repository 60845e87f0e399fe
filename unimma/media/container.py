"""Sound and video files, opened through PyAV with one demuxer and no way to open anything else."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, overload

import av
from av.container import InputContainer
from av.stream import Disposition, Stream

from unimma.errors import MediaError
from unimma.media.kind import Format
from unimma.media.source import Clock, Source
from unimma.settings import Limits

av.logging.set_libav_level(av.logging.FATAL)  # what a file makes FFmpeg say is no business of the host's terminal

# PyAV 18 gives up on tags that are not UTF-8 unless told so; 19 reads them, and knows the option no more
_TAGS: dict[str, Any] = {"metadata_errors": "replace"} if av.__version__.startswith("18.") else {}
_THREADS = min(4, os.cpu_count() or 1)  # each holds frames of its own: memory, not speed, sets the bound
_LEAST_RATE_HZ, _MOST_RATE_HZ = 1_000, 768_000
_CUT_OFF_SHARE = 0.9  # headers round, and codecs add or drop a block: a tenth is more than that
_END_OF_TIME_S = 1e6  # eleven days: a time stamp beyond it is nonsense, not a length


@contextmanager
def open_container(source: Source, form: Format, limits: Limits) -> Iterator[InputContainer]:
    """A sound or video file, opened by the one demuxer that its first bytes ask for.

    Nothing else is ever opened: the content comes from our own file object, no protocol is allowed, no other
    demuxer is allowed, and no name from outside reaches FFmpeg. Pixels are bounded before a frame is probed.

    Raises:
        MediaError: more than `limits.max_streams` streams.
    """
    options = {
        "format_whitelist": form.code if form.code != "mov" else "mov,mp4,m4a,3gp,3g2,mj2",
        "protocol_whitelist": "none",
        "max_streams": str(
            4 * limits.max_streams
        ),  # FFmpeg's bound for what it allocates; ours, with a message, is below
        "max_pixels": str(limits.max_frame_pixels),
    }
    timeout = (limits.max_decode_seconds, limits.max_decode_seconds)
    with (
        source.open() as stream,
        av.open(stream, "r", format=form.code, options=options, timeout=timeout, **_TAGS) as container,
    ):
        if len(container.streams) > limits.max_streams:
            came = f"{source.name}: {len(container.streams)} streams"
            raise MediaError(came, f"at most {limits.max_streams}", "Export it with one picture and one sound.")
        yield container


def video_stream(container: InputContainer) -> av.VideoStream | None:
    """The first moving picture; covers and other attached pictures are none."""
    still = Disposition.attached_pic | Disposition.timed_thumbnails
    return next((s for s in container.streams.video if not s.disposition & still and s.codec_context), None)


def audio_stream(container: InputContainer) -> av.AudioStream | None:
    """The sound that a player would choose."""
    best = container.streams.best("audio")
    return best if isinstance(best, av.AudioStream) and best.codec_context else None


def prepare_video(stream: av.VideoStream, name: str, limits: Limits) -> None:
    """Bounds what decoding may allocate, before the first frame.

    Raises:
        MediaError: frames over `limits.max_frame_pixels`.
    """
    check_frame(name, stream.codec_context.width, stream.codec_context.height, limits)
    stream.codec_context.options = {"max_pixels": str(limits.max_frame_pixels)}
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = _THREADS


def check_frame(name: str, width: int, height: int, limits: Limits) -> None:
    """Raises a MediaError for frames over `limits.max_frame_pixels`."""
    if width * height > limits.max_frame_pixels:
        most = f"frames of at most {limits.max_frame_pixels / 1e6:g} million pixels"
        raise MediaError(f"{name}: frames of {width} x {height} pixels", most, "Export it smaller.")


def packets(container: InputContainer, stream: Stream, clock: Clock) -> Iterator["av.Packet[Stream]"]:
    """A stream's packets in the file's order, the closing empty one too, while the clock allows."""
    for packet in container.demux(stream):
        clock.check()
        yield packet


@overload
def frames(container: InputContainer, stream: av.AudioStream, clock: Clock) -> Iterator[av.AudioFrame]: ...
@overload
def frames(container: InputContainer, stream: av.VideoStream, clock: Clock) -> Iterator[av.VideoFrame]: ...
def frames(container: InputContainer, stream: av.AudioStream | av.VideoStream, clock: Clock) -> Iterator[Any]:
    """A stream's frames in order; packets that are damaged bring none, as with any player.

    Raises:
        MediaError: out of time, or sound of a sampling rate that no recorder has.
    """
    for packet in packets(container, stream, clock):
        try:
            decoded = packet.decode()
        except av.error.MemoryError:
            raise
        except av.FFmpegError:
            continue
        for frame in decoded:
            if isinstance(frame, av.AudioFrame):
                _check_rate(clock.name, frame.sample_rate)
            yield frame


def _check_rate(name: str, rate_hz: int) -> None:
    """Bounds what a resampler may allocate: gigabytes, for a rate that a damaged header made up."""
    if not _LEAST_RATE_HZ <= rate_hz <= _MOST_RATE_HZ:
        came = f"{name}: {rate_hz:,} samples a second"
        raise MediaError(came, f"{_LEAST_RATE_HZ:,} to {_MOST_RATE_HZ:,}", "Export it with a usual sampling rate.")


def stated_seconds(container: InputContainer, stream: Stream) -> float | None:
    """Length by the header: the stream's own, else the file's, else None (a live recording)."""
    if stream.duration is not None and stream.duration > 0 and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration and container.duration > 0 else None


def measured_seconds(
    source: Source, form: Format, limits: Limits, stream_index: int, clock: Clock, most_s: float
) -> float:
    """Length by the time stamps of a stream's packets, without decoding; it stops looking after `most_s` seconds."""
    end_s = 0.0
    with open_container(source, form, limits) as container:
        stream = container.streams[stream_index]
        start_s = start_seconds(stream)
        for packet in packets(container, stream, clock):
            at_s = seconds(packet.pts if packet.pts is not None else packet.dts, packet.time_base)
            if at_s is not None:
                end_s = max(end_s, at_s - start_s + (seconds(packet.duration, packet.time_base) or 0.0))
            if end_s > most_s:
                break
    return end_s


def start_seconds(stream: Stream) -> float:
    """The time stamp that a stream begins at; may be negative."""
    return seconds(stream.start_time, stream.time_base) or 0.0


def seconds(stamp: int | None, time_base: Fraction | None) -> float | None:
    """A time stamp in seconds; None where there is none that makes sense."""
    if stamp is None or not time_base:
        return None
    at = float(stamp * time_base)
    return at if abs(at) < _END_OF_TIME_S else None


def check_whole(name: str, what: str, found_s: float, stated_s: float) -> None:
    """Raises a MediaError where a file holds far less than its header states: it was cut off."""
    if found_s < min(_CUT_OFF_SHARE * stated_s, stated_s - 0.5):
        came = f"{name}: {what} for {found_s:.1f} s where its header states {stated_s:.1f} s"
        raise MediaError(came, "a whole file", "Copy or download it again.")


def check_length(name: str, length_s: float | None, most_s: float) -> None:
    """Raises a MediaError for a length over `most_s` seconds."""
    if length_s is not None and length_s > most_s:
        places = 0 if most_s >= 10 else 1
        found, most = f"{length_s:,.{places}f} s", f"{most_s:,.{places}f} s"
        came = f"{name}: {found} long" if found != most else f"{name}: longer than {most}"
        raise MediaError(came, f"at most {most}", "Cut it into shorter pieces.")
