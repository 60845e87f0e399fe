"""What can be measured: a way to bring rows and sentences into one space. Here the model's; baselines.py has others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from train.data.parquet import Row, label_names, read, sets
from train.features import cached_features, on_features
from train.prompts import sentences as prompt_sentences
from train.sentences import Sentences
from unimma.augment import low_pass
from unimma.encoders.base import Encoder
from unimma.model import UniMMA
from unimma.types import Audio, Decoded, Modality

FloatArray = npt.NDArray[np.float32]
LOW_PASS_HZ = 4_000.0  # below what any source of the sound sets still holds: bandwidth cannot tell the classes


@dataclass(frozen=True)
class SetSplit:
    """The rows of one set in one split.

    Attributes:
        labels: every label of the file, in any split: the classes of zero-shot.
        names: label → names to say it by.
    """

    stem: str
    split: str
    rows: Sequence[Row]
    labels: Sequence[str]
    names: Mapping[str, tuple[str, ...]]

    @property
    def modality(self) -> Modality:
        return self.rows[0].modality

    @property
    def key(self) -> str:
        """Of its features in the cache, the same as training's."""
        return f"{self.stem}-{self.split}"

    def prompts(self) -> list[list[str]]:
        """For each label all of its sentences: every template of the modality with every name."""
        spoken = (self.names.get(label, (label,)) for label in self.labels)
        return [[said for name in names for said in prompt_sentences(name, self.modality)] for names in spoken]

    def captions(self) -> list[str]:
        """All distinct captions, sorted."""
        return sorted({said for row in self.rows for said in row.captions})


@dataclass(frozen=True)
class Embedded:
    """Rows of one set that could be decoded, and their embeddings, unit rows float32 [n, D]."""

    rows: Sequence[Row]
    z: FloatArray


class Space(Protocol):
    """Rows and sentences → unit rows [n, D] in one space."""

    @property
    def modalities(self) -> frozenset[Modality]: ...  # of the media that it can embed

    def media(self, rows: Sequence[Row], key: str) -> Embedded: ...

    def text(self, sentences: Sequence[str]) -> FloatArray: ...


def read_sets(folder: Path, split: str, modalities: frozenset[Modality]) -> list[SetSplit]:
    """Every set of the folder that has media of these modalities in that split."""
    found = []
    for stem in sets(folder):
        rows = [row for row in read(folder, stem, split) if row.media is not None and row.modality in modalities]
        if rows:
            labels = sorted({row.label for row in read(folder, stem, with_media=False) if row.label})
            found.append(SetSplit(stem, split, rows, labels, label_names(folder, stem)))
    return found


@dataclass(frozen=True)
class LowPassed(Row):
    """A sound row that is heard without what lies above `LOW_PASS_HZ`."""

    def decode(self) -> Decoded:
        item = super().decode()
        assert isinstance(item, Audio)
        return Audio(low_pass(item.waveform, item.rate_hz, LOW_PASS_HZ), item.rate_hz, item.name)


def low_passed(one_set: SetSplit) -> SetSplit:
    """The same sounds, each low-passed; their features have a key of their own."""
    rows = [LowPassed(**vars(row)) for row in one_set.rows]
    return SetSplit(one_set.stem, f"{one_set.split}-{LOW_PASS_HZ / 1000:.0f}khz", rows, one_set.labels, one_set.names)


@dataclass
class Texts:
    """Features of sentences from a frozen text encoder, each computed once: in memory, and in `cache` between runs."""

    encoder: Encoder
    cache: Path
    _sentences: Sentences = field(default_factory=Sentences)
    _features: FloatArray = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def __call__(self, sentences: Sequence[str]) -> FloatArray:
        """float32 [n, F]."""
        rows = self._sentences.add(sentences)
        if len(self._sentences) > len(self._features):
            self._features = self._sentences.features(self.encoder, self.cache).numpy()
        return self._features[rows]


@dataclass(frozen=True)
class ModelSpace:
    """The model itself, its frozen encoders' features read from the cache where they are there."""

    model: UniMMA
    texts: Texts
    cache: Path

    @property
    def modalities(self) -> frozenset[Modality]:
        return self.model.modalities - {Modality.TEXT}

    def media(self, rows: Sequence[Row], key: str) -> Embedded:
        modality = rows[0].modality
        tower = self.model.towers[modality]
        # What a clip's frames and sound embed to changes with every training: a place of its own, to be thrown away.
        cache = self.cache / "clips" if modality is Modality.VIDEO else self.cache
        tokens = bool(getattr(tower.head, "takes_sequence", False))
        found = cached_features(tower.encoder, rows, cache, name=key, tokens=tokens)
        return Embedded([rows[i] for i in found.kept], self._project(modality, found.values))

    def text(self, sentences: Sequence[str]) -> FloatArray:
        return self._project(Modality.TEXT, self.texts(sentences))

    @torch.inference_mode()
    def _project(self, modality: Modality, features: npt.NDArray[np.floating]) -> FloatArray:
        z: FloatArray = on_features(self.model.towers[modality].head, torch.from_numpy(features).float()).numpy()
        return z


def unit(z: npt.NDArray[np.floating]) -> FloatArray:
    """Rows (or one vector) scaled to length 1, float32; rows of zeros stay."""
    length = np.linalg.norm(z, axis=-1, keepdims=True)
    scaled: FloatArray = (z / np.where(length > 0, length, 1.0)).astype(np.float32)
    return scaled
