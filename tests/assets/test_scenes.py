"""Every scene can be drawn, heard and told, the same by the same seed and another by another."""

from itertools import chain, islice, pairwise

import numpy as np
import pytest

from assets.scenes import SCENES, Scene

SMALL = (160, 120)
every_scene = pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)


def test_there_are_at_least_24_scenes_with_names_of_their_own() -> None:
    assert len({scene.name for scene in SCENES}) == len(SCENES) >= 24


def test_every_scene_is_told_in_five_or_more_sentences_and_none_is_said_twice() -> None:
    assert all(len(scene.sentences) >= 5 for scene in SCENES)
    sentences = [sentence.lower().rstrip(".") for sentence in chain(*(scene.sentences for scene in SCENES))]
    assert len(set(sentences)) == len(sentences)


@every_scene
def test_a_picture_is_rgb_repeats_by_seed_and_varies_with_it(scene: Scene) -> None:
    first, again, other = (scene.picture(seed, SMALL) for seed in (3, 3, 4))
    assert first.shape == (120, 160, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert np.mean(first != other) > 0.3
    assert first.std() > 15  # something is there to be seen


@every_scene
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_a_sound_is_as_long_as_asked_loud_enough_and_never_clipped(scene: Scene, rate_hz: int) -> None:
    sound = scene.sound(5, 4.0, rate_hz)
    assert sound.shape == (4 * rate_hz,)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() < 0.96
    assert 0.015 < np.sqrt(np.mean(sound.astype(np.float64) ** 2)) < 0.2
    assert abs(float(sound.mean())) < 0.01


@every_scene
def test_a_sound_repeats_by_seed_and_varies_with_it(scene: Scene) -> None:
    first, again, other = (scene.sound(seed, 2.0, 16_000) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other, atol=1e-3)


@every_scene
def test_a_clip_moves_and_brings_its_sound(scene: Scene) -> None:
    frames, sound = scene.clip(6, duration_s=2.0, fps=5, size=SMALL)
    shown = list(frames)
    assert len(shown) == 10
    assert all(frame.shape == (120, 160, 3) and frame.dtype == np.uint8 for frame in shown)
    assert any(not np.array_equal(a, b) for a, b in pairwise(shown))
    assert sound.shape == (88_200,)
    assert np.abs(sound).max() > 0.02


@every_scene
def test_a_clip_repeats_by_seed_and_shows_one_world(scene: Scene) -> None:
    once, twice = (list(islice(scene.clip(8, 1.0, 4, SMALL)[0], 3)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(once, twice, strict=True))
    assert np.mean(np.abs(once[0].astype(int) - once[1].astype(int)) > 60) < 0.35  # no frame is another world
