"""A training run as one TOML file: frozen dataclasses checked by Pydantic; an unknown key stops the run."""

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
)
from pydantic.dataclasses import dataclass

from train.contradictions import contradictions
from train.shapes import STRICT, ModelShape
from train.weights import LossConfig
from unimma.errors import ConfigError
from unimma.types import Modality


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DataConfig:
    """What is learned from."""

    folder: Path | None = None  # of Parquet files; None: the scene generator alone
    sets: tuple[str, ...] = ()  # stems; empty: every set in the folder
    max_rows: dict[str, PositiveInt] = field(default_factory=dict)  # by set: only that many of its train rows
    weights: dict[str, PositiveFloat] = field(default_factory=dict)  # by set: drawn that many times as often
    views: NonNegativeInt = 0  # varied views of each picture and sound beside the plain one
    wide_views: NonNegativeInt = Field(default=0, le=99)  # further ones that vary more; of clips too
    single_view: tuple[str, ...] = ()  # sets that are seen plain only
    scene_variations: NonNegativeInt = 24  # of each generated scene's picture and sound
    scene_clips: NonNegativeInt = 4  # of each generated scene's clip
    motion_clips: NonNegativeInt = 0  # made of the pictures, with sentences that tell the motion
    out_of_order: NonNegativeInt = 0  # made of the clips: backwards or shuffled, with sentences that say so
    pairs: NonNegativeInt = 0  # two pictures in one, and as many two sounds in one, with sentences that tell both
    paraphrases: NonNegativeInt = 0  # of each caption of a picture, sound or clip
    max_sentences: PositiveInt = 60_000  # of the text-only captions


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DistillConfig:
    """How the small sound network learns from its teacher."""

    teacher: str = "teachers"  # folder of yamnet.tflite, below the data folder
    num_windows: PositiveInt = 100_000
    epochs: PositiveInt = 7
    batch_size: PositiveInt = 128
    lr: PositiveFloat = 2e-3
    weight_decay: NonNegativeFloat = 1e-4
    seed: NonNegativeInt = 0
    masks: NonNegativeInt = 0  # of time and as many of pitch on what the student hears, not its teacher: SpecAugment


@dataclass(frozen=True, kw_only=True, config=STRICT)
class OptimConfig:
    """How the heads are trained: AdamW on a schedule (see `train.loop.fit`)."""

    steps: PositiveInt = 3_000  # of the optimiser
    batch_size: PositiveInt = 1_024  # rows that are contrasted with each other, over all processes
    chunk_size: PositiveInt | None = None  # rows embedded at once (GradCache); None: all, which takes the most memory
    accumulate: PositiveInt = 1  # batches whose mean gradient makes a step; they are not contrasted with each other
    lr: PositiveFloat = 1e-3  # peak of the schedule
    fine_lr: PositiveFloat = 1e-4  # peak for the text and clip heads: they start out right and should not run away
    weight_decay: NonNegativeFloat = 0.02
    schedule: Literal["one-cycle", "cosine"] = "one-cycle"
    warmup: float = Field(default=0.1, ge=0.0, lt=1.0)  # share of the steps until the peak
    max_grad_norm: NonNegativeFloat = 0.0  # 0: gradients are not clipped
    ema: float = Field(default=0.0, ge=0.0, lt=1.0)  # decay of the averaged weights, which are the result; 0: none
    evaluate_every: NonNegativeInt = 0  # steps between looks at val; 0: none, and the last weights are the result
    patience: NonNegativeInt = 0  # looks without a better score before the run stops early; 0: never
    checkpoint_every: PositiveInt = 200  # steps; also what a kill costs at most
    precision: Literal["no", "bf16"] = "no"  # "bf16": embeddings in mixed precision; loss and weights stay float32
    seed: NonNegativeInt = 0


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TrainConfig:
    """Everything that decides a run."""

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelShape = field(default_factory=ModelShape)
    distill: DistillConfig | None = None  # None: the student stays as it starts
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)


def read_config(path: Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """A run's config from its TOML file, with "section.key=value" overrides put in.

    Args:
        overrides: values in TOML's spelling; none at all takes the key out.
    Raises:
        ConfigError: no such file, no TOML, an unknown key (the nearest known one is named), a value out of range, or
            parts that do not go together.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path.name} cannot be read ({error})", "a TOML file", "Check --config.") from error
    for override in overrides:
        _put(raw, override)
    try:
        config = TypeAdapter(TrainConfig).validate_python(raw)
    except ValidationError as error:
        raise _config_error(path, error) from error
    views, distils = config.data.views + config.data.wide_views, config.distill is not None
    for came, expected in contradictions(config.model, config.loss, views, distils=distils):
        raise ConfigError(f"{path.name}: {came}", expected, "Correct the file.")
    return config


def _put(raw: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    *sections, last = key.strip().split(".")
    if not equals:
        raise ConfigError(f"--set {override}", "section.key=value", "Write for example --set optim.steps=100.")
    for section in sections:
        raw = raw.setdefault(section, {})
        if not isinstance(raw, dict):
            raise ConfigError(f"--set {override}", f"a table {section}, not a value", "Check the key.")
    if not value.strip():
        raw.pop(last, None)
        return
    try:
        raw[last] = tomllib.loads(f"x = {value}")["x"]
    except tomllib.TOMLDecodeError:
        raw[last] = value  # a bare word is a string


def _config_error(path: Path, error: ValidationError) -> ConfigError:
    lines = []
    for mistake in error.errors():
        where = ".".join(str(part) for part in mistake["loc"] if part != "[key]")
        near = difflib.get_close_matches(where, _known_keys(TrainConfig), n=1)
        hint = f" (nearest known key: {near[0]})" if near and mistake["type"] == "unexpected_keyword_argument" else ""
        said = mistake["msg"].removeprefix("Value error, ")
        lines.append(f"{where}: {said[0].lower()}{said[1:]}{hint}")
    return ConfigError(f"{path.name}: {'; '.join(lines)}", "known keys with values in range", "Correct the file.")


def _known_keys(config: type, prefix: str = "") -> list[str]:
    keys = []
    for entry in fields(config):
        keys.append(prefix + entry.name)
        inner = next((each for each in (entry.type, *get_args(entry.type)) if is_dataclass(each)), None)
        by_modality = Modality in get_args(entry.type)
        for between in [f"{modality}." for modality in Modality] if by_modality else [""]:
            if isinstance(inner, type):
                keys += _known_keys(inner, f"{prefix}{entry.name}.{between}")
    return keys
