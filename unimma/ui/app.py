"""The page as its own table of contents, and how it is served."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup
from starlette.middleware import Middleware

from unimma import remote
from unimma.settings import Limits
from unimma.types import Modality
from unimma.ui import agents, api, guard, hosting, theme, zero
from unimma.ui.about import AboutTab
from unimma.ui.defaults import FillsIn, defaults_of
from unimma.ui.engine import Engine
from unimma.ui.history import History
from unimma.ui.icons import logo
from unimma.ui.library import LibraryTab
from unimma.ui.messages import readable_errors
from unimma.ui.notice import Notice
from unimma.ui.search_tab import PRIVATE, SearchTab
from unimma.ui.serving import routes
from unimma.ui.status import BUSY, Clock, forgotten, status_line
from unimma.ui.status import EVENTS as STATUS_EVENTS
from unimma.ui.visit import Library, Visit

log = logging.getLogger(__name__)
TITLE = "UniMMA: drop anything in, find anything"
CHECK_EVERY_S = 0.5  # how often the page is told how far the start has come
UPLOADS_SWEPT_EVERY_S, UPLOADS_KEPT_S = 600, 3_600  # those that no visit knows of, so that none can delete them
OFFER_KEY = "() => [window.unimmaPage.recall('unimma-visit')]"
BEGIN_ANEW = "(gone) => window.unimmaLibrary.beginAnew(gone)"
KEEP_KEY = "(key) => { window.unimmaPage.keep('unimma-visit', key); window.unimmaPage.begin(); }"
HAS_ASKED = "() => [window.unimmaPage.hasAsked ? 'yes' : '']"
RESTORED = "() => window.unimmaPage.restored()"


def build_app(engine: Engine) -> gr.Blocks:
    """The whole page over an engine that need not be ready yet."""
    guard.keep_uploads_apart()
    guard.fetch_no_addresses()
    demo = gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(UPLOADS_SWEPT_EVERY_S, UPLOADS_KEPT_S))
    with demo:
        gr.HTML(str(header()), elem_id="header")
        status = gr.HTML(str(status_line(engine, None)), elem_id="status", js_on_load=STATUS_EVENTS)
        history, notice = gr.State(History()), Notice(engine)
        with gr.Tabs(elem_id="tabs"):
            searches = [SearchTab(engine, modality, history, notice) for modality in (None, *Modality)]
            library = LibraryTab(engine)
            about = AboutTab(engine)
        library.wire(notice, status, lambda visit: str(status_line(engine, visit)))
        api.endpoints(engine)

        key = gr.Textbox(visible=False)  # of the visit: the page keeps it, so that a reload comes back to the same one
        gone = gr.JSON(visible=False)  # what was deleted: the page begins anew, and says it then
        has_asked = gr.Textbox(visible=False)
        fresh = [*(place for tab in searches for place in tab.fresh), *library.fresh, *about.fresh]

        def enter(offered: str, request: gr.Request) -> tuple[str, str]:
            visit = engine.visits.enter(str(request.session_hash), offered)
            if engine.library is not Library.READ_ONLY:
                visit.purge()  # the way back from a deletion was on the page that is gone
            return visit.key, str(status_line(engine, visit))

        def first_look(visit: Visit) -> tuple[Any, ...]:
            looks = [look for tab in searches for look in tab.first_look(visit)]
            return str(status_line(engine, visit)), *looks, *library.first_look(visit), *about.first_look()

        async def watch(request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
            """Tell the page how far the start has come, and fill it as soon as everything is there."""
            visit = engine.visit(request)
            nothing_new, clock = [gr.skip()] * len(fresh), Clock()
            while (now := engine.status).state in BUSY:
                yield str(status_line(engine, visit, clock.left(now, time.monotonic()))), *nothing_new
                await asyncio.sleep(CHECK_EVERY_S)
            if engine.status.state == "failed":
                yield str(status_line(engine, visit)), *nothing_new
            else:
                yield await asyncio.to_thread(first_look, visit)

        def reembed() -> None:
            if engine.library is Library.SHARED:
                engine.reembed()

        def forget(request: gr.Request) -> dict[str, str]:
            with readable_errors():
                return {"said": forgotten(engine.visit(request).forget())}

        def leave(request: gr.Request) -> None:
            engine.visits.leave(str(request.session_hash))

        entered = demo.load(enter, key, [key, status], js=OFFER_KEY, concurrency_limit=None, **PRIVATE)
        entered.then(None, key, None, js=KEEP_KEY, **PRIVATE)
        filled = entered.then(watch, None, [status, *fresh], concurrency_limit=None, **PRIVATE)
        first = searches[0]
        filled.then(first.mosaic, has_asked, first.results, js=HAS_ASKED, concurrency_limit=None, **PRIVATE)
        notice.bar.change(None, None, None, js=RESTORED, **PRIVATE)
        entered.then(library.adding.watch, None, library.adding.card, concurrency_limit=None, **PRIVATE)
        status.reembed(reembed, **PRIVATE).then(watch, None, [status, *fresh], concurrency_limit=None, **PRIVATE)
        status.forget(forget, None, gone, **PRIVATE).then(None, gone, None, js=BEGIN_ANEW, **PRIVATE)
        demo.unload(leave)
    return demo


def serve(engine: Engine, *, host: str, port: int | None, share: bool = False, agents_may: str = "read") -> gr.Blocks:
    """Start the server (on any free port for None), then begin to load what stands behind the page; returns at once.

    Agents may "read" or "write", where the `mcp` extra is installed.
    """
    is_public = share or "SPACE_ID" in os.environ
    for_agents, while_serving = agents.mount(engine, agents_may) if agents.is_possible() else ([], None)
    zero.register()
    demo = build_app(engine)
    middleware = [Middleware(FillsIn, defaults=defaults_of(demo))]
    if not is_public:
        middleware.insert(0, Middleware(guard.OwnPagesOnly, only_here=guard.is_local(host)))
    demo.queue(max_size=64, default_concurrency_limit=4, api_open=False)
    demo.launch(
        server_name=host,
        server_port=port,
        share=share,
        prevent_thread_lock=True,
        show_error=False,
        run_history=False,
        enable_monitoring=False,
        max_file_size=Limits.from_env().max_file_bytes,
        footer_links=["api"],
        quiet=True,
        mcp_server=False,  # ours stands in its place
        app_kwargs={
            "routes": [*routes(engine), *hosting.routes(engine), *for_agents],
            "lifespan": while_serving,
            "middleware": middleware,
        },
        theme=theme.theme(),
        head=theme.head(),
    )
    engine.start(lambda gallery: _announce(gallery.folder, str(demo.local_url), engine.token))
    return demo


def _announce(folder: Path, url: str, token: str) -> None:
    try:
        remote.announce(folder, url, token)
    except OSError as error:
        log.warning("commands cannot work through this app: %s cannot be written (%s)", remote.RUNNING, error.strerror)


def header() -> Markup:
    """Name, and the one sentence that says what this does."""
    return Markup(
        '<header class="top"><p class="name">{} UniMMA</p><h1>Drop anything in, find anything.</h1>'
        "<p>A sentence, a photo, a sound or a clip finds matching sentences, pictures, sounds and clips.</p></header>"
    ).format(logo())
