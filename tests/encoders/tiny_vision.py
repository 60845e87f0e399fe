"""Folders of tiny models that see, with random weights, as the libraries' own `save_pretrained` writes them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from unimma.compat import ensure_torch_extensions

ensure_torch_extensions()

import transformers as tf  # noqa: E402
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors  # noqa: E402

LAYERS = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
PICTURE = {"image_size": 32, "patch_size": 8}
CROPPED = {"size": {"shortest_edge": 36}, "crop_size": {"height": 32, "width": 32}}
SQUARE = {"size": {"height": 32, "width": 32}}
CONTEXT = 12  # tokens that the text towers take


def write(name: str, folder: Path) -> Path:
    """The checkpoint of that name, in a folder."""
    torch.manual_seed(0)
    for part in WRITERS[name]():
        part.save_pretrained(folder)
    return folder


def letters(start: str, end: str, *, lower: bool, special: list[str]) -> Tokenizer:
    """A token a letter, between two special ones (or before one alone)."""
    signs = [*special, *(chr(code) for code in range(33, 127)), "▁"]
    tokenizer = Tokenizer(models.WordLevel({sign: i for i, sign in enumerate(signs)}, unk_token=special[0]))
    steps: list[Any] = [normalizers.Lowercase()] if lower else []
    tokenizer.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    around = [(sign, signs.index(sign)) for sign in (start, end) if sign]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{start} $A {end}".strip(), special_tokens=around)
    return tokenizer


def clip_tokenizer() -> Any:
    special = ["<unk>", "<start>", "<end>"]
    names = {"unk_token": "<unk>", "bos_token": "<start>", "eos_token": "<end>", "pad_token": "<end>"}
    own = letters("<start>", "<end>", lower=True, special=special)
    return tf.PreTrainedTokenizerFast(tokenizer_object=own, model_max_length=CONTEXT, **names)


def siglip_tokenizer() -> Any:
    own = letters("", "<eos>", lower=False, special=["<unk>", "<pad>", "<eos>"])
    names = {"unk_token": "<unk>", "eos_token": "<eos>", "pad_token": "<pad>"}
    return tf.PreTrainedTokenizerFast(
        tokenizer_object=own,
        padding_side="right",
        model_input_names=["input_ids"],
        do_lower_case=True,
        model_max_length=CONTEXT,
        **names,
    )


def text(**more: Any) -> dict[str, Any]:
    return LAYERS | {"vocab_size": 128, "max_position_embeddings": CONTEXT} | more


def clip() -> list[Any]:
    own = text(bos_token_id=1, eos_token_id=2, pad_token_id=2)
    config = tf.CLIPConfig(text_config=own, vision_config=LAYERS | PICTURE, projection_dim=24)
    return [tf.CLIPModel(config), tf.CLIPImageProcessor(**CROPPED), clip_tokenizer()]


def siglip() -> list[Any]:
    own = text(projection_size=32, bos_token_id=0, eos_token_id=2, pad_token_id=1)
    config = tf.SiglipConfig(text_config=own, vision_config=LAYERS | PICTURE)
    return [tf.SiglipModel(config), tf.SiglipImageProcessor(**SQUARE), siglip_tokenizer()]


def siglip_naflex() -> list[Any]:
    own = text(projection_size=32, bos_token_id=0, eos_token_id=2, pad_token_id=1)
    config = tf.Siglip2Config(text_config=own, vision_config=LAYERS | {"patch_size": 8, "num_patches": 16})
    return [tf.Siglip2Model(config), tf.Siglip2ImageProcessor(patch_size=8, max_num_patches=16), siglip_tokenizer()]


def dinov2() -> list[Any]:
    config = tf.Dinov2Config(**LAYERS | PICTURE | {"mlp_ratio": 2})
    return [tf.Dinov2Model(config), tf.BitImageProcessor(**CROPPED)]


def dinov2_registers() -> list[Any]:
    config = tf.Dinov2WithRegistersConfig(**LAYERS | PICTURE | {"mlp_ratio": 2, "num_register_tokens": 3})
    return [tf.Dinov2WithRegistersModel(config), tf.BitImageProcessor(**CROPPED)]


def dinov3() -> list[Any]:
    config = tf.DINOv3ViTConfig(**LAYERS | PICTURE | {"num_register_tokens": 4})
    return [tf.DINOv3ViTModel(config), tf.DINOv3ViTImageProcessor(**SQUARE)]


def dinov3_convnext() -> list[Any]:
    config = tf.DINOv3ConvNextConfig(hidden_sizes=[8, 12, 16, 32], depths=[1, 1, 1, 1], image_size=64)
    return [tf.DINOv3ConvNextModel(config), tf.DINOv3ViTImageProcessor(size={"height": 64, "width": 64})]


def vit() -> list[Any]:
    """As classifiers are published: no pooler, and a layer that tells classes."""
    config = tf.ViTConfig(**LAYERS | PICTURE | {"num_labels": 5})
    return [tf.ViTForImageClassification(config), tf.ViTImageProcessor(**SQUARE)]


def videomae() -> list[Any]:
    config = tf.VideoMAEConfig(**LAYERS | PICTURE | {"num_frames": 4, "tubelet_size": 2, "use_mean_pooling": False})
    return [tf.VideoMAEModel(config), tf.VideoMAEImageProcessor(**CROPPED)]


def timesformer() -> list[Any]:
    config = tf.TimesformerConfig(**LAYERS | PICTURE | {"num_frames": 4, "num_labels": 5})
    return [tf.TimesformerForVideoClassification(config), tf.VideoMAEImageProcessor(**CROPPED)]


def vjepa2() -> list[Any]:
    config = tf.VJEPA2Config(
        hidden_size=48,
        num_attention_heads=2,
        num_hidden_layers=2,
        mlp_ratio=2,
        patch_size=8,
        crop_size=32,
        frames_per_clip=8,
        tubelet_size=2,
        pred_hidden_size=24,
        pred_num_attention_heads=1,
        pred_num_hidden_layers=1,
    )
    return [tf.VJEPA2Model(config), tf.VJEPA2VideoProcessor(crop_size=32)]


def xclip() -> list[Any]:
    own = text(bos_token_id=1, eos_token_id=2, pad_token_id=2)
    mit = {"mit_hidden_size": 24, "mit_intermediate_size": 48, "mit_num_hidden_layers": 1, "mit_num_attention_heads": 2}
    seen = LAYERS | PICTURE | mit | {"num_frames": 4}
    prompts = {"prompt_num_attention_heads": 2, "prompt_layers": 1}
    config = tf.XCLIPConfig(text_config=own, vision_config=seen, projection_dim=24, **prompts)
    return [tf.XCLIPModel(config), tf.VideoMAEImageProcessor(**CROPPED), clip_tokenizer()]


class _PECore:
    """What open_clip writes: its config and one file of weights."""

    def save_pretrained(self, folder: Path) -> None:
        import open_clip
        from safetensors.torch import save_file

        seen = {
            "image_size": 384,
            "timm_model_name": "vit_pe_core_tiny_patch16_384",
            "timm_model_pretrained": False,
            "timm_pool": "map",
            "timm_proj": None,
        }
        read = {"context_length": CONTEXT, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
        model = {"embed_dim": 24, "vision_cfg": seen, "text_cfg": read, "custom_text": True}
        folder.mkdir(parents=True, exist_ok=True)
        look = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bilinear", "resize_mode": "squash"}
        (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model, "preprocess_cfg": look}))
        network = open_clip.model.CustomTextCLIP(24, seen, read)
        save_file(network.state_dict(), folder / "open_clip_model.safetensors")


WRITERS: dict[str, Callable[[], list[Any]]] = {
    "clip": clip,
    "siglip": siglip,
    "siglip-naflex": siglip_naflex,
    "dinov2": dinov2,
    "dinov2-registers": dinov2_registers,
    "dinov3": dinov3,
    "dinov3-convnext": dinov3_convnext,
    "vit": vit,
    "videomae": videomae,
    "timesformer": timesformer,
    "vjepa2": vjepa2,
    "xclip": xclip,
    "pe-core": lambda: [_PECore()],
}
