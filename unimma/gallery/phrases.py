"""Words in quotation marks: does an item say exactly this? Whole words, whatever their case and the space between."""

import re
import unicodedata
from collections.abc import Callable, Iterable

Holds = Callable[[str, str | None, str | None], bool]


def holder(phrases: Iterable[str]) -> Holds:
    """A function of title, caption and text: whether each phrase stands in one of them."""
    wanted = [pattern for phrase in phrases if (pattern := _pattern(phrase))]

    def holds(title: str, caption: object, text: str | None) -> bool:
        fields = [_plain(field) for field in (title, caption, text) if isinstance(field, str)]
        return all(any(pattern.search(field) for field in fields) for pattern in wanted)

    return holds


def _pattern(phrase: str) -> re.Pattern[str] | None:
    words = _plain(phrase).split()
    return re.compile(r"(?<!\w)" + r"\s+".join(map(re.escape, words)) + r"(?!\w)") if words else None


def _plain(text: str) -> str:
    """Compared by its letters: an é is an é, however it is written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
