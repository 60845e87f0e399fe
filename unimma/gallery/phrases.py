"""Words in quotation marks: what a query quotes, and whether an item says exactly this, whatever the case."""

import re
import unicodedata
from collections.abc import Callable, Iterable

# Not an inch mark (24"), and with something between that begins and ends without space.
_QUOTED = re.compile(r"""(?<!\d)"(?=\S)([^"]*)(?<=\S)"|“([^“”]+)”|„([^„“”]+)[“”]|«([^«»]+)»""")

_MAX_PHRASES, _MAX_CHARS = 16, 200  # every item is read for each of them

Holds = Callable[[str, str | None, str | None], bool]


def quoted(text: str) -> tuple[str, tuple[str, ...]]:
    """The sentence without its quotation marks, and the phrases that stood in "…", “…”, „…“ or «…».

    A mark without its partner, an apostrophe, and marks around nothing that could be read stay as they are; so do those
    around more than 200 characters, which is a quotation to understand and not to look up. At most 16 phrases, each
    once.
    """
    phrases: list[str] = []

    def unmarked(match: re.Match[str]) -> str:
        phrase = next(group for group in match.groups() if group is not None)
        if len(phrase) > _MAX_CHARS or not re.search(r"\w", phrase):
            return match.group()
        phrases.append(" ".join(phrase.split()))
        return phrase

    sentence = _QUOTED.sub(unmarked, text)
    return (" ".join(sentence.split()) if phrases else text), tuple(dict.fromkeys(phrases))[:_MAX_PHRASES]


def holder(phrases: Iterable[str]) -> Holds:
    """A function of title, caption and text: whether each phrase stands in one of them."""
    wanted = [pattern for phrase in phrases if (pattern := _pattern(phrase))]

    def holds(title: str, caption: object, text: str | None) -> bool:
        fields = [_plain(field) for field in (title, caption, text) if isinstance(field, str)]
        return all(any(pattern.search(field) for field in fields) for pattern in wanted)

    return holds


def _pattern(phrase: str) -> re.Pattern[str] | None:
    words = _plain(phrase).split()
    if not words:
        return None
    start = r"(?<!\w)" if re.match(r"\w", words[0]) else ""
    end = r"(?!\w)" if re.search(r"\w$", words[-1]) else ""
    return re.compile(start + r"\s+".join(map(re.escape, words)) + end)


def _plain(text: str) -> str:
    """Compared by its letters: an é is an é, however it is written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
