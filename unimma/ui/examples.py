"""What the page offers before anything was asked, as HTML: examples that search on one click, and a first look."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from unimma.types import Item, Modality
from unimma.ui import cards
from unimma.ui.icons import icon

_OFFER = "Or start with one of these"


def sentence_chips(texts: Iterable[str]) -> Markup:
    """Sentences, for the text tab."""
    return _row(cards.sentence_chip(text) for text in texts)


def of_every_kind(sentences: Sequence[str], items: Sequence[Item]) -> Markup:
    """Sentences and small previews of items, in one row."""
    button = Markup(
        '<button type="button" class="chip small-example" data-act="similar" data-id="{}" aria-label="{}: {}">'
        '<img src="{}" alt="">{}<span>{}</span></button>'
    )
    shown = [
        button.format(
            item.id, cards.NAMES[item.modality], item.title, cards.thumb_url(item), icon(item.modality), item.title
        )
        for item in items
    ]
    words = [cards.sentence_chip(text, icon(Modality.TEXT)) for text in sentences]
    return _row([*words[:1], *shown, *words[1:]])


def previews(items: Sequence[Item]) -> Markup:
    """Previews of items of one modality, for its tab."""
    button = Markup(
        '<button type="button" class="example example-{}" data-act="similar" data-id="{}">'
        '<img src="{}" alt="" loading="lazy"><span>{}</span></button>'
    )
    return _grid(button.format(item.modality, item.id, cards.thumb_url(item), item.title) for item in items)


def row_skeleton(count: int) -> Markup:
    """The space that a row will take, while the gallery is still being opened."""
    return Markup('<div aria-hidden="true">{}</div>').format(_row([Markup('<span class="chip ghost"></span>')] * count))


def grid_skeleton(count: int) -> Markup:
    """The space that previews will take, while the gallery is still being opened."""
    ghosts = [Markup('<span class="example ghost"></span>')] * count
    return Markup('<div aria-hidden="true">{}</div>').format(_grid(ghosts))


def mosaic(items: Sequence[Item], *, title: str) -> Markup:
    """A first look into the gallery."""
    tiles = Markup("").join(cards.tile(item) for item in items)
    return Markup('<div class="strip"><h2 tabindex="-1">{}</h2></div><div class="grid">{}</div>').format(title, tiles)


def mixed(columns: Sequence[Sequence[Item]], each: int) -> list[Item]:
    """`each` items of every column, by turns; of other titles than those before, as far as there are."""
    left, taken = [list(column) for column in columns], list[Item]()
    for _ in range(each):
        for column in filter(None, left):
            titles = {item.title for item in taken}
            chosen = next((item for item in column if item.title not in titles), column[0])
            column.remove(chosen)
            taken.append(chosen)
    return taken


def _row(parts: Iterable[Markup]) -> Markup:
    return Markup('<div class="chips"><span class="chips-label">Try</span>{}</div>').format(Markup("").join(parts))


def _grid(parts: Iterable[Markup]) -> Markup:
    return Markup('<p class="label">{}</p><div class="examples">{}</div>').format(_OFFER, Markup("").join(parts))
