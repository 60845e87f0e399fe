"""Building blocks of sound: coloured noise, filters, voices, struck things, rooms, loudness. All vectorised."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import fft, signal

Signal = npt.NDArray[np.float32]
Formants = Sequence[tuple[float, float, float]]  # centre in Hz, bandwidth in Hz, level in dB

TARGET_RMS = 0.126  # -18 dBFS over the parts that sound: near -16 LUFS for broadband sounds
PEAK = 0.95


class Synth:
    """Everything that a sound of one length, rate and random stream is made from.

    Attributes:
        rng: the stream of random numbers.
        rate: samples a second.
        n: samples of the whole sound.
        t: float32 [n], seconds.
    """

    def __init__(self, rng: np.random.Generator, duration_s: float, rate_hz: int) -> None:
        self.rng = rng
        self.rate = rate_hz
        self.duration_s = duration_s
        self.n = round(duration_s * rate_hz)
        self.t = (np.arange(self.n) / rate_hz).astype(np.float32)

    def silence(self) -> Signal:
        """float32 [n] of zeros, to place things into."""
        return np.zeros(self.n, np.float32)

    def time(self, seconds: float) -> Signal:
        """A time axis of its own for a part of the sound."""
        return (np.arange(max(int(seconds * self.rate), 1)) / self.rate).astype(np.float32)

    def white(self, seconds: float | None = None) -> Signal:
        """White noise of unit variance."""
        n = self.n if seconds is None else max(int(seconds * self.rate), 1)
        return self.rng.standard_normal(n, dtype=np.float32)

    def noise(self, tilt_db: float, low: float = 20.0, high: float = 18_000.0, seconds: float | None = None) -> Signal:
        """Noise that falls by `tilt_db` an octave between two soft edges (Hz); unit variance. Pink is -3, brown -6."""
        x = self.white(seconds)
        size = fft.next_fast_len(len(x), real=True)
        f = fft.rfftfreq(size, 1 / self.rate).astype(np.float32) + 1.0
        gain = f ** np.float32(tilt_db / 6.02)
        gain /= np.sqrt((1 + (low / f) ** 4) * (1 + (f / high) ** 4))
        return _unit(fft.irfft(fft.rfft(x, size) * gain, size)[: len(x)])

    def band(self, x: Signal, low: float, high: float, order: int = 2) -> Signal:
        """Butterworth band-pass; `low` 0 makes it a low-pass."""
        high = min(high, 0.48 * self.rate)
        if low <= 0.0:
            sos = signal.butter(order, high, "lowpass", fs=self.rate, output="sos")
        else:
            sos = signal.butter(order, [min(low, 0.8 * high), high], "bandpass", fs=self.rate, output="sos")
        filtered: Signal = signal.sosfilt(sos.astype(np.float32), x)
        return filtered

    def formants(self, x: Signal, peaks: Formants, floor_db: float = -45.0) -> Signal:
        """Shape a spectrum by resonances, as a throat and mouth do."""
        size = fft.next_fast_len(len(x), real=True)
        f = fft.rfftfreq(size, 1 / self.rate).astype(np.float32)
        gain = np.full(len(f), 10 ** (floor_db / 20), np.float32)
        for centre, width, level in peaks:
            gain += np.float32(10 ** (level / 20)) / (1 + ((f - centre) / (width / 2)) ** 2)
        shaped: Signal = fft.irfft(fft.rfft(x, size) * gain, size)[: len(x)]
        return shaped

    def wander(self, per_second: float, low: float = 0.0, high: float = 1.0, seconds: float | None = None) -> Signal:
        """A smooth random curve between two values with about `per_second` turns a second."""
        n = self.n if seconds is None else max(int(seconds * self.rate), 1)
        knots = max(int(n / self.rate * per_second) + 3, 4)
        values = self.rng.uniform(low, high, knots)
        at = np.linspace(0, knots - 1.001, n, dtype=np.float32)
        i, u = at.astype(int), at % 1.0
        u = u * u * (3 - 2 * u)
        curve: Signal = (values[i] * (1 - u) + values[i + 1] * u).astype(np.float32)
        return curve

    def phase(self, hz: npt.NDArray[np.floating] | float, n: int | None = None) -> Signal:
        """The phase (radians, wrapped to 2 pi) of an oscillator that follows a frequency curve."""
        curve = np.full(n or self.n, hz) if np.isscalar(hz) else np.asarray(hz, dtype=np.float64)
        return (np.cumsum(curve / self.rate) % 1.0 * 2 * np.pi).astype(np.float32)

    def pulses(self, hz: npt.NDArray[np.floating], sharpness: float | npt.NDArray[np.floating]) -> Signal:
        """Rounded pulses, exp(k (cos - 1)): as rich as a vocal fold's, and free of aliasing. Mean taken out."""
        x = np.exp(np.float32(1.0) * sharpness * (np.cos(self.phase(hz)) - 1)).astype(np.float32)
        centred: Signal = x - signal.lfilter([0.002], [1, -0.998], x).astype(np.float32)
        return centred

    def modes(self, hz: Sequence[float], decay_s: Sequence[float], gain: Sequence[float], seconds: float) -> Signal:
        """A struck thing: sine partials that die away, each after its own time (seconds to -60 dB)."""
        t, out = self.time(seconds), np.zeros(max(int(seconds * self.rate), 1), np.float32)
        for f, d, g in zip(hz, decay_s, gain, strict=True):
            if f < 0.46 * self.rate:
                out += np.float32(g) * np.sin(np.float32(2 * np.pi * f) * t) * np.exp(np.float32(-6.9 / d) * t)
        out[: min(30, len(out))] *= np.linspace(0, 1, min(30, len(out)), dtype=np.float32)
        return out

    def place(self, out: Signal, part: Signal, at_s: float, gain: float = 1.0) -> None:
        """Add a part into `out`, starting at `at_s` (seconds; may hang over either end)."""
        start = round(at_s * self.rate)
        skip = max(-start, 0)
        end = min(start + len(part), len(out))
        if end > max(start, 0):
            out[max(start, 0) : end] += np.float32(gain) * part[skip : end - start]

    def grains(
        self, out: Signal, part: Signal, times_s: npt.NDArray[np.floating], gains: npt.NDArray[np.floating]
    ) -> None:
        """Add one short part at very many times at once (an impulse train, convolved)."""
        at = (np.asarray(times_s) * self.rate).astype(int)
        keep = (at >= 0) & (at < len(out))
        train = np.zeros(len(out), np.float32)
        np.add.at(train, at[keep], np.asarray(gains)[keep].astype(np.float32))
        out += signal.oaconvolve(train, part)[: len(out)]

    def room(self, x: Signal, seconds: float, wet: float, dark_hz: float = 5_000.0) -> Signal:
        """Let it sound in a room: a decaying noise tail, darker with time, mixed in by `wet` (energy ratio)."""
        t = self.time(seconds)
        tail = self.band(self.white(seconds), 120.0, dark_hz, 1) * np.exp(np.float32(-6.9 / seconds) * t)
        tail *= np.float32(wet) / np.sqrt(np.sum(tail**2))
        size = fft.next_fast_len(len(x) + len(tail), real=True)
        echo = fft.irfft(fft.rfft(x, size) * fft.rfft(tail, size), size)[: len(x)]
        heard: Signal = x + echo
        return heard


def bump(t: npt.NDArray[np.floating], attack_s: float, decay_s: float) -> Signal:
    """An envelope that rises over `attack_s` and dies away exponentially (seconds to -60 dB)."""
    rise = np.clip(t / max(attack_s, 1e-4), 0.0, 1.0)
    env: Signal = (rise * rise * (3 - 2 * rise) * np.exp(-6.9 / decay_s * np.maximum(t - attack_s, 0.0))).astype(
        np.float32
    )
    return env


def arch(n: int, rise: float = 0.1, fall: float = 0.2) -> Signal:
    """An envelope of n samples: a soft rise over the first share, level, a soft fall over the last share."""
    u = np.linspace(0.0, 1.0, n, dtype=np.float32)
    edge = np.minimum(np.clip(u / rise, 0, 1), np.clip((1 - u) / fall, 0, 1))
    env: Signal = edge * edge * (3 - 2 * edge)
    return env


def bend(n: int, *knots: tuple[float, float]) -> Signal:
    """A curve of n samples through (share of the length, value) knots, smooth at each knot."""
    at, values = np.array(knots).T
    u = np.linspace(0.0, 1.0, n)
    i = np.clip(np.searchsorted(at, u, side="right") - 1, 0, len(at) - 2)
    s = np.clip((u - at[i]) / np.maximum(at[i + 1] - at[i], 1e-9), 0, 1)
    s = s * s * (3 - 2 * s)
    curve: Signal = (values[i] * (1 - s) + values[i + 1] * s).astype(np.float32)
    return curve


def _unit(x: Signal) -> Signal:
    scaled: Signal = x / np.float32(np.sqrt(np.mean(x * x)) + 1e-9)
    return scaled


def finish(x: npt.NDArray[np.floating], rate_hz: int) -> Signal:
    """Bring a sound to the common loudness, round off its peaks, fade its ends: float32 [n], within -PEAK to PEAK."""
    y = np.asarray(x, np.float32)
    y = y - y.mean()
    block = rate_hz // 20
    power = np.mean(y[: len(y) // block * block].reshape(-1, block) ** 2, axis=1) if len(y) >= block else np.mean(y**2)
    loud = np.atleast_1d(power)
    loud = loud[loud > loud.max() * 0.01]  # only what sounds: pauses between barks do not make the barks louder
    y = y * np.float32(TARGET_RMS / np.sqrt(loud.mean() + 1e-12))
    y = np.float32(PEAK) * np.tanh(y / np.float32(PEAK))
    fade_in, fade_out = min(rate_hz // 25, len(y)), min(rate_hz // 3, len(y) // 4)
    y[:fade_in] *= np.linspace(0, 1, fade_in, dtype=np.float32) ** 2
    if fade_out:
        y[-fade_out:] *= np.linspace(1, 0, fade_out, dtype=np.float32) ** 2
    finished: Signal = y.astype(np.float32)
    return finished
