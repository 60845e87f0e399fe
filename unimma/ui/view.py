"""What a visitor can see: the host's gallery and their own beside it, searched, listed and addressed as one."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import unimma
from unimma.types import Decoded, Hit, Item, Modality
from unimma.ui.meter import Meter

if TYPE_CHECKING:
    from unimma.gallery import Gallery
    from unimma.gallery.union import Union
    from unimma.gallery.where import Where

T = TypeVar("T")
HOST_PLACE = "gallery"  # the place of the host's gallery in an address


class View:
    """The part of a visit (`unimma.ui.visit.Visit`) that changes nothing.

    The `uri` of each item that it shows is the address of its media, relative to the page. That of a private item holds
    a pass which only the visit itself is given: who knows an item's id or a file's name cannot fetch it.

    Args:
        host: the host's gallery, asked for at each use, since it may still be on its way.
        decode: decodes a query.
        meter: counts what it costs.

    Attributes:
        key: names the visit; only its own page knows it.
    """

    def __init__(
        self, host: "Callable[[], Gallery]", decode: Callable[[Path, Modality | None], Decoded], meter: Meter
    ) -> None:
        self.key = secrets.token_urlsafe(24)
        self.meter = meter
        self._host, self._decode = host, decode
        self._place = secrets.token_hex(8)
        self._own: Gallery | None = None
        self._added: list[str] = []  # in this visit, to a shared library

    @property
    def gallery(self) -> "Gallery | Union":
        """Everything that this visit can find."""
        own = self._own
        if own is None:
            return self._host()
        from unimma.gallery.union import Union

        return Union([own, self._host()])

    def search(
        self,
        query: "str | Path | Decoded",
        k: int,
        modalities: Sequence[Modality],
        *,
        where: "Where | None" = None,
        leave_out: str = "",
        stack: bool = True,
    ) -> list[Hit]:
        """The `k` best hits of those modalities, without the item `leave_out` (the query itself, say).

        The `uri` of each hit's item is the address of its media, relative to the page.
        """
        with self.meter.running():
            hits = unimma.search(
                self.gallery, query, k=k + bool(leave_out), modalities=list(modalities), where=where, stack=stack
            )
        kept = [hit for hit in (_without(hit, leave_out) for hit in hits) if hit][:k]
        return [
            replace(hit, rank=rank, item=self._shown(hit.item), alike=tuple(map(self._shown, hit.alike)))
            for rank, hit in enumerate(kept, start=1)
        ]

    def decode(self, path: Path, modality: Modality | None = None) -> Decoded:
        """A file, decoded apart from the app.

        Raises:
            MediaError: it cannot be decoded, or the visit has used up its share.
        """
        with self.meter.running():
            return self._decode(path, modality)

    def content(self, item_id: str) -> str | Decoded:
        """What an item is asked with: its words, or its decoded media."""
        item = self.gallery.get(item_id)
        with self.meter.running():
            return item.text if item.text is not None else self._decode(Path(item.uri), item.modality)

    def find(self, item_id: str) -> Item:
        """The item of that id, its `uri` an address.

        Raises:
            GalleryError: no such item is in this visit's library.
        """
        return self._shown(self.gallery.get(item_id))

    def shelf(
        self,
        modality: Modality | None,
        offset: int,
        limit: int,
        *,
        where: "Where | None" = None,
        order: str = "added",
        descending: bool = True,
    ) -> list[Item]:
        """One page of the library; by default, what was added last first."""
        page = self.gallery.list(modality, where, offset, limit, order=order, descending=descending)
        return [self._shown(item) for item in page]

    def counts(self, where: "Where | None" = None) -> Mapping[Modality, int]:
        """How many items of each modality match."""
        gallery = self.gallery
        return {modality: gallery.count(modality, where) for modality in Modality}

    def num_bytes(self) -> int:
        """Size of everything in this visit's library."""
        own = self._own
        return self._host().num_bytes() + (own.num_bytes() if own is not None else 0)

    def used(self) -> tuple[int, int]:
        """Items and bytes that this visit has brought in, but for those of the chunk in hand."""
        if self._own is not None:
            return self._own.count(), self._own.num_bytes()
        there = self._host().get_many(self._added).values() if self._added else ()
        return len(there), sum(item.num_bytes for item in there)

    def facets(self, where: "Where | None" = None, modality: Modality | None = None) -> Mapping[str, Mapping[str, int]]:
        """Counts by modality, source, label, date and length (see `Gallery.facets`)."""
        return self.gallery.facets(where, modality)

    def containing(
        self, words: Sequence[str], modality: Modality | None = None, where: "Where | None" = None
    ) -> list[str]:
        """Ids of the matching items whose title, caption or text holds every word."""
        return self.gallery.containing(words, modality, where)

    def found(self, ids: Iterable[str]) -> dict[str, Item]:
        """The items there are among `ids`, by id, each `uri` an address."""
        return {item_id: self._shown(item) for item_id, item in self.gallery.get_many(ids).items()}

    def examples(self, modality: Modality, count: int) -> list[Item]:
        """Up to `count` items spread evenly over the library's items of that modality."""
        items = self.gallery.list(modality, limit=200)
        return [self._shown(item) for item in _spread(items, count)]

    def sentences(self, count: int) -> list[str]:
        """Up to `count` short sentences that the library has an answer to: its own texts, else its titles."""
        texts = [item.text for item in self.examples(Modality.TEXT, 60) if item.text and len(item.text) <= 60]
        texts = texts or [item.title for kind in Modality for item in self.examples(kind, count)]
        return _spread(texts, count)

    # addresses

    def address_of(self, item_id: str) -> str:
        """Where the page finds the media of an item, relative to the page."""
        private = self._own is not None and bool(self._own.get_many([item_id]))
        return f"media/{f'{self._place}-{self._pass(item_id)}' if private else HOST_PLACE}/{item_id}"

    def opens(self, place: str, item_id: str) -> Item | None:
        """The item behind an address of this visit; None where the pass is not for it."""
        name, _, shown = place.partition("-")
        if self._own is None or name != self._place or not hmac.compare_digest(shown, self._pass(item_id)):
            return None
        return self._own.get_many([item_id]).get(item_id)

    def is_at(self, place: str) -> bool:
        """Whether an address with this place is one of this visit's."""
        return place.partition("-")[0] == self._place

    def _pass(self, item_id: str) -> str:
        return hmac.new(self.key.encode(), item_id.encode(), hashlib.sha256).hexdigest()[:32]

    def _shown(self, item: Item) -> Item:
        return replace(item, uri=self.address_of(item.id))


def _spread(values: Sequence[T], count: int) -> list[T]:
    """Up to `count` of the values, evenly apart."""
    step = max(len(values) / count, 1.0)
    return [values[int(index * step)] for index in range(min(count, len(values)))]


def _without(hit: Hit, item_id: str) -> Hit | None:
    """A hit that does not show that item; one of its copies takes its place."""
    if hit.item.id != item_id:
        return replace(hit, alike=tuple(item for item in hit.alike if item.id != item_id))
    return replace(hit, item=hit.alike[0], alike=hit.alike[1:]) if hit.alike else None
