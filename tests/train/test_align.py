"""The whole road from generated media to a checkpoint that loads, and the parts of it that can be checked by hand."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import unimma
from tests.train import tiny
from train import checkpoint
from train.align import main
from train.calibrate import null_similarities
from train.config import DataConfig, DistillConfig, read_config
from train.data.parquet import sizes
from train.data.yamnet import Answers
from train.distill import Windows, distil, label_windows
from train.problem import Batch
from train.prompts import with_article
from train.sentences import Sentences
from train.steps import Objective
from train.student import student_keys, training_sounds
from unimma.encoders.yamnet_student import NUM_CLASSES, NUM_FEATURES, RATE_HZ, YamnetStudent
from unimma.types import Modality

ROOT = Path(__file__).parent.parent.parent
CONFIGS = ROOT / "train" / "configs"


def test_the_smoke_run_gives_a_checkpoint_that_loads_and_embeds(tmp_path: Path) -> None:
    output = tmp_path / "run"
    options = ["--set", "optim.steps=3", "--set", "optim.batch_size=8", "--cache", str(tmp_path / "cache")]
    assert main(["--config", str(CONFIGS / "smoke.toml"), "--output", str(output), *options]) == 0
    model = unimma.load_model(str(output))
    assert model.modalities == frozenset(Modality)
    assert np.isfinite(model.embed(["rain on a window", unimma.Image(np.zeros((9, 9, 3), np.uint8))])).all()
    assert model.fingerprint in model.card
    assert json.loads((output / "train.json").read_text())["optim"]["steps"] == 3


TINY = """
[data]
scene_variations = 0
scene_clips = 0
[model]
name = "tiny"
dim = 24
[model.encoders]
text = { name = "tiny-text" }
image = { name = "tiny-image", trainable = "last:2", lr = 1e-3 }
audio = { name = "tiny-audio" }
video = { frames_and_sound = 2 }
[model.heads]
image = { hidden = 16 }
audio = { kind = "adapter", hidden = 8 }
video = { kind = "bridge", hidden = 64, num_layers = 1, num_queries = 2 }
[loss.audio_image]
info_nce = 0.3
[optim]
steps = 10
batch_size = 12
chunk_size = 5
evaluate_every = 5
checkpoint_every = 2
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def arguments(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Of a tiny run, but for --output."""
    tmp_path = tmp_path_factory.mktemp("tiny")
    (tmp_path / "tiny.toml").write_text(TINY)
    return [
        "--config",
        str(tmp_path / "tiny.toml"),
        "--set",
        f"data.folder={folder}",
        "--cache",
        str(tmp_path / "cache"),
    ]


@pytest.fixture(scope="module")
def align(tmp_path_factory: pytest.TempPathFactory):
    """Runs a module of ours with the tiny encoders as a plugin, and environment variables beside.

    On one thread: how many there are decides in which order numbers are summed, and so the last bit of a weight.
    """
    plugin = tiny.write_plugin(tmp_path_factory.mktemp("plugin"))

    def align_(command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{plugin}", "OMP_NUM_THREADS": "1"} | more
        command = [sys.executable, "-m", *command]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    return align_


@pytest.fixture(scope="module")
def calm(arguments: list[str], align, tmp_path_factory: pytest.TempPathFactory) -> unimma.UniMMA:
    """What a run in one piece and one process ends with."""
    output = tmp_path_factory.mktemp("calm")
    done = align(["train.align", *arguments, "--output", str(output)])
    assert done.returncode == 0, done.stderr
    return unimma.load_model(output)


def test_a_run_killed_in_the_middle_and_resumed_ends_as_if_nothing_had_happened(
    folder: Path, arguments: list[str], align, calm: unimma.UniMMA, tmp_path: Path
) -> None:
    """`python -m train.align` itself, with encoders of a plugin, one of them trained, which ends the process."""
    hard = [*arguments, "--output", str(tmp_path / "hard")]
    killed = align(["train.align", *hard], TINY_DIE_AT="35")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    checkpoint = tmp_path / "hard" / "checkpoints" / "heads.pt"
    assert torch.load(checkpoint, weights_only=True)["standing"]["step"] in range(2, 10)
    assert not (tmp_path / "hard" / "config.json").exists()
    done = align(["train.align", *hard, "--resume"])
    assert done.returncode == 0, done.stderr
    assert "heads: goes on after step" in done.stderr
    resumed = unimma.load_model(tmp_path / "hard")
    assert resumed.fingerprint == calm.fingerprint
    assert resumed.config.encoders[Modality.IMAGE]["trained"] == "last:2"
    said = json.loads((tmp_path / "hard" / "train.json").read_text())
    assert set(said["skipped"]) == {"pictures/image-7", "tones/audio-7"}
    assert said["data"]["folder"] == folder.name
    trained = calm.embed([tiny.picture("dog", 99), "a dog", tiny.clip(tmp_path, 3)])
    assert np.array_equal(trained, resumed.embed([tiny.picture("dog", 99), "a dog", tiny.clip(tmp_path, 3)]))


def test_two_processes_make_the_model_that_one_makes(
    arguments: list[str], align, calm: unimma.UniMMA, tmp_path: Path
) -> None:
    run = ["-m", "train.align", *arguments, "--output", str(tmp_path / "two"), "--cache", str(tmp_path / "cache")]
    done = align(["torch.distributed.run", "--standalone", "--nproc-per-node", "2", *run])
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("fingerprint") == 1  # one of them wrote
    items = [tiny.picture("dog", 99), "a dog", tiny.clip(tmp_path, 3)]
    assert np.abs(unimma.load_model(tmp_path / "two").embed(items) - calm.embed(items)).max() < 1e-2


def test_a_finished_run_is_not_run_again_and_another_one_is_not_gone_on_with(
    arguments: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = [*arguments, "--set", "optim.steps=2", "--output", str(tmp_path / "run")]
    assert main(run) == 0
    first = unimma.load_model(tmp_path / "run")
    pushed: list[tuple[Path, str]] = []
    monkeypatch.setattr(Objective, "draw", None)  # a step could not be taken
    monkeypatch.setattr("train.align.push", lambda *what: pushed.append(what) or "somebody/tiny@abc")
    assert main([*run, "--resume", "--push-to-hub", "somebody/tiny"]) == 0
    assert pushed == [(tmp_path / "run", "somebody/tiny")]
    assert "somebody/tiny@abc" in capsys.readouterr().out
    assert unimma.load_model(tmp_path / "run").fingerprint == first.fingerprint
    assert main([*run, "--resume", "--set", "loss.audio_image.info_nce=0.4"]) == 2
    assert "heads.pt is of another run" in capsys.readouterr().err
    assert main([*run, "--push-to-hub", "no repository"]) == 2
    assert "expected user/repo" in capsys.readouterr().err


def test_clips_learn_against_wrong_sentences_and_beside_clips_out_of_order(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Motions and disorders too; the text tower is not trained with the clips."""
    drawn: list[Batch] = []
    draw = Objective.draw

    def listen(objective: Objective, rng: np.random.Generator) -> Batch:
        drawn.append(draw(objective, rng))
        return drawn[-1]

    monkeypatch.setattr(Objective, "draw", listen)
    more = ["data.motion_clips=4", "data.out_of_order=4", "loss.video_text.info_nce=0.5"]
    more += ["loss.video_text.hard_negatives=3", "optim.steps=2", "optim.evaluate_every=0", "optim.chunk_size=9"]
    more += ["optim.lr=1e-2", "optim.fine_lr=1e-2"]
    options = [part for change in more for part in ("--set", change)]

    def trained(name: str, *others: str) -> unimma.UniMMA:
        assert main([*arguments, *options, *others, "--output", str(tmp_path / name)]) == 0
        return unimma.load_model(tmp_path / name)

    hard, plain = trained("hard"), trained("plain", "--set", "loss.video_text.hard_negatives=0")
    clips = [batch for batch in drawn if "video/video_text" in batch.inputs]
    known = [batch.facts["video_text/known"] for batch in clips if "video_text/known" in batch.facts]
    assert len(clips) == 2 and len(known) == 1 and known[0].shape == (6, 3) and known[0].all()
    assert clips[0].facts["text/video_text/wrong"].shape == (18, 24)
    towers = [each.towers[Modality.VIDEO].head.state_dict() for each in (hard, plain)]
    assert not all(torch.equal(value, towers[1][key]) for key, value in towers[0].items())
    images = [each.towers[Modality.IMAGE].head.state_dict() for each in (hard, plain)]
    assert all(torch.equal(value, images[1][key]) for key, value in images[0].items())


def test_the_example_trains_a_part_of_an_open_clip_encoder(folder: Path, tmp_path: Path) -> None:
    """As it ships but for the network, here a tiny one of random weights, and for the number of steps."""
    clip = tiny.write_open_clip(tmp_path / "clip")
    changed = ["model.dim=16", "optim.steps=2", "optim.batch_size=8", "optim.evaluate_every=0", "optim.patience=0"]
    for modality in ("text", "image"):
        changed += [f"model.encoders.{modality}.{key}={value}" for key, value in clip.items()]
    options = [part for change in [*changed, f"data.folder={folder}"] for part in ("--set", change)]
    run = [
        "--config",
        str(CONFIGS / "example.toml"),
        "--output",
        str(tmp_path / "run"),
        "--cache",
        str(tmp_path / "cache"),
    ]
    assert main([*run, *options]) == 0
    model = unimma.load_model(tmp_path / "run")
    assert model.modalities == {Modality.TEXT, Modality.IMAGE}
    pristine, trained = (tower.encoder.network.state_dict() for tower in model.towers.values())
    changed_ones = {name for name, value in trained.items() if not torch.equal(value, pristine[name])}
    assert changed_ones
    assert all(name.startswith(("visual.transformer.resblocks", "visual.ln_post")) for name in changed_ones)


def test_windows_are_labelled_afresh_only_where_they_would_differ(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("[distill]\n")

    def keys(*overrides: str) -> tuple[str, str]:
        return student_keys(read_config(tmp_path / "run.toml", [f"data.folder={folder}", *overrides]))

    windows, student = keys()
    assert keys("distill.epochs=1")[0] == keys("distill.lr=0.5")[0] == keys("optim.steps=3")[0] == windows
    assert keys("optim.steps=3")[1] == student == keys("distill.masks=0")[1] != keys("distill.masks=2")[1]
    assert keys("distill.masks=2")[0] == windows  # the teacher hears all
    sounds = [sorted(sizes(folder).items()), (), []]
    options = ("teachers", 100_000, 7, 128, 2e-3, 1e-4, 0)  # all there were before masks
    known = repr([[sounds, "teachers", 100_000, 0], options])
    assert student == hashlib.sha256(known.encode()).hexdigest()[:12]
    assert len({keys(f"distill.{change}")[1] for change in ("epochs=1", "lr=0.5", "batch_size=3")} | {student}) == 4
    for change in ("distill.num_windows=3", "distill.seed=1", 'data.sets=["tones"]', "data.max_rows.tones=3"):
        assert keys(change)[0] != windows and keys(change)[1] != student


def test_the_student_hears_recordings_alone_and_no_damaged_one(folder: Path) -> None:
    sounds = training_sounds(DataConfig(folder=folder, scene_variations=1, scene_clips=1))
    assert len(sounds) == 20 - 1 + 5  # tones, but for one that is cut off, and the sound of clips
    assert {len(sound) for sound in sounds[:19]} == {int(0.3 * RATE_HZ)}


def test_a_bad_config_exits_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.toml").write_text("[optim]\nsteps = 'many'\n")
    assert main(["--config", str(tmp_path / "bad.toml"), "--output", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def loud_teacher(log_mel: torch.Tensor) -> Answers:
    """Hears how loud windows are, and says so in every feature, at every place and in the first class."""
    loud = log_mel.exp().mean(dim=(1, 2))
    scores = torch.zeros(len(loud), NUM_CLASSES)
    scores[:, 0] = loud.clamp(max=1.0)
    everywhere = loud[:, None, None, None]
    return Answers(everywhere.expand(-1, 512, 6, 4), everywhere.expand(-1, NUM_FEATURES, 3, 2), scores)


def test_the_student_learns_from_its_teacher_and_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sounds = [(rng.normal(size=30_000) * level).astype(np.float32) for level in (0.02, 0.1, 0.3)]
    windows = label_windows(lambda: sounds, loud_teacher, 64, 0, tmp_path / "windows")
    assert windows.log_mel.shape == (64, 96, 64)
    kept = label_windows(lambda: [], loud_teacher, 64, 0, tmp_path / "windows")  # nothing to make them from
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


def test_a_killed_distillation_goes_on_as_if_nothing_had_been(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sounds = [np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)]
    windows = label_windows(lambda: sounds, loud_teacher, 32, 0, tmp_path / "windows")
    monkeypatch.setattr("train.distill.CHECKPOINT_STEPS", 3)
    config = DistillConfig(epochs=4, batch_size=16, masks=1)

    def learned(path: Path) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        student = YamnetStudent()
        distil(student, windows, config, path)
        return student.state_dict()

    whole = learned(tmp_path / "whole.pt")
    maps, calls = YamnetStudent.maps, list[int]()

    def killed(student: YamnetStudent, log_mel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        calls.append(len(log_mel))
        if len(calls) == 6:
            raise KeyboardInterrupt
        return maps(student, log_mel)

    with monkeypatch.context() as dying:
        dying.setattr(YamnetStudent, "maps", killed)
        with pytest.raises(KeyboardInterrupt):
            learned(tmp_path / "killed.pt")
    kept = checkpoint.read(tmp_path / "killed.pt")
    assert kept is not None and kept["step"] == 3
    again = learned(tmp_path / "killed.pt")
    assert all(torch.equal(again[name], value) for name, value in whole.items())


def test_the_student_alone_hears_with_parts_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sounds = [np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)]
    windows = label_windows(lambda: sounds, loud_teacher, 32, 0, tmp_path / "windows")
    taught = {name: np.array(getattr(windows, name)) for name in ("log_mel", "features", "scores")}
    given: list[torch.Tensor] = []
    maps = YamnetStudent.maps

    def listen(student: YamnetStudent, log_mel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        given.append(log_mel.clone())
        return maps(student, log_mel)

    monkeypatch.setattr(YamnetStudent, "maps", listen)

    def learned(masks: int, name: str) -> list[torch.Tensor]:
        torch.manual_seed(0)
        student = YamnetStudent()
        distil(student, windows, DistillConfig(epochs=2, batch_size=16, masks=masks), tmp_path / f"{name}.pt")
        return list(student.parameters())

    plain, masked, again = learned(0, "plain"), learned(2, "masked"), learned(2, "again")
    assert all(map(torch.equal, masked, again)) and not all(map(torch.equal, masked, plain))
    assert len(given) == 12
    for whole, hidden in zip(given[:4], given[4:8], strict=True):  # the same batches
        changed = whole != hidden
        assert 0.1 < changed.float().mean() < 0.6
        assert (hidden == whole.amin(dim=(1, 2), keepdim=True))[changed].all()
    assert all(np.array_equal(values, getattr(windows, name)) for name, values in taught.items())


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
