"""Commands that ask: search, embed, models."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unimma.cli.common import (
    ROW,
    GalleryOption,
    JsonOption,
    ModalityOption,
    ModelOption,
    hit_as_json,
    load_model,
    open_gallery,
    print_json,
    print_table,
    progress_bar,
    row,
    say,
)
from unimma.errors import ConfigError, UnimmaError
from unimma.settings import MAX_HITS
from unimma.types import Decoded, Modality, Text

if TYPE_CHECKING:
    from unimma.cli.common import AnyGallery


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
    asked = _asked({"text": text, "image": image, "audio": audio, "video": video, "file": file})
    with open_gallery(gallery, model) as opened:
        found = _found(opened, *asked, k, modality)
    if as_json:
        return print_json(found | {"hits": [hit_as_json(hit) for hit in found["hits"]]})
    hits = found["hits"]
    if not hits:
        return say("Nothing found: there is nothing of that kind in the gallery.")
    rows = [[hit.rank, f"{hit.score:.0%}", f"{hit.similarity:+.2f}", *row(hit.item)] for hit in hits]
    return print_table(["", "score", "similarity", *ROW], rows)


def embed(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files and folders.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", metavar="FILE.npz", help="Where the embeddings go.")],
    model: ModelOption = "bundled",
) -> None:
    """Embed files into arrays: embeddings (a unit row each), paths, modalities; model and fingerprint."""
    import numpy as np

    loaded = load_model(model)
    vectors, names, modalities, refused = [], [], [], 0
    files = list(_files(paths))
    with progress_bar("Embedding") as progress:
        for done, path in enumerate(files, start=1):
            try:
                decoded = _decode(path, None)
                vectors.append(loaded.embed([decoded])[0])
            except UnimmaError as error:
                say(str(error))
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


def models(as_json: JsonOption = False) -> None:
    """List the models that can be named, and the encoders that models are made of."""
    from unimma import catalogue

    known, encoders = catalogue.models(), catalogue.encoders()
    if as_json:
        return print_json({"models": known, "encoders": encoders})
    rows = [
        [each["name"], ", ".join(each["modalities"]), each["size_mb"], _terms(each), each["languages"]]
        for each in known
    ]
    print_table(["model", "modalities", "MB", "licence", "languages"], rows)
    rows = [[each["name"], each["modality"], each["features"] or "", _terms(each)] for each in encoders]
    print_table(["encoder", "modality", "features", "licence"], rows)
    return say("What is not commercial needs --accept-license. --json tells more of each.")


def _terms(each: dict[str, Any]) -> str:
    return str(each["licence"]) if each["commercial"] else f"{each['licence']} (not commercial)"


def _asked(given: dict[str, str | Path | None]) -> tuple[str | Path, Modality | None]:
    """The one query among the options, and as what its file is to be taken."""
    asked = [(name, value) for name, value in given.items() if value is not None]
    if len(asked) != 1:
        options = ", ".join(f"--{name}" for name in given)
        came = " and ".join(f"--{name}" for name, _ in asked) or "no query"
        raise ConfigError(came, f"one of {options}", "Ask with one of them.")
    name, value = asked[0]
    return value, None if name in ("text", "file") else Modality(name)


def _found(
    opened: "AnyGallery", asked: str | Path, as_modality: Modality | None, k: int, modalities: list[Modality] | None
) -> dict[str, Any]:
    """The answer, with its hits as they are."""
    from unimma import remote, retrieval

    if isinstance(opened, remote.RemoteGallery):
        found = opened.search(asked, k, modalities, as_modality=as_modality)
        head = {"model": found.model, "fingerprint": found.fingerprint, "query": dict(found.query)}
        return {**head, "hits": found.hits}
    query = _decode(asked, as_modality)
    told = {"text": query.text} if isinstance(query, Text) else {"file": query.name}
    hits = retrieval.search(opened, query, k=k, modalities=modalities)
    head = {"model": opened.model.name, "fingerprint": opened.model.fingerprint}
    return {**head, "query": {"modality": query.modality, **told}, "hits": hits}


def _decode(source: str | Path, modality: Modality | None) -> Decoded:
    from unimma.media import decode

    return decode(source, modality=modality)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    from unimma.gallery.sources import expand

    return (source.content for source in expand(paths, None) if isinstance(source.content, Path))
