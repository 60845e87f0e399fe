"""A toy model with the surface of `unimma.model.UniMMA`: no weights, no torch, and "red" finds the red picture.

The space has five axes with a meaning (red, green, blue, low, high), one axis a modality, so that the modalities lie
apart as they do in a trained space, and ten axes for all other words. Everything is deterministic over processes.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unimma.errors import ModelError
from unimma.media import decode
from unimma.types import Audio, Decoded, Image, Modality, Text, Video
from unimma.windows import windows

FloatArray = npt.NDArray[np.float32]
CONCEPTS = ("red", "green", "blue", "low", "high")
_MODALITIES = tuple(Modality)
_WORDS_FROM = len(CONCEPTS) + len(_MODALITIES)
DIM = _WORDS_FROM + 10


class ToyModel:
    """Colours by their mean, sounds by their spectral centroid (below or above 1 kHz), words by name or hash.

    Args:
        fingerprint: stands for the weights; two toys with different ones count as different models.
        modalities: what it can embed; a decoded item of another modality is a ModelError.
    """

    def __init__(
        self,
        name: str = "toy",
        fingerprint: str = "70970970abcd",
        modalities: frozenset[Modality] = frozenset(Modality),
    ) -> None:
        self.name, self.fingerprint, self.modalities = name, fingerprint, modalities
        self.dim = DIM
        self.card = f"# {name}\n\nA toy for tests: colours, pitches and words.\n"
        self.metrics: Mapping[str, object] = {"model": name, "fingerprint": fingerprint, "split": "val", "sets": {}}

    def embed(self, items: Sequence[str | Path | bytes | Decoded]) -> FloatArray:
        """float32 [n, DIM], rows of unit length."""
        return np.stack([self._embed_one(item) for item in items]) if items else np.zeros((0, DIM), np.float32)

    def embed_sequence(self, item: str | Path | bytes | Decoded) -> tuple[FloatArray, npt.NDArray[np.float64]]:
        """float32 [T, DIM], and float64 [T, 2], start and end of each window."""
        pieces = windows(decode(item))
        return self.embed([piece for piece, _ in pieces]), np.array([(s.start, s.end) for _, s in pieces])

    def null_similarity(self, query: Modality, gallery: Modality) -> tuple[float, float]:
        """Mean and standard deviation of the cosine of unrelated pairs."""
        return (0.25, 0.15) if query == gallery else (0.05, 0.15)

    def _embed_one(self, item: str | Path | bytes | Decoded) -> FloatArray:
        media = Text(item) if isinstance(item, str) else decode(item)
        if media.modality not in self.modalities:
            raise ModelError(
                f"{media.modality} for {self.name!r}", f"one of {sorted(self.modalities)}", "Choose another model."
            )
        vector = _features(media)
        vector[len(CONCEPTS) + _MODALITIES.index(media.modality)] = 0.5 * max(float(np.linalg.norm(vector)), 1e-3)
        return (vector / np.linalg.norm(vector)).astype(np.float32)


def load_model(name: str = "bundled") -> ToyModel:
    """In the place of `unimma.loading.load_model`: any name gives a toy of that name."""
    return ToyModel(name)


def _features(media: Decoded) -> npt.NDArray[np.float64]:
    match media:
        case Text(text=text):
            return _of_words(text)
        case Image(pixels=pixels):
            return _of_pixels(pixels)
        case Audio():
            return _of_sound(media)
        case Video(frames=frames, sound=sound):
            seen = _of_pixels(frames)
            return seen if sound is None else seen + _of_sound(sound)


def _of_words(text: str) -> npt.NDArray[np.float64]:
    vector = np.zeros(DIM)
    for word in re.findall(r"\w+", text.lower()):
        if word in CONCEPTS:
            vector[CONCEPTS.index(word)] += 1.0
        else:
            seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
            vector[_WORDS_FROM:] += 0.2 * np.random.default_rng(seed).standard_normal(DIM - _WORDS_FROM)
    return vector


def _of_pixels(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Mean colour; the last axis is RGB."""
    vector = np.zeros(DIM)
    vector[:3] = pixels.reshape(-1, 3).mean(axis=0) / 255.0
    return vector


def _of_sound(sound: Audio) -> npt.NDArray[np.float64]:
    """Low and high by the share of energy below and above 1 kHz."""
    power = np.abs(np.fft.rfft(sound.waveform.astype(np.float64))) ** 2
    high = np.fft.rfftfreq(len(sound.waveform), 1.0 / sound.rate_hz) > 1_000.0
    vector = np.zeros(DIM)
    vector[3], vector[4] = power[~high].sum(), power[high].sum()
    return vector / max(float(power.sum()), 1e-12)
