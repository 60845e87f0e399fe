"""A training run as one TOML file: frozen dataclasses, checked by Pydantic; an unknown key stops the run."""

import difflib
import tomllib
from collections.abc import Iterable
from dataclasses import field
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, NonNegativeInt, PositiveFloat, PositiveInt, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from unimma.errors import ConfigError

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class DistillConfig:
    """How the small sound network learns from its teacher."""

    teacher: str = "teachers"  # folder of yamnet.tflite, below the data folder
    num_windows: PositiveInt = 100_000
    epochs: PositiveInt = 6
    batch_size: PositiveInt = 128
    lr: PositiveFloat = 2e-3
    weight_decay: PositiveFloat = 1e-4
    seed: NonNegativeInt = 0
