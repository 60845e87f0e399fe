"""The training loop: whatever is a `Problem` is trained by it, in one process or many, and goes on after a kill.

    python -m train.align …      accelerate launch -m train.align …      torchrun --nproc-per-node 2 -m train.align …

Each step depends on the seed, its number and what was learned before it, so a run that was killed and resumed is, on a
CPU, bit by bit the run that was not.
"""

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast, broadcast_object_list, gather_object
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, OneCycleLR, SequentialLR
from torch.optim.swa_utils import get_ema_multi_avg_fn

from train import checkpoint
from train.config import OptimConfig
from train.gradcache import Workers, add_gradients, seed_torch, sum_gradients
from train.problem import Problem, Report
from train.progress import Progress
from unimma.errors import ConfigError, UnimmaError

log = logging.getLogger(__name__)
LOSS_MEMORY = 0.98  # of the running mean of the loss
FREE = ("checkpoint_every",)  # options that may change between a kill and a resume: they do not decide the weights


@dataclass
class Standing:
    """Where a run stands, beside its weights: plain values, kept in checkpoints."""

    step: int = 0  # steps done
    mean_loss: float = math.nan
    score: float | None = None  # the best so far
    best_step: int | None = None
    stale: int = 0  # looks at val since then
    finished: bool = False


def fit(
    problem: Problem,
    optim: OptimConfig,
    folder: Path,
    *,
    name: str,
    validate: Callable[[], float] | None = None,
    resume: bool = False,
) -> Report:
    """Train a problem in place; it is left in eval mode on the CPU, with the weights that are the result.

    These are the best ones where `validate` is asked (`optim.evaluate_every`), else the averaged ones (`optim.ema`),
    else the last. Every process that was started runs this same call; the main one alone writes.

    Args:
        folder: for the checkpoint NAME.pt and the curves logs/NAME.
        validate: a score, higher is better, of the problem as it is when called: in eval mode, on the device it is
            trained on, with averaged weights where there are such. Called on the main process alone, without a graph.
        resume: go on from the checkpoint where there is one; a finished run is not run again.
    Raises:
        ConfigError: a loss, gradient or score that is not finite; a checkpoint of another run, or that cannot be read
            or written; a batch with fewer rows than processes.
    """
    accelerator = Accelerator(
        mixed_precision="no"
    )  # `optim.precision` decides, not the launcher: it changes the result
    cuda = [accelerator.device] if accelerator.device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        run = _Run(problem, optim, folder / f"{name}.pt", accelerator)
        run.begin(resume)
        if not run.standing.finished:
            run.train(folder, validate if optim.evaluate_every else None)
        run.leave()
    at = run.standing
    return Report(at.step, at.mean_loss, at.score, at.best_step, dict(problem.skipped))


class _Run:
    """The moving parts of one run."""

    def __init__(self, problem: Problem, optim: OptimConfig, path: Path, accelerator: Accelerator) -> None:
        self.problem, self.optim, self.path, self.accelerator = problem.to(accelerator.device), optim, path, accelerator
        self.workers = Workers(accelerator, optim.chunk_size, optim.precision == "bf16")
        self.standing = Standing()
        groups = [(g, [p for p in g.parameters if p.requires_grad]) for g in problem.groups()]
        self.group_names = [group.name for group, parameters in groups if parameters]
        self.parameters = [p for _, parameters in groups for p in parameters]
        _check_groups(problem, self.parameters)
        self.optimiser = torch.optim.AdamW(
            [{"params": own, "lr": group.lr, "weight_decay": group.weight_decay} for group, own in groups if own]
        )
        self.schedule = _schedule(self.optimiser, optim)
        self.average: list[Tensor] = []
        self.best: dict[str, Tensor] = {}

    def begin(self, resume: bool) -> None:
        """Take up the checkpoint, or start afresh; afterwards every process has the main one's weights."""
        found = self._read(resume)
        if found is None:
            start = checkpoint.trained_state(self.problem)
            for tensor in start.values():
                broadcast(tensor)
            self.average = [p.detach().clone() for p in self.parameters] if self.optim.ema else []
            return
        device = self.accelerator.device
        self.standing = Standing(**found["standing"])
        self.problem.skipped = dict(found["skipped"])
        self.average = [tensor.to(device) for tensor in found["average"]]
        self.best = {name: tensor.to(device) for name, tensor in found["best"].items()}
        checkpoint.put(found["module"], self.problem)
        self.optimiser.load_state_dict(found["optimiser"])
        self.schedule.load_state_dict(found["schedule"])

    def train(self, folder: Path, validate: Callable[[], float] | None) -> None:
        """Every step that is left."""
        optim, at, main = self.optim, self.standing, self.accelerator.is_main_process
        progress = Progress(self.path.stem, at.step, optim.steps, folder, main)
        try:
            while not at.finished:
                rows, curves = self.step()
                progress.step(at.step, rows, at.mean_loss, curves)
                if validate is not None and (at.step % optim.evaluate_every == 0 or at.step == optim.steps):
                    progress.draw(at.step, {"val": self.look(validate)})
                gave_up = optim.patience > 0 and at.stale >= optim.patience
                at.finished = at.step == optim.steps or gave_up
                if gave_up:
                    self._say(
                        "stops early after step %d: best score %.4f after step %s", at.step, at.score, at.best_step
                    )
                if at.finished or at.step % optim.checkpoint_every == 0:
                    progress.settle()
                    self.keep()
        finally:
            progress.close()

    def step(self) -> tuple[int, dict[str, float]]:
        """One step of the optimiser: how many rows were embedded, and what to draw."""
        optim, at = self.optim, self.standing
        seed_torch(self.accelerator.device, optim.seed, at.step)
        _train_mode(self.problem)
        self.problem.before_step()
        self.optimiser.zero_grad()
        rows, mean_terms = 0, dict[str, float]()
        for part in range(optim.accumulate):
            seed = (optim.seed, at.step, part)
            batch = self.problem.draw(np.random.default_rng(seed))
            terms = add_gradients(self.problem, batch, self.workers, (*seed, 0), 1 / optim.accumulate)
            for term, value in terms.items():
                self._check_finite(value, f"step {at.step + 1}: the loss {term!r}")
                mean_terms[term] = mean_terms.get(term, 0.0) + value / optim.accumulate
            rows += sum(len(value) for value in batch.inputs.values())
        sum_gradients(self.parameters, self.accelerator)
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, optim.max_grad_norm or math.inf).item()
        self._check_finite(norm, f"step {at.step + 1}: the gradient's norm")
        rates = dict(zip(self.group_names, map(float, self.schedule.get_last_lr()), strict=True))
        self.optimiser.step()
        self.schedule.step()
        at.step += 1
        self._average()
        loss = sum(mean_terms.values())
        at.mean_loss = loss if at.step == 1 else LOSS_MEMORY * at.mean_loss + (1 - LOSS_MEMORY) * loss
        scales = {name: float(scale.detach()) for name, scale in self.problem.logit_scales().items()}
        curves = {"loss/total": loss, "gradient_norm": norm}
        for folder, values in (("loss", mean_terms), ("lr", rates), ("logit_scale", scales)):
            curves |= {f"{folder}/{name}": value for name, value in values.items()}
        return rows, curves

    def look(self, validate: Callable[[], float]) -> float:
        """Ask for the score on val, and keep these weights if it is the best."""
        at = self.standing
        seed_torch(self.accelerator.device, self.optim.seed, at.step)
        with self._averaged():
            answer: list[Any] = [None]
            if self.accelerator.is_main_process:
                with torch.no_grad():
                    answer[0] = float(validate())
            (score,) = broadcast_object_list(answer)
            self._check_finite(score, f"after step {at.step}: the score on val")
            if at.score is None or score > at.score:
                at.score, at.best_step, at.stale = score, at.step, 0
                self.best = checkpoint.copy_of(checkpoint.trained_state(self.problem))
            else:
                at.stale += 1
        return float(score)

    def keep(self) -> None:
        """Write the checkpoint."""
        for skipped in gather_object([self.problem.skipped]):
            self.problem.skipped |= skipped
        if self.accelerator.is_main_process:
            module = checkpoint.trained_state(self.problem)
            state = {
                "run": self._identity(),
                "shapes": checkpoint.shapes(module),
                "standing": asdict(self.standing),
                "skipped": self.problem.skipped,
                "module": module,
                "average": self.average,
                "best": self.best,
                "optimiser": self.optimiser.state_dict(),
                "schedule": self.schedule.state_dict(),
            }
            checkpoint.save(state, self.path)

    def leave(self) -> None:
        """Put the result in, on every process."""
        if self.best:
            checkpoint.put(self.best, self.problem)
        elif self.average:
            _swap(self.parameters, self.average)
        self.problem.eval()
        self.problem.before_step()
        self.problem.to("cpu")

    def _read(self, resume: bool) -> dict[str, Any] | None:
        """The checkpoint to go on from, read by the main process for all."""
        answer: list[Any] = [None]
        if self.accelerator.is_main_process:
            try:
                answer[0] = self._found(resume)
            except UnimmaError as error:
                answer[0] = error  # for every process: none is left waiting
        (found,) = broadcast_object_list(answer)
        if isinstance(found, UnimmaError):
            raise found
        assert found is None or isinstance(found, dict)
        return found

    def _found(self, resume: bool) -> dict[str, Any] | None:
        if not resume:
            if self.path.is_file():
                self._say("starts afresh over an older run's checkpoint; --resume would go on with it")
            return None
        state = checkpoint.read(self.path)
        if state is None:
            self._say("nothing to go on from: starts afresh")
            return None
        now = checkpoint.shapes(checkpoint.trained_state(self.problem))
        checkpoint.check_same_run(self.path, state, self._identity(), now)
        self._say("goes on after step %d of %d", state["standing"]["step"], self.optim.steps)
        return state

    def _identity(self) -> dict[str, Any]:
        """What decides the weights, beside the code: plain values."""
        options = {f"optim.{key}": value for key, value in asdict(self.optim).items() if key not in FREE}
        return options | {"problem": self.problem.fingerprint}

    @torch.no_grad()
    def _average(self) -> None:
        if self.average:  # the decay grows with the steps, or the random start would weigh in for too long
            step = self.standing.step
            decay = min(self.optim.ema, (1 + step) / (10 + step))
            get_ema_multi_avg_fn(decay)(self.average, [p.detach() for p in self.parameters], step)

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The problem in eval mode, with averaged weights where there are such; as it was afterwards."""
        self.problem.eval()
        if self.average:
            _swap(self.parameters, self.average)
        self.problem.before_step()
        try:
            yield
        finally:
            if self.average:
                _swap(self.parameters, self.average)

    def _check_finite(self, value: float, what: str) -> None:
        if not math.isfinite(value):
            came = f"{self.path.stem}, {what} is {value}"
            todo = "Lower optim.lr, clip with optim.max_grad_norm, or look for a damaged sample."
            raise ConfigError(came, "a finite number", todo)

    def _say(self, line: str, *values: object) -> None:
        if self.accelerator.is_main_process:
            log.info(f"%s: {line}", self.path.stem, *values)


def _schedule(optimiser: torch.optim.Optimizer, optim: OptimConfig) -> LRScheduler:
    """Warm-up, then down to nearly nothing."""
    peaks = [group["lr"] for group in optimiser.param_groups]
    if optim.schedule == "one-cycle":
        return OneCycleLR(optimiser, peaks, total_steps=optim.steps + 1, pct_start=optim.warmup)
    warm = int(optim.warmup * optim.steps)
    down = CosineAnnealingLR(optimiser, T_max=optim.steps - warm)
    if not warm:
        return down
    up = LinearLR(optimiser, start_factor=1 / (warm + 1), total_iters=warm)
    return SequentialLR(optimiser, [up, down], milestones=[warm])


def _train_mode(problem: Problem) -> None:
    """Train mode, but for modules that are frozen as a whole: their dropout and statistics rest too."""
    problem.train()
    for module in problem.modules():
        own = list(module.parameters())
        if own and not any(parameter.requires_grad for parameter in own):
            module.eval()


@torch.no_grad()
def _swap(one: list[Any], other: list[Tensor]) -> None:
    """Exchange values, in place."""
    for a, b in zip(one, other, strict=True):
        kept = a.detach().clone()
        a.copy_(b)
        b.copy_(kept)


def _check_groups(problem: Problem, grouped: list[Any]) -> None:
    counted: Mapping[int, int] = {id(p): sum(other is p for other in grouped) for p in grouped}
    wrong = [n for n, p in problem.named_parameters() if p.requires_grad and counted.get(id(p)) != 1]
    assert not wrong, f"parameters that are not in exactly one group: {', '.join(wrong)}"
