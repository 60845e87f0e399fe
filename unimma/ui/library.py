"""The library tab: adding on top, below it everything there is, to look through, open, edit, delete and list."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from unimma.errors import ConfigError
from unimma.ui import notice, shelf
from unimma.ui.adding import SAVE, Adding
from unimma.ui.engine import Engine
from unimma.ui.listing import library_csv, library_json
from unimma.ui.messages import in_words, readable_errors
from unimma.ui.notice import Notice
from unimma.ui.shelf import View
from unimma.ui.visit import Visit

_EVENTS = "/* 'browse' 'narrow' 'widen' 'remove' 'edit' 'keep' */ window.unimmaLibrary.shelf(element, trigger, watch);"
_ANSWERED = "(answer) => window.unimmaLibrary.edited(answer)"
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


class LibraryTab:
    """One tab over what `engine` holds."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with gr.Tab("Library", id="library", elem_id="tab-library"):
            self.adding = Adding(engine)
            self.view = gr.State(View())
            self.shelf = gr.HTML(str(shelf.skeleton()), elem_id="shelf", js_on_load=_EVENTS)
            self.list_to_save = gr.JSON(visible=False)
            self.edit_answer = gr.JSON(visible=False)

    def wire(self, undo: Notice, status: gr.HTML, status_line: Callable[[Visit], str]) -> None:
        """Connect the events.

        Args:
            undo: the bar that takes a deletion back.
            status: told of each change of the library, by what `status_line` makes.
        """

        def on_refresh(view: View, request: gr.Request) -> tuple[str, str]:
            with readable_errors():
                visit = self.engine.visit(request)
                return self._shown(visit, view), status_line(visit)

        def on_browse(view: View, request: gr.Request, event: gr.EventData) -> tuple[View, str]:
            return self._looked(request, view.after(event._data))

        def on_narrow(view: View, request: gr.Request, event: gr.EventData) -> tuple[View, str]:
            facet, value = str(event._data.get("facet", "")), str(event._data.get("value", ""))
            return self._looked(request, view.narrowed(facet, value))

        def on_widen(view: View, request: gr.Request, event: gr.EventData) -> tuple[View, str]:
            return self._looked(request, view.narrowed(str(event._data.get("facet", "")), ""))

        def on_remove(request: gr.Request, event: gr.EventData) -> str:
            with readable_errors():
                return notice.delete(self.engine.visit(request), notice.ids_of(event))

        def on_edit(view: View, request: gr.Request, event: gr.EventData) -> tuple[dict[str, str], Any]:
            """An error goes back into the dialog, where the words that are to be mended still stand."""
            sent = {key: str(event._data.get(key, "")) for key in ("id", "title", "caption")}
            try:
                visit = self.engine.visit(request)
                _update(visit, sent["id"], sent["title"], sent["caption"])
            except Exception as error:  # told apart, and logged where it is not ours, by `in_words`
                return {"error": in_words(error)}, gr.skip()
            return {"error": "", "id": sent["id"]}, self._shown(visit, view)

        def on_keep(view: View, request: gr.Request, event: gr.EventData) -> dict[str, str]:
            with readable_errors():
                items = shelf.all_items(self.engine.visit(request), view)
                if event._data.get("form") == "json":
                    return {"name": "library.json", "type": "application/json", "text": library_json(items)}
                return {"name": "library.csv", "type": "text/csv", "text": library_csv(items)}

        refreshed = [self.shelf, status]
        self.adding.wire(self.list_to_save, lambda event: event.then(on_refresh, self.view, refreshed, **_QUIET))
        undo.bar.change(on_refresh, self.view, refreshed, **_QUIET)  # after each deletion, on whichever tab
        for event, handler in (
            (self.shelf.browse, on_browse),
            (self.shelf.narrow, on_narrow),
            (self.shelf.widen, on_widen),
        ):
            event(handler, self.view, [self.view, self.shelf], trigger_mode="always_last", **_QUIET)
        self.shelf.remove(on_remove, None, undo.bar, **_QUIET)
        edited = self.shelf.edit(on_edit, self.view, [self.edit_answer, self.shelf], **_QUIET)
        edited.then(None, self.edit_answer, None, js=_ANSWERED, **_QUIET)
        kept = self.shelf.keep(on_keep, self.view, self.list_to_save, **_QUIET)
        kept.then(None, self.list_to_save, None, js=SAVE, **_QUIET)

    def first_look(self, visit: Visit) -> tuple[View, str]:
        """The first page of everything, for `self.fresh`."""
        return View(), self._shown(visit, View())

    @property
    def fresh(self) -> list[Any]:
        """The components that `first_look` fills."""
        return [self.view, self.shelf]

    def _looked(self, request: gr.Request, view: View) -> tuple[View, str]:
        with readable_errors():
            return view, self._shown(self.engine.visit(request), view)

    def _shown(self, visit: Visit, view: View) -> str:
        return str(shelf.shelf(visit, view))


def _update(visit: Visit, item_id: str, title: str, caption: str) -> None:
    """Give an item what was typed.

    Raises:
        ConfigError: too long, or an empty title.
        GalleryError: it may not be edited here.
    """
    for what, text, most in (
        ("title", title, shelf.MAX_TITLE_CHARS),
        ("caption", caption, shelf.MAX_CAPTION_CHARS),
    ):
        if len(text) > most:
            raise ConfigError(f"a {what} of {len(text):,} characters", f"at most {most:,}", "Make it shorter.")
    if not title.strip():
        raise ConfigError("An empty title", "a word or more", "Type one, so that the item can be told from others.")
    visit.update(item_id, title=title, caption=caption)
