"""Routes of our own for the media and previews of the gallery's items, beside those of Gradio.

Only ids that the gallery knows lead anywhere; the type sent is fixed by the suffix that the gallery itself gave the
file when it re-encoded it, and browsers are told not to guess another.
"""

from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from unimma.errors import UnimmaError
from unimma.types import Item
from unimma.ui.engine import Engine

MIME_TYPES = {
    ".webp": "image/webp",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".txt": "text/plain; charset=utf-8",
}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=3600",
}


def routes(engine: Engine) -> list[Route]:
    """`/media/{item_id}`, with ranges so that players can seek, and `/thumb/{item_id}`."""

    async def media(request: Request) -> Response:
        item = await _find(engine, request)
        return _not_found() if item is None else _media_of(item)

    async def thumb(request: Request) -> Response:
        item = await _find(engine, request)
        if item is None or item.thumbnail is None:
            return _not_found()
        return Response(item.thumbnail, media_type="image/webp", headers=_HEADERS)

    return [Route("/media/{item_id}", media), Route("/thumb/{item_id}", thumb)]


async def _find(engine: Engine, request: Request) -> Item | None:
    try:
        return await run_in_threadpool(engine.find, request.path_params["item_id"])
    except UnimmaError:
        return None


def _media_of(item: Item) -> Response:
    if item.text is not None:
        return PlainTextResponse(item.text, headers=_HEADERS)
    path = Path(item.uri)
    if path.suffix not in MIME_TYPES or not path.is_file():
        return _not_found()
    name = quote(f"{item.modality}-{item.id[:12]}{path.suffix}")
    inline = {"Content-Disposition": f"inline; filename={name}"}
    return FileResponse(path, media_type=MIME_TYPES[path.suffix], headers=_HEADERS | inline)


def _not_found() -> Response:
    return PlainTextResponse("no such item", status_code=404, headers={"X-Content-Type-Options": "nosniff"})
