"""The calls that programs make: each search and adding, as named endpoints that answer with JSON."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

from unimma.errors import MediaError
from unimma.types import Hit, Modality
from unimma.ui.engine import Engine
from unimma.ui.messages import readable_errors
from unimma.ui.queries import Query, hits_of, uploaded
from unimma.ui.search_tab import MODEL_QUEUE

MAX_K = 100
MAX_FILES = 1_000


def endpoints(engine: Engine) -> None:
    """Register /search_text, /search_image, /search_audio, /search_video and /add in the Blocks being built."""
    for modality in (Modality.IMAGE, Modality.AUDIO, Modality.VIDEO):
        gr.api(_file_search(engine, modality), api_name=f"search_{modality}", **MODEL_QUEUE)

    def search_text(
        request: gr.Request, query: str, k: int = 10, modalities: list[str] | None = None
    ) -> dict[str, Any]:
        """Find what matches a sentence.

        Args:
            query: the sentence.
            k: how many hits, 1 to 100.
            modalities: which kinds of hits, of "text", "image", "audio", "video"; all when left out.
        Returns:
            The model, the query, and the hits, best first; each hit's media is at its uri, relative to the app.
        """
        with readable_errors():
            return _answer(
                engine, request, Query("text", str(query)), k, modalities, {"modality": "text", "text": query}
            )

    def add(request: gr.Request, files: list[FileData]) -> dict[str, Any]:
        """Add files to the gallery.

        Args:
            files: pictures, sounds, clips and texts.
        Returns:
            The ids of what was added, of what was there already, and the name of each refused file with the reason.
        """
        with readable_errors():
            if not isinstance(files, list) or not 0 < len(files) <= MAX_FILES:
                raise MediaError("files", f"a list of 1 to {MAX_FILES} files", "Pass them with handle_file.")
            engine.wait()
            job = engine.visit(request).add([_path(file) for file in files])
            job.wait()
            refused = [{"name": name, "reason": reason} for name, reason in job.refused]
            return {"added": job.added, "already_there": job.already_there, "refused": refused}

    gr.api(search_text, api_name="search_text", **MODEL_QUEUE)
    gr.api(add, api_name="add", concurrency_limit=None)


def hit_as_json(hit: Hit) -> dict[str, Any]:
    """One hit in the shape that the command line prints, its media as an address of this app."""
    return {
        "rank": hit.rank,
        "id": hit.item.id,
        "modality": hit.item.modality.value,
        "title": hit.item.title,
        "score": hit.score,
        "similarity": hit.similarity,
        "span": [hit.span.start, hit.span.end] if hit.span else None,
        "uri": f"/{hit.item.uri}",
    }


def _file_search(engine: Engine, modality: Modality) -> Callable[..., dict[str, Any]]:
    def search_file(
        request: gr.Request, file: FileData, k: int = 10, modalities: list[str] | None = None
    ) -> dict[str, Any]:
        with readable_errors():
            path = _path(file)
            asked = {"modality": modality.value, "file": path.name}
            return _answer(engine, request, Query("file", str(path), modality), k, modalities, asked)

    search_file.__name__ = f"search_{modality}"
    search_file.__doc__ = f"""Find what matches a file, taken as {modality}.

    Args:
        file: the file; a clip given to /search_audio is heard, not seen.
        k: how many hits, 1 to 100.
        modalities: which kinds of hits, of "text", "image", "audio", "video"; all when left out.
    Returns:
        The model, the query, and the hits, best first; each hit's media is at its uri, relative to the app.
    """
    return search_file


def _answer(
    engine: Engine, request: gr.Request, query: Query, k: int, modalities: list[str] | None, asked: dict[str, str]
) -> dict[str, Any]:
    kinds = _kinds(modalities)
    if type(k) is not int or not 1 <= k <= MAX_K:  # True is an int, too
        raise MediaError(f"k={json.dumps(k)[:20]}", f"a whole number from 1 to {MAX_K}", "Leave it out for 10.")
    engine.wait()
    hits = hits_of(engine.visit(request), query, k, kinds)
    head = {"model": engine.model.name, "fingerprint": engine.model.fingerprint, "query": asked}
    return {**head, "hits": [hit_as_json(hit) for hit in hits]}


def _kinds(modalities: list[str] | None) -> list[Modality]:
    known = [kind.value for kind in Modality]
    if modalities is None:
        return list(Modality)
    if not isinstance(modalities, list) or not modalities or not set(map(str, modalities)) <= set(known):
        raise MediaError("modalities", f"some of {', '.join(known)}", "Leave it out for all.")
    return [kind for kind in Modality if kind.value in modalities]


def _path(file: Any) -> Path:
    """The upload that a client's file value points to."""
    if not isinstance(file, dict) or not isinstance(file.get("path"), str):
        raise MediaError("a value that is no file", "an uploaded file", "Pass it with handle_file.")
    return uploaded(file["path"])
