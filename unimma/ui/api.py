"""The calls that programs make, as named endpoints that answer with JSON."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import LocalContext
from gradio.data_classes import FileData

from unimma.errors import ConfigError, GalleryError, MediaError
from unimma.types import Modality
from unimma.ui import calls
from unimma.ui.calls import Answer
from unimma.ui.engine import Engine
from unimma.ui.messages import readable_errors
from unimma.ui.queries import uploaded
from unimma.ui.search_tab import MODEL_QUEUE
from unimma.ui.uploads import discard
from unimma.ui.visit import Library, Visit

AT_ONCE: dict[str, Any] = {"concurrency_limit": None}
_COMMON = """k: how many hits, 1 to 100.
        modalities: which kinds of hits, of "text", "image", "audio", "video"; all when left out.
        where: only items whose metadata say this, such as {"label": "campfire"}."""
_HITS = """The model, the query, and the hits, best first; each hit's media is at its uri, relative to the app."""


def endpoints(engine: Engine) -> None:
    """Register them in the Blocks being built."""
    for modality in (Modality.IMAGE, Modality.AUDIO, Modality.VIDEO):
        gr.api(_file_search(engine, modality), api_name=f"search_{modality}", **MODEL_QUEUE)
    _asking(engine)
    _changing(engine)


def _asking(engine: Engine) -> None:
    def search_text(
        request: gr.Request,
        query: str,
        k: int = 10,
        modalities: list[str] | None = None,
        where: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        with _visit(engine, request) as visit:
            return calls.search_text(engine, visit, query, k, modalities, where)

    def search(
        request: gr.Request,
        text: str | None = None,
        file: FileData | None = None,
        k: int = 10,
        modalities: list[str] | None = None,
        where: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        with _visit(engine, request) as visit:
            if (text is None) == (file is None):
                came = "no query" if text is None else "a sentence and a file"
                raise ConfigError(came, "either text or file", "Ask with one of them.")
            if file is not None:
                return calls.search_file(engine, visit, _path(file), None, k, modalities, where)
            return calls.search_text(engine, visit, text, k, modalities, where)

    def similar(
        request: gr.Request,
        id: str,
        k: int = 10,
        modalities: list[str] | None = None,
        where: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        with _visit(engine, request) as visit:
            return calls.similar(engine, visit, id, k, modalities, where)

    def list_(
        request: gr.Request,
        modality: str | None = None,
        where: dict[str, Any] | None = None,
        offset: int = 0,
        limit: int = 50,
        order: str = "added",
        descending: bool = False,
        ids: list[str] | None = None,
    ) -> dict[str, Any]:
        """List the items of the library.

        Args:
            modality: only "text", "image", "audio" or "video"; all when left out.
            where: only items whose metadata say this, such as {"label": "campfire"}.
            offset: how many items to pass over.
            limit: how many items at most, 0 to 1000.
            order: by "added", "title", "length" or "size".
            descending: last, longest or largest first.
            ids: instead of all this, the items with these ids, as far as there are any.
        Returns:
            How many there are in all, and the items of this page.
        """
        with _visit(engine, request) as visit:
            return calls.listing(visit, modality, where, offset, limit, order, descending, ids)

    def count(request: gr.Request, where: dict[str, Any] | None = None) -> dict[str, Any]:
        """Count the items of the library.

        Args:
            where: only items whose metadata say this, such as {"label": "campfire"}.
        Returns:
            How many there are, in all and of each modality.
        """
        with _visit(engine, request) as visit:
            return calls.count(visit, where)

    search_text.__doc__ = _documented(
        "Find what matches a sentence.", 'query: the sentence; words in "" must be there.'
    )
    search.__doc__ = _documented(
        "Find what matches a sentence, or a file of any kind.", "text: the sentence.\n        file: or the file."
    )
    similar.__doc__ = _documented("Find what is like an item of the library.", "id: of the item.")
    for function in (search_text, search, similar):
        gr.api(function, api_name=function.__name__, **MODEL_QUEUE)
    gr.api(list_, api_name="list", **AT_ONCE)
    gr.api(count, api_name="count", **AT_ONCE)


def _changing(engine: Engine) -> None:
    def add(request: gr.Request, files: list[FileData], texts: list[str] | None = None) -> dict[str, Any]:
        """Add files and sentences to the library.

        Args:
            files: pictures, sounds, clips and texts; may be empty.
            texts: sentences.
        Returns:
            The ids of what was added, of what was there already, and the name of each refused file with the reason.
        """
        with _visit(engine, request, keeps=True) as visit:
            if not isinstance(files, list) or not isinstance(texts or [], list):
                raise MediaError(
                    "files or texts", "a list of files, a list of sentences", "Pass them with handle_file."
                )
            paths = [_path(file) for file in files]
            try:
                return calls.add(visit, [*paths, *map(str, texts or [])])
            finally:
                for path in paths if visit is engine.host else ():  # its visit ends with the app alone
                    discard(path)

    def delete(request: gr.Request, ids: list[str]) -> dict[str, Any]:
        """Delete items for good, with their media.

        Args:
            ids: of the items.
        Returns:
            How many were deleted, and which ids are unknown.
        """
        with _visit(engine, request) as visit:
            return calls.delete(visit, ids)

    def update(request: gr.Request, id: str, title: str | None = None, caption: str | None = None) -> dict[str, Any]:
        """Give an item another title, another caption, or both.

        Args:
            id: of the item.
            title: the new one; as it was when left out.
            caption: the new one; as it was when left out, taken away when empty.
        Returns:
            The item as it is now.
        """
        with _visit(engine, request) as visit:
            return calls.update(visit, id, title, caption)

    for function in (add, delete, update):
        gr.api(function, api_name=function.__name__, **AT_ONCE)


def _file_search(engine: Engine, modality: Modality) -> Callable[..., Answer]:
    def search_file(
        request: gr.Request,
        file: FileData,
        k: int = 10,
        modalities: list[str] | None = None,
        where: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        with _visit(engine, request) as visit:
            return calls.search_file(engine, visit, _path(file), modality, k, modalities, where)

    search_file.__name__ = f"search_{modality}"
    asked = "file: the file; a clip given to /search_audio is heard, not seen."
    search_file.__doc__ = _documented(f"Find what matches a file, taken as {modality}.", asked)
    return search_file


def _documented(what: str, asked: str) -> str:
    return f"{what}\n\n    Args:\n        {asked}\n        {_COMMON}\n    Returns:\n        {_HITS}\n    "


@contextmanager
def _visit(engine: Engine, request: gr.Request, *, keeps: bool = False) -> Iterator[Visit]:
    """The visit that a call belongs to; that of a call without a session ends with it, uploads and all.

    Raises:
        gr.Error: what went wrong, in a sentence; so also a call that `keeps` something for nobody.
    """
    with readable_errors():
        engine.wait()
        visit = engine.visit(request)
        session = str(request.session_hash)
        stands_alone = visit is not engine.host and session == LocalContext.event_id.get(None)  # Gradio's stopgap
        try:
            if stands_alone and keeps and visit.library is Library.PRIVATE:
                came = "an adding to a private library by a call without a session"
                raise GalleryError(came, "a session_hash of your own", "Send the same one with each call.")
            yield visit
        finally:
            if stands_alone:
                engine.visits.end(session)


def _path(file: Any) -> Path:
    """The upload that a client's file value points to."""
    if not isinstance(file, dict) or not isinstance(file.get("path"), str):
        raise MediaError("a value that is no file", "an uploaded file", "Pass it with handle_file.")
    return uploaded(file["path"])
