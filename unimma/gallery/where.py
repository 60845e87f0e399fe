"""Filters on metadata: checked here, turned into SQL with every key and value as a parameter.

    {"source": "starter"}                          equal
    {"label": ["campfire", "thunderstorm"]}        any of these
    {"year": {"gte": 1990, "lt": 2000}}            between: gt, gte, lt, lte; text compares by its letters
    {"added": {"gte": "2026-11-01"}}               when an item came in (UTC); a day, month or year counts as a whole
    {"duration_s": {"lte": 10}}                    length of a sound or clip, seconds

Several keys have to hold together. An item that lacks a key does not match. "added" and "duration_s" are always those
of the item, whatever its metadata say.
"""

import math
from collections.abc import Collection, Mapping
from typing import TypeGuard

from unimma.errors import ConfigError
from unimma.types import Metadata, MetadataValue

Where = Mapping[str, MetadataValue | Collection[MetadataValue] | Mapping[str, MetadataValue]]

_BOUNDS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_COLUMNS = {"added": "text", "duration_s": "real"}  # of table items; every other key is one of the metadata
_END = "~"  # sorts behind every character of a time
_MOST_FACTS, _MOST_CHARS = 100, 20_000
_KINDS = "text, a finite number, true or false"
_TODO = 'Examples: {"label": "campfire"}, {"label": ["campfire", "rain"]}, {"year": {"gte": 1990, "lte": 1999}}.'


def checked_metadata(metadata: Metadata) -> dict[str, MetadataValue]:
    """A copy of `metadata`, flat and of simple values only.

    Raises:
        ConfigError: a key that is not text, a value that is not text, a finite number, true or false; or too much.
    """
    if not isinstance(metadata, Mapping):
        raise ConfigError(f"metadata {metadata!r:.100}", "names with values", "Keep it flat, one value a name.")
    if len(metadata) > _MOST_FACTS or sum(len(f"{key}{value}") for key, value in metadata.items()) > _MOST_CHARS:
        most = f"at most {_MOST_FACTS} facts and {_MOST_CHARS:,} characters"
        raise ConfigError("metadata that are too long", most, "Keep them short; a text can be an item of its own.")
    for key, value in metadata.items():
        if not isinstance(key, str) or not key or not _is_simple(key) or not _is_simple(value):
            raise ConfigError(f"metadata {key!r}: {value!r}", f"a name and {_KINDS}", "Keep it flat, one value a name.")
    return dict(metadata)


def to_sql(where: Where | None) -> tuple[str, list[MetadataValue]]:
    """A condition on table `items` and its parameters; always true for None.

    Raises:
        ConfigError: a filter that is none of the three forms.
    """
    if where is None:
        return "1", []
    if not isinstance(where, Mapping):
        raise ConfigError(f"a filter {where!r}", "names with conditions", _TODO)
    clauses: list[str] = []
    parameters: list[MetadataValue] = []
    for key, condition in where.items():
        if not isinstance(key, str) or not _is_simple(key):
            raise ConfigError(f"a filter on {key!r}", "a name", _TODO)
        clause, values = _condition(key, _whole_days(condition) if key == "added" else condition)
        if key in _COLUMNS:
            clause = clause.replace("fact.value", f"items.{key}").replace("fact.type", f"'{_COLUMNS[key]}'")
            clauses.append(clause)
        else:
            clauses.append(f"EXISTS (SELECT 1 FROM json_each(items.metadata) AS fact WHERE fact.key = ? AND {clause})")
            parameters.append(key)
        parameters += values
    return " AND ".join(clauses) or "1", parameters


def _condition(key: str, condition: object) -> tuple[str, list[MetadataValue]]:
    if _is_simple(condition):
        return "fact.value = ?", [condition]
    if isinstance(condition, Mapping):
        return _between(key, condition)
    values = list(condition) if isinstance(condition, list | tuple | set | frozenset) else []
    if values and all(_is_simple(value) for value in values):
        return f"fact.value IN ({', '.join('?' * len(values))})", values
    raise ConfigError(f"a filter {key!r}: {condition!r}", f"{_KINDS}, a list of these, or bounds", _TODO)


def _between(key: str, bounds: Mapping[str, object]) -> tuple[str, list[MetadataValue]]:
    if not bounds or not set(bounds) <= set(_BOUNDS):
        raise ConfigError(f"a filter {key!r}: {sorted(map(str, bounds))}", "some of gt, gte, lt, lte", _TODO)
    clauses: list[str] = []
    values: list[MetadataValue] = []
    for name, bound in bounds.items():
        if not _is_simple(bound):
            raise ConfigError(f"a filter {key!r}: {name} {bound!r}", _KINDS, _TODO)
        kind = "fact.type = 'text'" if isinstance(bound, str) else "fact.type <> 'text'"  # else 1990 < any text
        clauses.append(f"{kind} AND fact.value {_BOUNDS[name]} ?")
        values.append(bound)
    return " AND ".join(clauses), values


def _whole_days(condition: object) -> object:
    """A time that is not written out is all that begins with it: 2026-11-01 ends with the last second of that day."""
    if isinstance(condition, str):
        return {"gte": condition, "lte": condition + _END}
    if isinstance(condition, Mapping):
        late = ("gt", "lte")
        return {key: v + _END if key in late and isinstance(v, str) else v for key, v in condition.items()}
    return condition


def _is_simple(value: object) -> TypeGuard[MetadataValue]:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63  # what SQLite can hold
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)  # nor halves of characters
