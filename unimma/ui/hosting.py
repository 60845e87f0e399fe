"""Routes for programs of the host that work through the running app (`unimma.remote`): what no visitor may do.

All below /host/ want the app's token, which stands in the gallery's folder for the user who runs the app. Searching,
adding, deleting and the like are the named endpoints (`unimma.ui.api`), with the same token.
"""

import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from unimma.gallery import AddReport
from unimma.ui.engine import Engine
from unimma.ui.messages import in_words

Act = Callable[[Request], Awaitable[Response]]
_REFUSED, _FAILED = 403, 422


def routes(engine: Engine) -> list[Route]:
    """What the module says."""

    async def who(request: Request) -> Response:
        return JSONResponse({"state": engine.status.state})

    async def export(request: Request) -> Response:
        folder = tempfile.TemporaryDirectory()
        path = Path(folder.name) / "gallery.zip"
        try:
            count = await run_in_threadpool(engine.gallery.export, path)
        except BaseException:
            folder.cleanup()
            raise
        headers = {"X-Items": str(count)}
        return FileResponse(
            path, media_type="application/zip", headers=headers, background=BackgroundTask(folder.cleanup)
        )

    async def import_(request: Request) -> Response:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(request.query_params.get("name", "gallery.zip")).name
            with path.open("wb") as file:
                async for part in request.stream():
                    await run_in_threadpool(file.write, part)
            return _told(await run_in_threadpool(engine.gallery.import_, path))

    async def reembed(request: Request) -> Response:
        return _told(await run_in_threadpool(engine.gallery.reembed))

    async def rebuild(request: Request) -> Response:
        await run_in_threadpool(engine.gallery.rebuild)
        return JSONResponse({})

    async def compact(request: Request) -> Response:
        await run_in_threadpool(engine.gallery.compact)
        return JSONResponse({})

    async def described(request: Request) -> Response:
        """The item's title and metadata, whichever are given, instead of those that it has."""
        given = await request.json()
        title, metadata = given.get("title"), given.get("metadata")
        item_id = request.path_params["item_id"]
        await run_in_threadpool(lambda: engine.gallery.update(item_id, title=title, metadata=metadata))
        return JSONResponse({})

    acts = {"export": (export, "GET"), "import": (import_, "POST"), "reembed": (reembed, "POST")}
    acts |= {"rebuild": (rebuild, "POST"), "compact": (compact, "POST"), "items/{item_id}": (described, "POST")}
    guarded = [Route(f"/host/{name}", _for_the_host(engine, act), methods=[verb]) for name, (act, verb) in acts.items()]
    return [Route("/host", _for_the_host(engine, who, waits=False)), *guarded]


def _for_the_host(engine: Engine, act: Act, *, waits: bool = True) -> Act:
    async def guarded(request: Request) -> Response:
        if not engine.is_host(request.headers):
            return PlainTextResponse("This is for the host of the app alone.", status_code=_REFUSED)
        try:
            if waits:
                await run_in_threadpool(engine.wait)
            return await act(request)
        except Exception as error:
            return PlainTextResponse(in_words(error), status_code=_FAILED)

    return guarded


def _told(report: AddReport) -> Response:
    refused = [{"name": name, "reason": reason} for name, reason in report.refused]
    return JSONResponse({"added": report.added, "already_there": report.already_there, "refused": refused})
