"""The line above the hits: kinds to find, chips with counts that narrow the gallery, list or columns, how many hits.

The page sends all of it with each query (`page.choices` in the script), so that nothing is remembered on the server.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from unimma.types import Modality
from unimma.ui.cards import PLURALS
from unimma.ui.icons import icon

if TYPE_CHECKING:
    from unimma.gallery.where import Where

MIN_HITS, MAX_HITS, HITS, HITS_STEP = 4, 48, 12, 4
FACETS = {"source": "Source", "added": "Added", "length": "Length", "label": "Label"}
SHOWN_VALUES = 8  # of one facet; the rest is folded
MAX_VALUES = 60  # of one facet at all: who looks for a rarer label will rather ask for it
_ORDERED = {  # these read better in an order of their own than by number
    "added": ("today", "this week", "this month", "earlier"),
    "length": ("under 10 s", "10 to 60 s", "over a minute"),
}
_SOURCES = {"starter": "starter gallery", "upload": "uploads"}
Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Choices:
    """What a visitor has chosen beside the query.

    Attributes:
        kinds: modalities to find.
        chosen: at most one value of each of `FACETS`.
        num_hits: how many.
        columns: one column a modality, in place of one list.
    """

    kinds: tuple[Modality, ...] = tuple(Modality)
    chosen: Mapping[str, str] = field(default_factory=dict)
    num_hits: int = HITS
    columns: bool = False

    @classmethod
    def of(cls, sent: object) -> "Choices":
        """What the page has sent, as JSON or decoded; whatever is not as it should be is as if it were not there."""
        told = _decoded(sent)
        kinds, chosen, count = told.get("kinds"), told.get("chosen"), told.get("count")
        return cls(
            tuple(kind for kind in Modality if kind in kinds) if isinstance(kinds, list) else tuple(Modality),
            {key: str(chosen[key])[:200] for key in FACETS if key in chosen} if isinstance(chosen, dict) else {},
            min(max(count, MIN_HITS), MAX_HITS) if type(count) is int else HITS,
            told.get("view") == "columns",
        )

    @property
    def where(self) -> "Where | None":
        """The filter of the gallery that the chosen values stand for."""
        from unimma.gallery.facets import choice

        where: dict[str, Any] = {}
        for facet, value in self.chosen.items():
            if facet in _ORDERED and value not in _ORDERED[facet]:
                continue
            where |= choice(facet, value)
        return where or None


def bar(tab: str, choices: Choices, counts: Counts) -> Markup:
    """The whole line.

    Args:
        tab: whose it is, for the ids.
        choices: what is chosen.
        counts: of what the chosen values leave (`Gallery.facets`).
    """
    of_kind = counts.get("modality", {})
    kinds = Markup("").join(_kind(kind, kind in choices.kinds, of_kind.get(kind, 0)) for kind in Modality)
    return Markup(
        '<div class="bar"><fieldset id="kinds-{tab}" class="chips"><legend class="unseen">Find</legend>'
        "{kinds}</fieldset>"
        "{narrow}"
        '<div class="chips shape"><fieldset id="view-{tab}" class="switch"><legend class="unseen">Show as</legend>'
        '{list}{columns}</fieldset><label id="count-{tab}" class="number">Hits <input type="number" name="count" '
        'min="{least}" max="{most}" step="{step}" value="{num_hits}"></label></div></div>'
    ).format(
        tab=tab,
        kinds=kinds,
        narrow=narrow(tab, choices, counts),
        list=_view(tab, "list", "One list", not choices.columns),
        columns=_view(tab, "columns", "Columns", choices.columns),
        least=MIN_HITS,
        most=MAX_HITS,
        step=HITS_STEP,
        num_hits=choices.num_hits,
    )


def narrow(tab: str, choices: Choices, counts: Counts) -> Markup:
    """The chosen values, each to be removed, and a menu of values for every other facet; arguments as for `bar`."""
    total = sum(counts.get("modality", {}).values())
    chips = Markup("").join(
        _chosen(facet, choices.chosen[facet])
        if facet in choices.chosen
        else _menu(tab, facet, {value: count for value, count in counts.get(facet, {}).items() if count < total})
        for facet in FACETS
    )
    return Markup('<div class="chips narrow" role="group" aria-label="Narrow down">{}</div>').format(chips)


def _decoded(sent: object) -> Mapping[str, Any]:
    if isinstance(sent, str):
        try:
            sent = json.loads(sent)
        except ValueError:
            return {}
    return sent if isinstance(sent, dict) else {}


def _kind(kind: Modality, is_on: bool, count: int) -> Markup:
    return Markup(
        '<label class="chip tick"><input type="checkbox" name="{}"{}>{}{} <span class="count">{:,}</span></label>'
    ).format(kind, Markup(" checked") if is_on else "", icon(kind), PLURALS[kind], count)


def _view(tab: str, value: str, name: str, is_on: bool) -> Markup:
    checked = Markup(" checked") if is_on else ""
    return Markup('<label><input type="radio" name="view-{}" value="{}"{}>{}{}</label>').format(
        tab, value, checked, icon(value), name
    )


def _chosen(facet: str, value: str) -> Markup:
    return Markup(
        '<button type="button" class="chip on" data-act="widen" data-facet="{0}" data-value="{1}" '
        'aria-label="{2}: {3}. Remove this filter">{2}: {3}{4}</button>'
    ).format(facet, value, FACETS[facet], _word(facet, value), icon("close"))


def _menu(tab: str, facet: str, counts: Mapping[str, int]) -> Markup:
    """A chip that opens the values of a facet that narrow anything; none where there are none."""
    values = [(value, counts[value]) for value in _ORDERED.get(facet, counts) if counts.get(value)][:MAX_VALUES]
    if not values:
        return Markup("")
    shown, rest = _values(facet, values[:SHOWN_VALUES]), values[SHOWN_VALUES:]
    more = Markup("<details><summary>{} more</summary>{}</details>").format(len(rest), _values(facet, rest))
    return Markup(
        '<details class="facet" name="facets-{}" data-facet="{}"><summary class="chip">{}{}</summary>'
        '<div class="menu" role="group" aria-label="{}">{}{}</div></details>'
    ).format(tab, facet, FACETS[facet], icon("down"), FACETS[facet], shown, more if rest else "")


def _values(facet: str, values: Sequence[tuple[str, int]]) -> Markup:
    button = Markup(
        '<button type="button" data-act="narrow" data-facet="{}" data-value="{}">{} '
        '<span class="count">{:,}</span></button>'
    )
    return Markup("").join(button.format(facet, value, _word(facet, value), count) for value, count in values)


def _word(facet: str, value: str) -> str:
    return _SOURCES.get(value, value) if facet == "source" else value
