"""The command line: search, add, list, delete, count, embed, models.

The answer goes to standard output, everything else to standard error. Exit code 0; 2 for wrong usage or input that
cannot be used, with one line that says what to do; 1 for anything else.
"""

import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unimma.errors import ConfigError, GalleryError, UnimmaError
from unimma.settings import MAX_HITS, data_dir
from unimma.types import Decoded, Hit, Item, Modality, Span, Text

if TYPE_CHECKING:
    from unimma.gallery import Gallery
    from unimma.model import UniMMA

app = typer.Typer(
    help="Drop anything in, find anything: text, photos, sounds and clips in one space.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_ClickError: type[Exception] = typer.BadParameter.__mro__[2]  # Click's base of all; typer may carry a Click of its own

GalleryOption = Annotated[
    Path | None,
    typer.Option(
        "--gallery", metavar="DIR", envvar="UNIMMA_GALLERY", help="Folder of the gallery.", show_default="your own"
    ),
]
ModelOption = Annotated[
    str,
    typer.Option("--model", metavar="NAME", envvar="UNIMMA_MODEL", help="bundled, a preset, or a folder with a model."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]
ModalityOption = Annotated[
    list[Modality] | None, typer.Option("--modality", help="Only this modality; may be given several times.")
]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command: its exit code."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(message)s")
    logging.getLogger("unimma").setLevel(logging.WARNING)
    try:
        return app(args=argv, prog_name="python -m unimma", standalone_mode=False) or 0
    except typer.Exit as stop:
        return stop.exit_code
    except typer.Abort:
        return 1
    except _ClickError as error:
        return _fail(error.format_message(), 2)  # type: ignore[attr-defined]  # every Click error has it
    except GalleryError as error:
        return _fail(str(error), 1)
    except UnimmaError as error:
        return _fail(str(error), 2)
    except OSError as error:
        return _fail(error.strerror or str(error), 1)


@app.command()
def search(
    text: Annotated[str | None, typer.Option("--text", metavar="T", help="Ask with a sentence.")] = None,
    image: Annotated[Path | None, typer.Option("--image", metavar="F", help="Ask with a picture.")] = None,
    audio: Annotated[Path | None, typer.Option("--audio", metavar="F", help="Ask with a sound, or a clip's.")] = None,
    video: Annotated[Path | None, typer.Option("--video", metavar="F", help="Ask with a clip.")] = None,
    file: Annotated[Path | None, typer.Option("--file", metavar="F", help="Ask with any file.")] = None,
    k: Annotated[int, typer.Option("--k", min=1, max=MAX_HITS, help="How many hits.")] = 8,
    modality: ModalityOption = None,
    gallery: GalleryOption = None,
    model: ModelOption = "bundled",
    as_json: JsonOption = False,
) -> None:
    """Find what fits a sentence, a picture, a sound or a clip."""
    from unimma import retrieval

    query = _query({"text": text, "image": image, "audio": audio, "video": video, "file": file})
    with _gallery(gallery, model) as opened:
        hits = retrieval.search(opened, query, k=k, modalities=modality)
        asked = {"modality": query.modality} | (
            {"text": query.text} if isinstance(query, Text) else {"file": query.name}
        )
        if as_json:
            answer = {"model": opened.model.name, "fingerprint": opened.model.fingerprint, "query": asked}
            return _print_json(answer | {"hits": [_hit_as_json(hit) for hit in hits]})
    if not hits:
        return _say("Nothing found: there is nothing of that kind in the gallery.")
    rows = [[hit.rank, f"{hit.score:.0%}", f"{hit.similarity:+.2f}", *_row(hit.item)] for hit in hits]
    return _print_table(["", "score", "similarity", *_ROW], rows)


@app.command()
def add(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files and folders.", show_default=False)],
    gallery: GalleryOption = None,
    model: ModelOption = "bundled",
    starter: Annotated[bool, typer.Option(help="Seed a new gallery with the starter gallery.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Add files, and all files below folders, to the gallery."""
    with _gallery(gallery, model, starter=starter) as opened, _progress("Adding") as progress:
        report = opened.add(paths, progress=progress)
    for _, reason in report.refused:
        _say(reason)
    if as_json:
        refused = [{"name": name, "reason": reason} for name, reason in report.refused]
        _print_json({"added": report.added, "already_there": report.already_there, "refused": refused})
    else:
        counts = f"{len(report.added)} added, {len(report.already_there)} already there, {len(report.refused)} refused"
        typer.echo(counts)
    if report.refused and not report.added and not report.already_there:
        raise typer.Exit(2)


@app.command("list")
def list_(
    modality: Annotated[Modality | None, typer.Option("--modality", help="Only this modality.")] = None,
    offset: Annotated[int, typer.Option(min=0, help="How many items to pass over.")] = 0,
    limit: Annotated[int, typer.Option(min=0, help="How many items at most.")] = 50,
    gallery: GalleryOption = None,
    model: ModelOption = "bundled",
    as_json: JsonOption = False,
) -> None:
    """List the items of the gallery in the order in which they were added."""
    with _gallery_as_it_is(gallery, model) as opened:
        items, count = opened.list(modality, offset=offset, limit=limit), opened.count(modality)
    if as_json:
        return _print_json({"count": count, "items": [_item_as_json(item) for item in items]})
    return _print_table(["id", *_ROW], [[item.id, *_row(item)] for item in items])


@app.command()
def delete(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Ids, as list shows them.", show_default=False)],
    gallery: GalleryOption = None,
    model: ModelOption = "bundled",
    as_json: JsonOption = False,
) -> None:
    """Delete items from the gallery, with their media."""
    with _gallery_as_it_is(gallery, model) as opened:
        unknown = sorted(set(ids) - set(opened.get_many(ids)))
        count = opened.delete(ids)
    if as_json:
        _print_json({"deleted": count, "unknown": unknown})
    else:
        typer.echo(f"{count} deleted")
    if unknown:
        raise ConfigError(f"no item {', '.join(unknown)}", "ids of items in this gallery", "List it to see them.")


@app.command()
def count(gallery: GalleryOption = None, model: ModelOption = "bundled", as_json: JsonOption = False) -> None:
    """Count the items of the gallery by modality."""
    with _gallery_as_it_is(gallery, model) as opened:
        counts = {str(modality): opened.count(modality) for modality in Modality}
    total = sum(counts.values())
    if as_json:
        return _print_json({"count": total, "modalities": counts})
    return typer.echo(f"{total} items: " + ", ".join(f"{number} {name}" for name, number in counts.items()))


@app.command()
def embed(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files and folders.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", metavar="FILE.npz", help="Where the embeddings go.")],
    model: ModelOption = "bundled",
) -> None:
    """Embed files into arrays: embeddings (a unit row each), paths, modalities; model and fingerprint."""
    import numpy as np

    loaded = _load_model(model)
    vectors, names, modalities, refused = [], [], [], 0
    files = list(_files(paths))
    with _progress("Embedding") as progress:
        for done, path in enumerate(files, start=1):
            try:
                decoded = _decode(path, None)
                vectors.append(loaded.embed([decoded])[0])
            except UnimmaError as error:
                _say(str(error))
                refused += 1
            else:
                names.append(str(path))
                modalities.append(str(decoded.modality))
            progress(done, len(files))
    if vectors:
        with output.open("wb") as file:
            np.savez(
                file,
                embeddings=np.stack(vectors),
                paths=np.array(names),
                modalities=np.array(modalities),
                model=np.array(loaded.name),
                fingerprint=np.array(loaded.fingerprint),
            )
    typer.echo(f"{len(vectors)} embedded, {refused} refused")
    if not vectors:
        raise typer.Exit(2)


@app.command()
def models(as_json: JsonOption = False) -> None:
    """List the models that can be named."""
    from unimma.loading import known_models

    known = known_models().items()
    if as_json:
        shown = [{"name": name, "dim": config.dim, "modalities": list(config.encoders)} for name, config in known]
        return _print_json({"models": shown})
    rows = [[name, config.dim, ", ".join(config.encoders)] for name, config in known]
    return _print_table(["name", "dim", "modalities"], rows)


_ROW = ["modality", "title"]


def _query(asked: dict[str, str | Path | None]) -> Decoded:
    given = [(name, value) for name, value in asked.items() if value is not None]
    if len(given) != 1:
        options = ", ".join(f"--{name}" for name in asked)
        came = " and ".join(f"--{name}" for name, _ in given) or "no query"
        raise ConfigError(came, f"one of {options}", "Ask with one of them.")
    name, value = given[0]
    return _decode(value, None if name in ("text", "file") else Modality(name))


def _decode(source: str | Path, modality: Modality | None) -> Decoded:
    from unimma.media import decode

    return decode(source, modality=modality)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    from unimma.gallery.sources import expand

    return (source.content for source in expand(paths, None) if isinstance(source.content, Path))


def _load_model(name: str) -> "UniMMA":
    from unimma import loading

    return loading.load_model(name)


@contextmanager
def _gallery(folder: Path | None, model: str, *, starter: bool = True) -> "Iterator[Gallery]":
    """The gallery with its model; a new one is seeded unless `starter` is False."""
    from unimma.gallery import Gallery
    from unimma.gallery.starter import is_unseeded, seed

    with Gallery.open(_folder(folder), _load_model(model)) as gallery:
        if starter:
            with _progress("Adding the starter gallery" if is_unseeded(gallery) else "Embedding again") as progress:
                seed(gallery, progress)
        yield gallery


@contextmanager
def _gallery_as_it_is(folder: Path | None, model: str) -> "Iterator[Gallery]":
    """The gallery without a model, which is quick; with one where a new gallery has to be seeded first."""
    from unimma.gallery import Gallery
    from unimma.gallery.starter import is_unseeded

    if (_folder(folder) / "items.sqlite").is_file():
        with Gallery.open(_folder(folder), None) as gallery:
            if not is_unseeded(gallery):
                yield gallery
                return
    with _gallery(folder, model) as gallery:
        yield gallery


def _folder(given: Path | None) -> Path:
    if given is not None and str(given).startswith(("http:", "https:")):
        raise ConfigError("an address as a gallery", "a folder", "Name a folder with --gallery.")
    return given or data_dir() / "gallery"


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Shows on standard error how far something is; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(what, total=None, visible=False)
        yield lambda done, total: shown.update(task, completed=done, total=total, visible=True)


def _row(item: Item) -> list[str]:
    span = "" if item.span is None else f" [{item.span.start:g} to {item.span.end:g}]"
    return [str(item.modality), item.title + span]


def _hit_as_json(hit: Hit) -> dict[str, Any]:
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
    }


def _item_as_json(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "modality": item.modality,
        "title": item.title,
        "span": _span_as_json(item.span),
        "uri": item.uri,
        "metadata": dict(item.metadata),
        "text": item.text,
    }


def _span_as_json(span: Span | None) -> dict[str, float] | None:
    return None if span is None else {"start": span.start, "end": span.end}


def _print_json(answer: object) -> None:
    typer.echo(json.dumps(answer, ensure_ascii=False))


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns, box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    Console().print(table)


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _fail(line: str, exit_code: int) -> int:
    _say(line)
    return exit_code
