"""Commands that keep a gallery up: reembed, rebuild, compact, export-gallery, import-gallery."""

from pathlib import Path
from typing import Annotated

import typer

from unimma.cli.common import (
    GalleryOption,
    JsonOption,
    ModelOption,
    open_as_it_is,
    open_gallery,
    print_json,
    print_report,
    progress_bar,
)


def reembed(gallery: GalleryOption = None, model: ModelOption = "bundled", as_json: JsonOption = False) -> None:
    """Give every item a vector of the model, from the kept media; goes on where it was interrupted."""
    with open_gallery(gallery, model, starter=False) as opened, progress_bar("Embedding again") as progress:
        report = opened.reembed(progress)
    print_report(report, as_json)


def rebuild(gallery: GalleryOption = None, model: ModelOption = "bundled") -> None:
    """Make the search index anew from the stored vectors."""
    with open_gallery(gallery, model, starter=False) as opened:
        opened.rebuild()
    typer.echo("The index is made anew")


def compact(gallery: GalleryOption = None, model: ModelOption = "bundled") -> None:
    """Make the gallery as small as it can be, without a trace of what was deleted."""
    with open_as_it_is(gallery, model) as opened:
        opened.compact()
    typer.echo("The gallery is compacted")


def export_gallery(
    zip_path: Annotated[Path, typer.Argument(metavar="ZIP", help="The file to write.", show_default=False)],
    gallery: GalleryOption = None,
    model: ModelOption = "bundled",
    as_json: JsonOption = False,
) -> None:
    """Write all items with media and vectors into one zip."""
    with open_gallery(gallery, model) as opened, progress_bar("Exporting") as progress:
        count = opened.export(zip_path, progress)
    if as_json:
        return print_json({"exported": count})
    return typer.echo(f"{count} exported")


def import_gallery(
    zip_path: Annotated[Path, typer.Argument(metavar="ZIP", help="What export-gallery wrote.", show_default=False)],
    gallery: GalleryOption = None,
    model: ModelOption = "bundled",
    as_json: JsonOption = False,
) -> None:
    """Add what another gallery exported."""
    with open_gallery(gallery, model, starter=False) as opened, progress_bar("Importing") as progress:
        report = opened.import_(zip_path, progress)
    print_report(report, as_json)
