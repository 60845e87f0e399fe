"""The whole road from generated media to a checkpoint that loads, and the parts of it that can be checked by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import unimma
from train.align import main
from train.calibrate import null_similarities
from train.config import DistillConfig
from train.distill import Windows, distil, label_windows
from train.prompts import with_article
from train.sentences import Sentences
from unimma.encoders.yamnet_student import NUM_CLASSES, NUM_FEATURES, YamnetStudent
from unimma.types import Modality

CONFIG = Path(__file__).parent.parent.parent / "train" / "configs" / "smoke.toml"


def test_the_smoke_run_gives_a_checkpoint_that_loads_and_embeds(tmp_path: Path) -> None:
    output = tmp_path / "run"
    options = ["--set", "optim.steps=3", "--set", "optim.batch_size=8", "--cache", str(tmp_path / "cache")]
    assert main(["--config", str(CONFIG), "--output", str(output), *options]) == 0
    model = unimma.load_model(str(output))
    assert model.modalities == frozenset(Modality)
    assert np.isfinite(model.embed(["rain on a window", unimma.Image(np.zeros((9, 9, 3), np.uint8))])).all()
    assert model.fingerprint in model.card
    assert json.loads((output / "train.json").read_text())["optim"]["steps"] == 3
    again = tmp_path / "again"  # the same seed, now with every feature from the cache
    assert main(["--config", str(CONFIG), "--output", str(again), *options]) == 0
    assert unimma.load_model(str(again)).fingerprint == model.fingerprint


def test_a_bad_config_exits_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.toml").write_text("[optim]\nsteps = 'many'\n")
    assert main(["--config", str(tmp_path / "bad.toml"), "--output", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def loud_teacher(window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hears how loud a window is, and says so in every feature and in the first class."""
    loud = float(np.sqrt(np.mean(np.square(window))))
    scores = np.zeros(NUM_CLASSES, np.float32)
    scores[0] = min(1.0, loud)
    return np.full(NUM_FEATURES, 4 * loud, np.float32), scores


def test_the_student_learns_from_its_teacher_and_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sounds = [(rng.normal(size=30_000) * level).astype(np.float32) for level in (0.02, 0.1, 0.3)]
    windows = label_windows(lambda: sounds, loud_teacher, 64, 0, tmp_path / "windows.npz")
    assert windows.log_mel.shape == (64, 96, 64)
    kept = label_windows(lambda: [], loud_teacher, 64, 0, tmp_path / "windows.npz")  # nothing to make them from
    assert np.array_equal(kept.log_mel, windows.log_mel)
    config = DistillConfig(epochs=60, batch_size=32, lr=2e-3)
    torch.manual_seed(0)
    student = YamnetStudent()
    first = heard(student, windows)
    distil(student, windows, config, tmp_path / "student.pt")
    assert np.abs(heard(student, windows) - windows.features).mean() < 0.5 * np.abs(first - windows.features).mean()
    other = YamnetStudent()
    distil(other, windows, config, tmp_path / "student.pt")
    assert all(torch.equal(a, b) for a, b in zip(student.parameters(), other.parameters(), strict=True))


def heard(student: YamnetStudent, windows: Windows) -> np.ndarray:
    """What it makes of them, by the batch's own statistics: the running ones lag behind in a run this short."""
    with torch.no_grad():
        return student.train()(torch.from_numpy(windows.log_mel.astype(np.float32)))[0].numpy()


def test_related_pairs_are_left_out_of_the_null() -> None:
    north, east = np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)
    embeddings = {Modality.TEXT: np.stack([north, east]), Modality.IMAGE: np.stack([north, east])}
    meanings = {m: np.array(["up", "right"]) for m in embeddings}
    null = null_similarities(embeddings, meanings)
    assert null["text-image"] == (0.0, 0.0)
    assert set(null) == {"text-text", "text-image", "image-text", "image-image"}


def test_a_sentence_has_one_index() -> None:
    sentences = Sentences()
    assert sentences.add(["a", "b", "a"]).tolist() == [0, 1, 0]
    assert sentences.add(["c", "b"]).tolist() == [2, 1]
    assert len(sentences) == 3


@pytest.mark.parametrize(
    ("name", "said"),
    [("dog", "a dog"), ("engine", "an engine"), ("sea waves", "sea waves"), ("the sea", "the sea"), ("rain", "rain")],
)
def test_names_get_the_article_that_fits(name: str, said: str) -> None:
    assert with_article(name) == said
