"""The measures: on one set (zero-shot by its labels, retrieval by its captions, by example), and across two sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from train.evaluate.measures import (
    BoolArray,
    Measure,
    average_precision,
    first_relevant_rank,
    hubness,
    modality_gap,
    precision_at_k,
    recall_at_k,
    with_interval,
)
from train.evaluate.spaces import Embedded, FloatArray, SetSplit, Space, low_passed, unit
from unimma.types import Modality

MIN_ROWS = 5  # a split with fewer says nothing

# Animals that are heard in one set and seen in another under finer names, by WordNet synset.
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
class Classified:
    """What zero-shot classification made of a set's rows: numbers of classes, int64 [n]."""

    labels: Sequence[str]
    truth: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]


@dataclass
class SetResult:
    """Everything that was measured on one set, and what the plots are drawn from.

    Attributes:
        measures: by name.
        media: the rows and their embeddings.
        texts: embeddings of the captions, else of the classes, unit rows [n, D].
        classified: where rows have labels.
        ranks: of each way of retrieval ("text_to_image"), the rank of each query's first relevant item.
        gallery_size: of each way, among how many.
    """

    measures: dict[str, Measure]
    media: Embedded
    texts: FloatArray
    classified: Classified | None = None
    ranks: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    gallery_size: dict[str, int] = field(default_factory=dict)


def measure_set(space: Space, one: SetSplit) -> SetResult | None:
    """All measures that the set's rows allow; None where these are fewer than `MIN_ROWS` or say nothing."""
    media = space.media(one.rows, one.key)
    if len(media.rows) < MIN_ROWS:
        return None
    result = SetResult({}, media, np.zeros((0, media.z.shape[1]), np.float32))
    zero_shot(space, one, result)
    if one.modality is Modality.AUDIO and result.classified is not None:
        narrow = low_passed(one)
        heard = SetResult({}, space.media(narrow.rows, narrow.key), result.texts)
        zero_shot(space, narrow, heard)
        result.measures |= {f"{name}_4khz": measure for name, measure in heard.measures.items()}
    retrieval(space, one, result)
    by_example(one, result)
    return result if result.measures else None


def zero_shot(space: Space, one: SetSplit, result: SetResult) -> None:
    """Top-1 and top-5 among all labels of the file, each the mean of its sentences (Radford et al. 2021, CLIP)."""
    labelled = [i for i, row in enumerate(result.media.rows) if row.label]
    if len(one.labels) < 2 or not labelled:
        return
    result.texts = class_embeddings(space, one)
    similarity = result.media.z[labelled] @ result.texts.T
    number = {label: i for i, label in enumerate(one.labels)}
    truth = np.array([number[result.media.rows[i].label or ""] for i in labelled])
    relevant = np.arange(len(one.labels))[None, :] == truth[:, None]
    result.classified = Classified(one.labels, truth, similarity.argmax(axis=1))
    result.measures["zeroshot_top1"] = with_interval(recall_at_k(similarity, relevant, 1))
    if len(one.labels) > 5:
        result.measures["zeroshot_top5"] = with_interval(recall_at_k(similarity, relevant, 5))


def class_embeddings(space: Space, one: SetSplit) -> FloatArray:
    """Each class as a unit vector: the mean over its names in all of the modality's templates, [num_labels, D]."""
    prompts = one.prompts()
    z = space.text([said for own in prompts for said in own])
    ends = np.cumsum([len(own) for own in prompts])[:-1]
    return unit(np.stack([own.mean(axis=0) for own in np.split(z, ends)]))


def retrieval(space: Space, one: SetSplit, result: SetResult) -> None:
    """Recall@K, median rank and mAP between media and their captions, both ways, modality gap and hubness."""
    sentences = sorted({said for row in result.media.rows for said in row.captions})
    if len(sentences) < MIN_ROWS:
        return
    result.texts = texts = space.text(sentences)
    number = {said: i for i, said in enumerate(sentences)}
    relevant = np.zeros((len(sentences), len(result.media.rows)), bool)
    for column, row in enumerate(result.media.rows):
        relevant[[number[said] for said in row.captions], column] = True
    similarity = texts @ result.media.z.T
    captioned = relevant.any(axis=0)
    _ways(result, f"text_to_{one.modality}", similarity, relevant)
    _ways(result, f"{one.modality}_to_text", similarity.T[captioned], relevant.T[captioned])
    for name in ("median_rank", "map"):  # sentences are at least MIN_ROWS: these are there
        result.measures[name] = result.measures[f"text_to_{one.modality}_{name}"]
    result.measures["gap"] = modality_gap(texts, result.media.z)
    result.measures["hubness"] = hubness(similarity)


def by_example(one: SetSplit, result: SetResult) -> None:
    """Retrieval inside a modality: every labelled row asks for the others of its label."""
    names = np.array([row.label or f"/{i}" for i, row in enumerate(result.media.rows)])
    relevant = names[:, None] == names[None, :]
    np.fill_diagonal(relevant, False)
    asked = relevant.any(axis=1)
    if asked.sum() >= MIN_ROWS and len(set(names)) > 1:
        similarity = result.media.z @ result.media.z.T
        np.fill_diagonal(similarity, -np.inf)
        _ways(result, f"{one.modality}_to_{one.modality}", similarity[asked], relevant[asked])


def _ways(result: SetResult, way: str, similarity: FloatArray, relevant: BoolArray) -> None:
    if len(similarity) < MIN_ROWS:
        return
    ranks = first_relevant_rank(similarity, relevant)
    result.ranks[way], result.gallery_size[way] = ranks, similarity.shape[1]
    for k in (1, 5, 10):
        result.measures[f"{way}_r{k}"] = with_interval((ranks <= k).astype(np.float64))
    result.measures[f"{way}_median_rank"] = with_interval(ranks, np.median)
    result.measures[f"{way}_map"] = with_interval(average_precision(similarity, relevant))


def sound_and_photo(splits: Sequence[SetSplit], results: Mapping[str, SetResult]) -> dict[str, Measure]:
    """Precision@10 between sounds and photos of two files that share meanings but no recording, photo or sentence.

    The two are the ones in which the largest share of the sounds has a photo to be found; {} where none has. A photo
    fits a sound of the same label or synonym, or of the animal that its WordNet id is a kind of.
    """
    stems = [one.stem for one in splits if one.stem in results]
    known = {one.stem: one for one in splits}
    pairs = [
        _fitting(known[heard], known[seen], results)
        for heard in stems
        for seen in stems
        if known[heard].modality is Modality.AUDIO and known[seen].modality is Modality.IMAGE
    ]
    best = max(pairs, key=lambda pair: pair[1].any(axis=1).mean(), default=None)
    if best is None or best[1].any(axis=1).sum() < MIN_ROWS:
        return {}
    similarity, relevant = best
    sounds, photos = relevant.any(axis=1), relevant.any(axis=0)
    return {
        "audio_to_image_p10": with_interval(precision_at_k(similarity[sounds], relevant[sounds], 10)),
        "image_to_audio_p10": with_interval(precision_at_k(similarity.T[photos], relevant.T[photos], 10)),
    }


def _fitting(heard: SetSplit, seen: SetSplit, results: Mapping[str, SetResult]) -> tuple[FloatArray, BoolArray]:
    """Similarity and relevance of one set's sounds to another's photos, [num_sounds, num_photos]."""
    sounds, photos = results[heard.stem].media, results[seen.stem].media
    said = {label: {label, *seen.names.get(label, ())} for label in seen.labels}
    relevant = np.zeros((len(sounds.rows), len(photos.rows)), bool)
    for label in set(heard.labels):
        kinds, names = ANIMALS.get(label, "").split(), {label, *heard.names.get(label, ())}
        fits = np.array([row.concept in kinds or bool(said.get(row.label or "", set()) & names) for row in photos.rows])
        relevant[[row.label == label for row in sounds.rows]] = fits
    return sounds.z @ photos.z.T, relevant
