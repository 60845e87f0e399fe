"""CAV-MAE's original checkpoints: read as data alone, sizes told by the shapes, names held to the network's.

The published files are PyTorch state dicts of `DataParallel`: each name begins with "module.". Those of pretraining
have a decoder, those of fine-tuning a classifier in its place, and some of these hear but do not see.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from unimma.errors import ModelError

State = Mapping[str, Tensor]
NUM_MELS = 128  # fixed by the network: the rows of patches that it sees in a sound are these over the patch's side
_PREFIX = "module."
_TODO = "Fetch it from github.com/YuanGongND/cav-mae."


@dataclass(frozen=True, kw_only=True)
class CAVMAEConfig:
    """The sizes of a network; the defaults are those of the published ones.

    Attributes:
        num_frames: of the filterbank that it hears, 10 ms each; a multiple of the patch.
        image_side_px: of the square picture that it sees; 0 of one that hears only.
        patch: side of a patch, in pixels, and in frames and mel bands.
        num_channels: of the picture.
        width, num_heads, mlp_width: of its blocks.
        num_own_blocks, num_shared_blocks: of each modality alone, and of both.
        decoder_width, decoder_num_heads, decoder_mlp_width, num_decoder_blocks: width 0 for no decoder.
        num_classes: of a fine-tuned one; 0 for no classifier.
    """

    num_frames: int = 1024
    image_side_px: int = 224
    patch: int = 16
    num_channels: int = 3
    width: int = 768
    num_heads: int = 12
    mlp_width: int = 3072
    num_own_blocks: int = 11
    num_shared_blocks: int = 1
    decoder_width: int = 512
    decoder_num_heads: int = 16
    decoder_mlp_width: int = 2048
    num_decoder_blocks: int = 8
    num_classes: int = 0

    @property
    def audio_grid(self) -> tuple[int, int]:
        """Rows (pitch) and columns (time) of a sound's patches."""
        return NUM_MELS // self.patch, self.num_frames // self.patch

    @property
    def image_grid(self) -> tuple[int, int]:
        """Rows and columns of a picture's patches."""
        return self.image_side_px // self.patch, self.image_side_px // self.patch


def read_state(path: str | Path) -> State:
    """The tensors of a .pth, on the CPU, by their names without "module."; nothing in the file is run.

    Raises:
        ModelError: no such file, a damaged one, or one that holds something else than tensors by name.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ModelError(f"no file {path.name!r}", "the path of a CAV-MAE checkpoint (.pth)", _TODO)
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (MemoryError, torch.OutOfMemoryError) as error:
        came = f"{path.name} needs more memory than there is"
        raise ModelError(came, "a machine with more", "Close other programs, or use a smaller model.") from error
    except Exception as error:  # a damaged pickle trips its reader in too many ways to name
        raise ModelError(f"{path.name} cannot be read", "a whole CAV-MAE checkpoint (.pth)", _TODO) from error
    if not isinstance(loaded, Mapping) or not all(_is_weight(name, value) for name, value in loaded.items()):
        raise ModelError(f"{path.name} holds something else than weights", "a CAV-MAE checkpoint (.pth)", _TODO)
    prefix = _PREFIX if all(name.startswith(_PREFIX) for name in loaded) else ""
    return {name.removeprefix(prefix): tensor.float() for name, tensor in loaded.items()}


def read_sizes(state: State, *, num_heads: int, decoder_num_heads: int, source: str) -> CAVMAEConfig:
    """The sizes that the shapes tell; the numbers of heads are in no shape and are taken as given.

    Args:
        source: the checkpoint's name, for the error.
    Raises:
        ModelError: no CAV-MAE, or one whose width these heads do not share evenly.
    """
    try:
        width, patch = state["pos_embed_a"].shape[2], state["patch_embed_a.proj.weight"].shape[3]
        rows = NUM_MELS // patch
        sees = "pos_embed_v" in state
        decodes = "decoder_embed.weight" in state
        config = CAVMAEConfig(
            num_frames=state["pos_embed_a"].shape[1] // rows * patch,
            image_side_px=math.isqrt(state["pos_embed_v"].shape[1]) * patch if sees else 0,
            patch=patch,
            num_channels=state["patch_embed_v.proj.weight"].shape[1] if sees else 0,
            width=width,
            num_heads=num_heads,
            mlp_width=_mlp_width(state, "blocks_"),
            num_own_blocks=_count(state, "blocks_a."),
            num_shared_blocks=_count(state, "blocks_u."),
            decoder_width=state["decoder_embed.weight"].shape[0] if decodes else 0,
            decoder_num_heads=decoder_num_heads,
            decoder_mlp_width=_mlp_width(state, "decoder_blocks.") if decodes else 0,
            num_decoder_blocks=_count(state, "decoder_blocks."),
            num_classes=state["mlp_head.1.bias"].shape[0] if "mlp_head.1.bias" in state else 0,
        )
    except (KeyError, IndexError, StopIteration, ZeroDivisionError) as error:
        came = f"{source} holds the weights of another network"
        raise ModelError(came, "a CAV-MAE checkpoint (.pth)", _TODO) from error
    if num_heads < 1 or width % num_heads:
        came = f"{num_heads} heads for {source}, whose width is {width}"
        raise ModelError(came, "a number that divides the width", "Give num_heads as it was trained: 12 if published.")
    return config


def fill(network: nn.Module, state: State, *, unused: tuple[str, ...], source: str) -> None:
    """Put a checkpoint's tensors in the place of a network's, which may lie on no device yet.

    Args:
        unused: how the names begin that this network has no use for.
    Raises:
        ModelError: names or shapes are not those of the network.
    """
    own = network.state_dict()
    given = {name: tensor for name, tensor in state.items() if name in own or not name.startswith(unused)}
    wrong = sorted(set(own) ^ set(given)) or [name for name in own if own[name].shape != given[name].shape]
    if wrong:
        came = f"{source} does not fit at {', '.join(wrong[:3])}"
        raise ModelError(came, f"the {len(own)} tensors of a CAV-MAE of its sizes", _TODO)
    network.load_state_dict(given, assign=True)


def _is_weight(name: object, value: object) -> bool:
    is_plain = isinstance(value, Tensor) and value.is_floating_point() and value.layout == torch.strided
    return isinstance(name, str) and is_plain


def _count(state: State, stack: str) -> int:
    return len({name.removeprefix(stack).partition(".")[0] for name in state if name.startswith(stack)})


def _mlp_width(state: State, stack: str) -> int:
    return next(state[name].shape[0] for name in state if name.startswith(stack) and name.endswith("mlp.fc1.bias"))
