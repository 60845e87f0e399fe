"""Clips: frames sampled evenly over a video's length, by seeking where that is shorter, and its sound."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from PIL import Image as PIL

from unimma.errors import MediaError
from unimma.media.audio import soundtrack
from unimma.media.container import (
    check_frame,
    check_length,
    check_whole,
    frames,
    measured_seconds,
    open_container,
    prepare_video,
    seconds,
    start_seconds,
    stated_seconds,
    video_stream,
)
from unimma.media.kind import Format
from unimma.media.source import Clock, Source, reading
from unimma.settings import NUM_FRAMES, Limits
from unimma.types import Audio, Video

FrameT = TypeVar("FrameT")
TimedPixels = tuple[float, npt.NDArray[np.uint8]]  # seconds from the start; [height, width, 3]

SHORT_SIDE = 360  # pixels; encoders look at less
_BLIND_SEEK_S = 10.0  # without an index, the gap from which seeking beats decoding on: about a group of pictures
_HD_LINES = 576  # above it, untagged colours are BT.709, as every player assumes
_MICROSECOND = 1e-6  # how FFmpeg counts where a stream does not say
_USUAL_RATE = 25.0  # frames a second where a header states none or nonsense


@dataclass(frozen=True)
class Shown(Generic[FrameT]):
    """A decoded frame and the stretch of time it is shown for, in seconds from the clip's start."""

    frame: FrameT
    at_s: float
    until_s: float


def decode_video(source: Source, form: Format, limits: Limits) -> Video:
    """A clip as at most `NUM_FRAMES` frames, those on show at the middles of as many equal stretches, and its sound.

    Returns:
        frames uint8 [num_frames, height, width, 3], upright, square pixels, short side at most `SHORT_SIDE`,
        read-only; a clip with fewer frames brings each of them once.
    Raises:
        MediaError: no moving picture, no frame that decodes, damaged, cut off, or over `limits.max_frame_pixels`,
            `max_video_seconds`, `max_streams` or `max_decode_seconds`.
    """
    clock = Clock.start(source.name, limits.max_decode_seconds)
    with reading(source):
        with open_container(source, form, limits) as container:
            stream = video_stream(container)
            if stream is None:
                raise MediaError(f"{source.name}: no moving picture", "a video", "Use it as a sound or a picture.")
            length_s = stated_seconds(container, stream)
            check_length(source.name, length_s, limits.max_video_seconds)
            if length_s is None:
                length_s = measured_seconds(source, form, limits, stream.index, clock, limits.max_video_seconds)
                check_length(source.name, length_s, limits.max_video_seconds)
            shown, length_s = _sample(container, stream, length_s, clock, limits)
        sound = soundtrack(source, form, limits, clock)
    return clip(shown, length_s, sound, source.name)


def clip(shown: list[TimedPixels], length_s: float, sound: Audio | None, name: str) -> Video:
    """Frames with the seconds they are shown at, put together; read-only."""
    frames_NHWC = np.stack([_of_size(shown[0][1].shape, pixels) for _, pixels in shown])
    times_N = np.array([at_s for at_s, _ in shown], np.float64)
    frames_NHWC.setflags(write=False)
    times_N.setflags(write=False)
    return Video(frames_NHWC, times_N, length_s, sound, name)


def _of_size(shape: tuple[int, ...], pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A frame in the first one's size: a recorded call changes its own with the line."""
    if pixels.shape == shape:
        return pixels
    return np.asarray(PIL.fromarray(pixels).resize((shape[1], shape[0]), PIL.Resampling.BOX))


def shown_frames(
    container: InputContainer, stream: av.VideoStream, clock: Clock, limits: Limits
) -> Iterator[Shown[av.VideoFrame]]:
    """Frames from where the container stands, in the order of showing, with sane times whatever the stamps say.

    Raises:
        MediaError: a frame over `limits.max_frame_pixels`, or out of time.
    """
    start_s, step_s = start_seconds(stream), 1 / _rate(stream)
    # AVI stores no time of showing; FFmpeg makes one up in the order of decoding, which B-frames do not keep
    keeps_order = container.format.name != "avi" or not stream.codec_context.has_b_frames
    next_s: float | None = None
    for frame in frames(container, stream, clock):
        check_frame(clock.name, frame.width, frame.height, limits)
        stamp_s = seconds(frame.pts, frame.time_base)
        if stamp_s is not None and (keeps_order or next_s is None):
            next_s = stamp_s - start_s
        at_s = next_s or 0.0
        next_s = at_s + (seconds(frame.duration, frame.time_base) or step_s)
        yield Shown(frame, at_s, next_s)


def rgb_pixels(frame: av.VideoFrame, stream: av.VideoStream, short_side: int) -> npt.NDArray[np.uint8]:
    """A frame as uint8 [height, width, 3]: square pixels, upright, short side at most `short_side`."""
    width, height = _fitted(frame, stream, short_side)
    untagged_hd = frame.colorspace == 2 and frame.height > _HD_LINES
    small = frame.reformat(
        width, height, "rgb24", src_colorspace="ITU709" if untagged_hd else None, interpolation="AREA"
    )
    return np.rot90(small.to_ndarray(), k=round(frame.rotation / 90))


def _fitted(frame: av.VideoFrame, stream: av.VideoStream, short_side: int) -> tuple[int, int]:
    """Width and height to scale to, with the pixels' aspect ratio made 1."""
    aspect = float(stream.sample_aspect_ratio or 1)
    width, height = frame.width * (aspect if 0.1 < aspect < 10 else 1.0), float(frame.height)
    scale = min(1.0, short_side / min(width, height))
    return max(2, round(width * scale)), max(2, round(height * scale))


def _rate(stream: av.VideoStream) -> float:
    rate = float(stream.average_rate or 0)
    return rate if 0.01 < rate < 1000 else _USUAL_RATE


def _sample(
    container: InputContainer, stream: av.VideoStream, length_s: float, clock: Clock, limits: Limits
) -> tuple[list[TimedPixels], float]:
    """Times with pixels of the frames on show in the middle of each stretch, and the length as it turned out."""
    prepare_video(stream, clock.name, limits)
    player = _Player(container, stream, clock, limits)
    shown = player.frames_at(middles(length_s))
    if not shown:
        raise MediaError(f"{clock.name}: no frame that decodes", "a whole video", "Copy or export it again.")
    end_s = player.end_s
    if end_s is not None and stream.duration:
        check_whole(clock.name, "pictures", end_s, length_s)
    elif end_s is not None and end_s < length_s - 0.5:  # the length of the file, that is, of its sound
        player.rewind()
        shown, length_s = player.frames_at(middles(end_s)), end_s
    return shown, max(length_s, shown[-1][0])


def middles(length_s: float) -> npt.NDArray[np.float64]:
    """The middles of `NUM_FRAMES` equal stretches of a length, seconds."""
    return (np.arange(NUM_FRAMES, dtype=np.float64) + 0.5) * (length_s / NUM_FRAMES)


class _Player:
    """Goes forward through a clip: decodes on, or jumps to a key frame where one lies ahead before the time asked for.

    Attributes:
        end_s: where the last frame ends, once it was reached; else None.
    """

    def __init__(self, container: InputContainer, stream: av.VideoStream, clock: Clock, limits: Limits) -> None:
        self._container, self._stream, self._clock, self._limits = container, stream, clock, limits
        self._start_s = start_seconds(stream)
        # an index counts in the order of decoding, which runs ahead of what is shown
        self._lead_s = stream.codec_context.reorder_depth / _rate(stream)
        self._frames = shown_frames(container, stream, clock, limits)
        self._now: Shown[av.VideoFrame] | None = None
        self._next: Shown[av.VideoFrame] | None = None
        self._reached_s = 0.0
        self.end_s: float | None = None
        self._advance()

    def frames_at(self, times_s: npt.NDArray[np.float64]) -> list[TimedPixels]:
        """Time and pixels of the frame on show at each of the rising times; a frame that is on show twice once."""
        taken: list[TimedPixels] = []
        for time_s in times_s:
            self._go_to(float(time_s))
            shown = self._now or self._next
            if shown and (not taken or shown.at_s > taken[-1][0]):
                taken.append((max(0.0, shown.at_s), rgb_pixels(shown.frame, self._stream, SHORT_SIDE)))
        return taken

    def rewind(self) -> None:
        """Back to the beginning."""
        self._jump(0.0)

    def _go_to(self, time_s: float) -> None:
        if self._next and self._key_frame_between(self._next.at_s, time_s):
            self._jump(time_s)
        while self._next and self._next.at_s <= time_s:
            self._advance()

    def _key_frame_between(self, now_s: float, time_s: float) -> bool:
        """Whether jumping to `time_s` skips anything, by the file's index; without one, by the distance."""
        entries = self._stream.index_entries
        if len(entries) < 2:
            return time_s - now_s > _BLIND_SEEK_S
        found = entries.search_timestamp(self._stamp(time_s))
        return found >= 0 and entries[found].timestamp > self._stamp(now_s)

    def _stamp(self, time_s: float) -> int:
        """A time as the file's index counts it."""
        return int((time_s + self._start_s - self._lead_s) / float(self._stream.time_base or _MICROSECOND))

    def _jump(self, time_s: float) -> None:
        try:
            self._container.seek(self._stamp(time_s), stream=self._stream)
        except av.FFmpegError:
            return  # a file that cannot be jumped in is decoded on
        self._frames = shown_frames(self._container, self._stream, self._clock, self._limits)
        self._now = self._next = None
        self._advance()

    def _advance(self) -> None:
        self._now, self._next = self._next, next(self._frames, None)
        if self._next is None:
            self.end_s = self._reached_s
        else:
            self._reached_s = max(self._reached_s, self._next.until_s)
