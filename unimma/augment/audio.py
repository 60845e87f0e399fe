"""Variations of waveforms and of log-mel spectrograms; two sounds in one sound.

Waveforms are float32 [num_samples], about -1 to 1, one channel; what comes back is a new array of the same kind.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.signal
import torch

from unimma.compat import ensure_torch_extensions
from unimma.types import Audio

ensure_torch_extensions()
from torchaudio import functional as sound  # noqa: E402  (loads beside CPU-only torch after the line above)

FloatArray = npt.NDArray[np.float32]
LOW_PASS_HZ = (2_500.0, 16_000.0)  # sources end anywhere between a telephone and a studio
HIGH_PASS_HZ = (20.0, 300.0)  # where small microphones begin to hear
MIN_GAIN_DB, MAX_GAIN_DB = -12.0, 6.0
MIN_SNR_DB, MAX_SNR_DB = 10.0, 40.0
MAX_SPEED_CHANGE = 0.15
MAX_PITCH_SEMITONES = 2.0
_FFT, _HOP = 1024, 256  # of the phase vocoder; 23 ms at 44.1 kHz tell neighbouring partials apart
_SILENCE = 1e-10  # power below which nothing is heard: -100 dB


def vary_audio(audio: Audio, rng: np.random.Generator) -> Audio:
    """Speed (with pitch), time shift, low-pass at a random edge, gain, and white noise at a random distance."""
    wave = _interpolated(audio.waveform, 1.0 + rng.uniform(-MAX_SPEED_CHANGE, MAX_SPEED_CHANGE))
    wave = np.roll(wave, int(rng.integers(0, len(wave))))
    if rng.random() < 0.6:
        wave = low_pass(wave, audio.rate_hz, np.exp(rng.uniform(*np.log(LOW_PASS_HZ))))
    wave = wave * 10 ** (rng.uniform(MIN_GAIN_DB, MAX_GAIN_DB) / 20)
    if rng.random() < 0.5:
        wave = add_noise(wave, rng.uniform(MIN_SNR_DB, MAX_SNR_DB), rng)
    return Audio(np.clip(wave, -1, 1).astype(np.float32), audio.rate_hz, audio.name)


def vary_audio_more(audio: Audio, rng: np.random.Generator) -> Audio:
    """What `vary_audio` does, and pitch or tempo alone, a band instead of a low-pass, coloured noise and a room.

    At most one of speed, pitch and tempo is changed: together they sound like damage, not like another recording.
    """
    wave, rate_hz = audio.waveform, audio.rate_hz
    kind = rng.random()
    if kind < 0.5:
        wave = change_speed(wave, 1.0 + rng.uniform(-MAX_SPEED_CHANGE, MAX_SPEED_CHANGE))
    elif kind < 0.65:
        wave = shift_pitch(wave, rng.uniform(-MAX_PITCH_SEMITONES, MAX_PITCH_SEMITONES))
    elif kind < 0.8:
        wave = change_tempo(wave, 1.0 + rng.uniform(-MAX_SPEED_CHANGE, MAX_SPEED_CHANGE))
    wave = shift_time(wave, int(rng.integers(0, max(1, len(wave)))))
    if rng.random() < 0.2:
        wave = add_reverb(wave, rate_hz, rng.uniform(0.2, 0.8), rng.uniform(0.1, 0.4), rng)
    if rng.random() < 0.6:
        low_hz, high_hz = (np.exp(rng.uniform(*np.log(edges))) for edges in (HIGH_PASS_HZ, LOW_PASS_HZ))
        wave = band_limit(wave, rate_hz, low_hz, high_hz)
    if rng.random() < 0.5:
        noise = coloured_noise(len(wave), rng.uniform(0.0, 2.0), rng)
        wave = mix_at(wave, noise, rng.uniform(MIN_SNR_DB, MAX_SNR_DB))
    return Audio(change_gain(wave, rng.uniform(MIN_GAIN_DB, MAX_GAIN_DB)), rate_hz, audio.name)


def low_pass(waveform: FloatArray, rate_hz: int, edge_hz: float) -> FloatArray:
    """float32 [n] without what lies above `edge_hz`: Butterworth magnitude of order 8, no phase shift, same length."""
    return _weighted(waveform, rate_hz, lambda hz: 1 / np.sqrt(1 + (hz / edge_hz) ** 16))


def band_limit(waveform: FloatArray, rate_hz: int, low_hz: float, high_hz: float) -> FloatArray:
    """Without what lies below `low_hz` and above `high_hz`: 24 and 48 dB an octave, no phase shift, same length."""
    passed = _weighted(waveform, rate_hz, lambda hz: (hz / low_hz) ** 4 / np.sqrt(1 + (hz / low_hz) ** 8))
    return low_pass(passed, rate_hz, high_hz)


def _weighted(
    waveform: FloatArray, rate_hz: int, gain: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
) -> FloatArray:
    size = scipy.fft.next_fast_len(len(waveform), real=True)
    weights = gain(scipy.fft.rfftfreq(size, 1 / rate_hz)).astype(np.float32)
    passed: FloatArray = scipy.fft.irfft(scipy.fft.rfft(waveform, size) * weights, size)[: len(waveform)]
    return passed


def add_noise(waveform: FloatArray, snr_db: float, rng: np.random.Generator) -> FloatArray:
    """float32 [n] with white noise `snr_db` below the power of the waveform."""
    power = float(np.mean(np.square(waveform, dtype=np.float64)))
    noise = rng.standard_normal(len(waveform), dtype=np.float32)
    return waveform + noise * np.float32(np.sqrt(power * 10 ** (-snr_db / 10)))


def coloured_noise(num_samples: int, exponent: float, rng: np.random.Generator) -> FloatArray:
    """Noise of mean power 1 whose power falls with frequency to the `exponent`: 0 white, 1 pink (rain), 2 brown (wind).

    Source: spectral shaping as in Timmer and König 1995, Astronomy and Astrophysics 300, 707.
    """
    if num_samples < 2:
        return np.ones(num_samples, np.float32)
    size = scipy.fft.next_fast_len(num_samples, real=True)
    spectrum = scipy.fft.rfft(rng.standard_normal(size))
    ranks = np.arange(len(spectrum), dtype=np.float64)
    ranks[0] = np.inf if exponent else 1.0  # no power where it would be without end
    noise = scipy.fft.irfft(spectrum * ranks ** (-exponent / 2), size)[:num_samples]
    return _with_power(noise, 1.0)


def mix_at(waveform: FloatArray, other: FloatArray, snr_db: float) -> FloatArray:
    """`waveform` plus `other` (the same length) `snr_db` below it in mean power; beside silence nothing is added."""
    power, other_power = _power(waveform), _power(other)
    if power < _SILENCE or other_power < _SILENCE:
        return waveform.copy()
    return waveform + other * np.float32(np.sqrt(power / other_power * 10 ** (-snr_db / 10)))


def change_gain(waveform: FloatArray, gain_db: float) -> FloatArray:
    """Louder or quieter, cut off at -1 and 1 as a recorder does."""
    return np.asarray(np.clip(waveform * np.float32(10 ** (gain_db / 20)), -1, 1))


def shift_time(waveform: FloatArray, num_samples: int) -> FloatArray:
    """Begins `num_samples` later; what is pushed over the end comes at the start."""
    return np.roll(waveform, num_samples)


def change_speed(waveform: FloatArray, factor: float) -> FloatArray:
    """Played `factor` times as fast, pitch and all: [n] → [round(n / factor)], band-limited.

    Source: speed perturbation, Ko et al. 2015, "Audio augmentation for speech recognition", Interspeech.
    """
    return _resampled(waveform, max(1, round(len(waveform) / factor)))


def change_tempo(waveform: FloatArray, factor: float) -> FloatArray:
    """`factor` times as fast at the same pitch: [n] → [round(n / factor)], by torchaudio's phase vocoder.

    What the vocoder takes in power (noise loses 3 dB: its phases no longer fit together) is given back.
    """
    wanted = max(1, round(len(waveform) / factor))
    if len(waveform) < _FFT:  # shorter than what it takes to tell a pitch
        return _resampled(waveform, wanted)
    wave, window = torch.tensor(waveform), torch.hann_window(_FFT)
    # zeros beyond the ends: a mirrored tone would start with phases that put it out for good
    spectrum = torch.stft(wave, _FFT, _HOP, window=window, pad_mode="constant", return_complex=True)
    advance = torch.linspace(0, np.pi * _HOP, _FFT // 2 + 1)[:, None]
    stretched = sound.phase_vocoder(spectrum, factor, advance)
    return _with_power(torch.istft(stretched, _FFT, _HOP, window=window, length=wanted).numpy(), _power(waveform))


def shift_pitch(waveform: FloatArray, semitones: float) -> FloatArray:
    """Higher by `semitones` (lower where negative), same length."""
    slower = change_tempo(waveform, 2 ** (-semitones / 12))
    return _resampled(slower, len(waveform))


def add_reverb(
    waveform: FloatArray, rate_hz: int, decay_s: float, share: float, rng: np.random.Generator
) -> FloatArray:
    """In a room: `share` of the power is an echo that falls by 60 dB in `decay_s`; power and length stay.

    Source: noise with an exponential decay as the room's response, Moorer 1979, Computer Music Journal 3(2).
    """
    times = np.arange(max(1, round(decay_s * rate_hz))) / rate_hz
    response = rng.standard_normal(len(times)) * 10 ** (-3 * times / decay_s)
    echo = scipy.signal.fftconvolve(waveform, response)[: len(waveform)]
    power = _power(waveform)
    wet = waveform * np.sqrt(1 - share) + _with_power(echo, share * power)
    return _with_power(wet, power)


def mask_spectrogram(
    log_mel: FloatArray,
    rng: np.random.Generator,
    *,
    num_masks: int = 2,
    max_time_share: float = 0.2,
    max_mel_share: float = 0.2,
) -> FloatArray:
    """A log-mel spectrogram [frames, mels] with `num_masks` stretches of time and bands of pitch at its lowest value.

    torchaudio's masks draw from torch's global generator; these draw from `rng` alone.

    Source: SpecAugment, Park et al. 2019, arXiv 1904.08779, without its time warp (which it found to matter least).
    """
    masked, lowest = log_mel.copy(), log_mel.min(initial=0.0)
    for axis, max_share in ((0, max_time_share), (1, max_mel_share)):
        length = log_mel.shape[axis]
        for _ in range(num_masks):
            width = int(rng.integers(0, int(max_share * length) + 1))
            start = int(rng.integers(0, length - width + 1))
            np.moveaxis(masked, axis, 0)[start : start + width] = lowest
    return masked


def overlay(first: Audio, second: Audio, ratio_db: float) -> Audio:
    """Both at once, the first `ratio_db` louder, at the first one's rate, as long as the longer; at most -1 to 1."""
    wave, other = first.waveform, at_rate(second, first.rate_hz)
    length = max(len(wave), len(other))
    wave, other = (np.pad(each, (0, length - len(each))) for each in (wave, other))
    if _power(wave) < _SILENCE:
        return Audio(other, first.rate_hz, first.name)
    return Audio(_within_one(mix_at(wave, other, ratio_db)), first.rate_hz, first.name)


def append(first: Audio, second: Audio, gap_s: float = 0.0) -> Audio:
    """One after the other at the first one's rate, with silence of `gap_s` between them."""
    gap = np.zeros(round(gap_s * first.rate_hz), np.float32)
    joined = np.concatenate([first.waveform, gap, at_rate(second, first.rate_hz)])
    return Audio(_within_one(joined), first.rate_hz, first.name)


def at_rate(audio: Audio, rate_hz: int) -> FloatArray:
    """The waveform at another rate, band-limited."""
    if audio.rate_hz == rate_hz:
        return audio.waveform
    return _resampled(audio.waveform, max(1, round(len(audio.waveform) * rate_hz / audio.rate_hz)))


def _interpolated(waveform: FloatArray, factor: float) -> FloatArray:
    """Speed by straight lines between samples: what `vary_audio` has always done, and stored features rest on it."""
    positions = np.arange(0, len(waveform) - 1, factor)
    return np.interp(positions, np.arange(len(waveform)), waveform).astype(np.float32) if len(positions) else waveform


def _resampled(waveform: FloatArray, length: int) -> FloatArray:
    """[n] → [length], any ratio, by the Fourier transform; torchaudio's kernel is as long as the ratio is crooked."""
    if len(waveform) == 0 or length == len(waveform):
        return waveform.copy()
    return np.asarray(scipy.signal.resample(waveform, length), np.float32)


def _power(waveform: npt.NDArray[np.floating]) -> float:
    return float(np.mean(np.square(waveform, dtype=np.float64))) if len(waveform) else 0.0


def _with_power(waveform: npt.NDArray[np.floating], power: float) -> FloatArray:
    """Louder or quieter so that its mean power is `power`; silence stays silence."""
    now = _power(waveform)
    return np.asarray(waveform * np.sqrt(power / now if now > _SILENCE else 1.0), np.float32)


def _within_one(waveform: FloatArray) -> FloatArray:
    """Quieter as a whole where it would be cut off."""
    return waveform / np.float32(max(1.0, float(np.abs(waveform).max(initial=0.0))))
