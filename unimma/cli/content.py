"""Commands on what is in a gallery: add, list, update, delete, count."""

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unimma.cli.common import (
    ROW,
    GalleryOption,
    JsonOption,
    ModelOption,
    SeedOption,
    item_as_json,
    open_as_it_is,
    open_gallery,
    print_json,
    print_report,
    print_table,
    progress_bar,
    row,
    say,
)
from unimma.errors import ConfigError
from unimma.types import MetadataValue, Modality

if TYPE_CHECKING:
    from unimma.cli.common import AnyGallery
    from unimma.gallery import AddReport
    from unimma.gallery.where import Where

_LOOK_EVERY_S = 2.0
_SIGNS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


def add(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files, folders and zips.", show_default=False)],
    gallery: GalleryOption = None,
    model: ModelOption = "bundled",
    starter: SeedOption = True,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and keep the gallery like these folders.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Add files, and all files below folders, to the gallery; the folder's name becomes their source."""
    if watch and not all(path.is_dir() for path in paths):
        raise ConfigError("--watch with something that is no folder", "folders", "Name folders to watch.")
    with open_gallery(gallery, model, starter=starter) as opened:
        if watch:
            return _watch(opened, paths)
        report = _added(opened, paths)
    return print_report(report, as_json)


def list_(
    modality: Annotated[Modality | None, typer.Option("--modality", help="Only this modality.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="KEY=VALUE", help="Only with this fact; also >, >=, <, <= in place of =."),
    ] = None,
    label: Annotated[list[str] | None, typer.Option("--label", help="Only with one of these labels.")] = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="Only from one of these sources.")] = None,
    order: Annotated[str, typer.Option("--order", help="added, title, length or size.")] = "added",
    descending: Annotated[bool, typer.Option("--descending", help="The last first.")] = False,
    offset: Annotated[int, typer.Option(min=0, help="How many items to pass over.")] = 0,
    limit: Annotated[int, typer.Option(min=0, help="How many items at most.")] = 50,
    gallery: GalleryOption = None,
    model: ModelOption = "bundled",
    as_json: JsonOption = False,
) -> None:
    """List the items of the gallery."""
    facts = parsed_filter(where or [], label or [], source or [])
    with open_as_it_is(gallery, model) as opened:
        items = opened.list(modality, facts, offset, limit, order=order, descending=descending)
        count = opened.count(modality, facts)
    if as_json:
        return print_json({"count": count, "items": [item_as_json(item) for item in items]})
    return print_table(["id", *ROW], [[item.id, *row(item)] for item in items])


def update(
    item_id: Annotated[str, typer.Argument(metavar="ID", help="As list shows it.", show_default=False)],
    title: Annotated[str | None, typer.Option("--title", help="What it is called.")] = None,
    caption: Annotated[str | None, typer.Option("--caption", help="What is said of it; empty for nothing.")] = None,
    gallery: GalleryOption = None,
    model: ModelOption = "bundled",
    as_json: JsonOption = False,
) -> None:
    """Give an item another title or caption."""
    if title is None and caption is None:
        raise ConfigError("nothing to change", "--title, --caption or both", "Say what it should be.")
    with open_as_it_is(gallery, model) as opened:
        facts = {key: value for key, value in opened.get(item_id).metadata.items() if key != "caption"}
        facts |= {"caption": caption} if caption else {}
        item = opened.update(item_id, title=title, metadata=None if caption is None else facts)
    if as_json:
        return print_json(item_as_json(item))
    return print_table(["id", *ROW], [[item.id, *row(item)]])


def delete(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Ids, as list shows them.", show_default=False)],
    gallery: GalleryOption = None,
    model: ModelOption = "bundled",
    as_json: JsonOption = False,
) -> None:
    """Delete items from the gallery, with their media."""
    with open_as_it_is(gallery, model) as opened:
        unknown = sorted(set(ids) - set(opened.get_many(ids)))
        count = opened.delete(ids)
    if as_json:
        print_json({"deleted": count, "unknown": unknown})
    else:
        typer.echo(f"{count} deleted")
    if unknown:
        raise ConfigError(f"no item {', '.join(unknown)}", "ids of items in this gallery", "List it to see them.")


def count(gallery: GalleryOption = None, model: ModelOption = "bundled", as_json: JsonOption = False) -> None:
    """Count the items of the gallery by modality."""
    with open_as_it_is(gallery, model) as opened:
        counts = {str(modality): opened.count(modality) for modality in Modality}
    total = sum(counts.values())
    if as_json:
        return print_json({"count": total, "modalities": counts})
    return typer.echo(f"{total} items: " + ", ".join(f"{number} {name}" for name, number in counts.items()))


def parsed_filter(where: Sequence[str], labels: Sequence[str], sources: Sequence[str]) -> "Where":
    """The filter that the options of `list` stand for.

    Raises:
        ConfigError: a fact without a comparison.
    """
    facts: dict[str, MetadataValue | list[MetadataValue] | dict[str, MetadataValue]] = {}
    for condition in where:
        parts = re.fullmatch(r"(.+?)(>=|<=|=|>|<)(.*)", condition)
        if parts is None:
            raise ConfigError(f"--where {condition!r}", "KEY=VALUE", "For example --where year>=1990.")
        key, sign, value = parts.groups()
        number = _number(value)
        if sign == "=":
            facts[key] = value if number is None else [value, number]
        else:
            bounds = facts.get(key)
            bound = {_SIGNS[sign]: value if number is None else number}
            facts[key] = (bounds if isinstance(bounds, dict) else {}) | bound
    if labels:
        facts["label"] = [*labels]
    if sources:
        facts["source"] = [*sources]
    return facts


def _number(value: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return None


def source_name(path: Path) -> str:
    """What the items of a folder, or of a file, get as their source: the folder's name."""
    folder = path.resolve() if path.is_dir() else path.resolve().parent
    return folder.name


def _added(opened: "AnyGallery", paths: Sequence[Path]) -> "AddReport":
    """Everything that is below the paths, folder by folder."""
    from unimma.gallery import AddReport

    folders: dict[str, list[Path]] = {}
    for path in paths:
        folders.setdefault(source_name(path), []).append(path)
    whole = AddReport((), (), ())
    for name, some in folders.items():
        with progress_bar("Adding") as progress:
            part = opened.add(some, progress=progress, metadata={"source": name} if name else None)
        whole = AddReport(
            whole.added + part.added, whole.already_there + part.already_there, whole.refused + part.refused
        )
    return whole


def _watch(opened: "AnyGallery", paths: Sequence[Path]) -> None:
    """Look at the folders every two seconds until Ctrl-C."""
    from unimma.gallery.watching import Watch

    watch = Watch(opened, [(source_name(path), path) for path in paths])
    say("Watching; Ctrl-C ends it.")
    try:
        while True:
            for line in watch.look():
                say(line)
            time.sleep(_LOOK_EVERY_S)
    except KeyboardInterrupt:
        say("No longer watching.")
