"""The page as its own table of contents, and how it is served."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import gradio as gr
from markupsafe import Markup

from unimma.settings import Limits
from unimma.types import Modality
from unimma.ui import api, cards, theme
from unimma.ui.about import AboutTab
from unimma.ui.engine import Engine
from unimma.ui.icons import logo
from unimma.ui.library import LibraryTab
from unimma.ui.search_tab import PRIVATE, SearchTab
from unimma.ui.serving import routes

TITLE = "UniMMA: drop anything in, find anything"
BUSY = ("loading", "filling")
CHECK_EVERY_S = 0.5  # how often the page is told how far the start has come
UPLOADS_SWEPT_EVERY_S, UPLOADS_KEPT_S = 600, 3_600


def build_app(engine: Engine) -> gr.Blocks:
    """The whole page over an engine that need not be ready yet."""
    demo = gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(UPLOADS_SWEPT_EVERY_S, UPLOADS_KEPT_S))
    with demo:
        gr.HTML(str(header()), elem_id="header")
        status = gr.HTML(str(status_line(engine)), elem_id="status")
        with gr.Tabs(elem_id="tabs"):
            searches = [SearchTab(engine, modality) for modality in Modality]
            library = LibraryTab(engine)
            about = AboutTab(engine)
        library.wire(status, lambda: str(status_line(engine)))
        api.endpoints(engine)

        text = searches[0]
        fresh = [*(tab.examples for tab in searches), library.shelf, *about.fresh]

        def first_look() -> tuple[Any, ...]:
            examples = [tab.first_look() for tab in searches]
            return str(status_line(engine)), *examples, library.first_look(), *about.first_look()

        async def watch() -> AsyncIterator[tuple[Any, ...]]:
            """Tell the page how far the start has come, and fill it as soon as everything is there."""
            nothing_new = [gr.skip()] * len(fresh)
            while engine.status.state in BUSY:
                yield str(status_line(engine)), *nothing_new
                await asyncio.sleep(CHECK_EVERY_S)
            if engine.status.state == "failed":
                yield str(status_line(engine)), *nothing_new
            else:
                yield await asyncio.to_thread(first_look)

        loaded = demo.load(watch, None, [status, *fresh], concurrency_limit=None, **PRIVATE)
        loaded.then(text.mosaic, text.history, text.results, concurrency_limit=None, **PRIVATE)
    return demo


def serve(engine: Engine, *, host: str, port: int | None, share: bool = False) -> gr.Blocks:
    """Start the server (on any free port for None), then begin to load what stands behind the page; returns at once."""
    demo = build_app(engine)
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
        app_kwargs={"routes": routes(engine)},
        theme=theme.theme(),
        head=theme.head(),
    )
    engine.start()
    return demo


def header() -> Markup:
    """Name, and the one sentence that says what this does."""
    return Markup(
        '<header class="top"><p class="name">{} UniMMA</p><h1>Drop anything in, find anything.</h1>'
        "<p>A sentence, a photo, a sound or a clip finds matching sentences, pictures, sounds and clips.</p></header>"
    ).format(logo())


def status_line(engine: Engine) -> Markup:
    """How far the start has come, then what can be searched, and what becomes of files."""
    status = engine.status
    if status.state in BUSY:
        return Markup('<div class="status" role="status"><span class="dot busy"></span>{} {}</div>').format(
            status.message, cards.progress_bar(status.done, status.total)
        )
    if status.state == "failed":
        return Markup('<div class="status" role="alert"><span class="dot bad"></span>{}</div>').format(status.message)
    counts = ", ".join(f"{count:,} {cards.PLURALS[kind].lower()}" for kind, count in engine.counts().items() if count)
    return Markup(
        '<div class="status" role="status"><span class="dot"></span>{}'
        '<span class="promise">What you search with is not kept; what you add stays until you delete it.</span></div>'
    ).format(f"Searching {counts}." if counts else "The gallery is empty.")
