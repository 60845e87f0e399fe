"""What was asked on a page, with a way back and forth. Each query has a number that it keeps, as in a browser."""

from dataclasses import dataclass, replace

from unimma.ui.queries import Query

MAX_ENTRIES = 20


@dataclass(frozen=True)
class History:
    """Queries in the order they were asked, and the one whose hits are shown.

    Attributes:
        entries: the queries that are remembered.
        at: which of them is shown; -1 where nothing was asked.
        first: the number of the first entry: so many older ones were forgotten.
    """

    entries: tuple[Query, ...] = ()
    at: int = -1
    first: int = 0

    @property
    def current(self) -> Query | None:
        """The query whose hits are shown."""
        return self.entries[self.at] if self.entries else None

    @property
    def number(self) -> int:
        """The number of the query whose hits are shown."""
        return self.first + self.at

    @property
    def can_go_back(self) -> bool:
        """Whether an older query is remembered."""
        return self.at > 0

    @property
    def can_go_forward(self) -> bool:
        """Whether a newer query is remembered."""
        return self.at < len(self.entries) - 1

    def ask(self, query: Query) -> "History":
        """Go on from the current query with another one; what was ahead of it is forgotten. The same one changes
        nothing.
        """
        if query == self.current:
            return self
        entries = (*self.entries[: self.at + 1], query)
        forgotten = max(len(entries) - MAX_ENTRIES, 0)
        return History(entries[forgotten:], len(entries) - 1 - forgotten, self.first + forgotten)

    def go(self, number: int) -> "History":
        """Go to the query of that number; nowhere if it is not remembered."""
        at = number - self.first
        return replace(self, at=at) if 0 <= at < len(self.entries) else self

    def learnt(self, query: Query) -> "History":
        """Put what is known by now of the current query in its place."""
        return replace(self, entries=(*self.entries[: self.at], query, *self.entries[self.at + 1 :]))
