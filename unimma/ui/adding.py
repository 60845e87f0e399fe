"""The upper half of the library tab: files and sentences go in, and a card tells how far that has come."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from unimma.errors import MediaError
from unimma.ui.engine import Engine
from unimma.ui.jobs import Job
from unimma.ui.listing import refused_csv
from unimma.ui.messages import readable_errors
from unimma.ui.queries import uploaded
from unimma.ui.visit import Library, Visit

MAX_SENTENCE_CHARS = 2_000
MAX_ROWS = 100  # of what was refused, on the page; the list to download has all of them
LOOK_EVERY_S = 0.5
READ_ONLY = (
    "This library is read-only: it can be searched and looked through, but nothing can be added or changed here."
)
_EVENTS = "/* 'pause' 'resume' 'stop' 'close' 'keep' 'over' */ window.unimmaLibrary.job(element, trigger, watch);"
SAVE = "(list) => window.unimmaLibrary.save(list)"
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


class Adding:
    """A box for files, one for a sentence, and the card of what is being added.

    Files go in as soon as they are uploaded. Those that come while others are still being added wait in the box, and go
    in when those are through.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.takes = engine.library is not Library.READ_ONLY
        if not self.takes:
            gr.HTML(str(Markup('<p class="read-only">{}</p>').format(READ_ONLY)), elem_id="read-only")
        with gr.Row(elem_classes="ask", visible=self.takes):
            self.files = gr.File(
                label="Pictures, sounds, clips, texts, or a ZIP file of them",
                file_count="multiple",
                height=190,
                elem_id="add-files",
                scale=1,
                min_width=320,
            )
            with gr.Column(scale=1, min_width=320):
                self.sentence = gr.Textbox(
                    label="Or a sentence",
                    lines=3,
                    max_lines=5,
                    max_length=MAX_SENTENCE_CHARS,
                    elem_id="add-sentence",
                )
                self.button = gr.Button("Add to the library", variant="primary", elem_id="add")
        self.card = gr.HTML("", elem_id="job", visible=self.takes, js_on_load=_EVENTS)

    def wire(self, keep: gr.JSON, refresh: Callable[[Any], Any]) -> None:
        """Connect the events.

        Args:
            keep: what is put there, the page saves as a file.
            refresh: chains to an event what shows the library anew.
        """
        if not self.takes:
            return

        def on_button(files: list[str] | None, sentence: str, request: gr.Request) -> tuple[None, str]:
            with readable_errors():
                self._add(request, [*paths(files), *sentences(sentence)])
                return None, ""

        def on_upload(files: list[str] | None, request: gr.Request) -> Any:
            with readable_errors():
                if not files or is_busy(self.engine.visit(request)):
                    return gr.skip()  # they wait in the box
                self._add(request, paths(files))
                return None

        def on_over(files: list[str] | None, request: gr.Request) -> Any:
            job = self.engine.visit(request).job
            return gr.skip() if job is not None and job.state == "stopped" else on_upload(files, request)

        def on_pause(request: gr.Request) -> str:
            return self._shown(request, Job.pause)

        def on_resume(request: gr.Request) -> str:
            return self._shown(request, Job.resume)

        def on_stop(request: gr.Request) -> str:
            return self._shown(request, Job.stop)

        def on_close(request: gr.Request) -> str:
            visit = self.engine.visit(request)
            if not is_busy(visit):
                visit.job = None
            return str(card(visit.job))

        def on_keep(request: gr.Request) -> dict[str, str]:
            job = self.engine.visit(request).job
            return {"name": "refused.csv", "type": "text/csv", "text": refused_csv(job.refused if job else [])}

        free: dict[str, Any] = {**_QUIET, "concurrency_limit": None}
        by_button = self.button.click(on_button, [self.files, self.sentence], [self.files, self.sentence], **_QUIET)
        by_upload = self.files.upload(on_upload, self.files, self.files, trigger_mode="multiple", **_QUIET)
        over = self.card.over(on_over, self.files, self.files, **_QUIET)
        refresh(over)
        for begun in (by_button, by_upload, over):
            begun.then(self.watch, None, self.card, **free)
        for event, handler in (
            (self.card.pause, on_pause),
            (self.card.resume, on_resume),
            (self.card.stop, on_stop),
            (self.card.close, on_close),
        ):
            event(handler, None, self.card, **free)
        self.card.keep(on_keep, None, keep, **_QUIET).then(None, keep, None, js=SAVE, **_QUIET)

    async def watch(self, request: gr.Request) -> AsyncIterator[str]:
        """Tell the page how far its visit's adding has come, until it is over."""
        job, told = self.engine.visit(request).job, ""
        while job is not None:
            is_over = job.is_over
            now = str(card(job))
            if now != told:
                yield now
            if is_over:
                return
            told = now
            await asyncio.sleep(LOOK_EVERY_S)

    def _add(self, request: gr.Request, sources: Sequence[Path | str]) -> None:
        if not sources:
            raise MediaError("Nothing to add", "files or a sentence", "Drop files, or write a sentence.")
        self.engine.wait()
        self.engine.visit(request).add(sources)

    def _shown(self, request: gr.Request, act: Callable[[Job], None]) -> str:
        with readable_errors():
            job = self.engine.visit(request).job
            if job is not None:
                act(job)
            return str(card(job))


def paths(files: Sequence[str] | None) -> list[Path]:
    """What the box for files holds.

    Raises:
        MediaError: something that was not uploaded.
    """
    return [uploaded(path) for path in files or []]


def sentences(written: str) -> list[str]:
    """What was written into the other one, if anything was."""
    return [written.strip()[:MAX_SENTENCE_CHARS]] if written.strip() else []


def is_busy(visit: Visit) -> bool:
    """Whether something is being added, or waits for that."""
    return visit.job is not None and not visit.job.is_over


def card(job: Job | None) -> Markup:
    """How far an adding has come, and the buttons that hold it; afterwards, what became of it.

    The elements stay the same from one state to the next, so that the page can change their words in place and the
    keyboard's focus stays where it is.
    """
    if job is None:
        return Markup("")
    is_over = job.is_over
    hold = _button("resume", "Resume") if job.state == "paused" else _button("pause", "Pause")
    return Markup(
        '<section class="job" data-state="{}" aria-label="Adding">'
        '<div class="job-head"><h2 tabindex="-1">{}</h2><span class="job-buttons">{}</span></div>'
        '<div class="job-done">{}<p{}>{}</p></div>{}</section>'
    ).format(
        "over" if is_over else "going",
        _outcome(job) if is_over else _doing(job),
        _button("close", "Close") if is_over else hold + _button("stop", "Stop"),
        _progress(job, is_over),
        Markup(' role="status"') if is_over else "",
        job.failure if is_over else _facts(job),
        _refused(job.refused),
    )


def duration(seconds: float) -> str:
    """A time to wait, as people say it: "8 s", "5 min", "2 h"."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.0f} h"


def _doing(job: Job) -> str:
    if job.state == "paused":
        return "Paused"
    if job.state != "waiting":
        return "Adding…"
    before = job.place
    if not before:
        return "Starting…"
    return "Waiting: 1 other is before you" if before == 1 else f"Waiting: {before} others are before you"


def _outcome(job: Job) -> str:
    parts = [f"{len(job.added)} added" if job.added else "Nothing was added"]
    parts += [f"{len(job.already_there)} already there"] if job.already_there else []
    parts += [f"{len(job.refused)} refused"] if job.refused else []
    begun = {"stopped": "Stopped: ", "failed": "Ended early: "}.get(job.state, "")
    line = ", ".join(parts)
    return f"{begun}{line[0].lower() if begun else line[0]}{line[1:]}."


def _facts(job: Job) -> str:
    parts = [f"{job.done} of {job.total}"]
    left_s = job.left_s
    if job.state == "running" and left_s is not None:
        parts += [f"{job.rate:.1f} items/s", f"about {duration(left_s)} left"]
    return " · ".join(parts)


def _progress(job: Job, is_over: bool) -> Markup:
    return Markup('<progress aria-label="Settled" value="{}" max="{}"{}></progress>').format(
        job.done, max(job.total, 1), Markup(" hidden") if is_over else ""
    )


def _button(act: str, label: str) -> Markup:
    return Markup('<button type="button" class="quiet" data-act="{}">{}</button>').format(act, label)


def _refused(refused: Sequence[tuple[str, str]]) -> Markup:
    """A list that grows at its end, so that nothing moves away from who reads it."""
    if not refused:
        return Markup("")
    rows = Markup("").join(
        Markup('<tr><th scope="row">{}</th><td>{}</td></tr>').format(name, reason.removeprefix(f"{name}: "))
        for name, reason in refused[:MAX_ROWS]
    )
    more = len(refused) - MAX_ROWS
    return Markup(
        '<div class="refused"><div class="refused-head"><h3>{} refused, and why</h3>{}</div>'
        '<div class="refused-rows" tabindex="0" role="region" aria-label="Refused, and why">'
        "<table><tbody>{}</tbody></table>{}</div></div>"
    ).format(
        len(refused),
        _button("keep", "Download the list"),
        rows,
        Markup("<p>{} more are in the list to download.</p>").format(more) if more > 0 else "",
    )
