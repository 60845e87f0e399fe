"""The loop: killed and resumed, alone and in company, averaged, stopped early; and what it refuses."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor

from tests.train.lives import TOGETHER, train
from tests.train.small import SmallProblem, weights
from train import progress
from train.config import OptimConfig
from train.loop import fit
from train.problem import Batch, ParamGroup
from unimma.errors import ConfigError

ROOT = Path(__file__).parent.parent.parent
SHORT = OptimConfig(steps=12, checkpoint_every=5)


def run(*command: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def curve(folder: Path, tag: str, name: str = "small") -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder / "logs" / name))
    events.Reload()
    return [(point.step, point.value) for point in events.Scalars(tag)]


class Watched(SmallProblem):
    """Remembers its trained parameters before each step, and does something at a draw."""

    def __init__(self, at_draw: Callable[[int], None] = lambda draws: None, **options: float) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.at_draw, self.draws = at_draw, 0
        self.seen: list[dict[str, Tensor]] = []

    def draw(self, rng: np.random.Generator) -> Batch:
        self.draws += 1
        self.at_draw(self.draws)
        self.seen.append({name: p.detach().clone() for name, p in self.named_parameters()})
        return super().draw(rng)


class Stop(Exception):
    pass


def stop_at(draw: int) -> Callable[[int], None]:
    def act(draws: int) -> None:
        if draws == draw:
            raise Stop

    return act


def test_a_run_learns_and_tells_how_it_went(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    problem = SmallProblem(dropout=0.0, batch_size=32)
    before = problem.recall()
    caplog.set_level(logging.INFO)
    report = fit(problem, OptimConfig(steps=150), tmp_path, name="small")
    assert problem.recall() > before + 0.3
    assert (report.steps, report.score, report.best_step) == (150, None, None)
    assert not problem.training
    (line,) = [message for message in caplog.messages if "step 150 of 150" in message]
    assert f"loss {report.loss:.4f}" in line and "rows/s" in line and "00:00 left" in line


def test_killed_anywhere_and_resumed_it_ends_bit_by_bit_as_if_nothing_had_happened(tmp_path: Path) -> None:
    kills = ["draw:2", "half:1", "draw:15", "half:2", "before:2", "look:1", "outside:5", "after:1"]
    calm_ends, hard_ends = json.loads(run(str(ROOT / "tests" / "train" / "lives.py"), "killed", str(tmp_path), *kills))
    assert (calm_ends, hard_ends) == ([0], [signal.SIGKILL] * len(kills) + [0])
    calm, hard = (torch.load(tmp_path / name / "result.pt", weights_only=True) for name in ("calm", "hard"))
    assert calm.keys() == hard.keys()
    assert all(torch.equal(calm[name], hard[name]) for name in calm)
    kept = [torch.load(tmp_path / name / "small.pt", weights_only=True) for name in ("calm", "hard")]
    assert kept[0]["standing"] == kept[1]["standing"]
    assert len(kept[0]["skipped"]) == len(kept[1]["skipped"]) == 48
    for tag in ("loss/total", "val", "lr/image"):
        assert curve(tmp_path / "calm", tag) == curve(tmp_path / "hard", tag)
    assert sorted(path.name for path in (tmp_path / "hard").iterdir()) == ["logs", "result.pt", "small.pt"]


def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    train(SmallProblem(), TOGETHER, tmp_path, resume=False)
    alone = torch.load(tmp_path / "result.pt", weights_only=True)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    run(*launch, str(ROOT / "tests" / "train" / "lives.py"), "together", str(tmp_path))
    together = torch.load(tmp_path / "result.pt", weights_only=True)
    start = weights(SmallProblem())
    for name in alone:
        torch.testing.assert_close(together[name], alone[name], rtol=0, atol=1e-5)
        assert name == "loss" or not torch.allclose(alone[name], start[name], rtol=0, atol=1e-4)


def test_a_finished_run_that_is_resumed_returns_at_once(tmp_path: Path) -> None:
    problem = SmallProblem()
    report = fit(problem, replace(SHORT, ema=0.9), tmp_path, name="small")
    other = Watched(stop_at(1))
    assert fit(other, replace(SHORT, ema=0.9, checkpoint_every=7), tmp_path, name="small", resume=True) == report
    assert all(torch.equal(weights(problem)[name], tensor) for name, tensor in weights(other).items())


def test_a_run_leaves_the_callers_random_numbers_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(SmallProblem(), SHORT, tmp_path, name="small")
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("problem", "optim", "said"),
    [
        (SmallProblem(), replace(SHORT, lr=0.5), r"optim\.lr was 0\.001 and is 0\.5"),
        (SmallProblem(fingerprint="other data"), SHORT, r"problem was '' and is 'other data'"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(
    tmp_path: Path, problem: SmallProblem, optim: OptimConfig, said: str
) -> None:
    fit(SmallProblem(), SHORT, tmp_path, name="small")
    with pytest.raises(ConfigError, match=said) as refused:
        fit(problem, optim, tmp_path, name="small", resume=True)
    assert "small.pt" in str(refused.value) and "without --resume" in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


def test_a_checkpoint_of_other_parameters_is_refused(tmp_path: Path) -> None:
    fit(SmallProblem(), SHORT, tmp_path, name="small")
    wider = SmallProblem()
    wider.towers["text"] = torch.nn.Linear(10, 7, bias=False)
    with pytest.raises(ConfigError, match=r"text\.bias is not trained any more; towers\.text\.weight was \[6, 10\]"):
        fit(wider, SHORT, tmp_path, name="small", resume=True)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "small.pt").write_bytes(b"something else")
    with pytest.raises(ConfigError, match=r"^small\.pt cannot be read"):
        fit(SmallProblem(), SHORT, tmp_path, name="small", resume=True)


def test_a_folder_that_cannot_be_written_is_named_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "small.pt.part").mkdir()
    with pytest.raises(ConfigError, match=r"^small\.pt cannot be written \(Is a directory\)"):
        fit(SmallProblem(), SHORT, tmp_path, name="small")


def test_without_resume_it_starts_afresh_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(Stop):
        fit(Watched(stop_at(8)), SHORT, tmp_path, name="small")
    again = Watched()
    fit(again, SHORT, tmp_path, name="small")
    assert again.draws == SHORT.steps
    assert any("starts afresh" in message and "--resume" in message for message in caplog.messages)


def test_averaged_weights_are_judged_on_val_and_are_the_result(tmp_path: Path) -> None:
    optim = replace(SHORT, ema=0.6)
    raw = Watched()
    fit(raw, replace(optim, ema=0.0), tmp_path, name="raw")
    trail = [*raw.seen, {name: p.detach() for name, p in raw.named_parameters()}]
    average, averages = trail[0], []
    for step, now in enumerate(trail[1:], start=1):
        decay = min(0.6, (1 + step) / (10 + step))
        average = {name: decay * average[name] + (1 - decay) * now[name] for name in now}
        averages.append(average)
    judged: list[Mapping[str, Tensor]] = []
    problem = Watched()

    def validate() -> float:
        assert not problem.training and not torch.is_grad_enabled()
        judged.append({name: p.clone() for name, p in problem.named_parameters()})
        return float(len(judged))

    fit(problem, replace(optim, evaluate_every=6), tmp_path, name="averaged", validate=validate)
    for found, expected in ((judged[0], averages[5]), (judged[1], averages[11])):
        for name in expected:
            torch.testing.assert_close(found[name], expected[name])
    for name, parameter in problem.named_parameters():
        torch.testing.assert_close(parameter.detach(), averages[-1][name])
    unjudged = Watched()
    fit(unjudged, optim, tmp_path, name="unjudged")
    assert all(torch.equal(weights(unjudged)[name], tensor) for name, tensor in weights(problem).items())


def test_it_stops_early_and_keeps_the_best_weights(tmp_path: Path) -> None:
    problem = SmallProblem()
    scores = iter([0.1, 0.5, 0.4, 0.5, 0.9])
    judged: list[dict[str, Tensor]] = []

    def validate() -> float:
        judged.append(weights(problem))
        return next(scores)

    optim = OptimConfig(steps=50, evaluate_every=3, patience=2)
    report = fit(problem, optim, tmp_path, name="small", validate=validate)
    assert (report.steps, report.score, report.best_step) == (12, 0.5, 6)
    assert all(torch.equal(judged[1][name], tensor) for name, tensor in weights(problem).items())
    assert [step for step, _ in curve(tmp_path, "val")] == [3, 6, 9, 12]


class Sick(SmallProblem):
    """Its second term is no number from some step on."""

    def loss(self, z: Mapping[str, Tensor], batch: Batch) -> Mapping[str, Tensor]:
        self.losses = getattr(self, "losses", 0) + 1
        terms = dict(super().loss(z, batch))
        return terms if self.losses < 4 else terms | {"views": terms["views"] * float("nan")}


def test_a_loss_that_is_no_number_stops_the_run_and_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^small, step 4: the loss 'views' is nan.*optim\.lr"):
        fit(Sick(), SHORT, tmp_path, name="small")


def test_a_score_that_is_no_number_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"after step 3: the score on val is nan"):
        fit(SmallProblem(), replace(SHORT, evaluate_every=3), tmp_path, name="small", validate=lambda: float("nan"))


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine"])
def test_each_group_warms_up_to_its_own_rate_and_then_goes_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schedule: str
) -> None:
    monkeypatch.setattr(progress, "CURVE_STEPS", 1)
    optim = OptimConfig(steps=20, warmup=0.25, schedule=schedule)  # type: ignore[arg-type]
    fit(SmallProblem(), optim, tmp_path, name="small")
    for group, peak in (("image", 1e-2), ("text", 1e-3)):
        rates = [rate for _, rate in curve(tmp_path, f"lr/{group}")]
        top = int(np.argmax(rates))
        assert 4 <= top <= 5 and rates[top] == pytest.approx(peak, rel=0.03)
        assert rates[:top] == sorted(rates[:top]) and rates[top:] == sorted(rates[top:], reverse=True)
        assert rates[0] < 0.25 * peak and rates[-1] < 0.05 * peak


def test_a_run_without_warm_up_starts_at_the_peak(tmp_path: Path) -> None:
    for schedule in ("one-cycle", "cosine"):
        optim = OptimConfig(steps=4, warmup=0.0, schedule=schedule)  # type: ignore[arg-type]
        fit(SmallProblem(), optim, tmp_path / schedule, name="small")
        assert curve(tmp_path / schedule, "lr/image")[0][1] == pytest.approx(1e-2, rel=0.1)


def test_curves_show_every_term_and_scale_and_are_not_doubled_by_a_resume(tmp_path: Path) -> None:
    optim = OptimConfig(steps=30, checkpoint_every=15)
    with pytest.raises(Stop):
        fit(Watched(stop_at(25)), optim, tmp_path, name="small")
    fit(SmallProblem(), optim, tmp_path, name="small", resume=True)
    tags = ("loss/total", "loss/image_text", "loss/views", "logit_scale/pairs", "gradient_norm", "lr/text")
    for tag in tags:
        assert [step for step, _ in curve(tmp_path, tag)] == [1, 10, 20, 30]
    total, one, other = ([value for _, value in curve(tmp_path, tag)] for tag in tags[:3])
    assert total == pytest.approx([a + b for a, b in zip(one, other, strict=True)])


def test_gradients_are_clipped(tmp_path: Path) -> None:
    norms = {}
    for limit in (0.0, 0.01):
        problem = SmallProblem()
        fit(problem, OptimConfig(steps=1, max_grad_norm=limit), tmp_path, name="small")
        norms[limit] = float(torch.cat([p.grad.flatten() for p in problem.parameters() if p.grad is not None]).norm())
    assert norms[0.0] > 0.1 and norms[0.01] == pytest.approx(0.01, rel=1e-3)


def test_weight_decay_is_each_groups_own(tmp_path: Path) -> None:
    class Decaying(SmallProblem):
        def groups(self) -> list[ParamGroup]:
            image, text = super().groups()
            return [replace(image, weight_decay=50.0, lr=1e-3), text]

    plain, decayed = SmallProblem(dropout=0.0), Decaying(dropout=0.0)
    for problem in (plain, decayed):
        fit(problem, SHORT, tmp_path, name="small")
    size = {p: [problem.towers[p].state_dict() for problem in (plain, decayed)] for p in ("image", "text")}
    assert size["image"][1]["0.weight"].norm() < 0.9 * size["image"][0]["0.weight"].norm()
    assert size["text"][1]["weight"].norm() == pytest.approx(float(size["text"][0]["weight"].norm()), rel=0.02)


def test_bfloat16_is_for_embeddings_alone(tmp_path: Path) -> None:
    class Mixed(SmallProblem):
        def embed(self, key: str, rows: Tensor) -> Tensor:
            assert torch.is_autocast_enabled("cpu") and self.towers["text"](rows).dtype == torch.bfloat16
            return super().embed(key, rows)

        def loss(self, z: Mapping[str, Tensor], batch: Batch) -> Mapping[str, Tensor]:
            assert not torch.is_autocast_enabled("cpu") and all(rows.dtype == torch.float32 for rows in z.values())
            return super().loss(z, batch)

    problem, plain = Mixed(), SmallProblem()
    assert fit(problem, replace(SHORT, precision="bf16"), tmp_path, name="mixed").steps == SHORT.steps
    fit(plain, SHORT, tmp_path, name="plain")
    assert all(tensor.dtype == torch.float32 for tensor in weights(problem).values())
    for name, tensor in weights(plain).items():
        torch.testing.assert_close(weights(problem)[name], tensor, rtol=0, atol=0.05)


def test_what_is_frozen_rests_and_is_not_in_the_checkpoint(tmp_path: Path) -> None:
    modes = set()

    class Frozen(SmallProblem):
        def embed(self, key: str, rows: Tensor) -> Tensor:
            modes.add((key, self.towers[key.partition("/")[0]].training))
            return super().embed(key, rows)

    problem = Frozen()
    problem.towers["image"].requires_grad_(False)
    before = weights(problem)
    fit(problem, SHORT, tmp_path, name="small")
    assert modes == {("image", False), ("image/view", False), ("text", True)}
    assert torch.equal(problem.towers["image"][0].weight, before["towers.image.0.weight"])
    assert not torch.equal(problem.towers["text"].weight, before["towers.text.weight"])
    kept = torch.load(tmp_path / "small.pt", weights_only=True)["module"]
    assert "towers.text.weight" in kept and not any("image" in name for name in kept)
