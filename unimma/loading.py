"""`load_model`: the bundled model, a preset, or what `save_pretrained` wrote, in a folder or on the Hugging Face Hub.

A name leads to data alone: config, weights and words; no code of a model is ever run.
"""

import inspect
import json
import os
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from unimma import bridge, hub
from unimma.catalogue import BUNDLED, Preset, check_memory, named_checkpoint, presets, read_preset
from unimma.devices import find_device
from unimma.encoders.base import Encoder, EncoderInfo
from unimma.encoders.joined import FramesAndSound, JoinedEncoder
from unimma.encoders.registry import find
from unimma.errors import ModelError
from unimma.heads import HeadConfig, MapHead, build_head
from unimma.model import ModelConfig, Tower, UniMMA
from unimma.settings import accepts_license, assets_dir
from unimma.types import Modality

_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)  # what the Hub wants to know, before the card begins


def load_model(
    name: str | Path = BUNDLED,
    *,
    checkpoint: str | Path | None = None,
    accept_license: bool | None = None,
    device: str | None = None,
    say: bridge.Say | None = None,
) -> UniMMA:
    """Load a model by name.

    Args:
        name: "bundled", a preset, a preset of one's own (a .toml file), the path of a folder with config.json and
            model.safetensors, or the same on the Hugging Face Hub as user/repo@revision, the revision being the 40
            digits of a commit: what stands there cannot change under its user. The bundled model needs no network where
            the weights' packages are installed (`unimma.encoders.weights`); a preset gets its checkpoints, and a model
            of the Hub its files, at first use.
        checkpoint: what a preset waits for (`python -m unimma models --json` says so): the file of the original
            weights, or the folder or user/repo@revision of what was trained for it. None: UNIMMA_CHECKPOINT.
        accept_license: whether weights may be used whose licence allows no commercial use. None:
            UNIMMA_ACCEPT_LICENSE=1 says so.
        device: where it computes: "cpu", "cuda", "mps" …, or "auto" for the best that there is. None: UNIMMA_DEVICE,
            else "auto". On a GPU with bfloat16, networks of the Hub compute in it: rows differ a little from the CPU's.
        say: is told what is being computed at first use, how much of it is done, and of how much. None: a bar on
            standard error, where that is a terminal.

    Raises:
        ModelError: no such model, damaged files, weights that cannot be had or whose licence is not accepted, too
            little memory, or parts that do not go together.
        ConfigError: no such device here.
    """
    place = find_device(device or os.environ.get("UNIMMA_DEVICE") or "auto")
    return _load(name, checkpoint, accept_license, say).to(place)


def _load(
    name: str | Path, checkpoint: str | Path | None, accept_license: bool | None, say: bridge.Say | None
) -> UniMMA:
    """On the CPU."""
    if str(name) in presets() or Path(name).suffix == ".toml":
        return _from_preset(read_preset(name), checkpoint, accept_license, say)
    if checkpoint is not None:
        raise ModelError(f"a checkpoint for the model {Path(name).name}", "none: it has its own", "Leave it out.")
    folder = assets_dir() / "bundled" if str(name) == BUNDLED else Path(name)
    if not (folder / _CONFIG).is_file():
        repository, pinned, revision = str(name).partition("@")
        if not hub.REPOSITORY.fullmatch(repository) or (not pinned and folder.exists()):
            expected = f"one of {', '.join([BUNDLED, *presets()])}, a folder with config.json, or user/repo@revision"
            raise ModelError(f"model {folder.name!r}", expected, "Check the name, or train one.")
        folder = hub.model_folder(repository, revision)
    card = _FRONT_MATTER.sub("", _text(folder / "README.md"))
    model = build_model(read_config(folder), card=card, metrics=_metrics(folder), accept_license=accept_license)
    model.load_own_weights(_weights(folder))
    return model


def build_model(
    config: ModelConfig,
    *,
    card: str = "",
    metrics: Mapping[str, Any] | None = None,
    accept_license: bool | None = None,
) -> UniMMA:
    """A model of that shape: pip-carried weights in place, its own weights still untrained.

    A width of 0 in the config is filled in: a head's is that of its encoder and of the space, that of the space the one
    of the first encoder.

    Raises:
        ModelError: as `build_encoder`; or encoders whose features are taken as they are, and which share no space.
    """
    for spec in config.encoders.values():
        _check_terms(spec, accept_license)
    towers: dict[Modality, Tower] = {}
    heads: dict[Modality, HeadConfig] = {}
    dim = config.dim
    for modality in Modality:  # in the enum's order: clips, the last, are made of the towers before
        if modality in config.encoders:
            encoder, head = (
                build_encoder(config.encoders[modality], dim, towers, accept_license),
                config.heads[modality],
            )
            if encoder.modality is not modality:
                came = f"an encoder of {encoder.modality} for {modality}"
                raise ModelError(came, f"one of {modality}", "Choose another one.")
            dim = dim or head.dim or encoder.dim
            heads[modality] = replace(head, num_features=head.num_features or encoder.dim, dim=head.dim or dim)
            towers[modality] = Tower(encoder, build_head(heads[modality]))
    config = replace(config, dim=dim, heads=heads)
    _check_spaces(config, towers)
    return UniMMA(config, towers, card=card, metrics=metrics)


def _from_preset(
    preset: Preset, checkpoint: str | Path | None, accept_license: bool | None, say: bridge.Say | None
) -> UniMMA:
    waits_for = preset.about.checkpoint or ("" if preset.is_ready else "a model that was trained with these encoders")
    if checkpoint is not None and not waits_for:
        raise ModelError(f"a checkpoint for the preset {preset.name}", "none: it has its own", "Leave it out.")
    named = str(checkpoint or os.environ.get("UNIMMA_CHECKPOINT", "")) if waits_for else ""
    if waits_for and not named:
        training = f"Train it: {preset.about.training} — then name" if preset.about.training else "Name"
        todo = f"{training} it by --checkpoint, UNIMMA_CHECKPOINT or load_model(…, checkpoint=…)."
        raise ModelError(f"the preset {preset.name} without a checkpoint", waits_for, todo)
    if not preset.is_ready:
        return _load(named, None, accept_license, say)
    preset = named_checkpoint(preset, named)
    for spec in preset.through.values():
        _check_terms(spec, accept_license)
    check_memory(preset)
    config = ModelConfig(name=preset.name, dim=0, encoders=preset.encoders, heads=preset.heads)
    model = build_model(config, accept_license=accept_license)
    maps = {}
    for modality, spec in preset.through.items():
        through = build_encoder(spec, model.dim, model.towers, accept_license)
        maps[modality] = _bridged(model, modality, spec, through, say)
    model.card = _card(preset, model, maps)
    return model


def _bridged(
    model: UniMMA, modality: Modality, spec: Mapping[str, Any], through: Encoder, say: bridge.Say | None
) -> bridge.Map:
    """Give a modality's head its map, from the space of its encoder and of `through` into the model's."""
    tower = model.towers[modality]
    own = model.config.encoders[modality].get("same_space")
    if not _one_network(through, tower.encoder) and (own is None or own != spec.get("same_space")):
        came = f"{modality} bridged through an encoder that does not share its space"
        raise ModelError(came, "both from one checkpoint", "Correct `through`.")
    if through.modality not in model.towers or through.modality is modality:
        came = f"{modality} bridged through {through.modality} into a model without it"
        raise ModelError(came, f"one of {', '.join(sorted(model.towers))}", "Correct `through`.")
    into = model.towers[through.modality]
    fitted = bridge.join(tower.encoder, through, into.encoder, into.head, say=say)
    assert isinstance(tower.head, MapHead)
    fitted.put_into(tower.head)
    return fitted


def _check_spaces(config: ModelConfig, towers: Mapping[Modality, Tower]) -> None:
    """Features that are embeddings as they are have to be of one space; what was trained may have come to share one."""
    ready = [m for m in towers if config.heads[m].kind == "none" and "trained" not in config.encoders[m]]
    for modality in ready[1:]:
        if not _share(config, towers, ready[0], modality):
            came = f"{ready[0]} and {modality} of the model {config.name}, whose encoders share no space"
            expected = "two of one checkpoint, or a head between"
            todo = 'Give one a head of kind "map", train heads, or tell by same_space that they were made to share one.'
            raise ModelError(came, expected, todo)


def _share(config: ModelConfig, towers: Mapping[Modality, Tower], one: Modality, other: Modality) -> bool:
    words = [config.encoders[modality].get("same_space") for modality in (one, other)]
    return (words[0] is not None and words[0] == words[1]) or _one_network(towers[one].encoder, towers[other].encoder)


def _one_network(one: Encoder, other: Encoder) -> bool:
    """Whether two encoders go through the same network, or one through the other's and further layers."""
    pairs = ((one.network, other.network), (other.network, one.network))
    return any(inner is module for inner, outer in pairs for module in outer.modules())


def _check_terms(spec: Mapping[str, Any], accept_license: bool | None) -> None:
    """Refuse weights whose licence has to be accepted, before they are fetched."""
    for inner in spec.values():
        if isinstance(inner, Mapping):
            _check_terms(inner, accept_license)
    for name in [spec["name"]] if "name" in spec else spec.get("joined", ()):
        factory = find(name)
        usual = inspect.signature(factory).parameters.get("checkpoint")
        if usual is None or spec.get("checkpoint", usual.default) == usual.default:
            _check_licence(getattr(factory, "info", None), accept_license)


def _check_licence(info: EncoderInfo | None, accept_license: bool | None) -> None:
    accepted = accepts_license() if accept_license is None else accept_license
    if info is not None and not info.commercial and not accepted:
        came = f"{info.weights}, whose licence allows no commercial use ({info.licence})"
        todo = "Read it; then say --accept-license, UNIMMA_ACCEPT_LICENSE=1 or load_model(…, accept_license=True)."
        raise ModelError(came, "that it is accepted", todo)


def build_encoder(
    spec: Mapping[str, Any], width: int, towers: Mapping[Modality, Tower], accept_license: bool | None = None
) -> Encoder:
    """An encoder from its entry in config.json.

    {"name": N, …} is one from the registry with its options, {"joined": [N, …]} several side by side,
    {"frames_and_sound": count} clips through the image and audio towers; `width` is that of the shared space.
    "trained" beside the first two says which of its parameters the checkpoint carries (`trained_parameters`),
    "same_space" is a word that encoders of different networks have in common where they were made to share a space.

    Args:
        accept_license: as `load_model` takes it.
    Raises:
        ModelError: none of these, an unknown name, or weights whose licence is not accepted.
    """
    if "trained" in spec and "frames_and_sound" not in spec:
        plain = {key: value for key, value in spec.items() if key != "trained"}
        pristine = build_encoder(plain, width, towers, accept_license)
        return deepcopy(pristine)  # the registry may give one network to several encoders: the others keep theirs
    _check_terms(spec, accept_license)
    match {key: value for key, value in spec.items() if key != "same_space"}:
        case {"name": str(name), **options}:
            try:
                encoder = find(name)(**options)
            except TypeError as error:
                came, todo = f"encoder {name} with {', '.join(options)}", "Check the checkpoint's config.json."
                raise ModelError(came, "the options that it has", todo) from error
            except ModuleNotFoundError as error:
                came = f"encoder {name} without the package {error.name}"
                raise ModelError(came, "it installed", "Install it by pip; the docs on encoders say how.") from error
            _check_licence(encoder.info, accept_license)
            return encoder
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


def _parsed(raw: Mapping[str, Any]) -> ModelConfig:
    return ModelConfig(
        name=raw["name"],
        dim=raw["dim"],
        encoders={Modality(m): spec for m, spec in raw["encoders"].items()},
        heads={Modality(m): HeadConfig(**head) for m, head in raw["heads"].items()},
        null={pair: (float(mean), float(std)) for pair, (mean, std) in raw.get("null", {}).items()},
    )


def _card(preset: Preset, model: UniMMA, maps: Mapping[Modality, bridge.Map]) -> str:
    """Markdown: what a preset is, its terms and its parts."""
    about = preset.about
    terms = about.licence if about.commercial else f"{about.licence}; no commercial use"
    lines = [f"# {preset.name}", "", f"{about.says}", "", f"Licence: {terms}. Languages: {about.languages}.", ""]
    for modality, tower in model.towers.items():
        info = tower.encoder.info
        lines.append(f"- {modality}: {info.weights} ({info.paper}; {info.licence}); {info.input}.")
    lines += [f"- {modality} joined without training: {fitted}." for modality, fitted in maps.items()]
    return "\n".join(lines) + "\n"


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
