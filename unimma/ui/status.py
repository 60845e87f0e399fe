"""The line below the head of the page: what can be searched, and always where files go and when they vanish."""

from dataclasses import dataclass

from markupsafe import Markup

from unimma.ui import cards
from unimma.ui.adding import duration
from unimma.ui.answers import told
from unimma.ui.engine import Engine, Status
from unimma.ui.visit import Library, Visit, promise

BUSY = ("loading", "filling")
EVENTS = "/* 'forget' 'reembed' */ window.unimmaLibrary.status(element, trigger);"
_TO_BE_DELETED = {  # what "everything" is, asked before it goes
    Library.PRIVATE: "everything you added, and every file you searched with",
    Library.SHARED: "what you added since you opened this page, and every file you searched with",
    Library.READ_ONLY: "every file you searched with",
}


@dataclass
class Clock:
    """Guesses from the first count and the present one how much time is left. `now_s` is of the monotonic clock."""

    since_s: float = 0.0
    first: int = -1
    total: int = 0

    def left(self, status: Status, now_s: float) -> str:
        """Words to append to a status: "about 3 min left"; "" where nothing can be known."""
        if self.first < 0 or status.total != self.total or status.done < self.first:
            self.since_s, self.first, self.total = now_s, status.done, status.total
        settled, passed_s = status.done - self.first, now_s - self.since_s
        if settled <= 0 or passed_s < 1.0:
            return ""
        return f"about {duration((status.total - status.done) * passed_s / settled)} left"


def status_line(engine: Engine, visit: Visit | None, left: str = "") -> Markup:
    """The line for a visit; None for a page whose visit is not known yet. `left`: the time that is left."""
    status = engine.status
    if status.state == "failed":
        return Markup(
            '<div class="status"><span class="now" role="alert"><span class="dot bad"></span><span>{}</span></span>'
            "{}</div>"
        ).format(status.message, _promise(engine.library))
    if status.state in BUSY or visit is None:
        now = Markup('<span class="now"><span class="dot busy"></span><span>{}</span></span>{}<span>{}</span>').format(
            status.message, cards.progress_bar(status.done, status.total), left
        )
        return Markup('<div class="status">{}{}</div>').format(now, _promise(engine.library))
    counts = told(visit.counts())
    return Markup(
        '<div class="status"><span class="now"><span class="dot"></span><span>{}</span></span>{}</div>{}'
    ).format(f"Searching {counts}." if counts else "The gallery is empty.", _promise(engine.library), _offer(engine))


def forgotten(count: int) -> str:
    """What is said when everything was deleted."""
    items = "1 item" if count == 1 else f"{count:,} items"
    return f"Deleted: {items} and every file you searched with." if count else "Every file of yours is deleted."


def _promise(library: Library) -> Markup:
    """Where files go, and the button that deletes them now."""
    return Markup(
        '<span class="promise">{} <button type="button" class="link" data-act="forget" '
        'data-question="Delete {}? This cannot be undone.">Delete everything now</button></span>'
    ).format(promise(library), _TO_BE_DELETED[library])


def _offer(engine: Engine) -> Markup:
    """To embed again what another model has embedded; where visitors share nothing, the start did it unasked."""
    count = engine.missing() if engine.library is Library.SHARED else 0
    if not count:
        return Markup("")
    were = "1 item was" if count == 1 else f"{count:,} items were"
    them = "it" if count == 1 else "them"
    return Markup(
        '<div class="offer" role="status"><span>{} embedded with another model and cannot be found.</span>'
        '<button type="button" class="quiet" data-act="reembed">Embed {} again</button></div>'
    ).format(were, them)
