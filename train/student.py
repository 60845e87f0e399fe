"""The small sound network and its teacher: what it learns from, and where that is kept."""

import hashlib
import logging
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from train.build import round_module
from train.config import DataConfig, TrainConfig
from train.data.parquet import Row, sizes
from train.data.yamnet import YamnetTeacher
from train.distill import distil, label_windows
from train.material import rows_of
from unimma.encoders.base import Encoder
from unimma.encoders.spectrogram import resample
from unimma.encoders.yamnet_student import RATE_HZ, YamnetStudent
from unimma.errors import ConfigError, UnimmaError
from unimma.model import UniMMA
from unimma.types import Audio, Modality, Video

log = logging.getLogger(__name__)


def teach_student(model: UniMMA, config: TrainConfig, cache: Path, device: torch.device) -> None:
    """Distil the teacher into the sound student, in place; an interrupted run goes on where it was.

    Raises:
        ConfigError: no data folder, or no such network in the model.
    """
    assert config.distill is not None
    folder = config.data.folder
    if folder is None:
        raise ConfigError("[distill] without data.folder", "a folder with teachers in it", "Leave [distill] out.")
    student = _student(model)
    windows_key, student_key = student_keys(config)
    windows = label_windows(
        lambda: training_sounds(config.data),
        YamnetTeacher(folder / config.distill.teacher),
        config.distill.num_windows,
        config.distill.seed,
        cache / f"yamnet-windows-{windows_key}",
    )
    distil(student, windows, config.distill, cache / f"student-{student_key}.pt", device)
    round_module(student)


def student_keys(config: TrainConfig) -> tuple[str, str]:
    """Of the labelled windows, and of the student: each changes with what decides it, and with nothing else."""
    assert config.distill is not None and config.data.folder is not None
    data, distill = config.data, config.distill
    sounds = [sorted(sizes(data.folder).items()), data.sets, sorted(data.max_rows.items())] if data.folder else []
    windows = [sounds, distill.teacher, distill.num_windows, distill.seed]
    # What is off counts as not there: keys from before it could be turned on stay.
    options = tuple(value for name, value in asdict(distill).items() if value or name != "masks")
    return _key(windows), _key([windows, options])


def _key(parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _student(model: UniMMA) -> YamnetStudent:
    encoder = model.towers[Modality.AUDIO].encoder
    parts: dict[str, Encoder] = getattr(encoder, "parts", {"": encoder})
    return next(part.network for part in parts.values() if isinstance(part.network, YamnetStudent))


def training_sounds(data: DataConfig) -> list[npt.NDArray[np.float32]]:
    """Every recorded training sound there is, also those of clips, at the student's rate; a damaged one is left out."""
    sounds = []
    for modality in (Modality.AUDIO, Modality.VIDEO):
        for rows in rows_of(data, modality).values():
            for row in (row for row in rows if isinstance(row, Row)):  # recorded, not drawn or made of others
                heard = _sound(row)
                if heard is not None:
                    sounds.append(resample(torch.tensor(heard.waveform), heard.rate_hz, RATE_HZ).numpy())
    return sounds


def _sound(row: Row) -> Audio | None:
    try:
        item = row.decode()
    except UnimmaError as error:
        log.warning("skipped %s of %s: %s", row.id, row.set, error)
        return None
    heard = item.sound if isinstance(item, Video) else item
    return heard if isinstance(heard, Audio) else None
