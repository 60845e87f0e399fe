"""Routes of our own for the media and previews of items, beside those of Gradio.

`/media/{place}/{id}` is an item's file, with ranges so that players can seek; `…/thumb` its preview, `…/download` the
file to keep. Only places and ids that a library knows lead anywhere: the host's gallery, or a visit's own with the pass
that it alone was given (`Visit.address_of`). The type sent is fixed by the suffix that the gallery itself gave the file
when it re-encoded it, and browsers are told not to guess another.
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
from unimma.ui.view import HOST_PLACE

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
    "Referrer-Policy": "no-referrer",
}
_MAY_BE_CACHED = {"Cache-Control": "private, max-age=3600"}
_NOT_TO_BE_CACHED = {"Cache-Control": "no-store"}  # what a visit adds is gone when it is over


def routes(engine: Engine) -> list[Route]:
    """What the module says."""

    async def media(request: Request) -> Response:
        item = await _find(engine, request)
        return _not_found() if item is None else _media_of(item, "inline", _caching(request))

    async def download(request: Request) -> Response:
        item = await _find(engine, request)
        return _not_found() if item is None else _media_of(item, "attachment", _caching(request))

    async def thumb(request: Request) -> Response:
        item = await _find(engine, request)
        if item is None or item.thumbnail is None:
            return _not_found()
        return Response(item.thumbnail, media_type="image/webp", headers=_HEADERS | _caching(request))

    here = "/media/{place}/{item_id}"
    return [Route(here, media), Route(f"{here}/thumb", thumb), Route(f"{here}/download", download)]


async def _find(engine: Engine, request: Request) -> Item | None:
    return await run_in_threadpool(_look_up, engine, request.path_params["place"], request.path_params["item_id"])


def _look_up(engine: Engine, place: str, item_id: str) -> Item | None:
    if place != HOST_PLACE:
        visit = engine.visits.at(place)
        return visit.opens(place, item_id) if visit else None
    try:
        return engine.gallery.get(item_id)
    except UnimmaError:
        return None


def _caching(request: Request) -> dict[str, str]:
    return _MAY_BE_CACHED if request.path_params["place"] == HOST_PLACE else _NOT_TO_BE_CACHED


def _media_of(item: Item, disposition: str, caching: dict[str, str]) -> Response:
    path = Path(item.uri)
    if path.suffix not in MIME_TYPES or not path.is_file():
        return _not_found()
    name = quote(f"{item.modality}-{item.id[:12]}{path.suffix}")
    headers = _HEADERS | caching | {"Content-Disposition": f"{disposition}; filename={name}"}
    if item.text is not None:
        return PlainTextResponse(item.text, headers=headers)
    return FileResponse(path, media_type=MIME_TYPES[path.suffix], headers=headers)


def _not_found() -> Response:
    return PlainTextResponse("no such item", status_code=404, headers={"X-Content-Type-Options": "nosniff"})
