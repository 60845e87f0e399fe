"""VATT's checkpoints: the names and layouts of TensorFlow's variables, and how they become those of our networks.

A checkpoint is an .npz of arrays under their TensorFlow names (`train/convert_vatt.py` makes one). A dense kernel is
[in, out] there and a convolution's [sizes…, in, out]; torch has [out, in, sizes…]. Norms and tables differ
in name only.
"""

import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from unimma.errors import ModelError

Arrays = Mapping[str, npt.NDArray[np.float32]]
# Not the optimizer's (whose slots begin alike), nor the counters and the object graph beside the model.
_VARIABLE = re.compile(
    r"model/(?:layer_with_weights-\d+/)?(?P<name>(?!.*\.OPTIMIZER_SLOT).+)/\.ATTRIBUTES/VARIABLE_VALUE"
)
_LEAVES: dict[type[nn.Module], dict[str, str]] = {
    nn.Linear: {"weight": "kernel"},
    nn.Conv1d: {"weight": "kernel"},
    nn.Conv2d: {"weight": "kernel"},
    nn.Conv3d: {"weight": "kernel"},
    nn.Embedding: {"weight": "embeddings"},
    nn.LayerNorm: {"weight": "gamma", "bias": "beta"},
    nn.BatchNorm1d: {
        "weight": "gamma",
        "bias": "beta",
        "running_mean": "moving_mean",
        "running_var": "moving_variance",
    },
}
_COUNTER = "num_batches_tracked"  # torch's own; no checkpoint has it


def read_arrays(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """The model's arrays of an .npz, by the short names of `variable_names`; what else lies in it is passed over.

    Raises:
        ModelError: no such file, not an .npz of arrays, damaged, or without a model's variables.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            named = {match["name"]: name for name in archive.files if (match := _VARIABLE.fullmatch(name))}
            arrays = {short: np.asarray(archive[name], np.float32) for short, name in named.items()}
    except (OSError, ValueError, TypeError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        came, todo = f"the VATT checkpoint {path.name} cannot be read", "Convert it again with train/convert_vatt.py."
        raise ModelError(came, "a whole .npz of TensorFlow variables", todo) from error
    if not arrays:
        came, todo = f"no model in the VATT checkpoint {path.name}", "Convert it again with train/convert_vatt.py."
        raise ModelError(came, "variables named model/…", todo)
    # A head that was saved alone is at home there, too.
    return {f"_head_layer/{n}" if n.startswith("_bridge_heads/") else n: array for n, array in arrays.items()}


def variable_names(network: nn.Module) -> dict[str, str]:
    """The checkpoint's short name of every tensor of a network → torch's name of it."""
    names: dict[str, str] = {}
    for place, module in network.named_modules():
        renamed = next((leaves for kind, leaves in _LEAVES.items() if isinstance(module, kind)), {})
        own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
        for leaf in (name for name, _ in own if name != _COUNTER):
            prefix = f"{place}." if place else ""
            names[f"{prefix}{renamed.get(leaf, leaf)}".replace(".", "/")] = prefix + leaf
    return names


def to_checkpoint(name: str, tensor: Tensor) -> Tensor:
    """A tensor in the checkpoint's layout (a view); `name` is the checkpoint's."""
    return tensor.movedim((0, 1), (-1, -2)) if name.endswith("/kernel") else tensor


def load_arrays(network: nn.Module, arrays: Arrays, checkpoint: str) -> None:
    """Give a network, which may be made on the device "meta", the tensors of a checkpoint.

    Args:
        checkpoint: its name, for people.
    Raises:
        ModelError: another set of variables, or of another shape, than the network's.
    """
    names, own = variable_names(network), network.state_dict()
    shapes = {name: tuple(to_checkpoint(name, own[torch_name]).shape) for name, torch_name in names.items()}
    wrong = sorted(set(shapes) ^ set(arrays)) or [n for n, shape in shapes.items() if arrays[n].shape != shape]
    if wrong:
        came = f"the VATT checkpoint {checkpoint} does not fit its config at {', '.join(wrong[:3])}"
        raise ModelError(came, f"the {len(names)} variables of that config", "Take both from one model.")
    state = {names[name]: torch.from_numpy(_to_torch(name, array)) for name, array in arrays.items()}
    state |= {name: torch.zeros((), dtype=torch.int64) for name in own if name.endswith(_COUNTER)}
    network.load_state_dict(state, assign=True)


def _to_torch(name: str, array: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(np.moveaxis(array, (-1, -2), (0, 1)) if name.endswith("/kernel") else array)
