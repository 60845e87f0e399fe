"""The four search tabs: one builder, since they differ only in the box that takes the query."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData
from markupsafe import Markup

from unimma.errors import MediaError
from unimma.settings import MAX_HITS as MAX_K
from unimma.types import Modality
from unimma.ui import cards
from unimma.ui.engine import Engine
from unimma.ui.messages import readable_errors
from unimma.ui.queries import MAX_HISTORY, History, Query, asked, hits_of
from unimma.ui.visits import Visit

MODEL_QUEUE: Mapping[str, Any] = {"concurrency_limit": 2, "concurrency_id": "model"}
PRIVATE: Mapping[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
# The acts that a card's buttons can send; each must be named in quotation marks for Gradio to know it as an event.
CARD_EVENTS = "/* 'similar' 'ask' 'back' */ window.unimmaPage.listen(element, trigger);"
ARRIVALS = "watch('value', () => window.unimmaPage.arrived(element));"

TAB_NAMES = {Modality.TEXT: "Text", Modality.IMAGE: "Image", Modality.AUDIO: "Audio", Modality.VIDEO: "Video"}
NUM_EXAMPLES = 6
NUM_MOSAIC = 12
MIN_HITS, MAX_HITS, HITS = 4, 48, 12
_HINTS = {
    Modality.IMAGE: "Drop a photo. What matches it appears here, best first.",
    Modality.AUDIO: "Drop or record a sound. What matches it appears here, best first.",
    Modality.VIDEO: "Drop or film a clip. What matches it appears here, best first.",
}
_MOSAIC_ORDER = (Modality.IMAGE, Modality.AUDIO, Modality.VIDEO, Modality.TEXT)
_WAIT_S = 0.4


class SearchTab:
    """One tab: a box for the query, examples, filters, and the hits.

    Args:
        engine: what searches.
        modality: what the box takes.
    """

    def __init__(self, engine: Engine, modality: Modality) -> None:
        self.engine, self.modality = engine, modality
        with gr.Tab(TAB_NAMES[modality], id=modality.value, elem_id=f"tab-{modality}"):
            self.history = gr.State(())
            with gr.Row(elem_classes=["ask", f"ask-{modality}"]):
                self.box = _BOXES[modality]()
                if modality is Modality.TEXT:
                    self.button = gr.Button("Search", variant="primary", scale=0, min_width=120, elem_id="search")
                else:
                    self.examples = self._examples()
            if modality is Modality.TEXT:
                self.examples = self._examples()
            with gr.Row(elem_classes="filters"):
                self.kinds, self.count, self.view = _filters(modality)
            self.results = gr.HTML(
                str(cards.hint(_HINTS.get(modality, ""))),
                elem_id=f"results-{modality}",
                elem_classes="results",
                js_on_load=CARD_EVENTS + ARRIVALS,
            )
        self._wire()

    def first_look(self, visit: Visit) -> str:
        """What `self.examples` shows as soon as the gallery is there."""
        if self.modality is Modality.TEXT:
            return str(cards.sentence_chips(visit.sentences(NUM_EXAMPLES)))
        return str(cards.example_strip(visit.examples(self.modality, NUM_EXAMPLES)))

    def mosaic(self, history: History, request: gr.Request) -> Any:
        """What `self.results` shows before anything was asked: some items of each modality."""
        if history or self.engine.status.state != "ready":
            return gr.skip()  # somebody was faster and has asked already
        each = NUM_MOSAIC // len(Modality)
        visit = self.engine.visit(request)
        columns = [visit.examples(kind, each) for kind in _MOSAIC_ORDER]
        items = [column[row] for row in range(each) for column in columns if row < len(column)]
        return str(cards.mosaic(items, title="From the gallery") if items else self._nothing(visit))

    def _examples(self) -> gr.HTML:
        ghosts = cards.chip_skeleton if self.modality is Modality.TEXT else cards.example_skeleton
        return gr.HTML(
            str(ghosts(NUM_EXAMPLES)), elem_id=f"examples-{self.modality}", elem_classes="try", js_on_load=CARD_EVENTS
        )

    def _wire(self) -> None:
        state = [self.history, self.kinds, self.count, self.view]
        shown = [self.history, self.results]
        how = {
            **MODEL_QUEUE,
            **PRIVATE,
            "show_progress": "minimal",
            "show_progress_on": self.results,
        }  # dims the old hits
        if self.modality is Modality.TEXT:
            gr.on([self.box.submit, self.button.click], self._on_query, [self.box, *state], shown, **how)
        else:
            self.box.change(self._on_query, [self.box, *state], shown, **how)
        for place in (self.results, self.examples):
            place.similar(self._on_similar, state, shown, **how)
            place.ask(self._on_ask, state, [self.box, *shown] if self.modality is Modality.TEXT else shown, **how)
        self.results.back(self._on_back, state, shown, **how)
        for control in (self.kinds, self.view):
            control.input(self._on_filter, state, shown, **how)
        self.count.release(self._on_filter, state, shown, **how)

    def _on_query(
        self, value: str | None, history: History, kinds: list[str], count: float, view: str, request: gr.Request
    ) -> Iterator[tuple[Any, Any]]:
        if value is None or (self.modality is not Modality.TEXT and not value):
            return  # the box was emptied
        query = Query("text" if self.modality is Modality.TEXT else "file", value, self.modality)
        yield from self._show((*history, query), kinds, count, view, request)

    def _on_similar(
        self, history: History, kinds: list[str], count: float, view: str, request: gr.Request, event: gr.EventData
    ) -> Iterator[tuple[Any, Any]]:
        yield from self._show((*history, Query("item", str(event._data.get("id", "")))), kinds, count, view, request)

    def _on_ask(
        self, history: History, kinds: list[str], count: float, view: str, request: gr.Request, event: gr.EventData
    ) -> Iterator[tuple[Any, ...]]:
        text = str(event._data.get("text", ""))
        for answer in self._show((*history, Query("text", text)), kinds, count, view, request):
            yield (text, *answer) if self.modality is Modality.TEXT else answer

    def _on_back(
        self, history: History, kinds: list[str], count: float, view: str, request: gr.Request
    ) -> Iterator[tuple[Any, Any]]:
        yield from self._show(history[:-1] or history, kinds, count, view, request)

    def _on_filter(
        self, history: History, kinds: list[str], count: float, view: str, request: gr.Request
    ) -> Iterator[tuple[Any, Any]]:
        if history:
            yield from self._show(history, kinds, count, view, request)

    def _show(
        self, history: History, kinds: list[str], count: float, view: str, request: gr.Request
    ) -> Iterator[tuple[Any, Any]]:
        """Search with the last query of `history`; it is kept only if it has an answer."""
        with readable_errors():
            while not self.engine.wait(_WAIT_S):
                status = self.engine.status
                yield gr.skip(), str(cards.waiting(status.message, status.done, status.total))
            visit = self.engine.visit(request)
            page = self._page(
                visit, history, [kind for kind in Modality if kind in kinds], int(count), view == "columns"
            )
            yield history[-MAX_HISTORY:], str(page)

    def _page(self, visit: Visit, history: History, kinds: list[Modality], count: int, columns: bool) -> Markup:
        query = history[-1]
        if query.kind == "text" and not query.value.strip():
            raise MediaError("Nothing to search for", "a sentence or a few words", "Type what you are looking for.")
        count = min(max(count, MIN_HITS), MAX_HITS)
        if not kinds:
            return cards.nothing("No kind of hit is chosen. Tick at least one above.", [])
        # a column takes its share of the hits from a list that is long enough for every column to be filled
        hits = hits_of(visit, query, min(8 * count, MAX_K) if columns else count, kinds)
        if not hits:
            return self._nothing(visit)
        if columns:
            each = -(-count // len(kinds))
            hits = [hit for kind in kinds for hit in [h for h in hits if h.item.modality == kind][:each]]
        return cards.results(hits, asked=asked(visit, query), can_go_back=len(history) > 1, columns=columns)

    def _nothing(self, visit: Visit) -> Markup:
        if not sum(visit.counts().values()):
            return cards.nothing("The gallery is empty. Add files of your own on the Library tab.", [])
        return cards.nothing("The gallery has nothing of the kinds chosen above.", visit.sentences(3))


def _filters(modality: Modality) -> tuple[gr.CheckboxGroup, gr.Slider, gr.Radio]:
    kinds = gr.CheckboxGroup(
        [(cards.PLURALS[kind], kind.value) for kind in Modality],
        value=[kind.value for kind in Modality],
        label="Find",
        elem_id=f"kinds-{modality}",
        scale=3,
        min_width=320,
    )
    count = gr.Slider(
        MIN_HITS, MAX_HITS, value=HITS, step=4, label="Hits", elem_id=f"count-{modality}", scale=1, min_width=180
    )
    view = gr.Radio(
        [("One list", "list"), ("Columns", "columns")],
        value="list",
        label="Show as",
        elem_id=f"view-{modality}",
        scale=1,
        min_width=220,
    )
    return kinds, count, view


def _text_box() -> gr.Textbox:
    return gr.Textbox(
        label="Describe what you are looking for",
        placeholder="rain on a window",
        show_label=False,
        container=False,
        lines=1,
        max_lines=4,
        max_length=2_000,
        autofocus=True,
        elem_id="query-text",
        scale=1,
    )


def _image_box() -> gr.Image:
    box = gr.Image(
        label="A photo or drawing",
        type="filepath",
        sources=["upload", "webcam", "clipboard"],
        image_mode=None,
        height=300,
        buttons=[],
        elem_id="query-image",
        scale=1,
        min_width=320,
    )
    # Gradio would drop alpha, clip 16 bits and stumble over files that are no picture, so the upload passes as it came.
    # Not by a subclass: Gradio writes a stub file beside the source of each one.
    box.preprocess = _untouched  # type: ignore[method-assign]
    return box


def _untouched(payload: ImageData | None) -> str | None:
    return payload.path if payload else None


def _audio_box() -> gr.Audio:
    return gr.Audio(
        label="A sound",
        type="filepath",
        format=None,
        sources=["upload", "microphone"],
        autoplay=False,
        buttons=[],
        elem_id="query-audio",
        scale=1,
        min_width=320,
    )


def _video_box() -> gr.Video:
    return gr.Video(
        label="A clip",
        sources=["upload", "webcam"],
        autoplay=False,
        height=300,
        buttons=[],
        elem_id="query-video",
        scale=1,
        min_width=320,
    )


_BOXES: Mapping[Modality, Callable[[], Any]] = {
    Modality.TEXT: _text_box,
    Modality.IMAGE: _image_box,
    Modality.AUDIO: _audio_box,
    Modality.VIDEO: _video_box,
}
