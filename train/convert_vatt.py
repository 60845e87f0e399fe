"""A TensorFlow checkpoint of VATT → the folder that unimma's VATT encoders read: weights.npz and config.json.

python -m venv tf && tf/bin/pip install tensorflow-cpu numpy
tf/bin/python train/convert_vatt.py ckpt-500000 vatt/tx_fac_bbs --vocabulary misc/howto100m_en.txt

It runs in an environment of its own, for TensorFlow does not go beside everything: it needs nothing of this project.
The published checkpoints are two files each, ckpt-N.index and ckpt-N.data-00000-of-00001. Optimizer state stays behind.
"""

import argparse
import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Shape = tuple[int, ...]
_ENDING = "/.ATTRIBUTES/VARIABLE_VALUE"
_WHOLE_MODEL = re.compile(r"model/(layer_with_weights-\d+/)?")
_HEAD_WIDTH = 64  # of attention, in every published model
_HEAD = "_head_layer/_bridge_heads/0"
_SETTLED = {"layer_norm_epsilon": 1e-6, "activation": "gelu", "pre_norm": True, "use_masking": False}


class Reader(Protocol):
    """What `tf.train.load_checkpoint` gives."""

    def get_variable_to_shape_map(self) -> Mapping[str, Sequence[int]]: ...

    def get_tensor(self, name: str) -> Any: ...


def main(argv: Sequence[str] | None = None) -> int:
    """tf/bin/python train/convert_vatt.py CHECKPOINT FOLDER"""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="the path up to and with ckpt-N, or the folder of one checkpoint")
    parser.add_argument("folder", type=Path, help="where weights.npz and config.json go")
    parser.add_argument("--config", type=Path, help="the model's own config as JSON; else that of the published sizes")
    parser.add_argument("--vocabulary", type=Path, help="howto100m_en.txt of the original's misc_data.tgz, for text")
    args = parser.parse_args(argv)

    import tensorflow as tf

    try:
        reader: Reader = tf.train.load_checkpoint(str(args.checkpoint))
        arrays = variables(reader)
        given = args.config and json.loads(args.config.read_text(encoding="utf-8"))
        config = given or published_config({name: array.shape for name, array in arrays.items()})
        write(args.folder, arrays, config)
        if args.vocabulary:
            shutil.copyfile(args.vocabulary, args.folder / "howto100m_en.txt")
    except (OSError, ValueError, tf.errors.OpError) as error:
        print(f"{args.checkpoint.name} cannot be converted: {error}", file=sys.stderr)
        return 2
    print(f"{args.folder}: {len(arrays)} variables, {sum(array.size for array in arrays.values()):,} numbers")
    return 0


def variables(reader: Reader) -> dict[str, npt.NDArray[np.float32]]:
    """The model's variables by their full names, without optimizer slots, counters and the object graph.

    Raises:
        ValueError: there are none.
    """
    names = [name for name in reader.get_variable_to_shape_map() if _is_weight(name)]
    if not names:
        raise ValueError("it holds no variables named model/…")
    return {name: np.asarray(reader.get_tensor(name), np.float32) for name in sorted(names)}


def write(folder: Path, arrays: Mapping[str, npt.NDArray[np.float32]], config: Mapping[str, Any]) -> None:
    """weights.npz and config.json in a folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "weights.npz", **arrays)  # type: ignore[arg-type]  # names are no Python names
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def published_config(shapes: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """The config of a published checkpoint, of its variables' shapes.

    They tell all but what is the same in all of them: attention heads are 64 wide, relative distances of words count up
    to 64, a classifier's config averages no clips.

    Raises:
        ValueError: a model that is none of the published architectures.
    """
    own = {_WHOLE_MODEL.sub("", name).removesuffix(_ENDING): tuple(shape) for name, shape in shapes.items()}
    try:
        if "_ops/cls/kernel" in own:
            model = _media(own, "_base") | {"num_classes": own["_ops/cls/kernel"][1], "num_test_samples": 1}
            return {"model_config": model}
        if any(name.startswith("_base_layer/unified_backbone") for name in own):
            unified = _unified(own, "_base_layer/unified_backbone/unified_transformer")
            return {"model_arch": "ut_fac", "unified_backbone": unified, "head_config": _factorised(own)}
        return {
            "model_arch": "tx_fac",
            "video_backbone": _media(own, "_base_layer/vid_backbone/_base"),
            "audio_backbone": _media(own, "_base_layer/aud_backbone/_base"),
            "text_backbone": _text(own, "_base_layer/txt_backbone"),
            "head_config": _factorised(own),
        }
    except KeyError as error:
        raise ValueError(f"it is none of the published models (no {error}); name its --config") from error


def _is_weight(name: str) -> bool:
    return name.startswith("model/") and name.endswith(_ENDING) and ".OPTIMIZER_SLOT" not in name


def _transformer(own: Mapping[str, Shape], stack: str, query: str) -> dict[str, Any]:
    width, inner = own[f"{stack}/layers/0/{query}/kernel"]
    layers = {match[1] for name in own if (match := re.match(rf"{re.escape(stack)}/layers/(\d+)/", name))}
    hidden = own[f"{stack}/layers/0/feed_forward/mlp/wi/kernel"][1]
    sizes = {"d_model": width, "d_kv": _HEAD_WIDTH, "num_heads": inner // _HEAD_WIDTH, "d_ff": hidden}
    return {**_SETTLED, **sizes, "num_layers": len(layers), "use_bias": f"{stack}/layers/0/{query}/bias" in own}


def _media(own: Mapping[str, Shape], base: str) -> dict[str, Any]:
    config = _transformer(own, f"{base}/tx", "mha/q")
    config |= {f"max_{axis}_buckets": rows for axis, rows in _positions(own, f"{base}/pos_embedding_lookup").items()}
    config |= {"pre_projection": f"{base}/pre_proj/kernel" in own, "post_projection": f"{base}/post_proj/kernel" in own}
    if config["post_projection"]:
        config["d_post_proj"] = own[f"{base}/post_proj/kernel"][1]
    if voxel := own.get(f"{base}/voxel_to_patch/kernel"):
        return config | {"temporal_patch_size": voxel[0], "spatial_patch_size": voxel[1]}
    if spectrum := own.get(f"{base}/spectrum_to_patch/kernel"):
        return config | {"temporal_patch_size": spectrum[0], "spectoral_patch_size": spectrum[1]}
    samples = own[f"{base}/wave_to_patch/kernel"][0]
    return config | {"temporal_patch_size": samples, "temporal_patch_stride": samples}


def _text(own: Mapping[str, Shape], base: str) -> dict[str, Any]:
    config = _transformer(own, f"{base}/base_lm", "self_attention/attention/q")
    attention = f"{base}/base_lm/layers/0/self_attention/attention"
    buckets, heads = own[f"{attention}/relative_attention_bias/embeddings"]
    words, width = own[f"{base}/embedding/embeddings"]
    config |= {"num_heads": heads, "num_relative_buckets": buckets, "max_relative_distance": 64}
    config |= {"vocab_size": words, "d_embedding": width, "d_pre_proj": own[f"{base}/pre_proj/kernel"][1]}
    return config | {"d_post_proj": None, "use_agg_token": True, "is_transformer": True}


def _unified(own: Mapping[str, Shape], base: str) -> dict[str, Any]:
    video, audio, text = (_positions(own, f"{base}/pos_embedding_lookup/{n}") for n in ("video", "audio", "text"))
    voxel, wave = (own[f"{base}/raw_to_embeddings/{name}/kernel"] for name in ("video", "audio"))
    words, width = own[f"{base}/raw_to_embeddings/text/embeddings"]
    return _transformer(own, f"{base}/tx", "mha/q") | {
        "vid_temporal_patch_size": voxel[0],
        "vid_spatial_patch_size": voxel[1],
        "aud_temporal_patch_size": wave[0],
        "max_vid_temporal_buckets": video["temporal"],
        "max_vid_spatial_buckets": video["vertical"],
        "max_aud_temporal_buckets": audio["temporal"],
        "max_txt_temporal_buckets": text["temporal"],
        "txt_vocab_size": words,
        "txt_embedding_dim": width,
        "d_post_proj": own[f"{base}/post_proj/video/kernel"][1],
    }


def _factorised(own: Mapping[str, Shape]) -> dict[str, Any]:
    fine, coarse = own[f"{_HEAD}/va_to_vat/dense/kernel"]
    return {
        "name": "mlp_fac",
        "vid_to_aud_txt_kwargs": {"d_model": own[f"{_HEAD}/vid_to_hid/kernel"][1]},
        "aud_to_vid_txt_kwargs": {"d_model": fine},
        "txt_to_vid_aud_kwargs": {"d_model": coarse},
        "bn_config": {"epsilon": 1e-5},
    }


def _positions(own: Mapping[str, Shape], place: str) -> dict[str, int]:
    """Axis → how many positions its table has."""
    table = re.compile(rf"{re.escape(place)}/(\w+)_position_embeddings/embeddings")
    return {match[1]: shape[0] for name, shape in own.items() if (match := table.fullmatch(name))}


if __name__ == "__main__":
    sys.exit(main())
