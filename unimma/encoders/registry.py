"""Encoders by name: what ships registers here, plugins through the entry-point group `unimma.encoders`."""

import difflib
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, TypeVar

from unimma.encoders.base import Encoder
from unimma.errors import ModelError

# Imported when asked for: each module brings heavy libraries of its own.
_SHIPPED = {
    "aisfx": "unimma.encoders.aisfx",
    "ast": "unimma.encoders.ast",
    "bert": "unimma.encoders.transformer_text",
    "cav-mae-audio": "unimma.encoders.cav_mae_encoders",
    "cav-mae-image": "unimma.encoders.cav_mae_encoders",
    "clap-audio": "unimma.encoders.clap",
    "clap-text": "unimma.encoders.clap",
    "clip-image": "unimma.encoders.clip",
    "clip-text": "unimma.encoders.clip",
    "dinov2": "unimma.encoders.dino",
    "dinov3": "unimma.encoders.dino",
    "efficientnet-lite2": "unimma.encoders.efficientnet_lite",
    "embeddinggemma-2-audio": "unimma.encoders.embeddinggemma2",
    "embeddinggemma-2-image": "unimma.encoders.embeddinggemma2",
    "embeddinggemma-2-text": "unimma.encoders.embeddinggemma2",
    "embeddinggemma-2-video": "unimma.encoders.embeddinggemma2",
    "flava-image": "unimma.encoders.flava",
    "flava-text": "unimma.encoders.flava",
    "frames": "unimma.encoders.frames",
    "hubert": "unimma.encoders.hubert",
    "llama": "unimma.encoders.transformer_text",
    "m-clip": "unimma.encoders.m_clip",
    "mbert": "unimma.encoders.transformer_text",
    "minilm": "unimma.encoders.minilm",
    "open-clip-image": "unimma.encoders.open_clip",
    "open-clip-text": "unimma.encoders.open_clip",
    "pe-av-audio": "unimma.encoders.pe_av",
    "pe-av-image": "unimma.encoders.pe_av",
    "pe-av-text": "unimma.encoders.pe_av",
    "pe-av-video": "unimma.encoders.pe_av",
    "pe-core-image": "unimma.encoders.pe_core",
    "pe-core-text": "unimma.encoders.pe_core",
    "qwen3-vl-image": "unimma.encoders.qwen3_vl",
    "qwen3-vl-text": "unimma.encoders.qwen3_vl",
    "qwen3-vl-video": "unimma.encoders.qwen3_vl",
    "sentence-bert": "unimma.encoders.sentence_transformers",
    "sentence-transformers": "unimma.encoders.any_sentence_transformer",
    "siglip2-image": "unimma.encoders.siglip",
    "siglip2-text": "unimma.encoders.siglip",
    "timesformer": "unimma.encoders.timesformer",
    "vatt-audio": "unimma.encoders.vatt_encoders",
    "vatt-text": "unimma.encoders.vatt_encoders",
    "vatt-video": "unimma.encoders.vatt_encoders",
    "videomae": "unimma.encoders.videomae",
    "vit": "unimma.encoders.vit",
    "vjepa2": "unimma.encoders.vjepa2",
    "whisper": "unimma.encoders.whisper",
    "whisper-transcript": "unimma.encoders.whisper",
    "xclip-text": "unimma.encoders.xclip",
    "xclip-video": "unimma.encoders.xclip",
    "yamnet-student": "unimma.encoders.yamnet_student",
}
_ENCODERS: dict[str, Callable[..., Encoder]] = {}

Factory = TypeVar("Factory", bound=Callable[..., Any])


def register(name: str) -> Callable[[Factory], Factory]:
    """Make a class (or a function that returns an encoder) known under a name.

    Raises:
        ModelError: the name is taken by another one.
    """

    def add(factory: Factory) -> Factory:
        if _ENCODERS.get(name, factory) is not factory:
            raise ModelError(f"a second encoder named {name!r}", "a name that is not taken", "Choose another name.")
        _ENCODERS[name] = factory
        return factory

    return add


def find(name: str) -> Callable[..., Encoder]:
    """The factory registered under `name`: shipped ones first, then installed plugins.

    Raises:
        ModelError: nobody knows the name; the nearest known ones are in the message.
    """
    if name not in _ENCODERS and name in _SHIPPED:
        import_module(_SHIPPED[name])
    if name not in _ENCODERS:
        for entry in entry_points(group="unimma.encoders", name=name):
            register(name)(entry.load())
    if name not in _ENCODERS:
        known = names()
        near = difflib.get_close_matches(name, known, n=3) or known
        raise ModelError(f"encoder {name!r}", f"one of {', '.join(near)}", "Check the name, or install its plugin.")
    return _ENCODERS[name]


def shipped() -> list[str]:
    """The encoders that come with the package, in alphabetical order."""
    return sorted(_SHIPPED)


def names() -> list[str]:
    """Every encoder that can be found by name, in alphabetical order; loads none of them."""
    plugins = {entry.name for entry in entry_points(group="unimma.encoders")}
    return sorted(plugins | set(_SHIPPED) | set(_ENCODERS))
