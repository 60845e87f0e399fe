"""What the commands share: options, opening a gallery, showing progress, printing answers."""

import functools
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unimma.settings import data_dir
from unimma.types import Hit, Item, Modality, Span

if TYPE_CHECKING:
    from unimma.gallery import AddReport, Gallery
    from unimma.model import UniMMA
    from unimma.remote import RemoteGallery

    AnyGallery = Gallery | RemoteGallery

GalleryOption = Annotated[
    Path | None,
    typer.Option(
        "--gallery",
        metavar="DIR|URL",
        envvar="UNIMMA_GALLERY",
        help="Folder of the gallery, or address of a running app.",
        show_default="your own",
    ),
]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="NAME",
        envvar="UNIMMA_MODEL",
        help="bundled, a preset, a folder with a model, or user/repo@revision.",
    ),
]
CheckpointOption = Annotated[
    str | None,
    typer.Option(
        "--checkpoint",
        metavar="FILE|NAME",
        help="What a preset waits for; UNIMMA_CHECKPOINT otherwise.",
        show_default=False,
    ),
]
AcceptOption = Annotated[
    bool,
    typer.Option("--accept-license", help="Use weights whose licence allows no commercial use, on these terms."),
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="NAME",
        envvar="UNIMMA_DEVICE",
        help="cpu, cuda, mps; the best there is otherwise.",
        show_default=False,
    ),
]
SeedOption = Annotated[
    bool, typer.Option("--starter/--no-starter", help="Seed a new gallery with the starter gallery.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]
ModalityOption = Annotated[
    list[Modality] | None, typer.Option("--modality", help="Only this modality; may be given several times.")
]

ROW = ["modality", "title"]
_terms: ContextVar[Mapping[str, Any]] = ContextVar("terms", default=MappingProxyType({}))  # of the command that runs


def load_model(name: str) -> "UniMMA":
    """The named model, with the terms that the command was given."""
    from unimma import loading

    return loading.load_model(name, **_terms.get())


def with_terms(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that loads a model options for it: what a preset waits for, terms to accept, where to compute."""
    given = inspect.signature(command)
    if "model" not in given.parameters:
        return command

    @functools.wraps(command)
    def with_them(*, checkpoint: str | None, accept_license: bool, device: str | None, **rest: Any) -> None:
        terms = {"checkpoint": checkpoint, "accept_license": accept_license or None, "device": device}
        token = _terms.set({name: value for name, value in terms.items() if value is not None})
        try:
            command(**rest)
        finally:
            _terms.reset(token)

    more: dict[str, tuple[Any, Any]] = {"checkpoint": (CheckpointOption, None), "device": (DeviceOption, None)}
    more |= {"accept_license": (AcceptOption, False)}
    kind = inspect.Parameter.KEYWORD_ONLY
    added = [inspect.Parameter(name, kind, default=usual, annotation=of) for name, (of, usual) in more.items()]
    kept = [each.replace(kind=kind) for each in given.parameters.values()]
    with_them.__signature__ = given.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]
    with_them.__annotations__ = {**command.__annotations__, **{name: of for name, (of, _) in more.items()}}
    return with_them


@contextmanager
def open_gallery(folder: Path | None, model: str, *, starter: bool = True) -> "Iterator[AnyGallery]":
    """The gallery with its model; a new one is seeded unless `starter` is False. One that an app has open as it is."""
    from unimma.gallery import Gallery
    from unimma.gallery.starter import is_unseeded, seed

    if app := _app(folder):
        with app:
            yield app
        return
    with Gallery.open(_folder(folder), load_model(model)) as gallery:
        if starter:
            with progress_bar("Adding the starter gallery" if is_unseeded(gallery) else "Embedding again") as progress:
                seed(gallery, progress)
        yield gallery


@contextmanager
def open_as_it_is(folder: Path | None, model: str) -> "Iterator[AnyGallery]":
    """The gallery without a model, which is quick; with one where a new gallery has to be seeded first."""
    from unimma.gallery import Gallery
    from unimma.gallery.starter import is_unseeded

    if app := _app(folder):
        with app:
            yield app
        return
    if (_folder(folder) / "items.sqlite").is_file():
        with Gallery.open(_folder(folder), None) as gallery:
            if not is_unseeded(gallery):
                yield gallery
                return
    with open_gallery(folder, model) as opened:
        yield opened


def _app(given: Path | None) -> "RemoteGallery | None":
    """The app at an address, or the one that has a folder's gallery open."""
    from unimma import remote

    if address := re.match(r"(https?:)/+(.*)", str(given or "")):  # a path has lost one of its slashes
        return remote.RemoteGallery("//".join(address.groups()))
    return remote.find(_folder(given))


def _folder(given: Path | None) -> Path:
    return given or data_dir() / "gallery"


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Shows on standard error how far something is; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(what, total=None, visible=False)
        yield lambda done, total: shown.update(task, completed=done, total=total, visible=True)


def row(item: Item) -> list[str]:
    """What a table shows of an item, in the columns of `ROW`."""
    span = "" if item.span is None else f" [{item.span.start:g} to {item.span.end:g}]"
    return [str(item.modality), item.title + span]


def hit_as_json(hit: Hit) -> dict[str, Any]:
    """A hit as `--json` shows it."""
    item = hit.item
    return {
        "rank": hit.rank,
        "id": item.id,
        "modality": item.modality,
        "title": item.title,
        "score": hit.score,
        "similarity": hit.similarity,
        "span": _span_as_json(hit.span),
        "uri": item.uri,
        "alike": [each.id for each in hit.alike],
        "exact": hit.exact,
        "likely": hit.likely,
    }


def item_as_json(item: Item) -> dict[str, Any]:
    """An item as `--json` shows it."""
    return {
        "id": item.id,
        "modality": item.modality,
        "title": item.title,
        "span": _span_as_json(item.span),
        "uri": item.uri,
        "metadata": dict(item.metadata),
        "text": item.text,
        "added": item.added,
        "duration_s": item.duration_s,
        "num_bytes": item.num_bytes,
    }


def _span_as_json(span: Span | None) -> dict[str, float] | None:
    return None if span is None else {"start": span.start, "end": span.end}


def print_json(answer: object) -> None:
    """One JSON object on standard output."""
    typer.echo(json.dumps(answer, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on standard output; what stands in its first column is never cut."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    first, *others = columns
    table = Table(Column(first, no_wrap=True), *others, box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    Console().print(table)


def print_report(report: "AddReport", as_json: bool) -> None:
    """What became of what was to be added; exit code 2 where all of it was refused."""
    for _, reason in report.refused:
        say(reason)
    if as_json:
        refused = [{"name": name, "reason": reason} for name, reason in report.refused]
        print_json({"added": report.added, "already_there": report.already_there, "refused": refused})
    else:
        counts = f"{len(report.added)} added, {len(report.already_there)} already there, {len(report.refused)} refused"
        typer.echo(counts)
    if report.refused and not report.added and not report.already_there:
        raise typer.Exit(2)


def say(line: str) -> None:
    """A line on standard error."""
    typer.echo(line, err=True)
