"""Varied sounds: what is taken away is gone, what is kept is there, and the item itself is never touched."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.makers import peak_hz
from unimma.augment import (
    add_noise,
    add_reverb,
    append,
    at_rate,
    band_limit,
    change_gain,
    change_speed,
    change_tempo,
    coloured_noise,
    low_pass,
    mask_spectrogram,
    mix_at,
    overlay,
    shift_pitch,
    shift_time,
    vary_audio,
    vary_audio_more,
)
from unimma.types import Audio

RATE_HZ = 16_000


def tone(hz: float, seconds: float = 1.0, level: float = 1.0) -> np.ndarray:
    times = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    waveform = (level * np.sin(2 * np.pi * hz * times)).astype(np.float32)
    waveform.setflags(write=False)
    return waveform


def level(waveform: np.ndarray, hz: float) -> float:
    """How much of a tone is in a waveform: 1 for a full one."""
    t = np.arange(len(waveform)) / RATE_HZ
    return float(2 * np.abs(np.mean(waveform * np.exp(-2j * np.pi * hz * t))))


def decibels(one: np.ndarray, other: np.ndarray) -> float:
    """How far the power of one lies above that of the other."""
    return float(10 * np.log10(np.mean(np.square(one, dtype=float)) / np.mean(np.square(other, dtype=float))))


def test_a_low_pass_keeps_what_is_below_and_takes_what_is_above() -> None:
    both = low_pass(tone(500) + tone(6_000), RATE_HZ, 2_000)
    assert len(both) == RATE_HZ
    assert level(both, 500) == pytest.approx(1.0, abs=0.02)
    assert level(both, 6_000) < 0.01
    assert level(low_pass(tone(2_000), RATE_HZ, 2_000), 2_000) == pytest.approx(1 / np.sqrt(2), abs=0.02)


def test_a_band_limit_takes_what_is_below_and_above() -> None:
    heard = band_limit(tone(30) + tone(800) + tone(7_000), RATE_HZ, 120, 3_500)
    assert level(heard, 800) == pytest.approx(1.0, abs=0.02)
    assert 20 * np.log10(level(heard, 30)) < -45  # two octaves below the edge, 24 dB each
    assert 20 * np.log10(level(heard, 7_000)) < -45  # one octave above the edge, 48 dB


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 20.0])
def test_noise_comes_at_the_distance_asked_for(snr_db: float) -> None:
    clean = tone(300)
    white = add_noise(clean, snr_db, np.random.default_rng(0)) - clean
    assert decibels(clean, white) == pytest.approx(snr_db, abs=0.2)
    pink = mix_at(clean, coloured_noise(len(clean), 1.0, np.random.default_rng(0)), snr_db) - clean
    assert decibels(clean, pink) == pytest.approx(snr_db, abs=0.05)


@pytest.mark.parametrize(("exponent", "fall_db"), [(0.0, 0.0), (1.0, 3.01), (2.0, 6.02)])
def test_coloured_noise_falls_by_its_colour_with_every_octave(exponent: float, fall_db: float) -> None:
    spectrum = np.abs(np.fft.rfft(coloured_noise(2**17, exponent, np.random.default_rng(1)))) ** 2
    low, high = spectrum[1_000:2_000].mean(), spectrum[8_000:16_000].mean()  # three octaves apart
    assert 10 * np.log10(low / high) / 3 == pytest.approx(fall_db, abs=0.3)


@pytest.mark.parametrize("semitones", [-7.0, -2.0, 3.0, 12.0])
def test_pitch_moves_by_the_semitones_asked_for_and_the_length_stays(semitones: float) -> None:
    shifted = shift_pitch(tone(440, 2.0), semitones)
    assert len(shifted) == 2 * RATE_HZ
    assert 12 * np.log2(peak_hz(shifted, RATE_HZ) / 440) == pytest.approx(semitones, abs=0.1)
    assert decibels(shifted, tone(440, 2.0)) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.37])
def test_speed_takes_the_pitch_along_and_tempo_leaves_it(factor: float) -> None:
    sound = tone(600, 2.0)
    fast, brisk = change_speed(sound, factor), change_tempo(sound, factor)
    assert len(fast) == len(brisk) == round(len(sound) / factor)
    assert peak_hz(fast, RATE_HZ) == pytest.approx(600 * factor, rel=0.005)
    assert peak_hz(brisk, RATE_HZ) == pytest.approx(600, rel=0.005)


def test_speeding_up_folds_nothing_back_into_the_band() -> None:
    assert (
        np.abs(change_speed(tone(7_000), 1.5)[500:-500]).max() < 0.01
    )  # it would lie at 10.5 kHz: above half the rate


def test_time_and_gain_change_only_time_and_gain() -> None:
    sound = tone(440, level=0.25)
    assert np.array_equal(np.roll(shift_time(sound, 300), -300), sound)
    assert decibels(change_gain(sound, 6.0), sound) == pytest.approx(6.0, abs=0.01)
    assert np.abs(change_gain(sound, 60.0)).max() == 1.0


def test_a_room_rings_on_and_is_not_louder() -> None:
    click = np.zeros(RATE_HZ, np.float32)
    click[100] = 0.9
    wet = add_reverb(click, RATE_HZ, 0.4, 0.5, np.random.default_rng(0))
    assert decibels(wet, click) == pytest.approx(0, abs=0.01)
    early, late = (np.mean(np.square(wet[start : start + 800])) for start in (200, 200 + round(0.2 * RATE_HZ)))
    assert 10 * np.log10(early / late) == pytest.approx(30, abs=3)  # 60 dB in 0.4 s


def test_two_sounds_at_once_are_both_heard_at_the_ratio_asked_for() -> None:
    one, other = Audio(tone(400, 1.0, 0.5), RATE_HZ, "a"), Audio(tone(1_500, 1.0, 0.05), RATE_HZ, "b")
    mixed = overlay(one, other, 6.0)
    ratio = level(mixed.waveform, 400) / level(mixed.waveform, 1_500)
    assert 20 * np.log10(ratio) == pytest.approx(6.0, abs=0.1)
    assert np.abs(mixed.waveform).max() <= 1.0
    silence = Audio(np.zeros(10, np.float32), RATE_HZ)
    assert np.array_equal(overlay(silence, one, 0.0).waveform, one.waveform)


def test_two_sounds_in_a_row_keep_their_order_their_rates_and_the_gap() -> None:
    one = Audio(tone(400, 0.5, 0.5), RATE_HZ)
    other = Audio((0.5 * np.sin(2 * np.pi * 1_500 * np.arange(22_050) / 44_100)).astype(np.float32), 44_100)
    joined = append(one, other, 0.25)
    assert joined.duration_s == pytest.approx(1.25)
    assert peak_hz(joined.waveform[: RATE_HZ // 2], RATE_HZ) == pytest.approx(400, rel=0.01)
    assert not joined.waveform[8_000:12_000].any()
    assert peak_hz(joined.waveform[12_000:], RATE_HZ) == pytest.approx(1_500, rel=0.01)
    assert len(at_rate(other, 8_000)) == 4_000


def test_masks_cover_stretches_and_leave_the_rest() -> None:
    log_mel = np.random.default_rng(0).normal(size=(200, 64)).astype(np.float32)
    log_mel.setflags(write=False)
    masked = mask_spectrogram(log_mel, np.random.default_rng(4), num_masks=1, max_time_share=0.5, max_mel_share=0.5)
    changed = masked != log_mel
    frames, bands = changed.mean(axis=1) > 0.9, changed.mean(axis=0) > 0.9
    assert 0 < frames.mean() <= 0.5 and 0 < bands.mean() <= 0.5
    assert np.array_equal(masked[~frames][:, ~bands], log_mel[~frames][:, ~bands])
    assert np.unique(masked[frames]).tolist() == [log_mel.min()]
    assert np.diff(np.flatnonzero(frames)).max() == 1  # in one piece


@pytest.mark.parametrize("vary", [vary_audio, vary_audio_more])
def test_a_varied_sound_is_another_sound_within_range_and_the_same_for_the_same_seed(
    vary: Callable[[Audio, np.random.Generator], Audio],
) -> None:
    sound = Audio(tone(440), RATE_HZ, "a.wav")
    varied = [vary(sound, np.random.default_rng(seed)) for seed in range(8)]
    again = [vary(sound, np.random.default_rng(seed)) for seed in range(8)]
    assert all(np.array_equal(a.waveform, b.waveform) for a, b in zip(varied, again, strict=True))
    assert len({one.waveform.tobytes() for one in varied}) == 8
    for one in varied:
        assert one.waveform.dtype == np.float32
        assert np.abs(one.waveform).max() <= 1.0
        assert 0.8 < len(one.waveform) / len(sound.waveform) < 1.25
        assert (one.rate_hz, one.name) == (RATE_HZ, "a.wav")


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3_000), st.integers(0, 2**32), st.floats(0.0, 1.0), st.sampled_from([8_000, 44_100]))
def test_no_sound_is_too_short_or_too_quiet_to_be_varied(num_samples: int, seed: int, loud: float, rate: int) -> None:
    rng = np.random.default_rng(seed)
    waveform = (loud * rng.uniform(-1, 1, num_samples)).astype(np.float32)
    waveform.setflags(write=False)
    for vary in (vary_audio, vary_audio_more):
        varied = vary(Audio(waveform, rate), rng).waveform
        assert varied.dtype == np.float32 and len(varied) > 0
        assert np.isfinite(varied).all() and np.abs(varied).max() <= 1.0
    for made in (
        change_speed(waveform, 1.3),
        change_tempo(waveform, 0.8),
        shift_pitch(waveform, 2.0),
        band_limit(waveform, rate, 100, 3_000),
        add_reverb(waveform, rate, 0.1, 0.5, rng),
        mix_at(waveform, coloured_noise(num_samples, 2.0, rng), 10.0),
    ):
        assert made.dtype == np.float32 and np.isfinite(made).all() and len(made) > 0


def test_silence_stays_silence() -> None:
    silence = Audio(np.zeros(2_000, np.float32), RATE_HZ)
    assert all(not vary_audio_more(silence, np.random.default_rng(seed)).waveform.any() for seed in range(12))
