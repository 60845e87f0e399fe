"""Two baselines without contrastive training, measured like a model: ConSE, and ridge regression to sentences.

Both live in the space of the frozen sentence encoder, centred on training sentences. A clip is the mean of its frames'
features; its sound is left out.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from train.data.classes import audioset_names, imagenet_names
from train.data.parquet import Row, read, sets
from train.evaluate.ridge import Ridge, search_ridge
from train.evaluate.spaces import Embedded, FloatArray, SetSplit, Space, Texts, read_sets, unit
from train.features import cached_features
from train.material import SIZE_POWER
from train.prompts import sentences as prompt_sentences
from train.teachers import YAMNET, YamnetSounds
from unimma.encoders.base import Encoder, EncoderInfo, Prepared
from unimma.model import UniMMA
from unimma.types import Image, Modality, Video

log = logging.getLogger(__name__)
CENTRE_SENTENCES = 2_000  # are plenty for a mean
CLIP_FRAMES = 8
_SEES = {Modality.IMAGE: Modality.IMAGE, Modality.VIDEO: Modality.IMAGE, Modality.AUDIO: Modality.AUDIO}


def baseline_spaces(model: UniMMA, folder: Path, texts: Texts, cache: Path) -> Iterator[tuple[str, Space]]:
    """The name and the space of each baseline that the folder and the model's encoders allow.

    "conse" wants class names and, for sounds, YAMNet in the folder's `teachers`; "ridge" wants train rows.
    """
    space = SentenceSpace(texts, training_centre(folder, texts))
    frozen = frozen_encoders(model)
    if classifiers := find_classifiers(frozen, folder):
        yield "conse", Conse(space, classifiers, cache)
    train = read_sets(folder, "train", frozenset(frozen) - {Modality.VIDEO})
    if train:
        yield "ridge", RidgeSpace(space, frozen, fit_all(space, frozen, train, cache), cache)


@dataclass(frozen=True)
class Frozen:
    """An encoder, and how many of its features, the last ones, are class logits (0: none)."""

    encoder: Encoder
    num_classes: int


def frozen_encoders(model: UniMMA) -> dict[Modality, Frozen]:
    """What the model's heads stand on; for clips the picture encoder over frames."""
    found: dict[Modality, Frozen] = {
        modality: Frozen(model.towers[modality].encoder, model.config.heads[modality].num_classes)
        for modality in (Modality.IMAGE, Modality.AUDIO)
        if modality in model.modalities
    }
    if Modality.VIDEO in model.modalities and Modality.IMAGE in found:
        seen = found[Modality.IMAGE]
        found[Modality.VIDEO] = Frozen(MeanOfFrames(seen.encoder), seen.num_classes)
    return found


@dataclass(frozen=True)
class SentenceSpace:
    """The frozen sentence encoder's space, centred: most of a raw sentence embedding is what all sentences share."""

    texts: Callable[[Sequence[str]], FloatArray]  # features of the sentence encoder
    centre: FloatArray

    def __call__(self, sentences: Sequence[str]) -> FloatArray:
        """Unit rows [n, D]."""
        return unit(self.texts(sentences) - self.centre)

    def mean(self, sentences: Sequence[str]) -> FloatArray:
        """What several sentences say together: a unit vector [D]."""
        return unit(self(sentences).mean(axis=0))


def training_centre(folder: Path, texts: Callable[[Sequence[str]], FloatArray]) -> FloatArray:
    """The mean of a sample of the folder's training sentences: captions, and labels in their templates."""
    said: dict[str, None] = {}
    for stem in sets(folder):
        for row in read(folder, stem, "train", with_media=False):
            said.update(dict.fromkeys(row.captions))
            said.update(dict.fromkeys(prompt_sentences(row.label, row.modality) if row.label else []))
    known = sorted(said) or [""]
    chosen = np.random.default_rng(0).choice(len(known), min(CENTRE_SENTENCES, len(known)), replace=False)
    centre: FloatArray = texts([known[i] for i in chosen]).mean(axis=0)
    return centre


class ClassProbabilities:
    """Features of an encoder → probabilities of its classes, and the classes' sentences.

    Args:
        frozen: its features; the last `num_classes` are logits, or the probabilities themselves (`is_ready`).
        names: of each class, one or more.
    """

    def __init__(self, frozen: Frozen, names: Sequence[Sequence[str]], spoken_as: Modality, *, is_ready: bool) -> None:
        self.frozen, self.is_ready = frozen, is_ready
        self.sentences = [[said for name in own for said in prompt_sentences(name, spoken_as)] for own in names]

    def __call__(self, features: npt.NDArray[np.floating]) -> FloatArray:
        """Rows of sum 1, float32 [n, num_classes]."""
        last = torch.from_numpy(features[:, -self.frozen.num_classes :].astype(np.float32))
        shares: FloatArray = (last / last.sum(dim=1, keepdim=True) if self.is_ready else last.softmax(dim=1)).numpy()
        return shares


def find_classifiers(frozen: Mapping[Modality, Frozen], folder: Path) -> dict[Modality, ClassProbabilities]:
    """Those whose class names the folder's `teachers` know; sounds are classified by the real YAMNet."""
    found = {}
    try:
        imagenet = imagenet_names(folder)
        for modality in {Modality.IMAGE, Modality.VIDEO} & set(frozen):
            if frozen[modality].num_classes == len(imagenet):
                found[modality] = ClassProbabilities(frozen[modality], imagenet, Modality.IMAGE, is_ready=False)
    except OSError:
        log.info("no teachers/imagenet1k-classes.tsv: no ConSE for pictures and clips")
    if Modality.AUDIO in frozen and (folder / "teachers" / YAMNET).is_file():
        names = audioset_names(folder)
        heard = Frozen(YamnetSounds(folder / "teachers" / YAMNET), len(names))
        found[Modality.AUDIO] = ClassProbabilities(heard, names, Modality.AUDIO, is_ready=True)
    return found


class Conse:
    """The probability-weighted mean of the sentences of the classes that an encoder predicts.

    Source: Norouzi et al. 2013, Zero-Shot Learning by Convex Combination of Semantic Embeddings, arXiv 1312.5650.
    """

    def __init__(self, text: SentenceSpace, classifiers: Mapping[Modality, ClassProbabilities], cache: Path) -> None:
        self.text, self.modalities = text, frozenset(classifiers)
        self._classifiers, self._cache = classifiers, cache
        text([said for known in classifiers.values() for own in known.sentences for said in own])  # encoded all at once
        self._classes = {m: np.stack([text.mean(said) for said in known.sentences]) for m, known in classifiers.items()}

    def media(self, rows: Sequence[Row], key: str) -> Embedded:
        modality = rows[0].modality
        classify = self._classifiers[modality]
        found = cached_features(classify.frozen.encoder, rows, self._cache, name=key)
        return Embedded([rows[i] for i in found.kept], unit(classify(found.values) @ self._classes[modality]))


class RidgeSpace:
    """Ridge regression from the frozen features that the model's heads get, class logits left out, to sentences."""

    def __init__(
        self, text: SentenceSpace, frozen: Mapping[Modality, Frozen], fitted: Mapping[Modality, Ridge], cache: Path
    ) -> None:
        self.text, self._frozen, self._fitted, self._cache = text, frozen, fitted, cache
        self.modalities = frozenset(m for m in frozen if _SEES[m] in fitted)

    def media(self, rows: Sequence[Row], key: str) -> Embedded:
        modality = rows[0].modality
        values, kept = regressors(self._frozen[modality], rows, self._cache, key)
        return Embedded([rows[i] for i in kept], unit(self._fitted[_SEES[modality]](values)))


def fit_all(
    text: SentenceSpace, frozen: Mapping[Modality, Frozen], train: Sequence[SetSplit], cache: Path
) -> dict[Modality, Ridge]:
    """One regression a modality, over the train rows of all sets that have sentences, weighted as heads draw them."""
    fitted = {}
    for modality in sorted({one.modality for one in train}):
        features, targets, groups, weights = [], [], [], []
        for one in (one for one in train if one.modality is modality):
            values, kept = regressors(frozen[modality], one.rows, cache, one.key)
            told = [i for i, row in enumerate(one.rows[i] for i in kept) if row.label or row.captions]
            if told:
                rows = [one.rows[kept[i]] for i in told]
                features.append(values[told])
                targets.append(sentence_targets(rows, one, text))
                groups += [f"{one.stem}/{row.group or row.id}" for row in rows]
                weights += [len(rows) ** (SIZE_POWER - 1)] * len(rows)
        if len(set(groups)) > 1:
            shares = np.array(weights) / np.mean(weights)
            fitted[modality] = search_ridge(np.concatenate(features), np.concatenate(targets), groups, shares)
            log.info("ridge for %s: %d rows, strength %.2g", modality, len(groups), fitted[modality].strength)
    return fitted


def regressors(
    frozen: Frozen, rows: Sequence[Row], cache: Path, key: str
) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.int64]]:
    """Features without class logits, float16 [n, F], and which of the rows they belong to, int64 [n]."""
    found = cached_features(frozen.encoder, rows, cache, name=key)
    return found.values[:, : frozen.encoder.dim - frozen.num_classes], found.kept


def sentence_targets(rows: Sequence[Row], one: SetSplit, text: SentenceSpace) -> FloatArray:
    """What is said of each row: the mean of its captions and of its label's prompts, unit rows [n, D]."""
    prompts = one.prompts()
    text([said for own in (*prompts, *(row.captions for row in rows)) for said in own])  # encoded all at once
    labels = {label: text.mean(said) for label, said in zip(one.labels, prompts, strict=True)}
    said = [
        [*([labels[row.label]] if row.label else []), *(text(row.captions) if row.captions else [])] for row in rows
    ]
    return unit(np.stack([np.mean(each, axis=0) for each in said]))


class MeanOfFrames:
    """Clips → the mean over frames of a picture encoder's features: [B, dim]."""

    modality = Modality.VIDEO

    def __init__(self, image: Encoder) -> None:
        self.image, self.dim, self.network = image, image.dim, image.network
        self.info = EncoderInfo(
            paper=image.info.paper,
            licence=image.info.licence,
            input=f"mean over {CLIP_FRAMES} frames; {image.info.input}",
            weights=image.info.weights,
        )

    def prepare(self, item: Video) -> Prepared:
        """The picture encoder's inputs, stacked [num_frames, …]."""
        chosen = np.linspace(0, len(item.frames) - 1, min(CLIP_FRAMES, len(item.frames))).round().astype(int)
        frames = [self.image.prepare(Image(item.frames[i], item.name)) for i in chosen]
        return {key: torch.stack([frame[key] for frame in frames]) for key in frames[0]}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """float32 [B, dim]."""
        return torch.stack([self._encode_one(item) for item in batch])

    def _encode_one(self, item: Prepared) -> Tensor:
        count = len(next(iter(item.values())))
        return self.image.encode([{key: value[i] for key, value in item.items()} for i in range(count)]).mean(dim=0)
