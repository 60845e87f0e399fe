"""Filters on metadata: checked here, turned into SQL with every key and value as a parameter.

    {"source": "starter"}                          equal
    {"scene": ["campfire", "thunderstorm"]}        any of these
    {"year": {"gte": 1990, "lte": 1999}}           between, either end may be left out; text compares by its letters

Several keys have to hold together. An item that lacks a key does not match.
"""

import math
from collections.abc import Collection, Mapping
from typing import TypeGuard

from unimma.errors import ConfigError
from unimma.types import Metadata, MetadataValue

Where = Mapping[str, MetadataValue | Collection[MetadataValue] | Mapping[str, MetadataValue]]

_BOUNDS = {"gte": ">=", "lte": "<="}
_KINDS = "text, a finite number, true or false"
_TODO = 'Examples: {"scene": "campfire"}, {"scene": ["campfire", "rain"]}, {"year": {"gte": 1990, "lte": 1999}}.'


def checked_metadata(metadata: Metadata) -> dict[str, MetadataValue]:
    """A copy of `metadata`, flat and of simple values only.

    Raises:
        ConfigError: a key that is not text, or a value that is not text, a finite number, true or false.
    """
    for key, value in metadata.items():
        if not isinstance(key, str) or not key or not _is_simple(value):
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
        if not isinstance(key, str):
            raise ConfigError(f"a filter on {key!r}", "a name", _TODO)
        clause, values = _condition(key, condition)
        clauses.append(f"EXISTS (SELECT 1 FROM json_each(items.metadata) AS fact WHERE fact.key = ? AND {clause})")
        parameters += [key, *values]
    return " AND ".join(clauses) or "1", parameters


def _condition(key: str, condition: object) -> tuple[str, list[MetadataValue]]:
    if _is_simple(condition):
        return "fact.value = ?", [condition]
    if isinstance(condition, Mapping):
        return _between(key, condition)
    values = list(condition) if isinstance(condition, list | tuple | set | frozenset) else []
    if values and all(_is_simple(value) for value in values):
        return f"fact.value IN ({', '.join('?' * len(values))})", values
    raise ConfigError(f"a filter {key!r}: {condition!r}", f"{_KINDS}, a list of these, or gte and lte", _TODO)


def _between(key: str, bounds: Mapping[str, object]) -> tuple[str, list[MetadataValue]]:
    if not bounds or not set(bounds) <= set(_BOUNDS):
        raise ConfigError(f"a filter {key!r}: {sorted(map(str, bounds))}", "gte, lte or both", _TODO)
    clauses: list[str] = []
    values: list[MetadataValue] = []
    for name, bound in bounds.items():
        if not _is_simple(bound):
            raise ConfigError(f"a filter {key!r}: {name} {bound!r}", _KINDS, _TODO)
        kind = "fact.type = 'text'" if isinstance(bound, str) else "fact.type <> 'text'"  # else 1990 < any text
        clauses.append(f"{kind} AND fact.value {_BOUNDS[name]} ?")
        values.append(bound)
    return " AND ".join(clauses), values


def _is_simple(value: object) -> TypeGuard[MetadataValue]:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63  # what SQLite can hold
    return isinstance(value, str)
