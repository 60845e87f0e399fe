"""What a gallery can be narrowed by, and how many items each choice leaves: chips with counts."""

from collections import Counter
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
    choices = [("added", *each) for each in added_choices(now).items()]
    choices += [("length", *each) for each in _LENGTHS.items()]
    sums = [matching(None, filter_) for _, _, filter_ in choices]
    clause, parameters = matching(modality, where)
    query = (  # one pass, which the index items_by_fact answers alone
        f"SELECT modality, {', '.join(map(_text, _IN_METADATA))}, count(*), "
        f"{', '.join(f'total({condition})' for condition, _ in sums)} FROM items WHERE {clause} GROUP BY 1, 2, 3"
    )
    counts: dict[str, Counter[str]] = {key: Counter() for key in ("modality", *_IN_METADATA, "added", "length")}
    for row in store.rows(query, [*(value for _, values in sums for value in values), *parameters]):
        *named, number = row[: len(_IN_METADATA) + 2]
        for key, value in zip(("modality", *_IN_METADATA), named, strict=True):
            if value is not None:
                counts[key][value] += number
        for (key, name, _), total in zip(choices, row[len(named) + 1 :], strict=True):
            counts[key][name] += int(total)
    return {key: _falling(counter) for key, counter in counts.items()}


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


def _text(key: str) -> str:
    """SQL for a fact that is text; of another kind it is no choice."""
    path = f"'$.{key}'"
    return f"CASE json_type(metadata, {path}) WHEN 'text' THEN json_extract(metadata, {path}) END"


def _falling(counts: Counter[str]) -> dict[str, int]:
    return {name: number for name, number in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])) if number}
