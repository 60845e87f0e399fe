"""Checkpoints of unfinished runs: whole or not there at all, tensors and plain values alone, refused by another run."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from unimma.errors import ConfigError


def save(state: Mapping[str, Any], path: Path) -> None:
    """Write a checkpoint so that, whenever the machine stops, the old one or the new one is there, never half of one.

    Raises:
        ConfigError: the folder cannot be written, or the disk is full.
    """
    unfinished = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as stream:
            torch.save(dict(state), stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(unfinished, path)
        _settle(path.parent)
    except OSError as error:
        came = f"{path.name} cannot be written ({error.strerror})"
        raise ConfigError(came, "a writable folder with room", "Make room, then go on with --resume.") from error


def read(path: Path) -> dict[str, Any] | None:
    """A checkpoint's state, tensors on the CPU; None where there is none.

    Raises:
        ConfigError: the file is no checkpoint.
    """
    if not path.is_file():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        assert isinstance(state, dict)
    except Exception as error:  # torch raises half a dozen kinds for a file that is not its own
        came = f"{path.name} cannot be read as a checkpoint"
        raise ConfigError(came, "a file that this program wrote", "Start afresh without --resume.") from error
    return state


def check_same_run(
    path: Path, state: Mapping[str, Any], run: Mapping[str, Any], shapes: Mapping[str, list[int]]
) -> None:
    """Refuse to go on with a checkpoint of another run.

    Args:
        run: what decides this run, plain values by name.
        shapes: of everything that this run trains.
    Raises:
        ConfigError: a value, a name or a shape differs; the first few are named.
    """
    before = state.get("run", {})
    values = [f"{name} was {before.get(name)!r} and is {run[name]!r}" for name in run if before.get(name) != run[name]]
    other = [*values, *_differences(state.get("shapes", {}), shapes)]
    if other:
        more = f" and {len(other) - 3} more" if len(other) > 3 else ""
        came = f"{path.name} is of another run ({'; '.join(other[:3])}{more})"
        raise ConfigError(came, "a checkpoint of this config", "Start afresh without --resume, or restore the config.")


def trained_state(module: nn.Module) -> dict[str, Tensor]:
    """What training changes: all parameters that are not frozen, and all buffers; by name, sharing memory with them."""
    frozen = {
        name for name, parameter in module.named_parameters(remove_duplicate=False) if not parameter.requires_grad
    }
    return {name: tensor for name, tensor in module.state_dict().items() if name not in frozen}


def shapes(state: Mapping[str, Tensor]) -> dict[str, list[int]]:
    """Of each tensor."""
    return {name: list(tensor.shape) for name, tensor in state.items()}


def copy_of(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors with a memory of their own."""
    return {name: tensor.detach().clone() for name, tensor in state.items()}


@torch.no_grad()
def put(state: Mapping[str, Tensor], module: nn.Module) -> None:
    """Copy values into a module's tensors of those names, in place: whoever shares these tensors sees them."""
    own = trained_state(module)
    for name, tensor in state.items():
        own[name].copy_(tensor)


def _differences(before: Mapping[str, list[int]], now: Mapping[str, list[int]]) -> list[str]:
    lines = []
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            lines.append(f"{name} is not trained any more")
        elif name not in before:
            lines.append(f"{name} was not trained")
        elif before[name] != now[name]:
            lines.append(f"{name} was {before[name]} and is {now[name]}")
    return lines


def _settle(folder: Path) -> None:
    """Wait until a folder's list of names is on the disk."""
    if os.name == "posix":  # elsewhere a folder cannot be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
