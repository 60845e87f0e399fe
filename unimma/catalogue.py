"""What can be named: presets (files of `unimma/presets`, or one's own) and encoders, with what people ask before use.

A preset is a TOML file: [about] says what it is, [encoders.<modality>] how each encoder is made, [heads.<modality>] its
head. Where a head leaves its widths out, they are those of the encoder and of the space.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from unimma.encoders import registry
from unimma.encoders.base import EncoderInfo
from unimma.errors import ModelError
from unimma.heads import HeadConfig
from unimma.settings import assets_dir
from unimma.types import Modality

BUNDLED = "bundled"
CHECKPOINT = "{checkpoint}"  # in an encoder's options: what the person names
_PRESETS = Path(__file__).parent / "presets"
_TABLES = {"name", "dim", "about", "encoders", "heads"}
_READY = ("none", "map")  # heads that need no training
_UNTOLD: dict[str, Any] = {"num_features": 0, "dim": 0}  # of a head, if the file does not tell them


@dataclass(frozen=True, kw_only=True)
class About:
    """What a person wants to know before loading a model.

    Attributes:
        says: what it is good for, a sentence.
        size_mb: of its weights, as float32 in memory.
        licence: of the weights.
        languages: that its sentences may be in.
        commercial: whether all of its licences let it be used commercially.
        checkpoint: what has to be named before it can be loaded; "" for nothing.
        training: the command that makes that checkpoint; "" where nobody has to.
    """

    says: str
    size_mb: int
    licence: str
    languages: str
    commercial: bool = True
    checkpoint: str = ""
    training: str = ""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A model as a file describes it.

    Attributes:
        name: of the model.
        dim: width of the shared space, for people; 0 where it depends on what is named. What is ready is as wide as
            its first encoder.
        about: for people.
        encoders: modality → how its encoder is made (`unimma.loading.build_encoder`).
        heads: modality → its head; widths of 0 are filled in when it is built.
        through: modality → the encoder through which its head, of kind "map", is fitted (`unimma.bridge`).
    """

    name: str
    dim: int
    about: About
    encoders: Mapping[Modality, Mapping[str, Any]]
    heads: Mapping[Modality, HeadConfig]
    through: Mapping[Modality, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        """Whether its heads need no training."""
        return all(head.kind in _READY for head in self.heads.values())


BUNDLED_ABOUT = About(
    says="Text, pictures, sounds and clips, from small encoders whose weights pip brings; needs no network.",
    size_mb=200,
    licence="Apache-2.0; CC BY 4.0 (aiSFX)",
    languages="English",
)


def presets() -> list[str]:
    """Names of the presets that ship, in alphabetical order."""
    return sorted(path.stem for path in _PRESETS.glob("*.toml"))


def read_preset(name: str | Path) -> Preset:
    """The preset of that name, or of that TOML file.

    Raises:
        ModelError: unreadable, an unknown key, a modality without a head, or heads and encoders that do not fit.
    """
    path = _PRESETS / f"{name}.toml" if str(name) in presets() else Path(name)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        return _parsed(raw)
    except ModelError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        came = f"the preset {path.name} cannot be read ({reason})"
        raise ModelError(came, "a TOML file with name, about, encoders and heads", "Correct the file.") from error


def _parsed(raw: Mapping[str, Any]) -> Preset:
    if unknown := set(raw) - _TABLES:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    encoders = {Modality(modality): dict(spec) for modality, spec in raw["encoders"].items()}
    tables = {Modality(modality): dict(table) for modality, table in raw["heads"].items()}
    if missing := sorted(set(encoders) ^ set(tables)):
        came = f"the preset {raw['name']!r} with a head or an encoder missing for {', '.join(missing)}"
        raise ModelError(came, "both for each modality", 'Add it; a ready space has a head of kind "none".')
    through = {modality: table.pop("through") for modality, table in tables.items() if table.get("kind") == "map"}
    return Preset(
        name=raw["name"],
        dim=raw.get("dim", 0),
        about=About(**raw["about"]),
        encoders=encoders,
        heads={modality: HeadConfig(**_UNTOLD | table) for modality, table in tables.items()},
        through=through,
    )


def named_checkpoint(preset: Preset, checkpoint: str) -> Preset:
    """The preset with the checkpoint that was named in the place that waits for it."""

    def put(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: put(inner) for key, inner in value.items()}
        return checkpoint if value == CHECKPOINT else value

    return replace(preset, encoders=put(preset.encoders), through=put(preset.through))


def check_memory(preset: Preset) -> None:
    """Raises ModelError where the weights would not fit into the memory that is free; where that is unknown, never."""
    free_mb = free_memory_mb()
    if free_mb is not None and preset.about.size_mb > free_mb:
        came = f"the model {preset.name} needs {preset.about.size_mb:,} MB of memory; {free_mb:,} MB are free"
        raise ModelError(came, "as much as it needs", "Close other programs, or choose a smaller model.")


def free_memory_mb() -> int | None:
    """What a program can take, in MB: of the machine, or of the container if that is less; None where unknown."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        (free_kb,) = (int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError):
        return None
    free = free_kb * 1024
    group = Path("/sys/fs/cgroup")
    try:
        limit, used = ((group / name).read_text(encoding="ascii").strip() for name in ("memory.max", "memory.current"))
    except OSError:
        return free // 10**6
    return (free if limit == "max" else min(free, int(limit) - int(used))) // 10**6


def models() -> list[dict[str, Any]]:
    """Every model that has a name, as people and `--json` see it; loads none of them. `dim` is 0 where it depends."""
    bundled = json.loads((assets_dir() / "bundled" / "config.json").read_text(encoding="utf-8"))
    known = [_model(BUNDLED, bundled["dim"], bundled["encoders"], BUNDLED_ABOUT)]
    for name in presets():
        preset = read_preset(name)
        known.append(_model(name, preset.dim, preset.encoders, preset.about))
    return known


def _model(name: str, dim: int, made_of: Iterable[str], about: About) -> dict[str, Any]:
    return {"name": name, "dim": dim, "modalities": [str(modality) for modality in made_of], **asdict(about)}


def encoders() -> list[dict[str, Any]]:
    """Every encoder that can be named, as people and `--json` see it; imports their modules, loads no weights."""
    return [_encoder(name) for name in registry.names()]


def _encoder(name: str) -> dict[str, Any]:
    try:
        factory = registry.find(name)
    except (ModelError, ImportError, AttributeError) as error:  # a plugin may be anything
        return {"name": name, "modality": "", **asdict(EncoderInfo(paper="", licence="", input="", weights=f"{error}"))}
    info = getattr(factory, "info", None) or EncoderInfo(paper="", licence="", input="", weights="")
    return {"name": name, "modality": str(getattr(factory, "modality", "")), **asdict(info)}
