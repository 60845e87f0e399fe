"""The boxes that take a query: one for anything, and one for each modality."""

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData
from markupsafe import Markup

from unimma.types import Modality
from unimma.ui.icons import icon

MAX_CHARS = 2_000
_EVERYTHING = "window.unimmaPage.everything(element, upload);"


def everything() -> gr.HTML:
    """One box for a sentence or any one file: typed, pasted, dropped, recorded, filmed.

    Made by hand: Gradio's own has no camera, and waits for a press of a button when a file has come. Files go through
    Gradio's own upload.
    """
    tool = Markup('<button type="button" class="tool" data-tool="{}" aria-label="{}" title="{}">{}</button>')
    tools = Markup("").join(
        tool.format(name, words, words, icon(name))
        for name, words in (
            ("file", "Choose a file"),
            ("microphone", "Record a sound"),
            ("camera", "Take a photo or film a clip"),
        )
    )
    form = Markup(
        '<form class="everything" role="search"><textarea rows="1" maxlength="{}" '
        'aria-label="What are you looking for?" aria-describedby="everything-note" enterkeyhint="search" '
        'placeholder="{}"></textarea>'
        '<div class="tools">{}<button type="submit" class="go">{}<span>Search</span></button></div>'
        '<input type="file" class="unseen" tabindex="-1" aria-label="A file to search with"></form>'
        '<p class="note" id="everything-note">{}</p>'
    ).format(
        MAX_CHARS,
        "Describe it, or drop or paste a file",
        tools,
        icon("search"),
        "One thing at a time: a sentence, a photo, a sound, a clip or a text file. "
        "Hits that hold “words in quotation marks” come first.",
    )
    return gr.HTML(str(form), elem_id="query-search", js_on_load=_EVERYTHING)


def of(modality: Modality) -> Any:
    """The box of one modality."""
    return _BOXES[modality]()


def _text() -> gr.Textbox:
    return gr.Textbox(
        label="Describe what you are looking for",
        placeholder="rain on a window",
        show_label=False,
        container=False,
        lines=1,
        max_lines=4,
        max_length=MAX_CHARS,
        elem_id="query-text",
        scale=1,
    )


def _image() -> gr.Image:
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


def _audio() -> gr.Audio:
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


def _video() -> gr.Video:
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
    Modality.TEXT: _text,
    Modality.IMAGE: _image,
    Modality.AUDIO: _audio,
    Modality.VIDEO: _video,
}
