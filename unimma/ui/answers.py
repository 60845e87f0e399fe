"""What a search shows, as HTML: what was asked and the way back, likely hits, weaker ones folded below a line.

Every value goes through `Markup.format`, which escapes it.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath

from markupsafe import Markup

from unimma.types import Hit, Item, Modality
from unimma.ui import cards
from unimma.ui.history import History
from unimma.ui.icons import icon
from unimma.ui.queries import Query

NUM_GHOSTS = 8
Find = Callable[[str], Item | None]  # an item by its id
MayDelete = Callable[[str], bool]


def results(
    likely: Sequence[Hit], weaker: Sequence[Hit], *, columns: bool, may_delete: MayDelete = lambda item_id: False
) -> Markup:
    """Likely hits, as one ranked list or in one column a modality, and below a line the weaker ones, folded."""
    above = Markup('<div class="hits">{}</div>').format(_arranged(likely, columns, may_delete))
    return above + fold(weaker, columns=columns, may_delete=may_delete)


def fold(weaker: Sequence[Hit], *, columns: bool, may_delete: MayDelete = lambda item_id: False) -> Markup:
    """Weaker hits behind a line that tells how many there are; nothing for none."""
    if not weaker:
        return Markup("")
    told = f"{len(weaker)} weaker matches" if len(weaker) != 1 else "1 weaker match"
    return Markup('<details class="weaker"><summary>{}{}</summary>{}</details>').format(
        icon("down"), told, _arranged(weaker, columns, may_delete)
    )


def strip(history: History, found: str, find: Find) -> Markup:
    """The line above the hits: the ways back and forth, what was asked, how much was found, what was asked before.

    Its data tell the script which query this is, and the words that the page's address is to carry.
    """
    query = history.current
    ways = Markup('<span class="ways">{}{}</span>').format(
        _way("back", "Back to the query before this one") if history.can_go_back else "",
        _way("forward", "Forward to the query after this one") if history.can_go_forward else "",
    )
    words = query.value if query and query.kind == "text" else ""
    return Markup(
        '<div class="strip" data-number="{}" data-words="{}">{}<h2 tabindex="-1">{}</h2>'
        '<span class="found">{}</span>{}</div>'
    ).format(
        history.number,
        words,
        ways if history.can_go_back or history.can_go_forward else "",
        asked(query, find) if query else "",
        found,
        recents(history, find) if len(history.entries) > 1 else "",
    )


def asked(query: Query, find: Find) -> Markup:
    """A query as the page names it: a sentence, a file with its preview, or an item with its."""
    return Markup('{}<span class="asked">{}</span>').format(_look(query, find), _name(query, find))


def recents(history: History, find: Find) -> Markup:
    """The queries of this page, the newest first; each goes back to its hits on one click."""
    rows = [
        Markup('<button type="button" data-act="go" data-number="{}"{}>{}<span>{}</span></button>').format(
            history.first + at,
            Markup(' aria-current="true"') if at == history.at else "",
            _look(query, find),
            _name(query, find),
        )
        for at, query in reversed(list(enumerate(history.entries)))
    ]
    return Markup(
        '<details class="facet recent"><summary class="chip">{}Recent{}</summary>'
        '<div class="menu" role="group" aria-label="Recent queries">{}</div></details>'
    ).format(icon("clock"), icon("down"), Markup("").join(rows))


def nothing_likely(counts: Mapping[Modality, int], suggestions: Sequence[str]) -> Markup:
    """No hit fits: say so, say what is there, and offer what has an answer."""
    return cards.nothing("Nothing here looks like this.", suggestions, there=f"In the gallery: {told(counts)}.")


def found(likely: Sequence[Hit], weaker: Sequence[Hit]) -> str:
    """How many hits of which kinds, in words."""
    if not likely:
        return "no likely hit"
    kinds = {hit.item.modality for hit in likely}
    listed = cards.listed([cards.PLURALS[kind].lower() for kind in Modality if kind in kinds])
    hits = f"{len(likely)} hits: {listed}" if len(likely) != 1 else f"1 hit: {listed}"
    return f"{hits}; {len(weaker)} weaker" if weaker else hits


def told(counts: Mapping[Modality, int]) -> str:
    """Counts in words: "12 texts, 3 pictures and 1 clip"."""
    there = [(kind, count) for kind, count in counts.items() if count]
    return cards.listed(
        [f"{count:,} {(cards.NAMES if count == 1 else cards.PLURALS)[kind].lower()}" for kind, count in there]
    )


def waiting(message: str, done: int, total: int) -> Markup:
    """What a search shows while the model or the gallery is still being loaded."""
    return Markup('<div class="nothing" role="status"><p class="lead">{}</p>{}<p>{}</p></div>').format(
        message, cards.progress_bar(done, total), "Your search starts by itself as soon as this is done."
    )


def ghosts() -> Markup:
    """What stands in the place of hits while they are awaited; the script writes into it whose turn it is."""
    card = Markup('<div class="blank"><div></div><i></i><i></i></div>')
    return Markup('<div class="ghosts"><p class="turn"></p><div class="grid" aria-hidden="true">{}</div></div>').format(
        card * NUM_GHOSTS
    )


def _arranged(hits: Sequence[Hit], columns: bool, may_delete: MayDelete) -> Markup:
    def shown(those: Sequence[Hit]) -> Markup:
        return Markup("").join(cards.card(hit, can_delete=may_delete(hit.item.id)) for hit in those)

    if not columns:
        return Markup('<div class="grid">{}</div>').format(shown(hits))
    column = Markup('<section class="column" aria-label="{0}"><h3 class="column-name">{1} {0}</h3>{2}</section>')
    filled = [(kind, [hit for hit in hits if hit.item.modality == kind]) for kind in Modality]
    return Markup('<div class="columns">{}</div>').format(
        Markup("").join(column.format(cards.PLURALS[kind], icon(kind), shown(those)) for kind, those in filled if those)
    )


def _way(act: str, name: str) -> Markup:
    label = Markup('<button type="button" class="quiet" data-act="{}" aria-label="{}" title="{}">{}{}</button>')
    return label.format(act, name, name, icon(act), " Back" if act == "back" else "")


def _look(query: Query, find: Find) -> Markup:
    """A small picture of a query, or the icon of its kind."""
    if query.preview:
        data = base64.b64encode(query.preview).decode()
        return Markup('<img src="data:image/webp;base64,{}" alt="">').format(data)
    item = find(query.value) if query.kind == "item" else None
    if item is not None and item.thumbnail:
        return Markup('<img src="{}" alt="">').format(cards.thumb_url(item))
    return icon(item.modality if item else query.modality or Modality.TEXT)


def _name(query: Query, find: Find) -> str:
    match query.kind:
        case "text":
            return f"“{query.value}”"
        case "file":
            return PurePath(query.value).name
        case "item":
            item = find(query.value)
            return item.title if item else "an item that is gone"
