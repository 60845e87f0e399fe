"""What a run learns from, gathered: for the towers that are trained together, then for clips on top of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from train.build import Names, teacher_class_names
from train.config import TrainConfig
from train.data.parquet import label_names
from train.drawing import Supply
from train.material import Material, Rows, caption_pairs, class_sentences, fitting_sentences, gather, rows_of
from train.sentences import Sentences
from train.teachers import find_teacher
from train.weights import TEXT_PAIRS
from unimma.encoders.base import Encoder
from unimma.errors import ConfigError
from unimma.model import UniMMA
from unimma.types import Modality


@dataclass(frozen=True)
class Gathered:
    """What is trained on, and what is scored on: None where nothing is asked for."""

    train: Supply
    val: Supply | None


def gather_towers(
    model: UniMMA, config: TrainConfig, classes: Mapping[Modality, Names], sentences: Sentences, cache: Path
) -> Gathered:
    """Everything but clips of frames and sound; adds to `sentences`, also what is said of these clips.

    Raises:
        ConfigError: the run is to be scored, and there are no val rows.
    """
    media = _media(model, config, sentences, cache, "train", of_towers=False)
    pairs = caption_pairs(config.data, sentences)
    spoken = {modality: class_sentences(names, modality, sentences) for modality, names in classes.items()}
    taught = [
        class_sentences(teacher_class_names(teacher, config.data), teacher.modality, sentences)
        for teacher in config.loss.teachers
    ]
    if Modality.VIDEO in model.modalities:  # so that all sentences are encoded at once
        for stem, rows in rows_of(config.data, Modality.VIDEO).items():
            names = label_names(config.data.folder, stem) if config.data.folder else {}
            for row in rows:
                sentences.add(fitting_sentences(row, names))
    encoder = model.towers[Modality.TEXT].encoder
    text = sentences.features(encoder, cache)
    means = {modality: _means(text, said) for modality, said in spoken.items()}
    live = config.model.encoder(Modality.TEXT).trainable != "frozen"
    train = Supply(media, list(sentences), text, live, pairs, means, [_means(text, said) for said in taught])
    if not config.optim.evaluate_every:
        return Gathered(train, None)
    seen = _media(model, config, sentences, cache, "val", of_towers=False)
    if not any(material.told.any() for material in seen.values()):
        came = "optim.evaluate_every without val rows that have labels or captions"
        raise ConfigError(came, "some in the data folder", "Set it to 0.")
    return Gathered(train, Supply(seen, list(sentences), sentences.features(encoder, cache), live))


def _means(text: torch.Tensor, spoken: Sequence[Rows]) -> torch.Tensor:
    """Mean features of each class's sentences, float32 [C, F]."""
    return torch.stack([text[rows].mean(dim=0) for rows in spoken]) if spoken else text[:0]


def gather_clips(model: UniMMA, config: TrainConfig, sentences: Sentences, cache: Path) -> Gathered:
    """Clips as the trained towers see and hear them; without a val supply where there are no val clips."""
    sides = [_media(model, config, sentences, cache / "clips", "train", of_towers=True)]
    if config.optim.evaluate_every:
        sides.append(_media(model, config, sentences, cache / "clips", "val", of_towers=True))
    text = sentences.features(model.towers[Modality.TEXT].encoder, cache)
    supplies = [Supply(media, list(sentences), text) for media in sides]
    scored = [supply for supply in supplies[1:] if any(material.told.any() for material in supply.media.values())]
    return Gathered(supplies[0], scored[0] if scored else None)


def _media(
    model: UniMMA, config: TrainConfig, sentences: Sentences, cache: Path, split: str, *, of_towers: bool
) -> dict[Modality, Material]:
    found: dict[Modality, Material] = {}
    for modality, tower in model.towers.items():
        encoder = config.model.encoder(modality)
        if modality is Modality.TEXT or encoder.of_towers != of_towers:
            continue
        material = gather(
            tower.encoder,
            modality,
            config.data,
            sentences,
            cache,
            split=split,
            live=encoder.trainable != "frozen",
            tokens=bool(getattr(tower.head, "takes_sequence", False)),
            teachers=_teachers(config, modality) if split == "train" else {},
            hard_negatives=_hard_negatives(config, modality) if split == "train" else 0,
        )
        if material is not None:
            found[modality] = material
    return found


def _hard_negatives(config: TrainConfig, modality: Modality) -> int:
    pair = config.loss.pairs(config.model.modalities).get(TEXT_PAIRS[modality])
    return pair.hard_negatives if pair else 0


def _teachers(config: TrainConfig, modality: Modality) -> dict[str, Encoder]:
    names = [teacher.name for teacher in config.loss.teachers if teacher.modality is modality]
    return {name: find_teacher(name, modality, config.data.folder) for name in names}
