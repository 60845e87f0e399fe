"""Drop anything in, find anything: text, photos, sounds and clips in one embedding space.

Importing this package is cheap: each public name is loaded from its home when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unimma.errors import ConfigError, GalleryError, MediaError, ModelError, UnimmaError
    from unimma.gallery import AddReport, Gallery
    from unimma.loading import load_model
    from unimma.media import decode
    from unimma.model import UniMMA
    from unimma.retrieval import search
    from unimma.types import Audio, Hit, Image, Item, Modality, Span, Text, Video

_HOME = {
    "AddReport": "unimma.gallery",
    "Audio": "unimma.types",
    "ConfigError": "unimma.errors",
    "Gallery": "unimma.gallery",
    "GalleryError": "unimma.errors",
    "Hit": "unimma.types",
    "Image": "unimma.types",
    "Item": "unimma.types",
    "MediaError": "unimma.errors",
    "Modality": "unimma.types",
    "ModelError": "unimma.errors",
    "Span": "unimma.types",
    "Text": "unimma.types",
    "UniMMA": "unimma.model",
    "UnimmaError": "unimma.errors",
    "Video": "unimma.types",
    "decode": "unimma.media",
    "load_model": "unimma.loading",
    "search": "unimma.retrieval",
}
__all__ = [
    "AddReport",
    "Audio",
    "ConfigError",
    "Gallery",
    "GalleryError",
    "Hit",
    "Image",
    "Item",
    "MediaError",
    "Modality",
    "ModelError",
    "Span",
    "Text",
    "UniMMA",
    "UnimmaError",
    "Video",
    "decode",
    "load_model",
    "search",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"unimma has no {name!r}; it offers {', '.join(__all__)}")
    return getattr(import_module(_HOME[name]), name)
