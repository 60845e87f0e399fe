"""What training is given beside plain rows: wide views, other words, and media made of other media."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.train import tiny
from train.config import DataConfig
from train.data.disorder import DisorderRow
from train.data.kinds import kind_of
from train.data.parquet import Row
from train.features import WIDE_VIEWS_FROM, decoded, vary
from train.material import Material, fitting_sentences, gather, rows_of
from train.prompts import reworded, synonyms_of
from train.sentences import Sentences
from unimma.augment import vary_audio, vary_audio_more, vary_image, vary_image_more, vary_video
from unimma.encoders.registry import find
from unimma.types import Audio, Image, Modality, Text, Video

NONE = {"scene_variations": 0, "scene_clips": 0}
WORDS = synonyms_of([("car", "automobile"), ("man", "guy")])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_data(tmp_path_factory.mktemp("data"))


def test_clips_and_pairs_are_made_of_the_train_rows_alone(folder: Path) -> None:
    config = DataConfig(folder=folder, motion_clips=15, pairs=6, **NONE)
    found = {modality: rows_of(config, modality) for modality in (Modality.IMAGE, Modality.AUDIO, Modality.VIDEO)}
    made = {stem: rows for sets in found.values() for stem, rows in sets.items() if "pairs" in stem or "motion" in stem}
    assert sorted(len(rows) for rows in made.values()) == [6, 6, 15]
    assert {row.modality for rows in made.values() for row in rows} == set(found)
    train = {row.label for rows in rows_of(DataConfig(folder=folder, **NONE), Modality.IMAGE).values() for row in rows}
    pairs = next(rows for stem, rows in found[Modality.IMAGE].items() if "pairs" in stem)
    assert all(set(row.label.split(" and ")) <= train for row in pairs if row.label)
    assert not any("pairs" in stem for stem in rows_of(config, Modality.IMAGE, "val"))


def test_made_media_of_other_rows_have_another_name_in_the_cache(folder: Path) -> None:
    def name(**changes: object) -> str:
        config = DataConfig(**{"folder": folder, "motion_clips": 3, **NONE, **changes})
        (stem,) = (stem for stem in rows_of(config, Modality.VIDEO) if "motion" in stem)
        return stem

    assert name() == name()
    assert len({name(), name(motion_clips=4), name(scene_variations=1)}) == 3


def test_mild_and_wide_views_are_the_variations_that_they_are_said_to_be() -> None:
    rng = np.random.default_rng(0)
    image = Image(rng.integers(0, 256, (40, 40, 3)).astype(np.uint8))
    audio = Audio((0.3 * rng.standard_normal(4_000)).astype(np.float32), 16_000)
    video = Video(np.stack([image.pixels] * 3), np.arange(3.0), 3.0)
    for view, change, wave in ((1, vary_image, vary_audio), (WIDE_VIEWS_FROM, vary_image_more, vary_audio_more)):
        seen = vary(image, view, np.random.default_rng(7))
        assert isinstance(seen, Image)
        assert np.array_equal(seen.pixels, change(image, np.random.default_rng(7)).pixels)
        heard = vary(audio, view, np.random.default_rng(7))
        assert isinstance(heard, Audio)
        assert np.array_equal(heard.waveform, wave(audio, np.random.default_rng(7)).waveform)
    assert vary(video, 1, rng) is video
    wide = vary(video, WIDE_VIEWS_FROM, np.random.default_rng(7))
    assert isinstance(wide, Video) and wide.duration_s == vary_video(video, np.random.default_rng(7)).duration_s
    assert vary(Text("a dog"), 1, rng) == Text("a dog")


def test_wide_views_stand_beside_mild_ones_and_every_item_weighs_the_same(folder: Path, tmp_path: Path) -> None:
    encoder, sentences = find("tiny-image")(), Sentences()
    plain = gather(encoder, Modality.IMAGE, DataConfig(folder=folder, **NONE), sentences, tmp_path)
    config = DataConfig(folder=folder, views=1, wide_views=2, **NONE)
    wide = gather(encoder, Modality.IMAGE, config, sentences, tmp_path)
    assert plain is not None and wide is not None
    assert len(wide.weight) == 4 * len(plain.weight)
    assert len({path.name.split("-view")[1].split("-")[0] for path in tmp_path.iterdir()}) == 4
    assert wide.weight.sum() == pytest.approx(plain.weight.sum())
    single = DataConfig(
        folder=folder, wide_views=2, single_view=tuple(path.stem for path in folder.glob("*.parquet")), **NONE
    )
    only = gather(encoder, Modality.IMAGE, single, sentences, tmp_path)
    assert only is not None and len(only.weight) == len(plain.weight)


def test_a_made_row_has_views_of_its_own(folder: Path) -> None:
    row = next(iter(rows_of(DataConfig(folder=folder, pairs=1, **NONE), Modality.IMAGE).values()))[0]
    one, again, other = (decoded(row, view) for view in (1, 1, 2))
    assert isinstance(one, Image) and isinstance(again, Image) and isinstance(other, Image)
    assert np.array_equal(one.pixels, again.pixels)
    assert one.pixels.shape != other.pixels.shape or not np.array_equal(one.pixels, other.pixels)


def test_captions_are_told_in_other_words_too(folder: Path) -> None:
    said = reworded(["A man parks a car.", "rain"], Modality.AUDIO, 8, WORDS)
    assert said == reworded(["A man parks a car.", "rain"], Modality.AUDIO, 8, WORDS)
    assert len(said) == len(set(said)) > 6 and "rain" not in said
    assert any("guy" in one for one in said) and any("automobile" in one for one in said)
    assert reworded(["rain"], Modality.AUDIO, 0, WORDS) == [] == reworded([], Modality.IMAGE, 3, WORDS)


def test_a_set_is_drawn_as_often_as_its_weight_says(folder: Path, tmp_path: Path) -> None:
    def share(weight: float | None = None) -> float:
        config = DataConfig(folder=folder, scene_variations=1, scene_clips=0)
        (stem,) = (stem for stem in rows_of(config, Modality.IMAGE) if not stem.startswith("scenes-"))
        config = replace(config, weights={stem: weight} if weight else {})
        material = gather(find("tiny-image")(), Modality.IMAGE, config, Sentences(), tmp_path)
        assert material is not None
        return float(material.weight[material.item < len(rows_of(config, Modality.IMAGE)[stem])].sum())

    plain, often = share(), share(4.0)
    assert often / (1 - often) == pytest.approx(4 * plain / (1 - plain))


def test_a_breed_is_said_to_be_a_dog_and_heard_as_one() -> None:
    breed = Row("pets", "1", "train", Modality.IMAGE, b"", "chihuahua", (), None, "n02085620")
    assert "a photo of a dog" in fitting_sentences(breed, {})
    barks = Row("sounds", "2", "train", Modality.AUDIO, b"", "dog", (), None, "ESC-50:101")
    assert kind_of(barks.label, barks.concept) == kind_of(breed.label, breed.concept) == "dog"
    assert kind_of("rooster", "n01514668") == kind_of("hen", None) == "chicken"
    assert kind_of("snow globe", "n04251144") == "snow globe"
    assert kind_of(None, None) == ""


def test_wrong_sentences_are_gathered_and_none_of_them_fits(folder: Path, tmp_path: Path) -> None:
    def gathered(count: int) -> tuple[Material, list[str]]:
        sentences = Sentences()
        config = DataConfig(folder=folder, views=1, paraphrases=2, **NONE)
        material = gather(find("tiny-image")(), Modality.IMAGE, config, sentences, tmp_path, hard_negatives=count)
        assert material is not None
        return material, list(sentences)

    material, said = gathered(2)
    assert len(material.wrong) == len(material) == 2 * 31
    for row in range(len(material)):
        assert not {*material.wrong[row]} & {*material.sentences[row]}
        wrong = [said[index] for index in material.wrong[row]]
        assert len(wrong) > 5 and not any(material.name[row] in sentence for sentence in wrong)
        assert all(any(name in sentence for name in tiny.COLOURS) for sentence in wrong)
    again, same = gathered(2)
    assert said == same and all(map(np.array_equal, material.wrong, again.wrong))
    none, fewer = gathered(0)
    assert set(fewer) <= set(said) and not any(map(len, none.wrong))


def test_as_many_wrong_sentences_are_drawn_as_there_are() -> None:
    wrong = [np.array([4, 5, 6]), np.array([7]), np.zeros(0, np.int64)]
    names, sentences = np.array(["a", "b", "c"]), [np.array([0])] * 3
    material = Material(torch.zeros(3, 2), names, names, np.arange(3), sentences, np.full(3, 1 / 3), wrong=wrong)
    drawn = material.take_wrong(np.array([0, 1, 2, 0]), 2, np.random.default_rng(0))
    assert drawn.shape == (4, 2)
    assert all(len({*row}) == 2 and {*row} < {4, 5, 6} for row in (drawn[0], drawn[3]))
    assert drawn[1].tolist() == [7, -1] and drawn[2].tolist() == [-1, -1]
    assert np.array_equal(drawn, material.take_wrong(np.array([0, 1, 2, 0]), 2, np.random.default_rng(0)))


def test_clips_out_of_order_are_made_of_the_train_clips_and_told_from_each_other(folder: Path) -> None:
    found = rows_of(DataConfig(folder=folder, out_of_order=7, **NONE), Modality.VIDEO)
    (stem,) = (stem for stem in found if stem.startswith("clips-out-of-order"))
    train = {row.label for row in found["clips"]}
    assert len(found[stem]) == 7
    for row in found[stem]:
        assert isinstance(row, DisorderRow) and row.clip.label in train
        assert all(row.way in said for said in row.captions) and row.label.endswith(row.way)
        assert not {*row.captions} & {*row.wrong_captions} and len(row.captions) == len(row.wrong_captions)
    val = rows_of(DataConfig(folder=folder, out_of_order=7, **NONE), Modality.VIDEO, "val")
    assert not any("out-of-order" in stem for stem in val)
