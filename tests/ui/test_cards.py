"""What the page shows for items and hits, as strings."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from unimma.types import Hit, Item, Modality, Span
from unimma.ui import cards

EVIL = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>&amp;"""


def item(kind: Modality = Modality.IMAGE, title: str = "a red wall", **more: object) -> Item:
    words = title if kind is Modality.TEXT else None
    return Item(kind, title, uri="media/gallery/ab12", id="ab12", thumbnail=b"webp", text=words, **more)


def hit(
    kind: Modality = Modality.IMAGE, *, score: float = 0.98, span: Span | None = None, title: str = "a red wall"
) -> Hit:
    return Hit(item(kind, title), 1, score, 0.31, span)


class Reader(HTMLParser):
    """Collects what a browser would see: tags with their attributes, and the words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("kind", Modality)
def test_script_in_a_title_is_shown_as_text(kind: Modality):
    stacked = replace(hit(kind, title=EVIL), alike=(item(kind, EVIL),), exact=True)
    card, tile = cards.card(stacked, can_delete=True), cards.tile(item(kind, EVIL))
    page = Reader(str(card + tile + cards.sentence_chip(EVIL) + cards.nothing(EVIL, [EVIL], there=EVIL)))
    assert "script" not in {tag for tag, _ in page.tags}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert EVIL in page.words


@pytest.mark.parametrize("kind", Modality)
def test_script_in_an_id_stays_in_its_attribute(kind: Modality):
    evil = Item(kind, "x", id=EVIL, thumbnail=b"webp", text="x" if kind is Modality.TEXT else None)
    page = Reader(str(cards.card(Hit(evil, 1, 0.9, 0.2))))
    assert {attributes["data-id"] for _, attributes in page.tags if "data-id" in attributes} == {EVIL}
    assert "script" not in {tag for tag, _ in page.tags}


def test_each_modality_plays_or_shows_in_place():
    shown = {kind: Reader(str(cards.card(hit(kind)))) for kind in Modality}
    assert "a red wall" in shown[Modality.TEXT].words
    assert shown[Modality.IMAGE].all("img")[0]["loading"] == "lazy"
    assert {"controls", "preload"} <= shown[Modality.AUDIO].all("audio")[0].keys()
    assert {"controls", "playsinline", "poster"} <= shown[Modality.VIDEO].all("video")[0].keys()
    players = shown[Modality.AUDIO].all("audio") + shown[Modality.VIDEO].all("video")
    assert not any("autoplay" in player for player in players)


def test_links_are_relative_so_that_a_proxy_may_put_the_page_anywhere():
    shown = "".join(str(cards.card(hit(kind))) for kind in Modality)
    links = re.findall(r'(?:src|poster|href)="([^"]+)"', shown)
    assert links and all(link.startswith("media/gallery/ab12") for link in links)


def test_a_player_starts_where_the_match_lies():
    shown = str(cards.card(hit(Modality.VIDEO, span=Span(72.5, 80.0))))
    assert "media/gallery/ab12#t=72.50" in shown and "from 1:12" in shown


@pytest.mark.parametrize(
    ("score", "level", "word", "percent"),
    [(1.0, 4, "Very close", "99.9%"), (0.98, 3, "Close", "98%"), (0.85, 2, "Related", "85%"), (0.0, 1, "Faint", "0%")],
)
def test_a_score_has_a_word_and_never_claims_a_full_hundred(score: float, level: int, word: str, percent: str):
    assert cards.score_word(score) == (level, word)
    assert cards.percent(score) == percent


def test_a_score_says_what_it_means():
    assert "Stands out from about 98% of the pictures here" in str(cards.card(hit()))


def test_a_hit_can_be_searched_with_and_kept_and_deleted_only_by_those_who_may():
    def acts(page: Reader) -> set[str | None]:
        return {button.get("data-act") for button in page.all("button")} - {None}

    shown = Reader(str(cards.card(hit())))
    assert acts(shown) == {"similar"}
    assert [(link["href"], "download" in link) for link in shown.all("a")] == [(f"{hit().item.uri}/download", True)]
    assert acts(Reader(str(cards.card(hit(), can_delete=True)))) == {"similar", "remove"}


def test_near_duplicates_are_counted_with_the_hit_and_unfold():
    assert "<details" not in str(cards.card(hit()))
    others = tuple(replace(item(title=f"copy {n}"), id=f"copy{n}") for n in range(3))
    page = Reader(str(cards.card(replace(hit(), alike=others))))
    assert "×4" in page.words and all(other.title in page.words for other in others)
    assert {button["data-id"] for button in page.all("button") if "data-id" in button} == {
        "ab12", "copy0", "copy1", "copy2"
    }  # fmt: skip


def test_a_hit_that_holds_the_words_in_quotation_marks_says_so():
    assert "holds your words" in str(cards.card(replace(hit(), exact=True)))
    assert "holds your words" not in str(cards.card(hit()))


def test_nothing_found_offers_queries_that_search_on_a_click():
    page = Reader(str(cards.nothing("Nothing here.", ["a red wall", "green grass"])))
    assert [button["data-text"] for button in page.all("button")] == ["a red wall", "green grass"]


def test_words_are_listed_as_they_are_read():
    assert [cards.listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "", "a", "a and b", "a, b and c"
    ]  # fmt: skip
