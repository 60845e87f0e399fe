"""Teach the small sound network what YAMNet hears: python -m train.align runs it where the config has [distill].

The teacher labels any sound for free, so the windows are cut from everything there is and varied without end: speed and
pitch, level, band width, noise, and two sounds laid over each other.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from train.config import DistillConfig
from train.data.yamnet import WINDOW_SAMPLES
from unimma.augment import vary_audio
from unimma.encoders.yamnet_student import RATE_HZ, LogMelWindows, YamnetStudent
from unimma.types import Audio

log = logging.getLogger(__name__)
MIX_SHARE = 0.5  # of the windows are two sounds at once
MIX_DB = 12.0  # the second lies at most this much above or below the first
CHECKPOINT_STEPS = 200
Waveform = npt.NDArray[np.float32]
Teacher = Callable[[Waveform], tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]


@dataclass(frozen=True)
class Windows:
    """What the student learns from, float16: log-mel [n, 96, 64], the teacher's features [n, 1024], scores [n, 521]."""

    log_mel: npt.NDArray[np.float16]
    features: npt.NDArray[np.float16]
    scores: npt.NDArray[np.float16]


def label_windows(
    load_sounds: Callable[[], Sequence[Waveform]], teacher: Teacher, num_windows: int, seed: int, path: Path
) -> Windows:
    """Random varied windows of sounds (16 kHz), labelled by the teacher; kept at `path` once they are made."""
    if not path.is_file():
        sounds, rng = load_sounds(), np.random.default_rng(seed)
        lengths = np.sqrt([len(sound) for sound in sounds])  # a long recording says more, but not in proportion
        choice = rng.choice(len(sounds), size=(num_windows, 2), p=lengths / lengths.sum())
        front_end = LogMelWindows()
        made = [_label(sounds, pair, teacher, front_end, rng) for pair in tqdm(choice, desc="teacher", disable=None)]
        log_mel, features, scores = (np.stack(column).astype(np.float16) for column in zip(*made, strict=True))
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as stream:
            np.savez(stream, log_mel=log_mel, features=features, scores=scores)
        unfinished.replace(path)
    with np.load(path) as stored:
        return Windows(stored["log_mel"], stored["features"], stored["scores"])


def _label(
    sounds: Sequence[Waveform],
    pair: npt.NDArray[np.int64],
    teacher: Teacher,
    front_end: LogMelWindows,
    rng: np.random.Generator,
) -> tuple[Waveform, Waveform, Waveform]:
    window = _cut(sounds[pair[0]], rng)
    if rng.random() < MIX_SHARE:
        window = window + _cut(sounds[pair[1]], rng) * np.float32(10 ** (rng.uniform(-MIX_DB, MIX_DB) / 20))
    window = np.clip(window, -1, 1).astype(np.float32)
    features, scores = teacher(window)
    return front_end(torch.from_numpy(window))[0].numpy(), features, scores


def _cut(sound: Waveform, rng: np.random.Generator) -> Waveform:
    """A varied stretch of `WINDOW_SAMPLES`; a shorter sound is followed by silence."""
    needed = int(WINDOW_SAMPLES * 1.3)  # what the fastest speed-up eats
    start = int(rng.integers(0, max(1, len(sound) - needed + 1)))
    varied = vary_audio(Audio(sound[start : start + needed], RATE_HZ), rng).waveform[:WINDOW_SAMPLES]
    return np.pad(varied, (0, WINDOW_SAMPLES - len(varied)))


def distil(student: YamnetStudent, windows: Windows, config: DistillConfig, checkpoint: Path) -> float:
    """Train the student in place; resumes from `checkpoint` where one is; returns the last mean loss.

    Loss: squared error of the features, each in units of the teacher's own deviation, plus the binary cross-entropy of
    the class scores (Hinton et al. 2015, arXiv 1503.02531, for the second; feature regression as in FitNets, Romero et
    al. 2014, arXiv 1412.6550).
    """
    steps = len(windows.log_mel) * config.epochs // config.batch_size
    optimiser = torch.optim.AdamW(student.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.lr, total_steps=steps + 1, pct_start=0.1)
    deviation = torch.from_numpy(windows.features.astype(np.float32).std(axis=0)).clamp(min=0.05)
    first = _resume(student, optimiser, schedule, checkpoint)
    student.train().requires_grad_(True)
    mean_loss = float("nan")
    progress = tqdm(range(first, steps), initial=first, total=steps, desc="distil", disable=None)
    for step in progress:
        rng = np.random.default_rng([config.seed, step])  # the batch depends on the step alone: resuming is exact
        rows = np.sort(rng.choice(len(windows.log_mel), config.batch_size, replace=False))
        loss = _loss(student, windows, rows, deviation)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        mean_loss = loss.item() if step == first else 0.98 * mean_loss + 0.02 * loss.item()
        progress.set_postfix(loss=f"{mean_loss:.4f}")
        if (step + 1) % CHECKPOINT_STEPS == 0 or step + 1 == steps:
            log.info("distil step %d of %d, loss %.4f", step + 1, steps, mean_loss)
            _save(student, optimiser, schedule, step + 1, checkpoint)
    student.eval().requires_grad_(False)
    return mean_loss


def _loss(student: YamnetStudent, windows: Windows, rows: npt.NDArray[np.int64], deviation: Tensor) -> Tensor:
    log_mel, features, scores = (
        torch.from_numpy(column[rows].astype(np.float32))
        for column in (windows.log_mel, windows.features, windows.scores)
    )
    student_features, student_logits = student(log_mel)
    feature_loss = F.mse_loss(student_features / deviation, features / deviation)
    # Most of the 521 scores are near zero: the sum over classes, not their mean, is on the scale of the features' loss.
    score_loss = F.binary_cross_entropy_with_logits(student_logits, scores, reduction="sum") / len(rows)
    return feature_loss + 0.3 * score_loss


def _save(student: torch.nn.Module, optimiser: torch.optim.Optimizer, schedule: object, step: int, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    state = {"student": student.state_dict(), "optimiser": optimiser.state_dict(), "step": step}
    torch.save(state | {"schedule": schedule.state_dict()}, unfinished)  # type: ignore[attr-defined]
    unfinished.replace(path)


def _resume(student: torch.nn.Module, optimiser: torch.optim.Optimizer, schedule: object, path: Path) -> int:
    if not path.is_file():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    student.load_state_dict(state["student"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])  # type: ignore[attr-defined]
    log.info("goes on from step %d", state["step"])
    return int(state["step"])
