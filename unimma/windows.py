"""Decoded media cut into pieces: windows of a sound or clip, sentences of a text. Pure functions on arrays."""

import re

import numpy as np

from unimma.types import Audio, Decoded, Image, Span, Text, Video

WINDOW_S, HOP_S = 4.0, 2.0  # long enough for a bark and its pause, short enough to point at
_SENTENCE = re.compile(r"\S.*?(?:[.!?…]+(?=\s)|\n|$)", re.DOTALL)


def windows(item: Decoded) -> list[tuple[Decoded, Span]]:
    """Pieces of an item and where they lie: seconds, or character offsets for a text. At least one, in order.

    Windows overlap by half; the last one ends where the item ends. A picture is one piece with the span 0 to 0.
    """
    if isinstance(item, Image):
        return [(item, Span(0.0, 0.0))]
    if isinstance(item, Text):
        found = [match for match in _SENTENCE.finditer(item.text) if match.group().strip()]
        return [(Text(match.group().strip(), item.name), Span(match.start(), match.end())) for match in found]
    if isinstance(item, Audio):
        return [(cut_audio(item, span), span) for span in spans(item.duration_s)]
    return [(_cut_video(item, span), span) for span in spans(item.duration_s)]


def spans(duration_s: float) -> list[Span]:
    """Windows over a length in seconds; one, if it is not longer than a window."""
    if duration_s <= WINDOW_S:
        return [Span(0.0, duration_s)]
    starts = np.arange(0.0, duration_s - WINDOW_S, HOP_S)
    return [Span(float(start), float(start) + WINDOW_S) for start in starts] + [Span(duration_s - WINDOW_S, duration_s)]


def cut_audio(audio: Audio, span: Span) -> Audio:
    """The stretch of a sound, at least one sample; shares its memory."""
    first = min(int(span.start * audio.rate_hz), len(audio.waveform) - 1)
    last = max(first + 1, int(np.ceil(span.end * audio.rate_hz)))
    return Audio(audio.waveform[first:last], audio.rate_hz, audio.name)


def _cut_video(video: Video, span: Span) -> Video:
    """The frames and the sound of a stretch; where no frame lies in it, the nearest one."""
    inside = (video.times >= span.start) & (video.times < span.end)
    if not inside.any():
        inside[np.abs(video.times - (span.start + span.end) / 2).argmin()] = True
    heard = video.sound is not None and span.start < video.sound.duration_s
    sound = cut_audio(video.sound, span) if video.sound is not None and heard else None
    return Video(video.frames[inside], video.times[inside] - span.start, span.end - span.start, sound, video.name)
