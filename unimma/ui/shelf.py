"""The lower half of the library tab as HTML: what there is, by kind, sorted, narrowed down, a page at a time.

Pure functions from a visit and a `View`; the page sends what was pressed, `View.after` says what is looked at then.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup

from unimma.types import Item, Modality
from unimma.ui import cards, filters
from unimma.ui.icons import icon
from unimma.ui.visit import Library, Visit

PAGE_SIZE = 36
MAX_TITLE_CHARS, MAX_CAPTION_CHARS = 200, 2_000
MAX_WORDS_CHARS = 200
ORDERS = {"added": "Date added", "title": "Title", "length": "Length", "size": "Size"}
_SOURCES = {"starter": "from the starter gallery", "upload": "uploaded"}
_BATCH = 500  # items read at once, where all of them are asked for
_FIRST_DOWN = ("added", "length", "size")  # the newest, longest, largest first; titles from A


@dataclass(frozen=True)
class View:
    """What of the library is looked at, and how.

    Attributes:
        kind: one modality, or None for all.
        chosen: at most one value of each of `filters.FACETS`.
        words: all of which title, caption or text has to hold.
        order: one of `ORDERS`; descending: whether from the other end.
        offset: of the first item shown.
    """

    kind: Modality | None = None
    chosen: Mapping[str, str] = field(default_factory=dict)
    words: str = ""
    order: str = "added"
    descending: bool = True
    offset: int = 0

    @property
    def choices(self) -> filters.Choices:
        """The chosen values, as a search has them."""
        return filters.Choices(chosen=self.chosen)

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.kind or self.chosen or self.words)

    def after(self, sent: Mapping[str, Any]) -> "View":
        """The view after a button was pressed or a field was changed; what makes no sense changes nothing."""
        value = str(sent.get("value", ""))
        match sent.get("set"):
            case "kind" if value in ("", *Modality):
                return replace(self, kind=Modality(value) if value else None, offset=0)
            case "order" if value in ORDERS:
                return replace(self, order=value, descending=value in _FIRST_DOWN, offset=0)
            case "direction":
                return replace(self, descending=not self.descending, offset=0)
            case "words":
                return replace(self, words=value.strip()[:MAX_WORDS_CHARS], offset=0)
            case "offset" if value.isascii() and value.isdigit():
                return replace(self, offset=int(value[:9]))
            case "all":
                return replace(self, kind=None, chosen={}, words="", offset=0)
            case _:
                return self

    def narrowed(self, facet: str, value: str) -> "View":
        """The view with this value of a facet chosen; with "" none of it."""
        rest = {key: chosen for key, chosen in self.chosen.items() if key != facet}
        chosen = filters.Choices.of({"chosen": rest | {facet: value} if value else rest}).chosen
        return replace(self, chosen=chosen, offset=0)


def shelf(visit: Visit, view: View) -> Markup:
    """The whole lower half: how much there is, the bar, the items of one page, the way to other pages."""
    where = view.choices.where
    counts = visit.counts(where)
    if view.words:
        ids = _sorted_ids(visit, view)
        total, items = len(ids), _in_order(visit, ids[view.offset : view.offset + PAGE_SIZE])
    else:
        total = counts[view.kind] if view.kind else sum(counts.values())
        items = visit.shelf(
            view.kind, view.offset, PAGE_SIZE, where=where, order=view.order, descending=view.descending
        )
    if not items and view.offset:
        return shelf(visit, replace(view, offset=0))  # the last page was deleted
    changeable = {item.id for item in items if visit.may_change(item.id)}
    return Markup('<div class="shelf">{}{}{}{}</div>').format(
        _head(visit, view, total, counts),
        _bar(visit, view, counts),
        _grid(visit, view, items, changeable),
        _pager(view.offset, total),
    )


def skeleton() -> Markup:
    """The space that the items will take, while the gallery is still being opened."""
    return Markup('<div class="shelf" aria-hidden="true"><div class="tiles">{}</div></div>').format(
        Markup('<span class="tile ghost"></span>') * 12
    )


def all_items(visit: Visit, view: View) -> Iterator[Item]:
    """Everything that the view shows, on all of its pages."""
    if view.words:
        ids = _sorted_ids(visit, view)
        for start in range(0, len(ids), _BATCH):
            yield from _in_order(visit, ids[start : start + _BATCH])
        return
    where, start = view.choices.where, 0
    while page := visit.shelf(view.kind, start, _BATCH, where=where, order=view.order, descending=view.descending):
        yield from page
        start += len(page)


def size(num_bytes: int) -> str:
    """Bytes for people, in powers of ten: "640 bytes", "12 kB", "6.9 MB"."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if num_bytes >= unit:
            in_units = num_bytes / unit
            return f"{in_units:.1f} {name}" if in_units < 10 else f"{in_units:,.0f} {name}"
    return f"{num_bytes} bytes"


def length(duration_s: float) -> str:
    """Minutes and seconds: "0:07", "61:30"."""
    minutes, seconds = divmod(round(duration_s), 60)
    return f"{minutes}:{seconds:02d}"


def tile(item: Item, *, can_change: bool, is_own: bool) -> Markup:
    """One item: a button that opens it, with its preview; a box to tick where it may be deleted."""
    return Markup(
        '<article class="tile tile-{kind}" data-item="{data}"><button type="button" class="open" data-open '
        'aria-label="Open {name}: {title}">{preview}<span class="kind">{icon}</span></button>{pick}'
        '<div class="under"><h3 title="{title}">{title}</h3><p>{facts}{own}</p></div></article>'
    ).format(
        kind=item.modality,
        data=json.dumps(_told(item, can_change=can_change)),
        name=cards.NAMES[item.modality].lower(),
        title=item.title,
        preview=_preview(item),
        icon=icon(item.modality),
        pick=_pick(item) if can_change else "",
        facts=_facts(item),
        own=Markup('<span class="own">Yours</span>') if is_own else "",
    )


def _head(visit: Visit, view: View, total: int, counts: Mapping[Modality, int]) -> Markup:
    everything = sum((visit.counts() if view.is_narrowed else counts).values())
    there = _items(everything) + (f", {size(visit.num_bytes())}" if everything else "")
    said = f"{total:,} of {there}" if view.is_narrowed else there
    return Markup('<div class="shelf-head"><h2 tabindex="-1">{}</h2><p>{}</p></div>').format(said, _own_share(visit))


def _own_share(visit: Visit) -> str:
    """What of it is the visitor's own, and how much may be, where that is something to say."""
    if visit.library is not Library.PRIVATE:
        return ""
    num_items, num_bytes = visit.used()
    used = f"Yours: {_items(num_items)}, {size(num_bytes)}"
    if visit.quotas is None:
        return f"{used}."
    return f"{used}, of up to {visit.quotas.max_visitor_items:,} and {size(visit.quotas.max_visitor_bytes)}."


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count:,} items"


def _bar(visit: Visit, view: View, counts: Mapping[Modality, int]) -> Markup:
    """Kinds, facets, words and order. The field for words has no value of ours: what is typed there stays."""
    kinds = [_kind("", "All", sum(counts.values()), is_on=view.kind is None)]
    kinds += [_kind(kind, cards.PLURALS[kind], counts[kind], is_on=kind == view.kind) for kind in Modality]
    orders = Markup("").join(
        Markup('<option value="{}"{}>{}</option>').format(
            name, Markup(" selected") if name == view.order else "", label
        )
        for name, label in ORDERS.items()
    )
    return Markup(
        '<div class="shelf-bar"><div class="chips" role="group" aria-label="Show">{kinds}</div>'
        '{narrow}<div class="shelf-find"><label class="by-words">'
        '<span class="unseen">Words in title, caption or text</span>{icon}'
        '<input type="search" data-words placeholder="Words in titles" maxlength="{most}"></label>'
        '<label class="sort"><span>Sort by</span><select data-order>{orders}</select>{down}</label>'
        '<button type="button" class="quiet" data-act="browse" data-set="direction" aria-label="{direction}">'
        '<span aria-hidden="true">{arrow}</span></button></div></div>'
    ).format(
        kinds=Markup("").join(kinds),
        narrow=filters.narrow("library", view.choices, visit.facets(view.choices.where, view.kind)),
        icon=icon("search"),
        most=MAX_WORDS_CHARS,
        orders=orders,
        down=icon("down"),
        direction="Falling; turn round" if view.descending else "Rising; turn round",
        arrow="↓" if view.descending else "↑",
    )


def _kind(value: str, name: str, count: int, *, is_on: bool) -> Markup:
    return Markup(
        '<button type="button" class="chip" data-act="browse" data-set="kind" data-value="{}" aria-pressed="{}">'
        '{} <span class="count">{:,}</span></button>'
    ).format(value, "true" if is_on else "false", name, count)


def _grid(visit: Visit, view: View, items: list[Item], changeable: set[str]) -> Markup:
    if not items:
        return Markup('<div class="shelf-acts"></div>{}').format(_nothing(view))
    is_private = visit.library is Library.PRIVATE
    tiles = [tile(i, can_change=i.id in changeable, is_own=is_private and i.id in changeable) for i in items]
    return Markup('{}<div class="tiles">{}</div>').format(_acts(bool(changeable)), Markup("").join(tiles))


def _acts(can_delete: bool) -> Markup:
    """What can be done with the items of the page, and lists of them all."""
    select = Markup(
        '<label class="all"><input type="checkbox" data-all> Select all on this page</label>'
        '<button type="button" class="danger" data-act="remove" disabled>Delete selected</button>'
    )
    return Markup(
        '<div class="shelf-acts">{}<span class="keep">List of these as '
        '<button type="button" class="link" data-act="keep" data-form="csv" aria-label="Download the list as CSV">CSV'
        '</button><button type="button" class="link" data-act="keep" data-form="json" '
        'aria-label="Download the list as JSON">JSON</button></span></div>'
    ).format(select if can_delete else "")


def _nothing(view: View) -> Markup:
    if not view.is_narrowed:
        return cards.hint("Nothing here yet. What you add appears here.")
    return Markup(
        '<div class="nothing"><p>Nothing here is all of that.</p>'
        '<button type="button" class="quiet" data-act="browse" data-set="all">Show everything</button></div>'
    )


def _preview(item: Item) -> Markup:
    if item.modality is Modality.TEXT:
        return Markup("<q>{}</q>").format((item.text or item.title)[:240])
    return Markup('<img src="{}" alt="" loading="lazy">').format(cards.thumb_url(item))


def _pick(item: Item) -> Markup:
    return Markup(
        '<label class="pick"><input type="checkbox" data-pick="{}"><span class="unseen">Select {}</span></label>'
    ).format(item.id, item.title)


def _facts(item: Item) -> str:
    known = [length(item.duration_s)] if item.duration_s is not None else []
    return " · ".join([*known, size(item.num_bytes)])


def _told(item: Item, *, can_change: bool) -> dict[str, object]:
    """What the page needs to open an item. It is data in an attribute, and shown as text."""
    source = str(item.metadata.get("source", ""))
    return {
        "id": item.id,
        "kind": item.modality,
        "name": cards.NAMES[item.modality],
        "title": item.title,
        "caption": str(item.metadata.get("caption", "")),
        "label": str(item.metadata.get("label", "")),
        "source": _SOURCES.get(source, f"from {source}") if source else "",
        "text": item.text and item.text[: cards.MAX_SHOWN_CHARS],
        "uri": item.uri,
        "added": item.added,
        "facts": _facts(item),
        "canChange": can_change,
    }


def _pager(offset: int, total: int) -> Markup:
    if total <= PAGE_SIZE:
        return Markup("")
    button = Markup(
        '<button type="button" class="quiet" data-act="browse" data-set="offset" data-value="{}" {}>{}</button>'
    )
    before = button.format(max(offset - PAGE_SIZE, 0), Markup("disabled") if offset == 0 else "", "Previous")
    after = button.format(offset + PAGE_SIZE, Markup("disabled") if offset + PAGE_SIZE >= total else "", "Next")
    return Markup('<nav class="pager" aria-label="Pages">{}<span>{:,}–{:,} of {:,}</span>{}</nav>').format(
        before, offset + 1, min(offset + PAGE_SIZE, total), total, after
    )


def _sorted_ids(visit: Visit, view: View) -> list[str]:
    """The ids that hold the words, in the view's order; of what is read, only what they are sorted by is kept."""
    ids = visit.containing(view.words.split(), view.kind, view.choices.where)
    keyed = [
        (_key(item, view.order), start + place, item.id)
        for start in range(0, len(ids), _BATCH)
        for place, item in enumerate(_in_order(visit, ids[start : start + _BATCH]))
    ]
    known = sorted((entry for entry in keyed if entry[0] is not None), reverse=view.descending)
    return [item_id for *_, item_id in known] + [item_id for key, _, item_id in keyed if key is None]


def _key(item: Item, order: str) -> Any:
    """What an item is sorted by; None for one that comes last in either direction."""
    match order:
        case "title":
            return item.title.casefold()
        case "length":
            return item.duration_s
        case "size":
            return item.num_bytes
        case _:
            return item.added


def _in_order(visit: Visit, ids: list[str]) -> list[Item]:
    there = visit.found(ids)
    return [there[item_id] for item_id in ids if item_id in there]
