"""Variations of sentences: the same said otherwise, two things in one sentence, and sentences that are nearly right.

English only. Every function gives a new sentence; what it does not understand it gives back as it is.
"""

import functools
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey")
NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")  # "one" would change the noun too
_BEGINNING = (  # of what a sentence can begin with; no "it" or "his", which look back
    r"(?:an?|the|some|several|many|few|no|another|two|three|four|five|six|seven|eight|nine|ten|people|person|man|men|"
    r"woman|women|child|children|someone|somebody|something|there)\b"
)
_BARE = re.compile(r"(?:people|person|man|men|woman|women|child|children)\b", re.IGNORECASE)
_VERB_FIRST = re.compile(r"\w*[^s]s\b")
_BACKWARDS = re.compile(r"\b(?:it|its|he|his|him|she|her|they|their|them)\b", re.IGNORECASE)
# Two clauses, the first without a comma, and the second one that can stand at the beginning of a sentence.
_CLAUSES = re.compile(rf"^(?P<a>[^,]+?)(?P<link>,? and|,? while|,? as|,)\s+(?P<b>{_BEGINNING}[^,]*)$", re.IGNORECASE)
_IN_ORDER = re.compile(
    r"^(?P<a>[^,]+?)(?P<link>,?(?: and)? then|,?(?: and)?(?: is| are)? followed by| before|,? after)\s+(?P<b>[^,]+)$",
    re.IGNORECASE,
)
_ORDER_WORD = re.compile(r"\b(?:then|followed|before|after)\b", re.IGNORECASE)
# Their "and" or "as" joins no clauses, or the first clause hangs on the second one already.
_BOUND = re.compile(r"\b(?:between|both|either|neither|as well)\b|^(?:as|while|when)\b", re.IGNORECASE)
_SMALL_WORDS = frozenset({"a", "an", "the", "some", "very", "there", "is", "are", "of", "that", "this"})
_VOWEL_SOUND = re.compile(r"(?!uni|use|eu|one\b|once\b)(?:[aeiou]|hour|honest|heir)", re.IGNORECASE)
_ARTICLE = re.compile(r"\b(an?) ([a-z][\w'-]*)", re.IGNORECASE)


def paraphrase(
    sentence: str,
    rng: np.random.Generator,
    *,
    synonyms: Mapping[str, Sequence[str]],
    frames: Sequence[str] = ("{}",),
) -> str:
    """The same in other words: synonyms, clauses in the other order, small words left out, another frame around it.

    Args:
        synonyms: name → what else it is called; names of several words are found too.
        frames: sentences with "{}" where the old one goes, such as "a photo of {}".
    """
    if rng.random() < 0.5:
        sentence = replace_synonyms(sentence, synonyms, rng)
    if rng.random() < 0.5:
        sentence = swap_clauses(sentence)
    if rng.random() < 0.25:
        sentence = drop_words(sentence, rng, share=0.5, among=_SMALL_WORDS)
    frame = frames[int(rng.integers(len(frames)))]
    return sentence if frame == "{}" or not sentence else frame.format(inside(sentence))


def replace_synonyms(
    sentence: str, synonyms: Mapping[str, Sequence[str]], rng: np.random.Generator, share: float = 0.7
) -> str:
    """Each known name (the longest first) replaced by a synonym with probability `share`; its article follows."""
    known = {name.lower(): [other for other in said if other != name] for name, said in synonyms.items()}

    def other(name: str) -> str:
        choices = known[name.lower()]
        return str(rng.choice(choices)) if choices and rng.random() < share else name

    return _articled(_replace(sentence, list(known), other))


def drop_words(
    sentence: str, rng: np.random.Generator, share: float = 0.15, among: frozenset[str] | None = None
) -> str:
    """Without about `share` of its words (of those in `among`, where given); one word at least stays.

    Source: random deletion in EDA, Wei and Zou 2019, arXiv 1901.11196.
    """
    words = sentence.split()
    kept = [word for word in words if rng.random() >= share or (among is not None and word.lower() not in among)]
    return _articled(" ".join(kept or words[:1]))


def drop_tokens(
    ids: npt.NDArray[np.int64], rng: np.random.Generator, share: float = 0.15, special: Sequence[int] = ()
) -> npt.NDArray[np.int64]:
    """Token numbers [n] without about `share` of them; `special` ones (start, end) stay, and so does one other.

    Source: token cutoff, Shen et al. 2020, arXiv 2009.13818.
    """
    is_special = np.isin(ids, np.asarray(special, np.int64))
    kept = (rng.random(len(ids)) >= share) | is_special
    if not (kept & ~is_special).any():
        kept[np.flatnonzero(~is_special)[:1]] = True
    return ids[kept]


def swap_clauses(sentence: str) -> str:
    """Its two clauses in the other order, with a link that keeps the sense; as it is where it has no two.

    "a dog barks and a man talks" → "a man talks and a dog barks"; "a dog barks, then a door shuts" → "a door shuts
    after a dog barks". What follows "and" must look like a beginning: "a black and white dog" stays.
    """
    body, end = _body(sentence)
    match = _IN_ORDER.match(body) or _CLAUSES.match(body)
    if match is None or _BOUND.search(body) or _BACKWARDS.search(match["b"]):
        return sentence
    first, link, second = match["a"], match["link"].strip(", ").lower(), match["b"]
    if any(_ORDER_WORD.search(half) for half in (first, second)):
        return sentence  # three in a row, or an order inside one of them
    if link == "and" and not (_tells(first) and _tells(second)) and not (_is_name(first) and _is_name(second)):
        return sentence  # "a desk with a lamp and a cup" is one thing, not two
    if link in ("before", "after") and not _tells(second):
        return sentence  # "a man stands before a house", "a dog runs after a cat": no time
    if ("then" in link and _VERB_FIRST.match(second)) or (link == "and" and _BARE.match(second)):
        return sentence  # "a man speaks, then runs", "a woman and child": half of something
    other_link = {"after": "and then"}.get(link, "after") if _ORDER_WORD.search(link) else match["link"].lstrip()
    return _sentence(second, other_link, first, end, like=body)


def change_one_word(sentence: str, rng: np.random.Generator, alternatives: Sequence[Sequence[str]]) -> str | None:
    """The sentence with one name replaced by another of its group, so that it is wrong; None where it holds none.

    Args:
        alternatives: groups of names that exclude each other, such as `COLOURS`, `NUMBERS`, or a set's labels.
    Source: captions with one foil word, Shekhar et al. 2017, arXiv 1705.01359.
    """
    group_of = _group_of(tuple(map(tuple, alternatives)))
    found = list(_pattern(tuple(group_of)).finditer(sentence)) if group_of else []
    if not found:
        return None
    match = found[int(rng.integers(len(found)))]
    others = [name for name in group_of[match[0].lower()] if name.lower() != match[0].lower()]
    changed = _cased(str(rng.choice(others)), match[0])
    return _articled(sentence[: match.start()] + changed + sentence[match.end() :])


def swap_sides(sentence: str) -> str:
    """Left and right, clockwise and counterclockwise exchanged: true of a mirrored picture, wrong of the picture."""
    pairs = {"left": "right", "clockwise": "counterclockwise"}
    other = pairs | {b: a for a, b in pairs.items()}
    return _replace(sentence, list(other), lambda word: other[word.lower()])


def both(first: str, second: str, rng: np.random.Generator) -> str:
    """One sentence for two things at once: "a dog barks and rain falls"."""
    return _joined(
        first, second, ("{} and {}", "{} and at the same time {}"), ("{} with {}", "{} together with {}"), rng
    )


def first_then_second(first: str, second: str, rng: np.random.Generator) -> str:
    """One sentence for two things in a row: "a dog barks, then rain falls"."""
    return _joined(first, second, ("{}, then {}", "first {}, after that {}"), ("{} followed by {}",), rng)


def beside(first: str, second: str, rng: np.random.Generator) -> str:
    """One sentence for two pictures, the first on the left."""
    frames = ("on the left {} and on the right {}", "{} on the left and {} on the right", "{} and {}")
    return _joined(first, second, frames, ("{} to the left of {}", "{} next to {}"), rng)


def above(first: str, second: str, rng: np.random.Generator) -> str:
    """One sentence for two pictures, the first on top."""
    return _joined(
        first, second, ("on top {} and below {}", "{} on top and {} below", "{} and {}"), ("{} above {}",), rng
    )


def inside(sentence: str) -> str:
    """A sentence as part of another: no full stop, and its first word small, unless it is "I" or in capitals."""
    body, _ = _body(sentence)
    return body[:1].lower() + body[1:] if re.match(r"(?!I\b)[A-Z](?![A-Z])", body) else body


def _joined(
    first: str, second: str, frames: tuple[str, ...], frames_of_names: tuple[str, ...], rng: np.random.Generator
) -> str:
    """Both in a frame, also in one that takes no whole sentence where neither is one; the other where one is empty."""
    if not first.strip() or not second.strip():
        return first.strip() or second.strip()
    frame = str(rng.choice(frames + frames_of_names if _is_name(first) and _is_name(second) else frames))
    begins, (_, end) = first.strip()[0], _body(first)
    said = frame.format(inside(first), inside(second)) + end
    return said[0].upper() + said[1:] if begins.isupper() else said


def _is_name(said: str) -> bool:
    """Whether it names a thing ("a dog", "crying baby") and tells nothing of it ("a dog barks"): a cautious guess."""
    words = said.lower().split()
    return len(words) <= 4 and not any(word.rstrip(".").endswith("s") or word in ("is", "are") for word in words)


def _tells(said: str) -> bool:
    """Whether it looks like a clause: behind "a man" comes something that may be a verb. Again a cautious guess."""
    return any(re.fullmatch(r"is|are|has|\w+[^s]s|\w+ing", word.lower().rstrip(".")) for word in said.split()[2:])


def _sentence(first: str, link: str, second: str, end: str, *, like: str) -> str:
    said = f"{inside(first)}{'' if link.startswith(',') else ' '}{link} {inside(second)}{end}"
    return said[0].upper() + said[1:] if like[:1].isupper() else said


def _body(sentence: str) -> tuple[str, str]:
    """A sentence without its full stop, and that full stop."""
    stripped = sentence.strip()
    body = stripped.rstrip(".! ")
    return body, stripped[len(body) : len(body) + 1].strip()


def _replace(sentence: str, names: Sequence[str], other: Callable[[str], str]) -> str:
    if not names:
        return sentence
    return _pattern(tuple(names)).sub(lambda match: _cased(other(match[0]), match[0]), sentence)


@functools.lru_cache(maxsize=16)  # the same thousand names for every sentence of a set
def _group_of(alternatives: tuple[tuple[str, ...], ...]) -> dict[str, tuple[str, ...]]:
    return {name.lower(): group for group in alternatives for name in group if len(group) > 1}


@functools.lru_cache(maxsize=16)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    ordered = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, ordered))})(?![\w-])", re.IGNORECASE)


def _cased(word: str, like: str) -> str:
    return word[:1].upper() + word[1:] if like[:1].isupper() else word


def _articled(sentence: str) -> str:
    """Every "a" and "an" as the word after it wants."""

    def right(match: re.Match[str]) -> str:
        article = "an" if _VOWEL_SOUND.match(match[2]) else "a"
        return f"{_cased(article, match[1])} {match[2]}"

    return _ARTICLE.sub(right, sentence)
