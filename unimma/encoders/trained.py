"""Encoders that a training has changed: which of their parameters it may change, and so which a checkpoint carries."""

import re
from collections.abc import Mapping

from torch import nn

from unimma.encoders.base import Encoder
from unimma.errors import ModelError

_EXTENT = re.compile(r"all|last:([1-9]\d*)")
_NUMBERED = re.compile(r"(?P<stack>.*?)(?P<number>\d+)(?:\.|$)")  # "encoder.layer.11.output…" → "encoder.layer.", 11


def trained_parameters(encoder: Encoder, extent: str) -> dict[str, nn.Parameter]:
    """The parameters of an encoder's network that a training of this extent changes, by their names in it.

    Args:
        extent: "all", or "last:N" for the last N of its longest row of numbered layers and everything behind them (of
            an encoder made of several: of each). What an encoder's network holds beside what that encoder computes with
            (its method `uses` says so of a name) is never part of it.
    Raises:
        ModelError: another extent, or an encoder without numbered layers, or without parameters.
    """
    matched = _EXTENT.fullmatch(extent)
    if not matched:
        raise ModelError(f"an encoder trained {extent!r}", '"all" or "last:N"', "Check the config.")
    parts: Mapping[str, Encoder] = getattr(encoder, "parts", {})
    if parts:
        found = {name: trained_parameters(part, extent) for name, part in parts.items()}
        return {f"{name}.{key}": parameter for name, own in found.items() for key, parameter in own.items()}
    uses = getattr(encoder, "uses", lambda name: True)
    own = {name: parameter for name, parameter in encoder.network.named_parameters() if uses(name)}
    if not own:
        raise ModelError("an encoder without parameters", "some that can be trained", "Leave it frozen.")
    return own if matched[1] is None else _last(own, int(matched[1]))


def _last(parameters: Mapping[str, nn.Parameter], count: int) -> dict[str, nn.Parameter]:
    numbers: dict[str, set[int]] = {}
    for name in parameters:
        if matched := _NUMBERED.match(name):
            numbers.setdefault(matched["stack"], set()).add(int(matched["number"]))
    if not numbers:
        came = "an encoder without numbered layers, of which the last are to be trained"
        raise ModelError(came, "a row of layers", 'Train "all" of it, or leave it frozen.')
    stack = max(numbers, key=lambda name: len(numbers[name]))
    first = sorted(numbers[stack])[-count:][0]
    names = list(parameters)
    begin = next(i for i, name in enumerate(names) if name.startswith(f"{stack}{first}."))
    return {name: parameters[name] for name in names[begin:]}
