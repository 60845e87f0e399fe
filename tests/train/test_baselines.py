"""ConSE and ridge regression on made-up encoders, against their definitions written out."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor, nn

from tests.train.test_evaluate import row as made_row
from train.data.classes import audioset_names, imagenet_names
from train.data.parquet import Row
from train.evaluate.baselines import (
    ClassProbabilities,
    Conse,
    Frozen,
    MeanOfFrames,
    RidgeSpace,
    SentenceSpace,
    fit_all,
    training_centre,
)
from train.evaluate.spaces import FloatArray, read_sets
from train.prompts import sentences
from unimma.encoders.base import EncoderInfo, Prepared
from unimma.types import Image, Modality, Video

COLOURS = ("red", "green", "blue")


class MeanColour:
    """Pictures → their mean colour, then three logits: ten times the colour."""

    modality = Modality.IMAGE
    dim = 6
    info = EncoderInfo(paper="", licence="", input="", weights="")

    def __init__(self) -> None:
        self.network: nn.Module = nn.Identity()

    def prepare(self, item: Image) -> Prepared:
        return {"colour": torch.from_numpy(item.pixels.mean(axis=(0, 1)) / 255.0).float()}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        colour = torch.stack([item["colour"] for item in batch])
        return torch.cat([colour, 10 * colour], dim=1)


def words(said: Sequence[str]) -> FloatArray:
    """An axis a colour, and one that all sentences share."""
    return np.array([[float(colour in each) for colour in COLOURS] + [1.0] for each in said], np.float32).reshape(-1, 4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    labels = ["red car", "green field", "blue sky"]
    rows = [made_row(i, labels[i % 3], "val" if i < 6 else "train") for i in range(18)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "colours.parquet")
    return folder


@pytest.fixture(scope="module")
def space(folder: Path) -> SentenceSpace:
    return SentenceSpace(words, training_centre(folder, words))


def rows_of(folder: Path, split: str) -> list[Row]:
    (one,) = read_sets(folder, split, frozenset({Modality.IMAGE}))
    return list(one.rows)


def test_the_centre_is_the_mean_of_training_sentences_and_takes_away_what_all_share(space: SentenceSpace) -> None:
    assert space.centre[3] == 1.0 and 0 < space.centre[0] < 1
    z = space(["red", "green"])
    assert z[:, 3] == pytest.approx(0) and np.linalg.norm(z, axis=1) == pytest.approx(1)


def test_conse_is_the_mean_of_class_sentences_weighted_by_probability(
    space: SentenceSpace, folder: Path, tmp_path: Path
) -> None:
    names = [(colour,) for colour in COLOURS]
    classes = ClassProbabilities(Frozen(MeanColour(), 3), names, Modality.IMAGE, is_ready=False)
    rows = rows_of(folder, "val")
    found = Conse(space, {Modality.IMAGE: classes}, tmp_path).media(rows, "colours-val")
    for each, z in zip(found.rows, found.z, strict=True):
        logits = 10 * each.decode().pixels.mean(axis=(0, 1)) / 255.0
        shares = np.exp(logits) / np.exp(logits).sum()
        expected = sum(
            share * space.mean(sentences(colour, Modality.IMAGE)) for share, colour in zip(shares, COLOURS, strict=True)
        )
        assert z == pytest.approx(expected / np.linalg.norm(expected), abs=2e-3)  # features are kept in float16


def test_scores_that_are_probabilities_already_are_only_made_to_sum_to_one() -> None:
    classes = ClassProbabilities(Frozen(MeanColour(), 3), [("a",)] * 3, Modality.AUDIO, is_ready=True)
    features = np.array([[9.0, 9.0, 9.0, 0.1, 0.2, 0.1]], np.float16)
    assert classes(features) == pytest.approx(np.array([[0.25, 0.5, 0.25]]), abs=1e-3)


def test_ridge_leads_from_features_to_the_sentences_of_labels_and_captions(
    space: SentenceSpace, folder: Path, tmp_path: Path
) -> None:
    frozen = {Modality.IMAGE: Frozen(MeanColour(), 3)}
    train = read_sets(folder, "train", frozenset(frozen))
    fitted = fit_all(space, frozen, train, tmp_path)
    assert fitted[Modality.IMAGE].weight.shape == (3, 4)  # the logits are left out
    found = RidgeSpace(space, frozen, fitted, tmp_path).media(rows_of(folder, "val"), "colours-val")
    classes = space(COLOURS)
    nearest = (found.z @ classes.T).argmax(axis=1)
    assert all(COLOURS[i] in (row.label or "") for row, i in zip(found.rows, nearest, strict=True))


def test_a_clip_is_the_mean_of_its_frames() -> None:
    frames = np.zeros((16, 8, 8, 3), np.uint8)
    frames[8:] = 200
    seen = MeanOfFrames(MeanColour())
    z = seen.encode([seen.prepare(Video(frames, np.arange(16.0), 16.0))])
    assert z[0, :3].tolist() == pytest.approx([100 / 255] * 3)
    assert z.shape == (1, 6) and "8 frames" in seen.info.input


def test_class_names_come_from_the_folder_the_clearest_first(tmp_path: Path) -> None:
    (tmp_path / "teachers").mkdir()
    (tmp_path / "teachers" / "imagenet1k-classes.tsv").write_text("0\tn01\tgolden_Fish\n1\tn02\tcrane\n")
    (tmp_path / "teachers" / "yamnet_class_map.csv").write_text(
        'index,mid,display_name\n0,/m/1,Speech\n1,/m/2,"Dog, bark"\n'
    )
    known = {"made": {"crane": {"concept": "n02", "synonyms": ["hoist"], "clear_name": "construction crane"}}}
    (tmp_path / "labels.json").write_text(json.dumps(known))
    assert imagenet_names(tmp_path) == [("golden fish",), ("construction crane", "hoist")]
    assert audioset_names(tmp_path) == [("speech",), ("dog", "bark")]
