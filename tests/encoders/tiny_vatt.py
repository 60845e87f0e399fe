"""Tiny VATT checkpoints of random weights, with all that a converted one may hold."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unimma.encoders.vatt import VATT, VATTClassifier
from unimma.encoders.vatt_checkpoint import to_checkpoint, variable_names
from unimma.types import Modality

Config = dict[str, Any]
WORDS = ["<pad>", "<bos>", "<eos>", "<unk>", "a", "dog", "barks", "at", "the", "falling", "rain", "dont", "well"]
_LAYERS: Config = {"d_model": 12, "d_ff": 20, "d_kv": 5, "num_heads": 3, "num_layers": 2, "use_bias": True}
_LAYERS |= {"layer_norm_epsilon": 1e-6, "activation": "gelu", "pre_norm": True, "use_masking": False}
_PATCHES: Config = {"pre_projection": False, "post_projection": False, "d_post_proj": 9}
_VIDEO: Config = {"temporal_patch_size": 2, "spatial_patch_size": 8, "max_temporal_buckets": 2}
_VIDEO |= {"max_vertical_buckets": 2, "max_horizontal_buckets": 3}
_AUDIO: Config = {"temporal_patch_size": 960, "temporal_patch_stride": 960, "max_temporal_buckets": 10}
_TEXT: Config = {"vocab_size": 20, "d_embedding": 7, "d_pre_proj": 12, "d_post_proj": None, "use_agg_token": True}
_TEXT |= {"num_relative_buckets": 8, "max_relative_distance": 12, "is_transformer": True}
HEAD: Config = {"name": "mlp_fac", "bn_config": {"epsilon": 1e-5}, "vid_to_aud_txt_kwargs": {"d_model": 6}}
HEAD |= {"aud_to_vid_txt_kwargs": {"d_model": 6}, "txt_to_vid_aud_kwargs": {"d_model": 4}}
SPECIFIC: Config = {
    "model_arch": "tx_fac",
    "video_backbone": _LAYERS | _PATCHES | _VIDEO,
    "audio_backbone": _LAYERS | _PATCHES | _AUDIO | {"d_model": 10},
    "text_backbone": _LAYERS | _TEXT | {"use_bias": False},
    "head_config": HEAD,
}
AGNOSTIC: Config = {
    "model_arch": "ut_fac",
    "unified_backbone": _LAYERS
    | {"vid_temporal_patch_size": 2, "vid_spatial_patch_size": 8, "aud_temporal_patch_size": 960}
    | {"max_vid_temporal_buckets": 2, "max_vid_spatial_buckets": 2, "max_aud_temporal_buckets": 10}
    | {"max_txt_temporal_buckets": 5, "txt_vocab_size": 20, "txt_embedding_dim": 7, "d_post_proj": 9},
    "head_config": HEAD,
}
CLASSES: Config = {"num_classes": 3, "num_test_samples": 2}
OF_CLIPS: Config = {"model_config": _LAYERS | _PATCHES | _VIDEO | CLASSES | {"post_projection": True}}
OF_WAVES: Config = {"model_config": _LAYERS | _PATCHES | _AUDIO | CLASSES | {"pre_projection": True}}
OF_SPECTRA: Config = {
    "model_config": _LAYERS
    | _PATCHES
    | CLASSES
    | {"temporal_patch_size": 3, "spectoral_patch_size": 4, "max_temporal_buckets": 4, "max_spectoral_buckets": 5}
}
_WIDTHS = {
    "tx_fac": {Modality.VIDEO: 12, Modality.AUDIO: 10, Modality.TEXT: 12},
    "ut_fac": dict.fromkeys((Modality.VIDEO, Modality.AUDIO, Modality.TEXT), 9),
}


def untrained(config: Mapping[str, Any]) -> VATT | VATTClassifier:
    """A network of that config, without weights."""
    with torch.device("meta"):
        if "model_config" in config:
            return VATTClassifier(config)
        return VATT(config, _WIDTHS[config["model_arch"]])


def write_checkpoints(folder: Path) -> dict[str, Path]:
    """One of each architecture and of each classifier, each in a folder of its own."""
    configs = {"tx": SPECIFIC, "ut": AGNOSTIC, "clips": OF_CLIPS, "waves": OF_WAVES, "spectra": OF_SPECTRA}
    return {name: write_checkpoint(folder / name, config) for name, config in configs.items()}


def write_checkpoint(folder: Path, config: Mapping[str, Any], seed: int = 0) -> Path:
    """weights.npz (with an optimizer's leavings), config.json and a vocabulary; returns the folder."""
    network, random = untrained(config), np.random.default_rng(seed)
    shapes = network.state_dict()
    arrays: dict[str, Any] = {"_CHECKPOINTABLE_OBJECT_GRAPH": np.zeros(3, np.uint8), "save_counter/x": np.ones(1)}
    for name, own in variable_names(network).items():
        values = 0.5 * random.standard_normal(to_checkpoint(name, shapes[own]).shape)
        values = np.abs(values) + 0.5 if name.endswith(("gamma", "moving_variance")) else values
        whole = f"model/layer_with_weights-0/{name}"
        arrays[f"{whole}/.ATTRIBUTES/VARIABLE_VALUE"] = values.astype(np.float32)
        arrays[f"{whole}/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE"] = np.zeros(2, np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "weights.npz", **arrays)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "howto100m_en.txt").write_text("\n".join(WORDS) + "\n")
    return folder
