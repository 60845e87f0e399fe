"""What a gallery can be narrowed by, and how many items each choice leaves: chips with counts."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from unimma.gallery.items import ItemStore, matching
from unimma.gallery.where import Where
from unimma.types import Modality

_IN_METADATA = ("source", "label")
_LENGTHS: dict[str, Where] = {
    "under 10 s": {"duration_s": {"lt": 10.0}},
    "10 to 60 s": {"duration_s": {"gte": 10.0, "lte": 60.0}},
    "over a minute": {"duration_s": {"gt": 60.0}},
}
Facets = dict[str, dict[str, int]]


def facets(store: ItemStore, where: Where | None, modality: Modality | None, now: datetime | None = None) -> Facets:
    """How many of the matching items each choice leaves, the most first; none of those that would leave nothing.

    Keys are "modality", "source", "label", "added" ("today", "this week", "this month", "earlier") and "length"
    ("under 10 s", "10 to 60 s", "over a minute"). The times of "added" are of UTC and lie in one another: what came
    today also came this week.
    """
    clause, parameters = matching(modality, where)
    kinds = f"SELECT modality, count(*) FROM items WHERE {clause} GROUP BY modality"
    found = {"modality": _falling(store.rows(kinds, parameters))}
    for key in _IN_METADATA:
        path = f"'$.{key}'"
        values = (
            f"SELECT json_extract(metadata, {path}) AS value, count(*) FROM items "
            f"WHERE {clause} AND json_type(metadata, {path}) = 'text' GROUP BY value"
        )
        found[key] = _falling(store.rows(values, parameters))
    for facet, choices in (("added", added_choices(now)), ("length", _LENGTHS)):
        counted = ((name, _count(store, clause, parameters, choice)) for name, choice in choices.items())
        found[facet] = _falling(counted)
    return found


def choice(facet: str, value: str, now: datetime | None = None) -> Where:
    """The filter that a choice of `facets` stands for: its count is the number of items that it lets through.

    Raises:
        KeyError: no such facet (of modality, which is no filter, either), or no such time or length.
    """
    if facet in _IN_METADATA:
        return {facet: value}
    return {"added": added_choices(now), "length": _LENGTHS}[facet][value]


def added_choices(now: datetime | None = None) -> dict[str, Where]:
    """Filters by when an item came in, seen from `now`; weeks begin on Monday."""
    today = (now or datetime.now(UTC)).astimezone(UTC)
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    since: dict[str, Where] = {
        name: {"added": {"gte": day.strftime("%Y-%m-%d")}}
        for name, day in (("today", today), ("this week", monday), ("this month", first))
    }
    return since | {"earlier": {"added": {"lt": first.strftime("%Y-%m-%d")}}}


def _count(store: ItemStore, clause: str, parameters: Iterable[object], choice: Where) -> int:
    more, values = matching(None, choice)
    return int(store.rows(f"SELECT count(*) FROM items WHERE {clause} AND {more}", [*parameters, *values])[0][0])


def _falling(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    return {name: number for name, number in sorted(counts, key=lambda pair: (-pair[1], pair[0])) if number}
