"""What a scene is: a name, sentences, and two functions that draw and synthesise it, any number of times."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.scenes.canvas import Canvas
from assets.scenes.synth import Synth, finish

Rng = np.random.Generator
Cues = npt.NDArray[np.float64]
Waveform = npt.NDArray[np.float32]
Frame = npt.NDArray[np.uint8]


def no_cues(rng: Rng, duration_s: float) -> Cues:
    """Nothing that must be seen and heard at once."""
    return np.zeros(0)


@dataclass(frozen=True)
class Scene:
    """One recognisable thing that can be seen, heard and told. The same seed gives the same media, bit for bit.

    Attributes:
        name: e.g. "rain on a window"; unique.
        sentences: five or more; the first two are shipped with the starter gallery.
        draw: (canvas, rng, t, cues) draws the moment t (seconds). It must take the same random numbers at every t,
            so that a clip's frames show one world.
        synthesise: (synth, cues) gives float [synth.n], any loudness.
        cues: (rng, duration_s) gives the times (seconds, rising) of what is seen and heard at once: barks, strokes.
        still_s: a still shows the moment this long after the first cue.
    """

    name: str
    sentences: tuple[str, ...]
    draw: Callable[[Canvas, Rng, float, Cues], None]
    synthesise: Callable[[Synth, Cues], npt.NDArray[np.floating]]
    cues: Callable[[Rng, float], Cues] = no_cues
    still_s: float = 0.1

    def picture(self, seed: int, size: tuple[int, int] = (512, 384)) -> Frame:
        """A still: uint8 [height, width, 3]; `size` is (width, height)."""
        cues = self.cues(self._rng(seed, "cues"), 6.0)
        t = cues[0] + self.still_s if len(cues) else self._rng(seed, "still").uniform(0.5, 3.5)
        return self._frame(seed, float(t), cues, size)

    def sound(self, seed: int, duration_s: float = 6.0, rate_hz: int = 44_100) -> Waveform:
        """A sound: float32 [duration_s * rate_hz], within -1 to 1, evenly loud over all scenes."""
        return self._sound(seed, duration_s, rate_hz, self.cues(self._rng(seed, "cues"), duration_s))

    def clip(
        self, seed: int, duration_s: float = 4.0, fps: int = 15, size: tuple[int, int] = (426, 320)
    ) -> tuple[Iterator[Frame], Waveform]:
        """Frames, uint8 [height, width, 3] each, drawn as they are asked for, and their sound at 44.1 kHz."""
        cues = self.cues(self._rng(seed, "cues"), duration_s)
        frames = (self._frame(seed, i / fps, cues, size) for i in range(round(duration_s * fps)))
        return frames, self._sound(seed, duration_s, 44_100, cues)

    def _rng(self, seed: int, purpose: str) -> Rng:
        return np.random.default_rng([seed, zlib.crc32(f"{self.name}/{purpose}".encode())])

    def _frame(self, seed: int, t: float, cues: Cues, size: tuple[int, int]) -> Frame:
        camera = self._rng(seed, "camera")
        canvas = Canvas(
            size,
            zoom=float(camera.uniform(1.0, 1.16)),
            centre=(float(camera.uniform(0.2, 0.8)), float(camera.uniform(0.3, 0.7))),
            mirrored=bool(camera.random() < 0.5),
        )
        self.draw(canvas, self._rng(seed, "look"), t, cues)
        return canvas.pixels()

    def _sound(self, seed: int, duration_s: float, rate_hz: int, cues: Cues) -> Waveform:
        synth = Synth(self._rng(seed, "sound"), duration_s, rate_hz)
        return finish(self.synthesise(synth, cues), rate_hz)


def since(cues: Cues, t: float) -> float:
    """Seconds from the latest cue to t; infinite before the first."""
    past = cues[cues <= t]
    return float(t - past[-1]) if len(past) else float("inf")


def regular(
    first: tuple[float, float], period: tuple[float, float], jitter: float = 0.0
) -> Callable[[Rng, float], Cues]:
    """Cues that start somewhere in `first` and come every `period` seconds (drawn once), each off by up to `jitter`."""

    def cues(rng: Rng, duration_s: float) -> Cues:
        start, step = rng.uniform(*first), rng.uniform(*period)
        times = np.arange(start, max(duration_s, start + 0.01), step)
        return np.sort(times + rng.uniform(0.0, 1.0, len(times)) * jitter * step)

    return cues
