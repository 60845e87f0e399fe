"""`load_model`: the bundled model, a preset, or what `save_pretrained` wrote, in a folder or on the Hugging Face Hub.

A name leads to data alone: config, weights and words; no code of a model is ever run.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from unimma import hub
from unimma.encoders.base import Encoder
from unimma.encoders.joined import FramesAndSound, JoinedEncoder
from unimma.encoders.registry import find
from unimma.errors import ModelError
from unimma.heads import HeadConfig, build_head
from unimma.model import ModelConfig, Tower, UniMMA
from unimma.settings import assets_dir
from unimma.types import Modality

BUNDLED = "bundled"
_PRESETS = Path(__file__).parent / "presets"
_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)  # what the Hub wants to know, before the card begins


def load_model(name: str | Path = BUNDLED) -> UniMMA:
    """Load a model by name.

    Args:
        name: "bundled", a preset, the path of a folder with config.json and model.safetensors, or the same on the
            Hugging Face Hub as user/repo@revision, the revision being the 40 digits of a commit: what stands there
            cannot change under its user. The bundled model needs no network where the weights' packages are installed
            (`unimma.encoders.weights`); a preset gets its checkpoints, and a model of the Hub its files, at first use.

    Raises:
        ModelError: no such model, damaged files, or weights that cannot be had.
    """
    if str(name) in presets():
        return build_model(_preset(str(name)))
    folder = assets_dir() / "bundled" if str(name) == BUNDLED else Path(name)
    if not (folder / _CONFIG).is_file():
        repository, pinned, revision = str(name).partition("@")
        if not hub.REPOSITORY.fullmatch(repository) or (not pinned and folder.exists()):
            expected = f"one of {', '.join([BUNDLED, *presets()])}, a folder with config.json, or user/repo@revision"
            raise ModelError(f"model {folder.name!r}", expected, "Check the name, or train one.")
        folder = hub.model_folder(repository, revision)
    card = _FRONT_MATTER.sub("", _text(folder / "README.md"))
    model = build_model(read_config(folder), card=card, metrics=_metrics(folder))
    model.load_own_weights(_weights(folder))
    return model


def build_model(config: ModelConfig, *, card: str = "", metrics: Mapping[str, Any] | None = None) -> UniMMA:
    """A model of that shape: pip-carried weights in place, its own weights still untrained."""
    towers: dict[Modality, Tower] = {}
    for modality in Modality:  # in the enum's order: clips, the last, are made of the towers before
        if modality in config.encoders:
            encoder = build_encoder(config.encoders[modality], config.dim, towers)
            towers[modality] = Tower(encoder, build_head(config.heads[modality]))
    return UniMMA(config, towers, card=card, metrics=metrics)


def build_encoder(spec: Mapping[str, Any], width: int, towers: Mapping[Modality, Tower]) -> Encoder:
    """An encoder from its entry in config.json.

    {"name": N, …} is one from the registry with its options, {"joined": [N, …]} several side by side,
    {"frames_and_sound": count} clips through the image and audio towers; `width` is that of the shared space.
    "trained" beside the first two says which of its parameters the checkpoint carries (`trained_parameters`).

    Raises:
        ModelError: none of these, or an unknown name.
    """
    if "trained" in spec and "frames_and_sound" not in spec:
        pristine = build_encoder({key: value for key, value in spec.items() if key != "trained"}, width, towers)
        return deepcopy(pristine)  # the registry may give one network to several encoders: the others keep theirs
    match dict(spec):
        case {"name": str(name), **options}:
            try:
                return find(name)(**options)
            except TypeError as error:
                came, todo = f"encoder {name} with {', '.join(options)}", "Check the checkpoint's config.json."
                raise ModelError(came, "the options that it has", todo) from error
        case {"joined": [*names]}:
            return JoinedEncoder({name: find(name)() for name in names})
        case {"frames_and_sound": int(count)} if "trained" not in spec:
            return FramesAndSound(towers[Modality.IMAGE], towers[Modality.AUDIO], width=width, num_frames=count)
    raise ModelError(f"encoder {dict(spec)}", "name, joined or frames_and_sound", "Check the checkpoint's config.json.")


def read_config(folder: Path) -> ModelConfig:
    """The config.json of a checkpoint folder.

    Raises:
        ModelError: unreadable, or of another format.
    """
    try:
        return _parsed(json.loads((folder / _CONFIG).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        came = f"config.json of {folder.name} cannot be read ({reason})"
        raise ModelError(came, "one that save_pretrained wrote", "Take the folder afresh.") from error


def presets() -> list[str]:
    """Names of the presets that ship, in alphabetical order."""
    return sorted(path.stem for path in _PRESETS.glob("*.toml"))


def known_models() -> dict[str, ModelConfig]:
    """What every model that has a name is made of; loads none of them."""
    return {BUNDLED: read_config(assets_dir() / "bundled")} | {name: _preset(name) for name in presets()}


def _preset(name: str) -> ModelConfig:
    return _parsed(tomllib.loads((_PRESETS / f"{name}.toml").read_text(encoding="utf-8")))


def _parsed(raw: Mapping[str, Any]) -> ModelConfig:
    return ModelConfig(
        name=raw["name"],
        dim=raw["dim"],
        encoders={Modality(m): spec for m, spec in raw["encoders"].items()},
        heads={Modality(m): HeadConfig(**head) for m, head in raw["heads"].items()},
        null={pair: (float(mean), float(std)) for pair, (mean, std) in raw.get("null", {}).items()},
    )


def _weights(folder: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(folder / _WEIGHTS)
    except (OSError, SafetensorError) as error:
        came = f"model.safetensors of {folder.name} cannot be read"
        raise ModelError(came, "one that save_pretrained wrote", "Take the folder afresh.") from error


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _metrics(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(_text(folder / "metrics.json") or "{}"))
    except (ValueError, TypeError) as error:
        came, todo = f"metrics.json of {folder.name} cannot be read", "Take the folder afresh, or delete that file."
        raise ModelError(came, "one object, as train.evaluate --json prints it", todo) from error
