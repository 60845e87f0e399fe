"""What the heads learn from: features of media, the sentences that fit each, and which rows mean the same."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from train.config import DataConfig
from train.data.parquet import label_names, read, sets
from train.data.scenes import generator_version, scene_rows
from train.features import AnyRow, cached_features
from train.prompts import sentences as prompt_sentences
from train.sentences import Sentences
from unimma.encoders.base import Encoder
from unimma.types import Modality

log = logging.getLogger(__name__)
SIZE_POWER = 0.6  # a set is drawn from in proportion to its size to this power: large ones do not drown small ones


@dataclass(frozen=True)
class Material:
    """Rows of one modality, ready to be drawn from.

    Attributes:
        features: float16 [n, F], of the frozen encoder.
        name: what each row means: its label, or an own name where it has none; the same for rows that mean the same.
        sentences: per row, indices of the sentences that fit it.
        weight: float64 [n], sum 1: how often a row is drawn.
    """

    features: Tensor
    name: npt.NDArray[np.str_]
    sentences: Sequence[npt.NDArray[np.int64]]
    weight: npt.NDArray[np.float64]

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Tensor, npt.NDArray[np.int64], Tensor]:
        """A batch: features float32 [count, F], a fitting sentence each int64 [count], who means the same [count²]."""
        rows = rng.choice(len(self.weight), count, p=self.weight)
        said = np.array([rng.choice(self.sentences[i]) for i in rows])
        code = torch.from_numpy(np.unique(self.name[rows], return_inverse=True)[1])
        return self.features[rows].float(), said, code[:, None] == code[None, :]


def rows_of(config: DataConfig, modality: Modality) -> dict[str, list[AnyRow]]:
    """Training rows of one modality by set: the Parquet folder's train splits, then the drawn scenes."""
    found: dict[str, list[AnyRow]] = {}
    if config.folder is not None:
        for stem in config.sets or sets(config.folder):
            rows = [row for row in read(config.folder, stem, "train") if row.modality is modality]
            if rows and rows[0].media is not None:
                found[stem] = list(rows[: config.max_rows.get(stem)])
    variations = config.scene_clips if modality is Modality.VIDEO else config.scene_variations
    if variations:
        found[f"scenes-{generator_version()}-{modality}"] = list(scene_rows(modality, variations))
    return found


def gather(encoder: Encoder, modality: Modality, config: DataConfig, sentences: Sentences, cache: Path) -> Material:
    """Encode (or read from the cache) all training rows of one modality and collect their sentences."""
    features, name, said, weights = [], [], [], []
    for stem, rows in rows_of(config, modality).items():
        names = label_names(config.folder, stem) if config.folder else {}
        options = [sentences.add(fitting_sentences(row, names)) for row in rows]
        views = 0 if stem in config.single_view or modality is Modality.VIDEO else config.views
        for view in range(views + 1):
            found = cached_features(encoder, rows, cache, name=f"{stem}-train", view=view)
            features.append(torch.from_numpy(found.values))
            name += [rows[i].label or f"{stem}/{rows[i].id}" for i in found.kept]
            said += [options[i] for i in found.kept]
            weights += [len(found.kept) ** SIZE_POWER / len(found.kept) / (views + 1)] * len(found.kept)
        log.info("%s: %d rows, %d views", stem, len(rows), views + 1)
    weight = np.array(weights)
    return Material(torch.cat(features), np.array(name), said, weight / weight.sum())


def fitting_sentences(row: AnyRow, names: dict[str, tuple[str, ...]]) -> list[str]:
    """All sentences that fit a row: its captions, and every template filled with every name of its label."""
    spoken = names.get(row.label or "", (row.label,) if row.label else ())
    return [*row.captions, *(said for name in spoken for said in prompt_sentences(name, row.modality))]


def caption_pairs(config: DataConfig, sentences: Sentences) -> list[npt.NDArray[np.int64]]:
    """Text-only captions of one photo or sound, two or more each: they say the same in other words."""
    if config.folder is None:
        return []
    groups: dict[str, list[str]] = {}
    for stem in config.sets or sets(config.folder):
        for row in read(config.folder, stem, "train", with_media=False):
            if row.modality is Modality.TEXT and row.group:
                groups.setdefault(row.group, []).extend(row.captions)
    pairs, left = [], config.max_sentences
    for said in groups.values():
        if len(said) > 1 and left >= len(said):
            pairs.append(sentences.add(said))
            left -= len(said)
    return pairs


def class_sentences(
    names: Iterable[Sequence[str]], modality: Modality, sentences: Sentences
) -> list[npt.NDArray[np.int64]]:
    """Indices of the sentences of each class of an encoder: all its names in all templates."""
    return [sentences.add([said for name in known for said in prompt_sentences(name, modality)]) for known in names]
