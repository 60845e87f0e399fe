"""What encoders of pictures and clips through transformers share: networks and processors, stacks of bounded size."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from PIL import Image as PillowImage
from torch import Tensor, nn

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.pretrained import described, half_on_gpu, load_network, loading, part_of, pinned
from unimma.encoders.sequences import padded
from unimma.types import Image, Modality

AT_ONCE = 64  # pictures or frames in a network at a time: bounds the memory of a long list


class PretrainedImageEncoder:
    """Pictures → the class token behind the last norm, [B, D]; as a sequence, the patches.

    The base of a family, whose class says in `kinds` which classes of transformers it goes with, and what `info` holds.

    Args:
        checkpoint: a repository on the Hugging Face Hub, or a folder.
        revision: of the repository: a branch, tag or commit.
    Raises:
        ModelError: it cannot be had, is damaged, or is of another architecture.
    """

    modality = Modality.IMAGE
    info: EncoderInfo
    kinds: tuple[str, ...]
    network: nn.Module
    dim: int
    token_dim: int

    def __init__(self, checkpoint: str, revision: str | None) -> None:
        self.network = self._load(checkpoint, revision)
        self.processor = part_of("AutoImageProcessor", checkpoint, revision)
        self.dim, self.token_dim = self._widths(self.network.config)
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=seen_size(self.processor))

    def prepare(self, item: Image) -> Prepared:
        """`pixel_values`: float32 [3, height, width], and what else the checkpoint's own processor makes."""
        made = self.processor(
            images=PillowImage.fromarray(item.pixels), return_tensors="pt"
        )  # of arrays it guesses axes
        return {name: tensor[0] for name, tensor in made.items()}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Rows, float32 [B, D]."""
        return torch.stack(in_stacks(batch, self._rows, device_of(self.network)))

    def encode_sequence(self, batch: Sequence[Prepared]) -> tuple[Tensor, Tensor]:
        """Patches, row by row of the picture, float32 [B, T, token_dim]; their times: zeros, NaN beyond the last."""
        tokens = in_stacks(batch, self._patches, device_of(self.network))
        return padded(tokens, [token.new_zeros(len(token), 2) for token in tokens])

    def _load(self, checkpoint: str, revision: str | None) -> nn.Module:
        return network_of(self.kinds, checkpoint, revision)

    def _widths(self, config: Any) -> tuple[int, int]:
        """Of the rows and of the patches."""
        return config.hidden_size, config.hidden_size

    def _rows(self, inputs: Prepared) -> Tensor:
        states: Tensor = self.network(**inputs).last_hidden_state
        return states[:, 0]

    def _patches(self, inputs: Prepared) -> Tensor:
        states: Tensor = self.network(**inputs).last_hidden_state
        return states[:, 1 + getattr(self.network.config, "num_register_tokens", 0) :]


def network_of(kinds: Sequence[str], checkpoint: str, revision: str | None, **options: Any) -> nn.Module:
    """A network of transformers in float32, frozen, every one of its weights from the checkpoint.

    Args:
        kinds: classes that it may be of; the checkpoint's config.json decides.
        options: for the class.
    Raises:
        ModelError: it cannot be had, is damaged or incomplete, or is of another architecture.
    """
    with loading(checkpoint, revision):
        import transformers

        config = transformers.AutoConfig.from_pretrained(checkpoint, revision=pinned(checkpoint, revision))
        known = [getattr(transformers, kind) for kind in kinds]
        fitting = [kind for kind in known if isinstance(config, kind.config_class)]
        network: nn.Module = load_network((fitting or known)[0], checkpoint, revision, **options)
    return network


def seen_size(processor: Any) -> str:
    """The pixels that a processor leaves of a picture or frame."""
    if getattr(processor, "max_num_patches", None):
        return f"at most {processor.max_num_patches} patches of {processor.patch_size} px, in the picture's own shape"
    size = dict((processor.crop_size if getattr(processor, "do_center_crop", None) else processor.size) or {})
    if size.get("height"):
        return f"{size['height']} x {size['width']} px"
    return f"shorter side {size['shortest_edge']} px" if size.get("shortest_edge") else "as the checkpoint was trained"


def in_stacks(
    items: Sequence[Prepared],
    forward: Callable[[dict[str, Tensor]], Tensor],
    device: torch.device,
    at_once: int = AT_ONCE,
) -> list[Tensor]:
    """What `forward` makes of the items, stacked where their shapes agree, at most `at_once` of them at a time.

    Returns:
        float32, one tensor an item, in the items' order; computed in bfloat16 where the device is a GPU that does so.
    """
    alike: dict[tuple[Any, ...], list[int]] = {}
    for i, item in enumerate(items):
        alike.setdefault(tuple((name, *tensor.shape) for name, tensor in item.items()), []).append(i)
    made: dict[int, Tensor] = {}
    for places in alike.values():
        for start in range(0, len(places), at_once):
            part = places[start : start + at_once]
            stack = {name: torch.stack([items[i][name] for i in part]).to(device) for name in items[part[0]]}
            with half_on_gpu(device):
                rows = forward(stack).float()
            made |= dict(zip(part, rows, strict=True))
    return [made[i] for i in range(len(items))]


def device_of(network: nn.Module) -> torch.device:
    """Where a network's weights are."""
    return next(network.parameters()).device
