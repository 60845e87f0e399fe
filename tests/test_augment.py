"""Variations: what they take away is gone, what they keep is there, and the item itself is never touched."""

import numpy as np
import pytest

from unimma.augment import add_noise, low_pass, vary_audio, vary_image
from unimma.types import Audio, Image

RATE_HZ = 16_000


def tone(hz: float, seconds: float = 1.0) -> np.ndarray:
    waveform = np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ).astype(np.float32)
    waveform.setflags(write=False)
    return waveform


def level(waveform: np.ndarray, hz: float) -> float:
    """How much of a tone is in a waveform: 1 for a full one."""
    t = np.arange(len(waveform)) / RATE_HZ
    return float(2 * np.abs(np.mean(waveform * np.exp(-2j * np.pi * hz * t))))


def test_a_low_pass_keeps_what_is_below_and_takes_what_is_above() -> None:
    both = low_pass(tone(500) + tone(6_000), RATE_HZ, 2_000)
    assert len(both) == RATE_HZ
    assert level(both, 500) == pytest.approx(1.0, abs=0.02)
    assert level(both, 6_000) < 0.01
    assert level(low_pass(tone(2_000), RATE_HZ, 2_000), 2_000) == pytest.approx(1 / np.sqrt(2), abs=0.02)


def test_noise_comes_at_the_distance_asked_for() -> None:
    clean = tone(300)
    noise = add_noise(clean, 20.0, np.random.default_rng(0)) - clean
    assert 10 * np.log10(np.mean(clean**2) / np.mean(noise**2)) == pytest.approx(20.0, abs=0.2)


def test_a_varied_sound_is_another_sound_within_range_and_the_same_for_the_same_seed() -> None:
    sound = Audio(tone(440), RATE_HZ, "a.wav")
    one, again, other = (vary_audio(sound, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.waveform, again.waveform)
    assert len(one.waveform) != len(other.waveform)  # another speed
    assert one.waveform.dtype == np.float32
    assert np.abs(one.waveform).max() <= 1.0
    assert 0.8 < len(one.waveform) / len(sound.waveform) < 1.25
    assert (one.rate_hz, one.name) == (RATE_HZ, "a.wav")


def test_a_varied_picture_still_shows_most_of_it() -> None:
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[:, :, 0] = 200
    pixels.setflags(write=False)
    seen = {vary_image(Image(pixels), np.random.default_rng(seed)).pixels.shape for seed in range(12)}
    assert len(seen) > 3
    varied = vary_image(Image(pixels), np.random.default_rng(0)).pixels
    assert varied.dtype == np.uint8
    assert varied[:, :, 0].mean() > 3 * varied[:, :, 1].mean()  # red stays red
