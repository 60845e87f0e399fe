"""Measures on made-up rows in made-up spaces whose right answers are known."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from train.data.parquet import Row
from train.evaluate.on_sets import measure_set, sound_and_photo
from train.evaluate.spaces import Embedded, FloatArray, LowPassed, SetSplit, unit
from unimma.types import Modality

AXES = {"dog": 0, "cat": 1, "frog": 2, "lion": 3, "bird": 4, "cow": 5}


class Words:
    """A row lies where its label's or caption's words lie; `heard` replaces the labels of low-passed rows."""

    modalities = frozenset({Modality.IMAGE, Modality.AUDIO})

    def __init__(self, heard: Mapping[str, str] | None = None) -> None:
        self.heard = heard or {}
        self.keys: list[str] = []

    def media(self, rows: Sequence[Row], key: str) -> Embedded:
        self.keys.append(key)
        labels = [row.label or " ".join(row.captions) for row in rows]
        if rows and isinstance(rows[0], LowPassed):
            labels = [self.heard.get(label, label) for label in labels]
        return Embedded(rows, self.text(labels))

    def text(self, sentences: Sequence[str]) -> FloatArray:
        z = np.full((len(sentences), len(AXES) + 1), 1e-3)
        for vector, said in zip(z, sentences, strict=True):
            vector[[axis for word, axis in AXES.items() if word in said]] = 1.0
        return unit(z)


def row(number: int, modality: Modality, label: str | None, captions: tuple[str, ...] = (), concept: str = "") -> Row:
    return Row("made", f"{number}", "val", modality, b"", label, captions, str(number), concept or None)


def split(stem: str, rows: Sequence[Row], names: Mapping[str, tuple[str, ...]] | None = None) -> SetSplit:
    return SetSplit(stem, "val", rows, sorted({row.label for row in rows if row.label}), names or {})


def test_a_space_where_labels_lie_on_their_sentences_is_always_right() -> None:
    rows = [row(i, Modality.IMAGE, label) for i, label in enumerate([*AXES] * 2)]
    result = measure_set(Words(), split("animals", rows))
    assert result is not None
    assert result.measures["zeroshot_top1"].value == result.measures["zeroshot_top5"].value == 1.0
    assert result.measures["image_to_image_r1"].value == result.measures["image_to_image_map"].value == 1.0
    assert result.measures["image_to_image_r1"].n == 12
    assert "zeroshot_top1_4khz" not in result.measures  # pictures have no bandwidth
    assert result.classified is not None and (result.classified.truth == result.classified.predicted).all()


def test_sounds_are_measured_once_more_without_what_lies_above_4_khz() -> None:
    rows = [row(i, Modality.AUDIO, label) for i, label in enumerate([*AXES] * 2)]
    space = Words(heard={"bird": "frog"})
    result = measure_set(space, split("noises", rows))
    assert result is not None and space.keys == ["noises-val", "noises-val-4khz"]
    assert result.measures["zeroshot_top1"].value == 1.0
    assert result.measures["zeroshot_top1_4khz"].value == pytest.approx(10 / 12)
    assert result.measures["zeroshot_top5_4khz"].n == 12


def test_captions_are_found_both_ways_and_a_shared_one_fits_all_its_rows() -> None:
    said = ["a dog", "a cat", "a frog", "a lion", "a bird"]
    rows = [row(i, Modality.IMAGE, None, (caption,)) for i, caption in enumerate([*said, "a dog"])]
    result = measure_set(Words(), split("told", rows))
    assert result is not None
    measures = result.measures
    assert measures["text_to_image_r1"].value == measures["image_to_text_r1"].value == 1.0
    assert (measures["text_to_image_r1"].n, measures["image_to_text_r1"].n) == (5, 6)
    assert measures["median_rank"] == measures["text_to_image_median_rank"] and measures["map"].value == 1.0
    assert "zeroshot_top1" not in measures and "image_to_image_r1" not in measures


def test_too_few_rows_say_nothing() -> None:
    assert measure_set(Words(), split("few", [row(i, Modality.IMAGE, "dog") for i in range(4)])) is None


def test_a_sound_fits_photos_of_its_label_of_a_synonym_and_of_the_kinds_of_its_animal() -> None:
    heard = split("heard", [row(i, Modality.AUDIO, label) for i, label in enumerate(["dog", "cat", "lion"] * 2)])
    photos = [
        row(0, Modality.IMAGE, "dog terrier", concept="n02094433"),  # a kind of dog
        row(1, Modality.IMAGE, "house cat"),  # by its synonym
        row(2, Modality.IMAGE, "lion"),  # by its label
        row(3, Modality.IMAGE, "frog"),  # heard nowhere
        row(4, Modality.IMAGE, "bird"),
    ]
    seen = split("seen", photos, {"house cat": ("cat",)})
    splits = [heard, seen]
    results = {one.stem: found for one in splits if (found := measure_set(Words(), one))}
    cross = sound_and_photo(splits, results)
    # One photo fits each sound: it is among the first ten of five, so precision over what can be found is 1.
    assert cross["audio_to_image_p10"].value == 1.0 and cross["audio_to_image_p10"].n == 6
    assert cross["image_to_audio_p10"].n == 3


def test_of_several_pairs_of_files_the_one_with_most_sounds_that_have_a_photo_counts() -> None:
    animals = split("animals", [row(i, Modality.AUDIO, label) for i, label in enumerate(["dog", "cat"] * 3)])
    mixed = split("mixed", [row(i, Modality.AUDIO, label) for i, label in enumerate(["dog", "rain", "wind"] * 2)])
    photos = split("photos", [row(i, Modality.IMAGE, label) for i, label in enumerate(["dog", "cat", "frog"] * 2)])
    splits = [mixed, animals, photos]
    results = {one.stem: found for one in splits if (found := measure_set(Words(), one))}
    assert sound_and_photo(splits, results)["audio_to_image_p10"].n == 6
    assert sound_and_photo([mixed, photos], results) == {}  # two of its six sounds: too few
