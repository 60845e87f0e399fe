"""The untrained model that a config describes: encoders from the registry, heads that fit them."""

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch

from train.config import DataConfig, TrainConfig
from train.data.classes import audioset_names, imagenet_names
from train.shapes import EncoderConfig, ModelShape
from train.teachers import YAMNET
from train.weights import TeacherLoss
from unimma.encoders.base import Encoder
from unimma.encoders.registry import find
from unimma.encoders.trained import trained_parameters
from unimma.errors import ConfigError, ModelError
from unimma.heads import HeadConfig, build_head
from unimma.loading import build_encoder
from unimma.model import ModelConfig, Tower, UniMMA
from unimma.types import Modality

Names = Sequence[Sequence[str]]  # of classes: each with all its names, the clearest first
# Encoders and teachers whose last features are classes, and where the names of these stand in a data folder.
ENDS_IN_CLASSES: Mapping[str, Callable[[Path], Names]] = {
    "efficientnet-lite2": imagenet_names,
    "efficientnet-lite2-imagenet1k-fp16.onnx": imagenet_names,
    "yamnet-student": audioset_names,
    YAMNET: audioset_names,
}
CLIP_HEAD = {"hidden": 256, "dropout": 0.4}  # of frames and sound: few clips, so a small head


def class_names(config: TrainConfig) -> dict[Modality, Names]:
    """The names of the classes that pictures' and sounds' encoders predict, for their conse heads.

    They come from the data folder: of the bundled encoders from its `teachers`, of others from the head's class_names.
    A modality whose encoder or head has no classes is left out, and so are all where there is no data folder.

    Raises:
        ConfigError: a conse head is asked for and nothing tells its classes, or a file of names cannot be read.
    """
    found = {}
    for modality in config.model.modalities:
        shape, parts = config.model.head(modality), config.model.encoder(modality).parts
        known = ENDS_IN_CLASSES.get(parts[-1]) if parts else None
        says_so = shape.kind == "conse" or shape.class_names is not None
        text_is_frozen = config.model.encoder(Modality.TEXT).trainable == "frozen"
        if not says_so and (shape.kind is not None or not known or not text_is_frozen or config.data.folder is None):
            continue
        if config.data.folder is None or (shape.class_names is None and known is None):
            came = f"a conse head on {modality} whose classes have no names"
            raise ConfigError(came, "data.folder, and for this encoder class_names", "Add them, or take an mlp head.")
        found[modality] = _read_names(config.data, shape.class_names, known)
    return found


def teacher_class_names(teacher: TeacherLoss, data: DataConfig) -> Names:
    """The names of the classes that a teacher's last outputs are; none where nothing tells them and none are needed.

    Raises:
        ConfigError: they are needed (soft_labels) and nothing tells them, or the file cannot be read.
    """
    known = ENDS_IN_CLASSES.get(teacher.name)
    if data.folder is None or (known is None and teacher.class_names is None):
        if teacher.soft_labels:
            came = f"soft_labels of the teacher {teacher.name}, whose classes have no names"
            raise ConfigError(came, "data.folder, and for this teacher class_names", "Add them, or set it to 0.")
        return ()
    return _read_names(data, teacher.class_names, known)


def _read_names(data: DataConfig, file: str | None, known: Callable[[Path], Names] | None) -> Names:
    assert data.folder is not None
    try:
        if file is None:
            assert known is not None
            return known(data.folder)
        lines = (data.folder / file).read_text(encoding="utf-8").splitlines()
        return [[name.strip() for name in line.split(",")] for line in lines if line.strip()]
    except OSError as error:
        came = f"{data.folder.name}: no class names in {file or 'its folder teachers'}"
        expected = "one class a line" if file else "imagenet1k-classes.tsv and yamnet_class_map.csv"
        raise ConfigError(came, expected, "Check data.folder, or take mlp heads.") from error


def untrained(shape: ModelShape, classes: Mapping[Modality, Names]) -> UniMMA:
    """A model of that shape: encoders with the weights they come with, heads as they start.

    Args:
        shape: from the config.
        classes: as `class_names` gives them; a head whose modality is in it is a conse head.
    Raises:
        ConfigError: an encoder that is not known, lacks an option, or is of another modality; a head that does not fit
            its encoder.
        ModelError: weights that cannot be had.
    """
    towers: dict[Modality, Tower] = {}
    heads: dict[Modality, HeadConfig] = {}
    for modality in Modality:  # in the enum's order: clips, the last, are made of the towers before
        if modality not in shape.modalities:
            continue
        encoder = _encoder(shape, modality, towers)
        heads[modality] = _head(shape, modality, encoder, classes)
        try:
            towers[modality] = Tower(encoder, build_head(heads[modality]))
        except ModelError as error:
            raise ConfigError(f"model.heads.{modality}: {error.came}", error.expected, error.todo) from error
    encoders = {modality: shape.encoder(modality).spec() for modality in towers}
    return UniMMA(ModelConfig(name=shape.name, dim=shape.dim, encoders=encoders, heads=heads), towers)


def _encoder(shape: ModelShape, modality: Modality, towers: Mapping[Modality, Tower]) -> Encoder:
    config, where = shape.encoder(modality), f"model.encoders.{modality}"
    try:
        _check_options(config, where)
        encoder = build_encoder(config.spec(), shape.dim, towers)
        if config.trainable != "frozen":
            trained_parameters(encoder, config.trainable)
    except ModelError as error:
        raise ConfigError(f"{where}: {error.came}", error.expected, error.todo) from error
    parts: Mapping[str, Encoder] = getattr(encoder, "parts", {"": encoder})
    for part in parts.values():
        if part.modality is not modality:
            raise ConfigError(f"{where}: an encoder of {part.modality}", f"one of {modality}", "Choose another one.")
    if config.token_dropout and not getattr(encoder, "loses_tokens", ""):
        raise ConfigError(f"{where}.token_dropout", "an encoder that can do without some tokens", "Set it to 0.")
    return encoder


def _check_options(config: EncoderConfig, where: str) -> None:
    for name in config.parts:
        known = inspect.signature(find(name)).parameters
        if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known.values()):
            continue
        for option in config.options:
            if option not in known:
                near = difflib.get_close_matches(option, [*known, "trainable", "lr", "token_dropout"], n=1)
                hint = f" (nearest known key: {near[0]})" if near else ""
                raise ConfigError(f"{where}.{option}: no option of {name}{hint}", _either(known), "Correct the file.")
        missing = [key for key, each in known.items() if each.default is each.empty and key not in config.options]
        if missing:
            raise ConfigError(f"{where}: {name} without {', '.join(missing)}", _either(known), "Add what is missing.")


def _either(options: Mapping[str, object]) -> str:
    return ", ".join(options) if options else "no options"


def _head(shape: ModelShape, modality: Modality, encoder: Encoder, classes: Mapping[Modality, Names]) -> HeadConfig:
    given, clips = shape.head(modality), shape.encoder(modality).of_towers
    kind = given.kind or ("clip" if clips else "linear" if modality is Modality.TEXT else "mlp")
    kind = "conse" if modality in classes else kind
    width: int = getattr(encoder, "token_dim", encoder.dim) if kind == "bridge" else encoder.dim
    sizes = {**(CLIP_HEAD if kind == "clip" else {}), **given.sizes()}
    num_classes = len(classes.get(modality, ()))
    return HeadConfig(kind=kind, num_features=width, dim=shape.dim, num_classes=num_classes, **sizes)


def round_weights(model: UniMMA) -> None:
    """Round everything that a checkpoint stores to float16, so that what is measured is what is shipped."""
    for modality, tower in model.towers.items():
        round_module(tower.head)
        extent = model.config.encoders[modality].get("trained")
        if extent is not None:
            with torch.no_grad():
                for parameter in trained_parameters(tower.encoder, extent).values():
                    parameter.copy_(parameter.half())


def round_module(module: torch.nn.Module) -> None:
    """Round a module's floating-point parameters and buffers to what float16 can hold, in place."""
    with torch.no_grad():
        for tensor in module.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(tensor.half())
