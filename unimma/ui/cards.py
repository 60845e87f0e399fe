"""Items and hits as HTML: pure functions from what was found to what the page shows.

Every value goes through `Markup.format`, which escapes it: titles, sentences and ids are data of strangers.
Links are relative, so that the page works below any path of a proxy.
"""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from unimma.types import Hit, Item, Modality
from unimma.ui.icons import icon

NAMES = {Modality.TEXT: "Text", Modality.IMAGE: "Picture", Modality.AUDIO: "Sound", Modality.VIDEO: "Clip"}
PLURALS = {Modality.TEXT: "Texts", Modality.IMAGE: "Pictures", Modality.AUDIO: "Sounds", Modality.VIDEO: "Clips"}
MAX_SHOWN_CHARS = 4_000  # of one text, in the zoom; a card shows the first lines of it

# A score is the share of the gallery's items of that modality that a hit stands out from (see `unimma.types.Hit`), so
# the words stand for about 3, 2 and 1 standard deviations above an ordinary item.
_WORDS = ((0.9985, 4, "Very close"), (0.977, 3, "Close"), (0.84, 2, "Related"), (0.0, 1, "Faint"))


def score_word(score: float) -> tuple[int, str]:
    """How strong a score in [0, 1] is: 1 to 4, and the word for it."""
    return next((level, word) for least, level, word in _WORDS if score >= least or least == 0.0)


def percent(score: float) -> str:
    """A score as a percentage that never claims a full hundred: 0.87 → "87%", 0.9996 → "99.9%"."""
    return f"{min(score * 100, 99.9):.1f}%" if score >= 0.99 else f"{score:.0%}"


def thumb_url(item: Item) -> str:
    """Where the page finds an item's preview picture, relative to the page; `uri` is that of its media."""
    return f"{item.uri}/thumb"


def card(hit: Hit, *, can_delete: bool = False) -> Markup:
    """One hit: its media in place, its title, how close it is, what is like it, and what can be done with it."""
    item = hit.item
    level, word = score_word(hit.score)
    return Markup(
        '<article class="card card-{kind}" data-id="{id}" aria-label="{rank}. {name}: {title}">'
        '{media}{alike}<div class="facts">{heading}'
        '<p class="line"><span class="score" tabindex="0">'
        '<span class="meter level-{level}" aria-hidden="true"><i></i><i></i><i></i><i></i></span>{word}'
        '<span class="percent">{percent}</span><span class="tip" role="tooltip">{meaning}</span></span>{moment}</p>'
        "{exact}{acts}</div></article>"
    ).format(
        kind=item.modality,
        id=item.id,
        rank=hit.rank,
        name=NAMES[item.modality],
        title=item.title,
        media=_media(item, rank=hit.rank, start_s=hit.span.start if hit.span else None),
        alike=_alike(hit),
        heading=_heading(item),
        level=level,
        word=word,
        percent=percent(hit.score),
        meaning=_meaning(hit),
        moment=_moment(hit),
        exact=Markup('<p class="exact">{} holds your words</p>').format(icon("quote")) if hit.exact else "",
        acts=_acts(item, can_delete=can_delete),
    )


def tile(item: Item) -> Markup:
    """One item outside of any search: a card without a score."""
    return Markup(
        '<article class="card card-{kind}" data-id="{id}" aria-label="{name}: {title}">{media}'
        '<div class="facts">{heading}<div class="acts">{similar}</div></div></article>'
    ).format(
        kind=item.modality,
        id=item.id,
        name=NAMES[item.modality],
        title=item.title,
        media=_media(item),
        heading=_heading(item),
        similar=_similar(item),
    )


def nothing(message: str, suggestions: Sequence[str], *, there: str = "") -> Markup:
    """An answer without hits: why, what there is, and sentences that do have an answer."""
    chips = _joined(sentence_chip(text) for text in suggestions)
    offer = Markup('<p>These find something:</p><div class="chips">{}</div>').format(chips) if suggestions else ""
    return Markup('<div class="nothing">{}<p class="lead">{}</p>{}{}</div>').format(
        icon("search"), message, Markup("<p>{}</p>").format(there) if there else "", offer
    )


def progress_bar(done: int, total: int) -> Markup:
    """A native progress bar; one without an end where nothing can be counted."""
    if not total:
        return Markup('<progress aria-label="Loading"></progress>')
    return Markup('<progress aria-label="Loading" value="{}" max="{}"></progress>').format(done, total)


def sentence_chip(text: str, before: Markup | None = None) -> Markup:
    """A sentence that searches for itself on one click, behind an icon if need be."""
    return Markup('<button type="button" class="chip" data-act="ask" data-text="{}">{}<span>{}</span></button>').format(
        text, before or "", text
    )


def hint(message: str) -> Markup:
    """What an empty place for hits says."""
    return Markup('<div class="nothing quiet-hint"><p>{}</p></div>').format(message)


def _heading(item: Item) -> Markup:
    """The title; that of a text which begins with it is for screen readers alone, since the words are there to read."""
    is_double = (item.text or "").startswith(item.title.rstrip("…"))
    return Markup('<h3 title="{0}"{1}>{0}</h3>').format(item.title, Markup(' class="unseen"') if is_double else "")


def _media(item: Item, *, rank: int | None = None, start_s: float | None = None) -> Markup:
    """The picture, player or words of an item, in a frame whose shape never changes."""
    place = Markup('<span class="rank">{}</span>').format(rank) if rank else ""
    label = Markup('<span class="kind">{}{} {}</span>').format(place, icon(item.modality), NAMES[item.modality])
    start = f"#t={start_s:.2f}" if start_s is not None else ""
    match item.modality:
        case Modality.TEXT:
            words = (item.text or item.title)[:MAX_SHOWN_CHARS]
            body = Markup(
                '<button type="button" class="zoom words" data-zoom="text" aria-label="Read: {}"><q>{}</q></button>'
            ).format(item.title, words)
        case Modality.IMAGE:
            body = Markup(
                '<button type="button" class="zoom" data-zoom="image" data-src="{}" aria-label="Zoom: {}">'
                '<img src="{}" alt="{}" loading="lazy"></button>'
            ).format(item.uri, item.title, item.uri, item.title)
        case Modality.AUDIO:
            body = Markup(
                '<img class="wave" src="{}" alt="" loading="lazy">'
                '<audio controls preload="metadata" src="{}" aria-label="{}"></audio>'
            ).format(thumb_url(item), item.uri + start, item.title)
        case Modality.VIDEO:
            body = Markup(
                '<video controls playsinline preload="metadata" poster="{}" src="{}" aria-label="{}"></video>'
            ).format(thumb_url(item), item.uri + start, item.title)
    return Markup('<div class="media">{}{}</div>').format(body, label)


def _acts(item: Item, *, can_delete: bool) -> Markup:
    """What can be done with a hit: search with it, keep it, delete it."""
    keep = Markup('<a class="act" href="{}/download" download aria-label="Download {}" title="Download">{}</a>')
    delete = Markup(
        '<button type="button" class="act" data-act="remove" data-id="{}" aria-label="Delete {}" title="Delete">'
        "{}</button>"
    )
    return Markup('<div class="acts">{}{}{}</div>').format(
        _similar(item),
        keep.format(item.uri, item.title, icon("download")),
        delete.format(item.id, item.title, icon("delete")) if can_delete else "",
    )


def _similar(item: Item) -> Markup:
    return Markup(
        '<button type="button" class="similar" data-act="similar" data-id="{}" aria-label="Search with {}">'
        "{} Search with this</button>"
    ).format(item.id, item.title, icon("search"))


def _alike(hit: Hit) -> Markup:
    """The near-duplicates that are stacked below a hit: how many with it, and each of them unfolded."""
    if not hit.alike:
        return Markup("")
    row = Markup(
        '<button type="button" data-act="similar" data-id="{}" aria-label="Search with {}">{}<span>{}</span></button>'
    )
    rows = _joined(
        row.format(
            item.id,
            item.title,
            Markup('<img src="{}" alt="" loading="lazy">').format(thumb_url(item))
            if item.thumbnail
            else icon(item.modality),
            item.title,
        )
        for item in hit.alike
    )
    return Markup(
        '<details class="alike"><summary aria-label="{} near-duplicates of {}">×{}</summary><div>{}</div></details>'
    ).format(len(hit.alike), hit.item.title, len(hit.alike) + 1, rows)


def _meaning(hit: Hit) -> str:
    """What a score means, in words."""
    others = PLURALS[hit.item.modality].lower()
    return (
        f"Stands out from about {percent(hit.score)} of the {others} here for this query. "
        f"Cosine similarity {hit.similarity:.2f}."
    )


def _moment(hit: Hit) -> Markup:
    """Where in a sound or clip the match lies."""
    if hit.span is None or hit.item.modality in (Modality.TEXT, Modality.IMAGE):
        return Markup("")
    minutes, seconds = divmod(int(hit.span.start), 60)
    return Markup('<span class="moment">from {}:{:02d}</span>').format(minutes, seconds)


def listed(words: Sequence[str]) -> str:
    """Words as a list that can be read out: "a, b and c"."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)
