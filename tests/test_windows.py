"""Windows: cover everything, overlap by half, end where the item ends."""

from itertools import pairwise

import numpy as np
import pytest

from unimma.types import Audio, Image, Span, Text, Video
from unimma.windows import spans, windows


@pytest.mark.parametrize("duration_s", [0.3, 4.0, 4.5, 6.0, 61.7])
def test_spans_cover_the_whole_length(duration_s: float) -> None:
    found = spans(duration_s)
    assert found[0].start == 0.0
    assert found[-1].end == pytest.approx(duration_s)
    assert all(later.start <= earlier.end for earlier, later in pairwise(found))
    assert all(later.start > earlier.start for earlier, later in pairwise(found))


def test_a_sound_is_cut_where_the_spans_say() -> None:
    ramp = Audio(np.arange(900, dtype=np.float32), rate_hz=100)
    pieces = windows(ramp)
    assert [span for _, span in pieces] == [Span(0, 4), Span(2, 6), Span(4, 8), Span(5, 9)]
    second = pieces[1][0]
    assert isinstance(second, Audio)
    assert second.waveform[[0, -1]].tolist() == [200.0, 599.0]


def test_a_clip_keeps_its_sound_in_step_and_is_never_without_a_frame() -> None:
    frames = np.zeros((3, 2, 2, 3), np.uint8) + np.arange(3, dtype=np.uint8)[:, None, None, None]
    sound = Audio(np.arange(500, dtype=np.float32), rate_hz=100)
    video = Video(frames, np.array([0.0, 1.0, 2.0]), 9.0, sound)
    first, _, middle, last = (piece for piece, _ in windows(video))
    assert isinstance(first, Video) and isinstance(middle, Video) and isinstance(last, Video)
    assert first.frames[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert middle.frames[:, 0, 0, 0].tolist() == [2]  # none lies in 4 to 8 s: the nearest one
    assert middle.sound is not None and middle.sound.waveform[0] == 400.0
    assert last.sound is None  # the sound has ended by then


def test_a_text_is_cut_into_sentences_and_a_picture_is_not_cut() -> None:
    text = Text("One.  Two!\nThree without end")
    assert [piece.text for piece, _ in windows(text) if isinstance(piece, Text)] == [
        "One.",
        "Two!",
        "Three without end",
    ]
    picture = Image(np.zeros((2, 2, 3), np.uint8))
    assert windows(picture) == [(picture, Span(0.0, 0.0))]
