"""The search tabs: one for anything, and one for each modality. They differ in the box that takes the query."""

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from unimma.types import Modality
from unimma.ui import answers, boxes, cards, examples, filters, notice
from unimma.ui.engine import Engine
from unimma.ui.filters import Choices
from unimma.ui.history import History
from unimma.ui.messages import readable_errors
from unimma.ui.queries import Query
from unimma.ui.search_view import answer, bar, empty
from unimma.ui.visit import Visit

MODEL_QUEUE: Mapping[str, Any] = {"concurrency_limit": 2, "concurrency_id": "model"}
PRIVATE: Mapping[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
NUM_EXAMPLES = 6
NUM_MOSAIC = 12
_NAMES: Mapping[Modality | None, str] = {None: "Search", **{kind: kind.capitalize() for kind in Modality}}
_HINTS = {
    Modality.IMAGE: "Drop a photo. What matches it appears here, best first.",
    Modality.AUDIO: "Drop or record a sound. What matches it appears here, best first.",
    Modality.VIDEO: "Drop or film a clip. What matches it appears here, best first.",
}
_MOSAIC_ORDER = (Modality.IMAGE, Modality.AUDIO, Modality.VIDEO, Modality.TEXT)
_WAIT_S = 0.4
# What a script can send has to be named in quotation marks for Gradio to know it as an event.
_RESULTS = """/* 'seek' 'remove' */
window.unimmaPage.listen(element, trigger);
watch('value', () => window.unimmaPage.arrived(element));"""
_BUTTONS = "window.unimmaPage.listen(element);"
_BAR = f"{_BUTTONS} window.unimmaPage.bar(element); watch('value', () => window.unimmaPage.bar(element));"


class SearchTab:
    """One tab: a box for the query, examples, filters, and the hits.

    Args:
        engine: what searches.
        modality: what the box takes; None for anything.
        history: what was asked on this page, shared by all tabs.
        undo: the bar that takes a deletion back.
    """

    def __init__(self, engine: Engine, modality: Modality | None, history: gr.State, undo: notice.Notice) -> None:
        self.engine, self.modality, self.history = engine, modality, history
        self.name = modality.value if modality else "search"
        with gr.Tab(_NAMES[modality], id=self.name, elem_id=f"tab-{self.name}", render_children=modality is None):
            with gr.Row(elem_classes=["ask", f"ask-{self.name}"]):
                self.box = boxes.of(modality) if modality else boxes.everything()
                if modality is Modality.TEXT:
                    self.button = gr.Button("Search", variant="primary", scale=0, min_width=120, elem_id="search")
                elif modality:
                    self.examples = self._examples()
            if modality in (None, Modality.TEXT):
                self.examples = self._examples()
            self.bar = gr.HTML(
                str(filters.bar(self.name, Choices(), {})),
                elem_id=f"filters-{self.name}",
                elem_classes="filters",
                js_on_load=_BAR,
            )
            self.results = gr.HTML(
                str(cards.hint(_HINTS.get(modality, "") if modality else "")),
                html_template=f'<div class="answer">${{value}}</div>{answers.ghosts()}',
                elem_id=f"results-{self.name}",
                elem_classes="results",
                js_on_load=_RESULTS,
            )
            self._wire(undo)

    @property
    def fresh(self) -> list[Any]:
        """The components that `first_look` fills."""
        return [self.examples, self.bar]

    def first_look(self, visit: Visit) -> tuple[str, str]:
        """Examples and counts, as soon as the gallery is there, for `self.fresh`."""
        return str(self._offered(visit)), str(bar(visit, Choices(), self.name))

    def mosaic(self, has_asked: str, request: gr.Request) -> Any:
        """What `self.results` shows before anything was asked: some items of each modality."""
        if has_asked or self.engine.status.state != "ready":
            return gr.skip()
        each = NUM_MOSAIC // len(Modality)
        visit = self.engine.visit(request)
        items = examples.mixed([visit.examples(kind, NUM_MOSAIC) for kind in _MOSAIC_ORDER], each)
        return str(examples.mosaic(items, title="From the gallery") if items else empty(visit))

    def _offered(self, visit: Visit) -> Any:
        if self.modality is Modality.TEXT:
            return examples.sentence_chips(visit.sentences(NUM_EXAMPLES))
        if self.modality:
            return examples.previews(visit.examples(self.modality, NUM_EXAMPLES))
        playable = [visit.examples(kind, NUM_EXAMPLES) for kind in _MOSAIC_ORDER if kind is not Modality.TEXT]
        return examples.of_every_kind(visit.sentences(2), examples.mixed(playable, 2))

    def _examples(self) -> gr.HTML:
        ghosts = examples.row_skeleton if self.modality in (None, Modality.TEXT) else examples.grid_skeleton
        return gr.HTML(
            str(ghosts(NUM_EXAMPLES)), elem_id=f"examples-{self.name}", elem_classes="try", js_on_load=_BUTTONS
        )

    def _wire(self, undo: notice.Notice) -> None:
        shown = [self.history, self.results, self.bar]
        how = {**MODEL_QUEUE, **PRIVATE, "show_progress": "minimal", "show_progress_on": self.results}
        words = [self.box] if self.modality is Modality.TEXT else []
        self.results.seek(self._on_seek, self.history, [*words, *shown], trigger_mode="multiple", **how)
        self.results.remove(self._on_remove, self.history, [undo.bar, *shown], **how)
        if self.modality is None:
            return
        triggers = [self.box.submit, self.button.click] if words else [self.box.change]
        chosen = gr.Textbox(visible=False)  # filled by the page at each query
        told = f"(value, history) => [value, history, window.unimmaPage.choices('{self.name}')]"
        gr.on(triggers, self._on_query, [self.box, self.history, chosen], shown, js=told, **how)

    def _on_query(
        self, value: str | None, history: History, chosen: str, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        if value is None or (self.modality is not Modality.TEXT and not value):
            return  # the box was emptied
        query = Query("text" if self.modality is Modality.TEXT else "file", value, self.modality)
        yield from self._show(history.ask(query), Choices.of(chosen), request)

    def _on_seek(self, history: History, request: gr.Request, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
        history = _moved(history, event._data)
        if history.current is None and event._data.get("act") != "ask":  # filters were chosen before anything was asked
            return
        for shown in self._show(history, Choices.of(event._data.get("choices")), request):
            query = history.current
            words = query.value if query and query.kind == "text" else gr.skip()
            yield (words, *shown) if self.modality is Modality.TEXT else shown

    def _on_remove(self, history: History, request: gr.Request, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
        with readable_errors():
            told = notice.delete(self.engine.visit(request), [str(event._data.get("id", ""))])
        yield told, gr.skip(), gr.skip(), gr.skip()
        for shown in self._show(history, Choices.of(event._data.get("choices")), request):
            yield gr.skip(), *shown

    def _show(self, history: History, choices: Choices, request: gr.Request) -> Iterator[tuple[Any, Any, Any]]:
        """Search with the current query of `history`; the history is kept only if there is an answer."""
        with readable_errors():
            while not self.engine.wait(_WAIT_S):
                status = self.engine.status
                yield gr.skip(), str(answers.waiting(status.message, status.done, status.total)), gr.skip()
            found = answer(self.engine.visit(request), history, choices, self.name)
            yield found.history, str(found.results), str(found.bar)


def _moved(history: History, sent: Mapping[str, Any]) -> History:
    """Where a button of the page leads to from here."""
    match sent.get("act"):
        case "similar":
            return history.ask(Query("item", str(sent.get("id", ""))))
        case "ask":
            return history.ask(Query("text", str(sent.get("text", ""))[: boxes.MAX_CHARS]))
        case "file":
            return history.ask(Query("file", str(sent.get("path", "")), None))
        case "go" if str(sent.get("number", "")).isdecimal():
            return history.go(int(sent["number"]))
    return history
