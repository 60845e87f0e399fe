"""Teach the small sound network what YAMNet hears: python -m train.align runs it where the config has [distill].

The teacher labels any sound for free, so the windows are cut from everything there is and varied without end: speed and
pitch, level, band width, noise, and two sounds laid over each other.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LRScheduler
from tqdm import tqdm

from train import checkpoint
from train.arrays import write_arrays
from train.config import DistillConfig
from train.data.yamnet import WINDOW_SAMPLES, Answers
from unimma.augment import mask_spectrogram, vary_audio
from unimma.encoders.yamnet_student import NUM_MIDDLE, RATE_HZ, LogMelWindows, YamnetStudent
from unimma.types import Audio

log = logging.getLogger(__name__)
MIX_SHARE = 0.5  # of the windows are two sounds at once
MIX_DB = 12.0  # the second lies at most this much above or below the first
CHECKPOINT_STEPS = 200
BLOCK_WINDOWS = 2_000
BATCH_WINDOWS = 64
NUM_MIDDLE_AXES, NUM_LATE_AXES = 64, 128
CPU = torch.device("cpu")
Array = npt.NDArray[Any]  # of floats
Waveform = npt.NDArray[np.float32]
Teacher = Callable[[Tensor], Answers]


@dataclass(frozen=True)
class Windows:
    """What the student learns from, float16, each an array on disk that is read where it is needed.

    Attributes:
        log_mel: [n, 96, 64].
        middle: [n, 64, 6, 4], the teacher's middle map on its first principal axes.
        late: [n, 128, 3, 2], its last map on the first principal axes of that.
        features, scores: [n, 1024] and [n, 521].
        late_axes: [1024, 128].
    """

    log_mel: Array
    middle: Array
    late: Array
    features: Array
    scores: Array
    late_axes: Array


def label_windows(
    load_sounds: Callable[[], Sequence[Waveform]], teacher: Teacher, num_windows: int, seed: int, folder: Path
) -> Windows:
    """Random varied windows of sounds (16 kHz), labelled by the teacher; kept in `folder` once they are made.

    They are made in blocks, each of which depends on the seed and its number alone: a killed run goes on where it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [at for at in range(0, num_windows, BLOCK_WINDOWS) if not _block(folder, at).is_file()]
    if missing:
        sounds = load_sounds()
        lengths = np.sqrt([len(sound) for sound in sounds])  # a long recording says more, but not in proportion
        for at in tqdm(missing, desc="teacher", unit="block", disable=None):
            rng = np.random.default_rng([seed, at])
            count = min(BLOCK_WINDOWS, num_windows - at)
            pairs = rng.choice(len(sounds), size=(count, 2), p=lengths / lengths.sum())
            write_arrays(
                _block(folder, at), _labelled(np.stack([_window(sounds, pair, rng) for pair in pairs]), teacher, folder)
            )
    return _joined(folder, num_windows)


def _labelled(waveforms: Waveform, teacher: Teacher, folder: Path) -> dict[str, Array]:
    """The front end's and the teacher's view of waveforms [n, 15600]."""
    front_end = LogMelWindows()
    log_mel = torch.stack([front_end(wave)[0] for wave in torch.from_numpy(waveforms)])
    answers = [teacher(part) for part in log_mel.split(BATCH_WINDOWS)]
    middle, late, scores = (torch.cat([getattr(a, name) for a in answers]) for name in ("middle", "late", "scores"))
    axes = _axes(folder, middle, late)
    told = {
        "log_mel": log_mel,
        "middle": torch.einsum("bchw,ck->bkhw", middle, axes["middle"]),
        "late": torch.einsum("bchw,ck->bkhw", late, axes["late"]),
        "features": late.mean(dim=(2, 3)),
        "scores": scores,
    }
    return {name: values.half().numpy() for name, values in told.items()}


def _axes(folder: Path, middle: Tensor, late: Tensor) -> dict[str, Tensor]:
    """Principal axes of the teacher's maps, [512, 64] and [1024, 128]; of the first block, then kept."""
    path = folder / "axes.npz"
    if not path.is_file():
        first = {"middle": _principal(middle, NUM_MIDDLE_AXES), "late": _principal(late, NUM_LATE_AXES)}
        write_arrays(path, {name: values.numpy() for name, values in first.items()})
    with np.load(path) as stored:
        return {name: torch.from_numpy(stored[name]) for name in ("middle", "late")}


def _principal(maps: Tensor, count: int) -> Tensor:
    rows = maps.permute(0, 2, 3, 1).flatten(0, 2)
    axes: Tensor = torch.linalg.eigh((rows - rows.mean(dim=0)).T.cov())[1]
    return axes[:, -count:].flip(1)


def _block(folder: Path, at: int) -> Path:
    return folder / f"block-{at:07d}.npz"


def _joined(folder: Path, num_windows: int) -> Windows:
    """All blocks as one array on disk for each column; made once."""
    names = ("log_mel", "middle", "late", "features", "scores")
    paths = {name: folder / f"{name}-{num_windows}.npy" for name in names}
    if not all(path.is_file() for path in paths.values()):
        blocks = [_block(folder, at) for at in range(0, num_windows, BLOCK_WINDOWS)]
        for name, path in paths.items():
            unfinished = path.with_suffix(".part")
            with np.load(blocks[0]) as first:
                shape = (num_windows, *first[name].shape[1:])
            whole = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.float16, shape=shape)
            for block, at in zip(blocks, range(0, num_windows, BLOCK_WINDOWS), strict=True):
                with np.load(block) as stored:
                    whole[at : at + len(stored[name])] = stored[name]
            whole.flush()
            unfinished.replace(path)
    with np.load(folder / "axes.npz") as axes:
        columns = {name: np.load(path, mmap_mode="r") for name, path in paths.items()}
        return Windows(**columns, late_axes=axes["late"])


def _window(sounds: Sequence[Waveform], pair: npt.NDArray[np.int64], rng: np.random.Generator) -> Waveform:
    window = _cut(sounds[pair[0]], rng)
    if rng.random() < MIX_SHARE:
        window = window + _cut(sounds[pair[1]], rng) * np.float32(10 ** (rng.uniform(-MIX_DB, MIX_DB) / 20))
    return np.clip(window, -1, 1).astype(np.float32)


def _cut(sound: Waveform, rng: np.random.Generator) -> Waveform:
    """A varied stretch of `WINDOW_SAMPLES`; a shorter sound is followed by silence."""
    needed = int(WINDOW_SAMPLES * 1.3)  # what the fastest speed-up eats
    start = int(rng.integers(0, max(1, len(sound) - needed + 1)))
    varied = vary_audio(Audio(sound[start : start + needed], RATE_HZ), rng).waveform[:WINDOW_SAMPLES]
    return np.pad(varied, (0, WINDOW_SAMPLES - len(varied)))


def distil(
    student: YamnetStudent, windows: Windows, config: DistillConfig, path: Path, device: torch.device = CPU
) -> float:
    """Train the student in place; resumes from the checkpoint at `path` where one is; returns the last mean loss.

    It learns on `device` and is left on the CPU.

    Loss: what stays unexplained of the teacher's features, of its middle map and of its last map, each as a share of
    their variance, plus the binary cross-entropy of the class scores (Hinton et al. 2015, arXiv 1503.02531, for the
    scores; maps and features as in FitNets, Romero et al. 2014, arXiv 1412.6550).
    """
    steps = len(windows.log_mel) * config.epochs // config.batch_size
    lesson = Lesson(student, windows, config.masks).to(device)
    optimiser = torch.optim.AdamW(lesson.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.lr, total_steps=steps + 1, pct_start=0.1)
    student.requires_grad_(True)
    first = _resume(lesson, optimiser, schedule, path)
    lesson.train()
    mean_loss = float("nan")
    progress = tqdm(range(first, steps), initial=first, total=steps, desc="distil", disable=None)
    for step in progress:
        rng = np.random.default_rng([config.seed, step])  # the batch depends on the step alone: resuming is exact
        rows = np.sort(rng.choice(len(windows.log_mel), config.batch_size, replace=False))
        loss = lesson(rows, rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        mean_loss = loss.item() if step == first else 0.98 * mean_loss + 0.02 * loss.item()
        progress.set_postfix(loss=f"{mean_loss:.4f}")
        if (step + 1) % CHECKPOINT_STEPS == 0 or step + 1 == steps:
            terms = ", ".join(f"{name} {value:.3f}" for name, value in lesson.terms.items())
            log.info("distil step %d of %d, loss %.4f (%s)", step + 1, steps, mean_loss, terms)
            _save(lesson, optimiser, schedule, step + 1, path)
    student.eval().requires_grad_(False).to("cpu")
    return mean_loss


class Lesson(nn.Module):
    """The student, what it is asked about, and a projection that compares its middle map with the teacher's.

    Args:
        masks: so many stretches of time and of pitch are hidden from the student; the teacher heard all.
    """

    deviation: Tensor
    axes: Tensor

    def __init__(self, student: YamnetStudent, windows: Windows, masks: int = 0) -> None:
        super().__init__()
        self.student, self.windows, self.masks = student, windows, masks
        self.to_teacher = nn.Conv2d(NUM_MIDDLE, NUM_MIDDLE_AXES, 1)
        sample = {name: _rows(getattr(windows, name), slice(0, 4096)) for name in ("middle", "late", "features")}
        self.variance = {"middle": _variance(sample["middle"]), "late": _variance(sample["late"])}
        self.register_buffer("deviation", sample["features"].std(dim=0).clamp(min=0.05), persistent=False)
        self.register_buffer("axes", torch.from_numpy(windows.late_axes), persistent=False)
        self.terms: dict[str, float] = {}

    def forward(self, rows: npt.NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        """The loss on those windows; `rng` decides what is hidden."""
        log_mel, middle, late, features, scores = (
            _rows(getattr(self.windows, name), rows) for name in ("log_mel", "middle", "late", "features", "scores")
        )
        if self.masks:
            hidden = [mask_spectrogram(window, rng, num_masks=self.masks) for window in log_mel.numpy()]
            log_mel = torch.from_numpy(np.stack(hidden))
        device = self.axes.device
        log_mel, middle, late, features, scores = (
            each.to(device) for each in (log_mel, middle, late, features, scores)
        )
        with torch.autocast(device.type, torch.bfloat16):
            own_middle, own_late = self.student.maps(log_mel)
            compared = self.to_teacher(own_middle).float()
        own_late = own_late.float()
        own_features = own_late.mean(dim=(2, 3))
        logits = self.student.classifier(own_features)
        terms = {
            "features": F.mse_loss(own_features / self.deviation, features / self.deviation),
            "middle": (compared - middle).square().sum(dim=1).mean() / self.variance["middle"],
            "late": (torch.einsum("bchw,ck->bkhw", own_late, self.axes) - late).square().sum(dim=1).mean()
            / self.variance["late"],
            # Most of the 521 scores are near zero: the sum over classes is on the scale of the other terms.
            "scores": 0.3 * F.binary_cross_entropy_with_logits(logits, scores, reduction="sum") / len(rows),
        }
        self.terms = {name: value.item() for name, value in terms.items()}
        return torch.stack(list(terms.values())).sum()


def _rows(column: Array, rows: npt.NDArray[np.int64] | slice) -> Tensor:
    return torch.from_numpy(column[rows].astype(np.float32))


def _variance(maps: Tensor) -> float:
    return float(maps.var(dim=(0, 2, 3)).sum())


def _save(lesson: nn.Module, optimiser: torch.optim.Optimizer, schedule: LRScheduler, step: int, path: Path) -> None:
    state = {"student": lesson.state_dict(), "optimiser": optimiser.state_dict(), "step": step}
    checkpoint.save(state | {"schedule": schedule.state_dict()}, path)


def _resume(lesson: nn.Module, optimiser: torch.optim.Optimizer, schedule: LRScheduler, path: Path) -> int:
    state = checkpoint.read(path)
    if state is None:
        return 0
    lesson.load_state_dict(state["student"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])
    log.info("goes on from step %d", state["step"])
    return int(state["step"])
