"""VATT: video, sound and text from raw patches and words, in both of its architectures, and its classifiers.

Our own implementation of Akbari et al. 2021, "VATT: Transformers for Multimodal Self-Supervised Learning from Raw
Video, Audio and Text", arXiv 2104.11178; weights of the original (github.com/google-research/google-research, folder
vatt, Apache-2.0) are TensorFlow checkpoints, which `train/convert_vatt.py` turns into the .npz that is read here.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from unimma.encoders.vatt_checkpoint import Arrays, load_arrays, read_arrays
from unimma.encoders.vatt_heads import FactorisedHead, JointHead, Widths
from unimma.encoders.vatt_network import Config, Features, MediaBackbone, TextBackbone, UnifiedBackbone
from unimma.errors import ModelError
from unimma.types import Modality

_FIRST_OF_HEAD = {  # the variable whose rows are a modality's pooled features, in either head
    Modality.VIDEO: ("vid_to_hid/kernel", "vid_to_vat/dense/kernel"),
    Modality.AUDIO: ("aud_to_va/kernel", "aud_to_vat/dense/kernel"),
    Modality.TEXT: ("txt_to_vat/kernel", "txt_to_vat/dense/kernel"),
}
Backbone = MediaBackbone | TextBackbone | UnifiedBackbone
_HEADS = {"mlp_fac": FactorisedHead, "mlp_joint": JointHead}
_HEAD_PREFIX = "_head_layer/_bridge_heads/0/"


class _Network(nn.Module):
    """What both share: made from a config, on no device, and then given a checkpoint's tensors."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config

    @classmethod
    def from_npz(cls, path: str | Path, config: Config | str | Path) -> Self:
        """A network with the variables of an .npz by their TensorFlow checkpoint names, on the CPU, in eval mode.

        Args:
            path: the .npz; optimizer state and counters in it are passed over.
            config: the original's, as nested mappings (`as_dict()` of its classes), or the path of a JSON file of it.
        Raises:
            ModelError: a file that cannot be read, or a config of another model.
        """
        path = Path(path)
        arrays, config = read_arrays(path), read_config(config)
        try:
            with torch.device("meta"):
                network = cls.shaped(config, arrays)
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            came, expected = f"a VATT config that says too little or another thing ({error})", "the original's config"
            raise ModelError(came, expected, "Take the config that belongs to the checkpoint.") from error
        load_arrays(network, arrays, path.name)
        return network.eval()

    @classmethod
    def shaped(cls, config: Config, arrays: Arrays) -> Self:
        """An untrained network for these arrays."""
        return cls(config)

    def backbone(self, modality: Modality) -> Backbone:
        """What reads a modality; raises ModelError where nothing does."""
        raise NotImplementedError

    def features_of(self, modality: Modality, x: Tensor) -> Features:
        """Features of each patch or word, `features` [B, …, d], and of the whole, `features_pooled` [B, d].

        Beside them `patch_embeddings` [B, N, D] of video and sound, `attention_mask` [B, words] of text.

        Raises:
            ModelError: no backbone for it here, or an input of another shape.
        """
        backbone = self.backbone(modality)
        features: Features = backbone(x, modality) if isinstance(backbone, UnifiedBackbone) else backbone(x)
        return features

    def native_sizes(self, modality: Modality) -> tuple[int, ...]:
        """Of an input whose positions need no spline: frames, height, width; samples; steps, bands; words.

        Nothing where a text may have any number of words; raises ModelError as `backbone`.
        """
        backbone = self.backbone(modality)
        return backbone.native_sizes(modality) if isinstance(backbone, UnifiedBackbone) else backbone.native_sizes()


class VATT(_Network):
    """The pre-trained model: a backbone for each modality, or one for all, and a head that brings them together.

    Args:
        config: with `video_backbone`, `audio_backbone` and `text_backbone` (modality-specific, "tx_fac"), or with
            `unified_backbone` (modality-agnostic, "ut_fac"); and with `head_config`. A head may stand alone.
        head_widths: how wide the pooled features are that the head takes.
    """

    def __init__(self, config: Config, head_widths: Widths) -> None:
        super().__init__(config)
        base = nn.ModuleDict()
        self._backbones: dict[Modality, Backbone] = {}  # those of `base`, by what they read
        if "unified_backbone" in config:
            unified = UnifiedBackbone(config["unified_backbone"])
            base["unified_backbone"] = nn.ModuleDict({"unified_transformer": unified})
            self._backbones |= dict.fromkeys((Modality.VIDEO, Modality.AUDIO, Modality.TEXT), unified)
        for modality, branch in ((Modality.VIDEO, "vid_backbone"), (Modality.AUDIO, "aud_backbone")):
            if f"{modality}_backbone" in config:
                self._backbones[modality] = media = MediaBackbone(config[f"{modality}_backbone"])
                base[branch] = nn.ModuleDict({"_base": media})
        if "text_backbone" in config:
            self._backbones[Modality.TEXT] = base["txt_backbone"] = TextBackbone(config["text_backbone"])
        head = _HEADS[config["head_config"]["name"]](head_widths, config["head_config"])
        self._base_layer = base
        self._head_layer = nn.ModuleDict({"_bridge_heads": nn.ModuleList([head])})

    @classmethod
    def shaped(cls, config: Config, arrays: Arrays) -> Self:
        """The head's widths are nowhere in its config: they are those of its first variables."""
        widths = {
            modality: arrays[_HEAD_PREFIX + name].shape[0]
            for modality, names in _FIRST_OF_HEAD.items()
            for name in names
            if _HEAD_PREFIX + name in arrays
        }
        return cls(config, widths)

    def backbone(self, modality: Modality) -> Backbone:
        if modality not in self._backbones:
            came = f"{modality} for a VATT that has no backbone for it"
            raise ModelError(came, f"one of {', '.join(self._backbones)}", "Use another checkpoint.")
        return self._backbones[modality]

    @property
    def bridge(self) -> FactorisedHead | JointHead:
        """The head as a module."""
        head: FactorisedHead | JointHead = self.get_submodule("_head_layer._bridge_heads.0")  # type: ignore[assignment]
        return head

    def video(self, frames: Tensor) -> Features:
        """Clips, float32 [B, T, height, width, 3] in [-1, 1] → `features_pooled` [B, d], `features` [B, t, h, w, d]."""
        return self.features_of(Modality.VIDEO, frames)

    def audio(self, waveform: Tensor) -> Features:
        """Sounds, float32 [B, num_samples, 1] at 48 kHz → `features_pooled` [B, d], `features` [B, t, d]."""
        return self.features_of(Modality.AUDIO, waveform)

    def text(self, token_ids: Tensor) -> Features:
        """Word ids [B, words], 0 = padding → `features_pooled` [B, d], `features` [B, words, d], `attention_mask`."""
        return self.features_of(Modality.TEXT, token_ids)

    def head(
        self, *, video: Tensor | None = None, audio: Tensor | None = None, text: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Pooled features → `video_toaud` and `audio_tovid`, `video_totxt` and `text_tovid`; of what is given.

        Each is [B, width of that space], not of unit length; the cosine of a pair tells how well the two fit.
        """
        given = {Modality.VIDEO: video, Modality.AUDIO: audio, Modality.TEXT: text}
        out: dict[str, Tensor] = self.bridge({m: pooled for m, pooled in given.items() if pooled is not None})
        return out


class VATTClassifier(_Network):
    """A backbone fine-tuned on classes: of clips (softmax), of waveforms or spectrograms (sigmoid).

    Args:
        config: with `model_config`, whose `num_classes` and `num_test_samples` say what comes out.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        model = config["model_config"]
        self._base = MediaBackbone(model)
        self._ops = nn.ModuleDict({"cls": nn.Linear(self._base.width, model["num_classes"])})
        self.num_clips: int = model["num_test_samples"] or 1
        self.modality = Modality.VIDEO if self._base.patching == "voxel_to_patch" else Modality.AUDIO

    def backbone(self, modality: Modality) -> Backbone:
        if modality is not self.modality:
            raise ModelError(f"{modality} for a classifier of {self.modality}", "the other", "Use another checkpoint.")
        return self._base

    def forward(self, x: Tensor) -> Features:
        """Clips or sounds → the same, and `logits` and `probabilities` [B / k, classes].

        k is the config's `num_test_samples`: the logits of k clips of one item, which lie one behind the other in the
        batch, are averaged.

        Raises:
            ModelError: B is no multiple of k, or the input has another shape.
        """
        if len(x) % self.num_clips:
            came, expected = f"a batch of {len(x)} clips", f"{self.num_clips} of every item"
            raise ModelError(came, expected, "Give all clips of an item.")
        out: Features = self._base(x)
        logits = self._ops["cls"](out["features_pooled"]).unflatten(0, (-1, self.num_clips)).mean(dim=1)
        probabilities = logits.softmax(dim=1) if self.modality is Modality.VIDEO else logits.sigmoid()
        return out | {"logits": logits, "probabilities": probabilities}


def read_config(config: Config | str | Path) -> Config:
    """A config as it is, or from a JSON file.

    Raises:
        ModelError: a file that cannot be read, or that holds something else.
    """
    if isinstance(config, Mapping):
        return config
    try:
        read: Any = json.loads(Path(config).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        came = f"the VATT config {Path(config).name} cannot be read"
        raise ModelError(came, "the JSON of the original's config", "Convert the checkpoint again.") from error
    if not isinstance(read, Mapping):
        came = f"the VATT config {Path(config).name} holds no names"
        raise ModelError(came, "the JSON of the original's config", "Convert the checkpoint again.")
    return read


def network_from(path: Path, config: Config) -> VATT | VATTClassifier:
    """Either of the two, as the config says; raises ModelError as `from_npz`."""
    return (VATTClassifier if "model_config" in config else VATT).from_npz(path, config)
