"""The library tab: add files and sentences, see what was refused and why, browse, delete."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from unimma.errors import MediaError
from unimma.types import Modality
from unimma.ui import cards
from unimma.ui.engine import Engine
from unimma.ui.jobs import Job
from unimma.ui.messages import readable_errors
from unimma.ui.queries import uploaded
from unimma.ui.search_tab import MODEL_QUEUE, PRIVATE
from unimma.ui.visits import Visit

PAGE_SIZE = 24
MAX_SENTENCE_CHARS = 2_000
SHELF_EVENTS = "/* 'browse' 'remove' */ window.unimmaPage.listen(element, trigger);"


class LibraryTab:
    """Adding on top, the shelf with everything below it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with gr.Tab("Library", id="library", elem_id="tab-library"):
            with gr.Row(elem_classes="ask"):
                self.files = gr.File(
                    label="Pictures, sounds, clips, texts",
                    file_count="multiple",
                    height=190,
                    elem_id="add-files",
                    scale=1,
                    min_width=320,
                )
                with gr.Column(scale=1, min_width=320):
                    self.sentence = gr.Textbox(
                        label="Or a sentence",
                        lines=2,
                        max_lines=4,
                        max_length=MAX_SENTENCE_CHARS,
                        elem_id="add-sentence",
                    )
                    self.button = gr.Button("Add to the library", variant="primary", elem_id="add")
            self.report = gr.HTML("", elem_id="report", elem_classes="report")
            self.shelf = gr.HTML(
                str(cards.hint("The library is being opened.")),
                elem_id="shelf",
                elem_classes="results",
                js_on_load=SHELF_EVENTS,
            )

    def wire(self, status: gr.HTML, status_line: Any) -> None:
        """Connect the events; `status_line` makes the new content of `status` after the library has changed."""

        def on_add(files: list[str] | None, sentence: str, request: gr.Request) -> tuple[Any, ...]:
            with readable_errors():
                self.engine.wait()
                visit = self.engine.visit(request)
                job = visit.add(self._sources(files, sentence))
                job.wait()
                return None, "", str(added(job)), self.first_look(visit), status_line(visit)

        def on_remove(request: gr.Request, event: gr.EventData) -> tuple[str, str, str]:
            with readable_errors():
                visit = self.engine.visit(request)
                ids = [str(item_id) for item_id in event._data.get("ids", [])]
                visit.delete(ids)
                gone = "1 item was deleted." if len(ids) == 1 else f"{len(ids)} items were deleted."
                return str(note(gone)), self.first_look(visit), status_line(visit)

        def on_browse(request: gr.Request, event: gr.EventData) -> str:
            with readable_errors():
                return self._page(
                    self.engine.visit(request), str(event._data.get("kind", "")), str(event._data.get("offset", "0"))
                )

        self.button.click(
            on_add,
            [self.files, self.sentence],
            [self.files, self.sentence, self.report, self.shelf, status],
            show_progress="full",
            show_progress_on=self.report,
            api_visibility="private",
            **MODEL_QUEUE,
        )
        self.shelf.remove(on_remove, None, [self.report, self.shelf, status], **PRIVATE)
        self.shelf.browse(on_browse, None, self.shelf, **PRIVATE)

    def first_look(self, visit: Visit) -> str:
        """The first page of everything."""
        return self._page(visit, "", "0")

    def _page(self, visit: Visit, kind: str, offset: str) -> str:
        chosen = Modality(kind) if kind in set(Modality) else None
        start = int(offset) if offset.isascii() and offset.isdigit() else 0
        items = visit.shelf(chosen, start, PAGE_SIZE)
        return str(cards.pages(items, chosen=chosen, counts=visit.counts(), offset=start, limit=PAGE_SIZE))

    def _sources(self, files: Sequence[str] | None, sentence: str) -> list[Path | str]:
        sources: list[Path | str] = [uploaded(path) for path in files or []]
        if sentence.strip():
            sources.append(sentence.strip()[:MAX_SENTENCE_CHARS])
        if not sources:
            raise MediaError("Nothing to add", "files or a sentence", "Drop files, or write a sentence.")
        return sources


def added(report: Job) -> Markup:
    """What became of the files: how many came in, which were known, and what was refused and why."""
    lines = [f"{len(report.added)} added" if report.added else "Nothing was added"]
    if report.already_there:
        lines.append(f"{len(report.already_there)} already there")
    if report.refused:
        lines.append(f"{len(report.refused)} refused")
    rows = Markup("").join(
        Markup('<tr><th scope="row">{}</th><td>{}</td></tr>').format(name, reason) for name, reason in report.refused
    )
    table = Markup("<table><caption>Refused, and why</caption><tbody>{}</tbody></table>").format(rows)
    return note(", ".join(lines) + ".") + (table if report.refused else "")


def note(sentence: str) -> Markup:
    """One sentence about what was just done."""
    return Markup('<p class="lead" role="status">{}</p>').format(sentence)
