"""The bar at the foot of the page that says what was deleted, and takes it back on one click.

Shared by all tabs: whoever deletes shows `delete(…)` in `Notice.bar`, and whoever shows items shows them anew when the
bar changes. What was deleted is hidden at once and can be brought back; it is deleted for good when the bar goes, with
the next deletion, or when the page is left.
"""

import secrets
from collections.abc import Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from unimma.ui.engine import Engine
from unimma.ui.messages import readable_errors
from unimma.ui.visit import Library, Visit

UNDO_WITHIN_S, SAID_FOR_S = 10, 4  # how long the bar stays; it waits while it is pointed at or has the focus
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_EVENTS = "/* 'restore' 'settle' */ window.unimmaLibrary.notice(element, trigger, watch);"


class Notice:
    """The bar, empty until something is deleted."""

    def __init__(self, engine: Engine) -> None:
        self.bar = gr.HTML("", elem_id="notice", js_on_load=_EVENTS)

        def settle(request: gr.Request, event: gr.EventData) -> None:
            if engine.library is not Library.READ_ONLY:
                engine.visit(request).purge(ids_of(event))

        def take_back(request: gr.Request, event: gr.EventData) -> str:
            with readable_errors():
                return restore(engine.visit(request), ids_of(event))

        self.bar.settle(settle, None, None, trigger_mode="multiple", **_QUIET)
        self.bar.restore(take_back, None, self.bar, **_QUIET)


def ids_of(event: gr.EventData) -> list[str]:
    """The ids that a button sent, as `data-ids` or as a list."""
    ids = event._data.get("ids", [])
    return ids.split() if isinstance(ids, str) else [str(item_id) for item_id in ids]


def delete(visit: Visit, ids: Sequence[str]) -> str:
    """Hide items that are to be deleted: what the bar says then, with the button that brings them back.

    Raises:
        GalleryError: nothing may be deleted here, or not these.
    """
    visit.purge()  # there is one way back, from the last deletion
    count = visit.trash(ids)
    sentence = "1 item was deleted." if count == 1 else f"{count} items were deleted."
    undo = Markup('<button type="button" class="quiet" data-act="restore" data-ids="{}">Undo</button>')
    return str(_bar(sentence, UNDO_WITHIN_S, undo.format(" ".join(ids))))


def restore(visit: Visit, ids: Sequence[str]) -> str:
    """Bring items back: what the bar says then."""
    count = visit.restore(ids)
    back = "1 item is back." if count == 1 else f"{count} items are back."
    return str(_bar(back if count else "It was too late: they are gone for good.", SAID_FOR_S))


def _bar(sentence: str, stays_s: int, button: Markup | str = "") -> Markup:
    """`data-turn` makes each one another, so that the page notices the same words twice."""
    return Markup('<div class="notice" role="status" data-stays-s="{}" data-turn="{}"><span>{}</span>{}</div>').format(
        stays_s, secrets.token_hex(4), sentence, button
    )
