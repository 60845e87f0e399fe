"""What programs may ask of a visit, for endpoints and agents alike: checked arguments in, plain values for JSON out."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unimma.errors import ConfigError, MediaError
from unimma.types import Decoded, Hit, Item, Modality
from unimma.ui.engine import Engine
from unimma.ui.visit import Visit

if TYPE_CHECKING:
    from unimma.gallery.where import Where

MAX_K = 100
MAX_FILES = MAX_IDS = MAX_PAGE = 1_000
ORDERS = ("added", "title", "length", "size")
Answer = dict[str, Any]


def search_text(
    engine: Engine, visit: Visit, text: Any, k: Any = 10, modalities: Any = None, where: Any = None
) -> Answer:
    """Hits for a sentence; words in quotation marks have to be there."""
    return _hits(engine, visit, lambda: (str(text), {"modality": "text", "text": str(text)}), k, modalities, where)


def search_file(
    engine: Engine,
    visit: Visit,
    path: Path,
    modality: Modality | None = None,
    k: Any = 10,
    modalities: Any = None,
    where: Any = None,
) -> Answer:
    """Hits for an upload, taken as that modality; as what it is for None."""

    def asked() -> tuple[Decoded, Answer]:
        decoded = visit.decode(path, modality)
        return decoded, {"modality": decoded.modality.value, "file": path.name}

    return _hits(engine, visit, asked, k, modalities, where)


def similar(
    engine: Engine, visit: Visit, item_id: Any, k: Any = 10, modalities: Any = None, where: Any = None
) -> Answer:
    """Hits for an item of the library, without itself."""
    name = str(item_id)

    def asked() -> tuple[str | Decoded, Answer]:
        content = visit.content(name)
        return content, {"modality": visit.find(name).modality.value, "id": name}

    return _hits(engine, visit, asked, k, modalities, where, leave_out=name)


def add(visit: Visit, sources: Sequence[Path | str]) -> Answer:
    """Add files (a Path) and sentences (a str), and wait for the end: what came in, what was refused and why."""
    if not 0 < len(sources) <= MAX_FILES:
        expected = f"1 to {MAX_FILES} files and sentences"
        raise MediaError(f"{len(sources)} files and sentences", expected, "Add many in several calls.")
    if visit.job:
        visit.job.wait()  # one at a time
    job = visit.add(sources)
    job.wait()
    refused = [{"name": name, "reason": reason} for name, reason in job.refused]
    return {"added": job.added, "already_there": job.already_there, "refused": refused}


def listing(
    visit: Visit,
    modality: Any = None,
    where: Any = None,
    offset: Any = 0,
    limit: Any = 50,
    order: Any = "added",
    descending: Any = False,
    ids: Any = None,
) -> Answer:
    """One page of the library, and how many items there are in all; or the items with these ids, as far as they are."""
    if ids is not None:
        there = [visit.find(item_id) for item_id in visit.gallery.get_many(_ids(ids))]
        return {"count": len(there), "items": [item_as_json(item) for item in there]}
    chosen = None if modality is None else _modality(modality)
    start, most = _whole("offset", offset, 0, 10**9), _whole("limit", limit, 0, MAX_PAGE)
    if order not in ORDERS:
        raise ConfigError(f"order {_short(order)}", f"one of {', '.join(ORDERS)}", "Leave it out for added.")
    items = visit.shelf(chosen, start, most, where=where, order=order, descending=bool(descending))
    return {"count": visit.gallery.count(chosen, where), "items": [item_as_json(item) for item in items]}


def delete(visit: Visit, ids: Any) -> Answer:
    """Delete items for good: how many, and which of the ids are unknown."""
    wanted = _ids(ids)
    there = visit.gallery.get_many(wanted)
    deleted = visit.delete(list(there)) if there else 0
    return {"deleted": deleted, "unknown": [item_id for item_id in wanted if item_id not in there]}


def update(visit: Visit, item_id: Any, title: Any = None, caption: Any = None) -> Answer:
    """Give an item another title, another caption, or both; an empty caption takes it away."""
    item = visit.find(str(item_id))
    title = item.title if title is None else str(title)
    caption = item.metadata.get("caption", "") if caption is None else caption
    return item_as_json(visit.update(item.id, title=title, caption=str(caption)))


def count(visit: Visit, where: Any = None) -> Answer:
    """How many items there are, in all and of each modality."""
    counts = {modality.value: number for modality, number in visit.counts(where).items()}
    return {"count": sum(counts.values()), "modalities": counts}


def hit_as_json(hit: Hit) -> Answer:
    """One hit in the shape that the command line prints, its media as an address of this app."""
    return {
        "rank": hit.rank,
        "id": hit.item.id,
        "modality": hit.item.modality.value,
        "title": hit.item.title,
        "score": hit.score,
        "similarity": hit.similarity,
        "span": [hit.span.start, hit.span.end] if hit.span else None,
        "uri": f"/{hit.item.uri}",
        "alike": [item.id for item in hit.alike],
        "exact": hit.exact,
        "likely": hit.likely,
    }


def item_as_json(item: Item) -> Answer:
    """One item, its media as an address of this app."""
    return {
        "id": item.id,
        "modality": item.modality.value,
        "title": item.title,
        "span": [item.span.start, item.span.end] if item.span else None,
        "uri": f"/{item.uri}",
        "metadata": dict(item.metadata),
        "text": item.text,
        "added": item.added,
        "duration_s": item.duration_s,
        "num_bytes": item.num_bytes,
    }


def _hits(
    engine: Engine,
    visit: Visit,
    asked: Callable[[], tuple[str | Decoded, Answer]],
    k: Any,
    modalities: Any,
    where: "Where | None",
    leave_out: str = "",
) -> Answer:
    """Checks what is cheap to check before the query is decoded."""
    most, kinds = _whole("k", k, 1, MAX_K), _modalities(modalities)
    query, told = asked()
    hits = visit.search(query, most, kinds, where=where, leave_out=leave_out)
    head = {"model": engine.model.name, "fingerprint": engine.model.fingerprint, "query": told}
    return {**head, "hits": [hit_as_json(hit) for hit in hits]}


def _whole(name: str, value: Any, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:  # True is an int, too
        raise ConfigError(f"{name}={_short(value)}", f"a whole number from {least} to {most}", "Leave it out.")
    return value


def _modality(value: Any) -> Modality:
    if value not in set(Modality):
        raise ConfigError(f"modality {_short(value)}", f"one of {', '.join(Modality)}", "Leave it out for all.")
    return Modality(value)


def _modalities(values: Any) -> list[Modality]:
    if values is None:
        return list(Modality)
    if not isinstance(values, list) or not values:
        raise ConfigError(f"modalities {_short(values)}", f"some of {', '.join(Modality)}", "Leave it out for all.")
    wanted = {_modality(str(value)) for value in values}
    return [kind for kind in Modality if kind in wanted]


def _ids(values: Any) -> list[str]:
    wanted = list(dict.fromkeys(map(str, values))) if isinstance(values, list) else []
    if not 0 < len(wanted) <= MAX_IDS:
        raise ConfigError(f"ids {_short(values)}", f"a list of 1 to {MAX_IDS} ids", "List the items to see theirs.")
    return wanted


def _short(value: Any) -> str:
    return json.dumps(value, default=str)[:40]
