"""The starter gallery: drawn scenes that ship with UniMMA, and real media that ship inside installed packages.

The real ones stay where their packages put them and are read from there; titles and sentences are ours. A package that
is not installed, or a file that its next version leaves out, only makes the gallery smaller.
"""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from unimma.gallery.adding import AddReport
from unimma.gallery.gallery import Gallery
from unimma.gallery.sources import expand, identify
from unimma.settings import Limits, assets_dir
from unimma.types import Item, Modality

_log = logging.getLogger(__name__)
_UNFINISHED = "seeding"  # a file of this name stands in the gallery's folder while it is being seeded


@dataclass(frozen=True)
class _Found:
    """A file of an installed package, and what we say about it."""

    package: str
    file: str
    label: str
    modality: Modality
    title: str
    sentence: str


_FOUND = (
    _Found(
        "gradio", "media_assets/images/cheetah.jpg", "cheetah", Modality.IMAGE,
        "A cheetah at full speed", "A cheetah runs so fast that the ground behind it blurs.",
    ),
    _Found(
        "gradio", "media_assets/images/cheetah1.jpg", "cheetah", Modality.IMAGE,
        "The face of a cheetah", "A spotted big cat with amber eyes looks straight ahead.",
    ),
    _Found(
        "gradio", "media_assets/images/lion.jpg", "lion", Modality.IMAGE,
        "A lion on a rock", "A lion with a dark mane rests on a rock, a lioness behind him.",
    ),
    _Found(
        "gradio", "media_assets/images/tower.jpg", "iron tower", Modality.IMAGE,
        "The Eiffel Tower lit up", "The Eiffel Tower glows golden against the evening sky.",
    ),
    _Found(
        "gradio", "media_assets/images/bus.png", "bus", Modality.IMAGE,
        "A red bus", "A drawing of a red bus with blue windows.",
    ),
    _Found(
        "gradio", "media_assets/audio/sax.wav", "saxophone", Modality.AUDIO,
        "A saxophone", "Somebody plays a tune on a saxophone.",
    ),
    _Found(
        "gradio", "media_assets/audio/cantina.wav", "cantina band", Modality.AUDIO,
        "Music in a cantina", "A band plays cheerful music in a bar.",
    ),
    _Found(
        "gradio", "media_assets/videos/world.mp4", "turning globe", Modality.VIDEO,
        "The earth at night", "The earth turns in black space, and the lights of its cities glow.",
    ),
    _Found(
        "sklearn", "datasets/images/china.jpg", "pagoda", Modality.IMAGE,
        "A pagoda above a lake", "A Chinese pagoda with tiled roofs stands among trees above a lake.",
    ),
    _Found(
        "sklearn", "datasets/images/flower.jpg", "flower", Modality.IMAGE,
        "An orange dahlia", "A round orange flower blooms in front of dark green leaves.",
    ),
)  # fmt: skip


def starter_items() -> list[Item]:
    """All items of the starter gallery that there are on this machine, ready to be added, always in the same order."""
    return [*_drawn(assets_dir() / "gallery"), *_real()]


def seed(gallery: Gallery, progress: Callable[[int, int], None] | None = None) -> AddReport:
    """Put the starter gallery into a new gallery; finish that where it was interrupted.

    A gallery that holds anything else is left as it is, with one exception: starter items in it that have no vector of
    the gallery's model, since they were added with another, get theirs. What was deleted does not come back.

    Args:
        progress: called with the number of settled items and the number of all.
    """
    unfinished = gallery.folder / _UNFINISHED
    if is_unseeded(gallery):
        unfinished.touch()
        report = gallery.add(starter_items(), progress=progress)
        unfinished.unlink()
        return report
    if gallery.missing():
        return gallery.add(_those_in(gallery), progress=progress)
    return AddReport((), (), ())


def is_unseeded(gallery: Gallery) -> bool:
    """Whether `seed` would put the starter gallery in, or the rest of it."""
    return gallery.is_new() or (gallery.folder / _UNFINISHED).exists()


def _those_in(gallery: Gallery) -> list[Item]:
    items = starter_items()
    limits = Limits.from_env()
    ids = [identify(source, limits) for source in expand(items, None)]
    there = gallery.get_many(ids)
    return [item for item, item_id in zip(items, ids, strict=True) if item_id in there]


def _drawn(folder: Path) -> Iterator[Item]:
    listing = folder / "items.json"
    if not listing.is_file():
        _log.info("no drawn scenes: %s is not there", listing.name)
        return
    for entry in json.loads(listing.read_text(encoding="utf-8")):
        modality, text = Modality(entry["modality"]), entry.get("text")
        uri = "" if text is not None else str(folder / entry["file"])
        yield _item(modality, entry["title"], entry["scene"], uri, text)


def _real() -> Iterator[Item]:
    for found in _FOUND:
        path = _in_package(found.package, found.file)
        if path is None:
            _log.info("no %s: %s has no %s", found.title, found.package, Path(found.file).name)
            continue
        yield _item(found.modality, found.title, found.label, str(path), None)
        yield _item(Modality.TEXT, found.sentence, found.label, "", found.sentence)


def _in_package(package: str, file: str) -> Path | None:
    """A file of an installed package, without importing it."""
    spec = find_spec(package)
    path = Path(spec.origin).parent / file if spec and spec.origin else None
    return path if path and path.is_file() else None


def _item(modality: Modality, title: str, label: str, uri: str, text: str | None) -> Item:
    return Item(modality, title, uri=uri, text=text, metadata={"source": "starter", "label": label})
