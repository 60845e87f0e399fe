"""A program that trains in child processes which are killed, and one that trains in several processes at once.

    python tests/train/lives.py killed FOLDER KILL…     in FOLDER/hard each KILL ends one life by SIGKILL
                                                         and the last ends by itself; FOLDER/calm is one whole life
    torchrun … tests/train/lives.py together FOLDER

A KILL is AT:COUNT: "draw:7" at the draw of step 7 of that life; "half:2" when half of its second checkpoint is written;
"before:2" and "after:2" just before and after the second checkpoint gets its name; "look:1" at its first look at val;
"outside:5" by the parent, whenever it hears of the fifth draw.
"""

import io
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch._dynamo  # by the first optimiser, anyway: once for all lives
from accelerate import PartialState

from tests.train.small import SmallProblem
from train import checkpoint
from train.config import OptimConfig
from train.loop import fit
from train.problem import Batch

KILLED = OptimConfig(
    steps=24, chunk_size=4, accumulate=2, ema=0.9, evaluate_every=5, checkpoint_every=3, schedule="cosine", seed=3
)
TOGETHER = OptimConfig(
    steps=12, chunk_size=4, accumulate=2, ema=0.9, evaluate_every=4, checkpoint_every=5, max_grad_norm=0.5, seed=3
)


def train(problem: SmallProblem, optim: OptimConfig, folder: Path, resume: bool) -> None:
    """Train and leave result.pt."""
    report = fit(problem, optim, folder, name="small", validate=problem.recall, resume=resume)
    assert report.steps == optim.steps
    if os.environ.get("RANK", "0") == "0":
        torch.save(problem.state_dict() | {"loss": torch.tensor(report.loss)}, folder / "result.pt")


class Doomed(SmallProblem):
    """Calls something at each draw and each look at val."""

    def __init__(self, at_draw: Callable[[], None], at_look: Callable[[], None]) -> None:
        super().__init__()
        self.at_draw, self.at_look = at_draw, at_look

    def draw(self, rng: np.random.Generator) -> Batch:
        self.at_draw()
        self.skipped[f"sample {len(self.skipped)}"] = "was damaged"
        return super().draw(rng)

    def recall(self) -> float:
        self.at_look()
        return super().recall()


def counted(count: int, act: Callable[..., Any], otherwise: Callable[..., Any] = lambda *_: None) -> Callable[..., Any]:
    """Does `act` at call number `count` and something else at all others."""
    calls = iter(range(1, 1_000_000))
    return lambda *args: act(*args) if next(calls) == count else otherwise(*args)


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def live(folder: Path, resume: bool, kill: str, pipe: int) -> None:
    """One life, in a process of its own."""
    at, _, count = kill.partition(":")
    number = int(count or 0)
    replace, save = os.replace, torch.save
    if at == "half":

        def half(state: object, stream: Any) -> None:
            whole = io.BytesIO()
            save(state, whole)
            stream.write(whole.getvalue()[: whole.tell() // 2])
            stream.flush()
            die()

        checkpoint.torch.save = counted(number, half, save)
    if at == "before":
        checkpoint.os.replace = counted(number, die, replace)
    if at == "after":
        checkpoint.os.replace = counted(number, lambda *names: die(replace(*names)), replace)
    draw = counted(number, die) if at == "draw" else lambda: os.write(pipe, b".")
    problem = Doomed(draw, counted(number, die) if at == "look" else lambda: None)
    train(problem, KILLED, folder, resume)


def killed(folder: Path, kills: list[str]) -> list[int]:
    """Live until no kill is left: the signal that ended each life, 0 where none did."""
    ends = []
    for number, kill in enumerate([*kills, "none"]):
        listen, tell = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                live(folder, number > 0, kill, tell)
                os._exit(0)
            finally:
                os._exit(1)
        os.close(tell)
        drawn = 0
        while heard := os.read(listen, 1):
            drawn += len(heard)
            if kill == f"outside:{drawn}":
                os.kill(child, signal.SIGKILL)
        os.close(listen)
        status = os.waitpid(child, 0)[1]
        assert os.WIFSIGNALED(status) or status == 0, f"{kill}: the child failed"
        ends.append(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)
    return ends


if __name__ == "__main__":
    what, where, *rest = sys.argv[1:]
    if what == "killed":
        print(json.dumps([killed(Path(where) / "calm", []), killed(Path(where) / "hard", rest)]))
    else:
        train(SmallProblem(), TOGETHER, Path(where), resume=False)
        state = PartialState()  # as `train.align` ends: a process that leaves the others alone may take them down
        state.wait_for_everyone()
        state.destroy_process_group()
