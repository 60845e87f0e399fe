"""Measure a model on a folder of Parquet files: zero-shot where rows have labels, retrieval by their captions."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from train.data.parquet import Row, label_names, read, sets
from train.evaluate.measures import (
    Measure,
    average_precision,
    first_relevant_rank,
    hubness,
    modality_gap,
    precision_at_k,
    recall_at_k,
    with_interval,
)
from train.features import cached_features
from train.prompts import sentences as prompt_sentences
from unimma.model import UniMMA
from unimma.types import Modality

log = logging.getLogger(__name__)
FloatArray = npt.NDArray[np.float32]
MIN_ROWS = 5  # a split with fewer says nothing

# Animals that are both heard in animal-sounds and seen in tiny-imagenet, by WordNet synset.
ANIMALS = {
    "dog": "n02085620 n02094433 n02099601 n02099712 n02106662 n02113799",
    "cat": "n02123045 n02123394 n02124075",
    "cow": "n02403003",
    "frog": "n01641577 n01644900",
    "sheep": "n02415577",
    "lion": "n02129165",
    "bird": "n01855672 n02002724 n02056570 n02058221",
    "monkey": "n02480495 n02481823 n02486410",
}


@dataclass(frozen=True)
class Embedded:
    """Rows of one set that could be decoded, and their embeddings, float32 [n, D]."""

    rows: Sequence[Row]
    z: FloatArray


def evaluate(model: UniMMA, folder: Path, split: str, cache: Path) -> dict[str, dict[str, Measure]]:
    """All measures by set, "cross" for those across sets; sets that have no such rows are left out."""
    results: dict[str, dict[str, Measure]] = {}
    embedded: dict[str, Embedded] = {}
    for stem in sets(folder):
        rows = [row for row in read(folder, stem, split) if row.media is not None and row.modality in model.modalities]
        if len(rows) < MIN_ROWS:
            continue
        log.info("%s: %d rows", stem, len(rows))
        embedded[stem] = embed_rows(model, rows, cache, f"{stem}-{split}")
        measures = zero_shot(model, folder, stem, embedded[stem]) | retrieval(model, embedded[stem])
        if measures:
            results[stem] = measures
    cross = sound_to_photo(embedded)
    return results | ({"cross": cross} if cross else {})


def embed_rows(model: UniMMA, rows: Sequence[Row], cache: Path, name: str) -> Embedded:
    """Embeddings through the cache of frozen features; clips, whose features depend on trained heads, without it."""
    modality = rows[0].modality
    if modality is Modality.VIDEO:
        return Embedded(rows, model.embed([row.decode() for row in rows]))
    tower = model.towers[modality]
    found = cached_features(tower.encoder, rows, cache, name=name)
    with torch.inference_mode():
        z = tower.head(torch.from_numpy(found.values).float()).numpy()
    return Embedded([rows[i] for i in found.kept], z)


def zero_shot(model: UniMMA, folder: Path, stem: str, media: Embedded) -> dict[str, Measure]:
    """Top-1 and top-5 among all labels of the file, in any split, each the mean of its sentences; {} without labels."""
    labels = sorted({row.label for row in read(folder, stem, with_media=False) if row.label})
    labelled = [i for i, row in enumerate(media.rows) if row.label]
    if len(labels) < 2 or not labelled:
        return {}
    names = label_names(folder, stem)
    modality = media.rows[0].modality
    classes = np.stack([label_embedding(model, names.get(label, (label,)), modality) for label in labels])
    similarity = media.z[labelled] @ classes.T
    truth = np.array([labels.index(media.rows[i].label or "") for i in labelled])
    relevant = np.arange(len(labels))[None, :] == truth[:, None]
    found = {"zeroshot_top1": with_interval(recall_at_k(similarity, relevant, 1))}
    if len(labels) > 5:
        found["zeroshot_top5"] = with_interval(recall_at_k(similarity, relevant, 5))
    return found


def label_embedding(model: UniMMA, names: Sequence[str], modality: Modality) -> FloatArray:
    """A class as a unit vector [D]: the mean over its names in all of the modality's templates."""
    mean = model.embed([said for name in names for said in prompt_sentences(name, modality)]).mean(axis=0)
    unit: FloatArray = mean / np.linalg.norm(mean)
    return unit


def retrieval(model: UniMMA, media: Embedded) -> dict[str, Measure]:
    """Recall@K, median rank and mAP between media and their captions, both ways; {} where there are no captions."""
    sentences = sorted({said for row in media.rows for said in row.captions})
    if len(sentences) < MIN_ROWS:
        return {}
    modality = str(media.rows[0].modality)
    texts = model.embed(sentences)
    relevant = np.array([[said in row.captions for row in media.rows] for said in sentences])
    similarity = texts @ media.z.T
    captioned = relevant.any(axis=0)
    found = {}
    for way, sim, rel in (
        (f"text_to_{modality}", similarity, relevant),
        (f"{modality}_to_text", similarity.T[captioned], relevant.T[captioned]),
    ):
        for k in (1, 5, 10):
            found[f"{way}_r{k}"] = with_interval(recall_at_k(sim, rel, k))
        found[f"{way}_median_rank"] = with_interval(first_relevant_rank(sim, rel), np.median)
        found[f"{way}_map"] = with_interval(average_precision(sim, rel))
    found["median_rank"], found["map"] = found[f"text_to_{modality}_median_rank"], found[f"text_to_{modality}_map"]
    for name, value in (("gap", modality_gap(texts, media.z)), ("hubness", hubness(similarity))):
        found[name] = Measure(value, value, value, len(media.rows))  # of the whole set: no interval
    return found


def sound_to_photo(embedded: dict[str, Embedded]) -> dict[str, Measure]:
    """Precision@10 from an animal's sound to photos of that animal, over two files that share no recording or label."""
    if not {"animal-sounds", "tiny-imagenet"} <= set(embedded):
        return {}
    sounds, photos = embedded["animal-sounds"], embedded["tiny-imagenet"]
    heard = [i for i, row in enumerate(sounds.rows) if row.label in ANIMALS]
    relevant = np.array(
        [[photo.concept in ANIMALS[sounds.rows[i].label or ""].split() for photo in photos.rows] for i in heard]
    )
    similarity = sounds.z[heard] @ photos.z.T
    return {"audio_to_image_p10": with_interval(precision_at_k(similarity, relevant, 10))}


def as_json(model: UniMMA, split: str, results: dict[str, dict[str, Measure]]) -> dict[str, Any]:
    """The one object that `--json` prints and metrics.json holds."""
    return {
        "model": model.name,
        "fingerprint": model.fingerprint,
        "split": split,
        "sets": {stem: {name: m.as_json() for name, m in measures.items()} for stem, measures in results.items()},
    }
