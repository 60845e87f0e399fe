"""Stills in motion: what moves is measured in the frames, and the words say what was measured."""

import numpy as np
import pytest

from unimma.augment import MOTIONS, set_in_motion
from unimma.types import Video

SIZE = (160, 120)
RED = np.full((40, 40, 3), (220, 20, 20), np.uint8)
GREEN = np.full((90, 120, 3), (20, 160, 40), np.uint8)
MOVES = [name for name, motion in MOTIONS.items() if not motion.of_camera]


def clip(name: str, still: np.ndarray, background: np.ndarray | None, seed: int = 0) -> Video:
    return set_in_motion(
        still, background, MOTIONS[name], np.random.default_rng(seed), num_frames=6, duration_s=3.0, size=SIZE
    )


def red(video: Video) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each frame: where the middle of what is red lies (x, y), and how many pixels there are of it."""
    found = [np.argwhere(frame[:, :, 0].astype(int) > frame[:, :, 1].astype(int) + 60) for frame in video.frames]
    middles = np.array([where.mean(axis=0) for where in found])
    return middles[:, 1], middles[:, 0], np.array([len(where) for where in found])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", MOVES)
def test_what_moves_does_what_its_words_say(name: str, seed: int) -> None:
    x, y, size = red(clip(name, RED, GREEN, seed))
    moved = {"right": x[-1] - x[0], "down": y[-1] - y[0], "growth": size[-1] / size[0]}
    expected = {
        "to the right": ("right", 1),
        "to the left": ("right", -1),
        "down": ("down", 1),
        "up": ("down", -1),
    }
    if name in expected:
        along, sign = expected.pop(name)
        assert sign * moved[along] > 50
        assert (sign * np.diff(x if along == "right" else y) > 0).all()
        assert abs(moved["down" if along == "right" else "right"]) < 8
    elif name in ("closer", "away"):
        assert (np.diff(size) > 0).all() if name == "closer" else (np.diff(size) < 0).all()
        assert moved["growth"] > 3 or moved["growth"] < 1 / 3
    else:
        assert np.hypot(moved["right"], moved["down"]) < 4  # it turns in place: see below


@pytest.mark.parametrize(("name", "first_turn"), [("clockwise", 1), ("counterclockwise", -1)])
def test_turning_is_in_the_direction_said(name: str, first_turn: int) -> None:
    arrow = RED.copy()
    arrow[20:] = (20, 20, 220)  # red above, blue below: the red half tells where it points
    x, y, _ = red(clip(name, arrow, GREEN))
    angles = np.unwrap(np.arctan2(y - 60, x - 80))  # y grows downwards, so a rising angle turns clockwise
    assert (first_turn * np.diff(angles) > 0).all()
    assert abs(angles[-1] - angles[0]) == pytest.approx(np.radians(300), abs=0.5)


def marked() -> np.ndarray:
    """A green picture with a red square in its middle."""
    still = np.full((240, 320, 3), (20, 160, 40), np.uint8)
    still[100:140, 140:180] = (220, 20, 20)
    return still


@pytest.mark.parametrize("name", [name for name, motion in MOTIONS.items() if motion.of_camera])
def test_a_camera_does_what_its_words_say(name: str) -> None:
    x, y, size = red(clip(name, marked(), None))
    right, down, growth = x[-1] - x[0], y[-1] - y[0], size[-1] / size[0]
    expected = {
        "pan right": (-1, 0),
        "pan left": (1, 0),
        "tilt down": (0, -1),
        "tilt up": (0, 1),
    }  # the picture goes back
    if name in expected:
        assert (np.sign(round(right / 20)), np.sign(round(down / 20))) == expected[name]
        assert growth == pytest.approx(1, abs=0.3)
    elif name == "hold":
        assert abs(right) < 1 and abs(down) < 1 and growth == 1
    else:
        assert growth > 3 if name == "zoom in" else growth < 1 / 3


@pytest.mark.parametrize("name", sorted(MOTIONS))
def test_a_motion_is_told_and_its_partner_is_the_way_back(name: str) -> None:
    motion = MOTIONS[name]
    assert all(sentence.count("{}") == 1 for sentence in (*motion.sentences, motion.label))
    back = MOTIONS[motion.backwards]
    assert (back.first, back.last, back.of_camera) in (
        (motion.last, motion.first, motion.of_camera),
        (motion.first, tuple(-value if i == 3 else value for i, value in enumerate(motion.last)), motion.of_camera),
    )
    assert back.backwards == name
    assert name == "hold" or not set(back.sentences) & set(motion.sentences)


def test_a_clip_is_whole_and_the_same_for_the_same_seed() -> None:
    one, again, other = (clip("down", RED, GREEN, seed) for seed in (4, 4, 5))
    assert one.frames.shape == (6, 120, 160, 3) and one.frames.dtype == np.uint8
    assert one.times.tolist() == pytest.approx([0.25, 0.75, 1.25, 1.75, 2.25, 2.75]) and one.duration_s == 3.0
    assert np.array_equal(one.frames, again.frames)
    assert not np.array_equal(one.frames, other.frames)
    assert len(np.unique(one.frames.reshape(6, -1), axis=0)) == 6


@pytest.mark.parametrize("name", sorted(MOTIONS))
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (64, 64)])
def test_stills_of_any_form_can_move(name: str, shape: tuple[int, int]) -> None:
    still = np.full((*shape, 3), 90, np.uint8)
    still.setflags(write=False)
    made = clip(name, still, None if MOTIONS[name].of_camera else still)
    assert made.frames.shape == (6, 120, 160, 3)
