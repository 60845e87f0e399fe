"""The one door for files: anything that a person drops in → decoded media, checked against the limits on the way.

Loaded when first asked for, so that importing it costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unimma.media.door import decode, kind_of

__all__ = ["decode", "kind_of"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"unimma.media has no {name!r}; it offers {', '.join(__all__)}")
    return getattr(import_module("unimma.media.door"), name)
