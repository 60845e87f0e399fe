"""From a query and what was chosen beside it to the page's answer: decode → call → show, without Gradio."""

from dataclasses import dataclass, replace
from itertools import chain

from markupsafe import Markup

from unimma.errors import GalleryError, MediaError
from unimma.settings import MAX_HITS as MAX_K
from unimma.types import Hit, Item, Modality
from unimma.ui import answers, cards, filters
from unimma.ui.filters import Choices
from unimma.ui.history import History
from unimma.ui.queries import found, prepared
from unimma.ui.visit import Visit

NUM_SUGGESTIONS = 3
_TIMES_FOR_COLUMNS = 8  # so much longer a list fills every column; it is cut to the number of hits afterwards


@dataclass(frozen=True)
class Answer:
    """What changes on the page: the history with what is known of the query by now, and two places."""

    history: History
    results: Markup
    bar: Markup


def answer(visit: Visit, history: History, choices: Choices, tab: str) -> Answer:
    """Search with the current query of `history`.

    Raises:
        UnimmaError: there is nothing to search with; the message says why.
    """
    query = history.current
    if query is None or (query.kind == "text" and not query.value.strip()):
        raise MediaError("Nothing to search for", "a sentence or a few words", "Type what you are looking for.")
    query, content = prepared(visit, query)
    history = history.learnt(query)
    hits: list[Hit] = []
    if choices.kinds:
        k = min(_TIMES_FOR_COLUMNS * choices.num_hits, MAX_K) if choices.columns else choices.num_hits
        hits = found(visit, query, content, k, list(choices.kinds), choices.where)
    if choices.columns:
        hits = _cut(hits, choices)
    likely, weaker = _parted(hits)
    strip = answers.strip(history, answers.found(likely, weaker) if hits else "", lambda item_id: _item(visit, item_id))
    if not hits:
        shown = _nothing(visit, choices)
    elif not likely:
        counts, sentences = visit.counts(), visit.sentences(NUM_SUGGESTIONS)
        shown = answers.nothing_likely(counts, sentences)
        shown += answers.fold(weaker, columns=choices.columns, may_delete=visit.may_change)
    else:
        shown = answers.results(likely, weaker, columns=choices.columns, may_delete=visit.may_change)
    return Answer(history, strip + shown, bar(visit, choices, tab))


def bar(visit: Visit, choices: Choices, tab: str) -> Markup:
    """The filters of a tab, with counts of what is there now."""
    return filters.bar(tab, choices, visit.facets(choices.where))


def empty(visit: Visit) -> Markup:
    """What is said before anything was asked, where there is nothing to show."""
    return _nothing(visit, Choices())


def _parted(hits: list[Hit]) -> tuple[list[Hit], list[Hit]]:
    """Those above the line and those below, numbered as they are read."""
    ordered = [hit for hit in hits if hit.likely] + [hit for hit in hits if not hit.likely]
    numbered = [replace(hit, rank=rank) for rank, hit in enumerate(ordered, start=1)]
    return [hit for hit in numbered if hit.likely], [hit for hit in numbered if not hit.likely]


def _cut(hits: list[Hit], choices: Choices) -> list[Hit]:
    """The same share of the hits for each column."""
    each = -(-choices.num_hits // max(len(choices.kinds), 1))
    columns = ([hit for hit in hits if hit.item.modality == kind][:each] for kind in Modality)
    return list(chain.from_iterable(columns))


def _nothing(visit: Visit, choices: Choices) -> Markup:
    if not choices.kinds:
        return cards.nothing("No kind of hit is chosen. Tick at least one above.", [])
    if not sum(visit.counts().values()):
        return cards.nothing("The gallery is empty. Add files of your own on the Library tab.", [])
    there = f"In the gallery: {answers.told(visit.counts())}."
    message = "Nothing in the gallery passes the filters above."
    return cards.nothing(message, visit.sentences(NUM_SUGGESTIONS) if not choices.chosen else [], there=there)


def _item(visit: Visit, item_id: str) -> Item | None:
    try:
        return visit.find(item_id)
    except GalleryError:
        return None  # deleted since it was asked with
