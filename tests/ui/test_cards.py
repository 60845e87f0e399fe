"""What the page shows for items and hits, as strings."""

import html
import re
from html.parser import HTMLParser

import pytest

from unimma.types import Hit, Item, Modality, Span
from unimma.ui import cards

EVIL = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>&amp;"""


def item(kind: Modality = Modality.IMAGE, title: str = "a red wall", **more: object) -> Item:
    return Item(kind, title, id="ab12", thumbnail=b"webp", text=title if kind is Modality.TEXT else None, **more)


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
    shown = cards.results([hit(kind, title=EVIL)], asked=cards.asked_text(EVIL), can_go_back=True, columns=False)
    page = Reader(str(shown) + str(cards.tile(item(kind, EVIL), selectable=True)) + str(cards.sentence_chips([EVIL])))
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
    links = re.findall(r'(?:src|poster)="([^"]+)"', shown)
    assert links and all(re.match(r"(media|thumb)/ab12", link) for link in links)


def test_a_player_starts_where_the_match_lies():
    shown = str(cards.card(hit(Modality.VIDEO, span=Span(72.5, 80.0))))
    assert "media/ab12#t=72.50" in shown and "from 1:12" in shown


@pytest.mark.parametrize(
    ("score", "level", "word", "percent"),
    [(1.0, 4, "Very close", "99.9%"), (0.98, 3, "Close", "98%"), (0.85, 2, "Related", "85%"), (0.0, 1, "Faint", "0%")],
)
def test_a_score_has_a_word_and_never_claims_a_full_hundred(score: float, level: int, word: str, percent: str):
    assert cards.score_word(score) == (level, word)
    assert cards.percent(score) == percent


def test_a_score_says_what_it_means():
    assert "Stands out from about 98% of the pictures here" in str(cards.card(hit()))


def test_columns_keep_every_hit_and_name_only_what_is_there():
    hits = [hit(Modality.AUDIO, title="hum"), hit(Modality.TEXT, title="words")]
    shown = str(cards.results(hits, asked=cards.asked_text("q"), can_go_back=False, columns=True))
    assert re.findall(r'<section class="column" aria-label="(\w+)"', shown) == ["Texts", "Sounds"]
    assert shown.count("<article") == 2
    assert 'data-act="back"' not in shown


def test_nothing_found_offers_queries_that_search_on_a_click():
    page = Reader(str(cards.nothing("Nothing here.", ["a red wall", "green grass"])))
    assert [button["data-text"] for button in page.all("button")] == ["a red wall", "green grass"]


def test_pages_lead_forth_and_back_within_what_there_is():
    counts = dict.fromkeys(Modality, 20)
    shown = str(cards.pages([item()], chosen=None, counts=counts, offset=24, limit=24))
    assert "25–48 of 80" in html.unescape(shown)
    assert {b["data-offset"] for b in Reader(shown).all("button") if b.get("class") == "quiet"} == {"0", "48"}
    assert "pager" not in str(cards.pages([item()], chosen=Modality.TEXT, counts=counts, offset=0, limit=24))
