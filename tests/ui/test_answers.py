"""What a search shows, as strings: the line between likely and weaker, the way back, what was asked before."""

import re
from dataclasses import replace

import pytest

from tests.ui.test_cards import EVIL, Reader, hit, item
from unimma.types import Modality
from unimma.ui import answers
from unimma.ui.history import History
from unimma.ui.queries import Query

NOBODY = {}.get


def asked(*queries: Query) -> History:
    history = History()
    for query in queries:
        history = history.ask(query)
    return history


def test_weaker_hits_are_folded_below_the_likely_ones():
    shown = str(answers.results([hit()], [hit(Modality.AUDIO, title="hum")], columns=False))
    above, below = shown.split('<details class="weaker">')
    assert "a red wall" in above and "hum" not in above
    assert "1 weaker match<" in below and "hum" in below
    assert "weaker" not in str(answers.results([hit()], [], columns=False))
    assert "3 weaker matches" in str(answers.fold([hit()] * 3, columns=False))


def test_columns_keep_every_hit_and_name_only_what_is_there():
    shown = str(answers.results([hit(Modality.AUDIO), hit(Modality.TEXT)], [], columns=True))
    assert re.findall(r'<section class="column" aria-label="(\w+)"', shown) == ["Texts", "Sounds"]
    assert shown.count("<article") == 2


def test_only_what_may_be_deleted_has_the_button():
    one, other = hit(), replace(hit(), item=replace(item(), id="mine"))
    page = Reader(str(answers.results([one], [other], columns=False, may_delete=lambda item_id: item_id == "mine")))
    assert [b["data-id"] for b in page.all("button") if b.get("data-act") == "remove"] == ["mine"]


def test_hits_are_counted_in_words():
    assert answers.found([hit()], []) == "1 hit: pictures"
    likely = [hit(), hit(Modality.TEXT), hit(Modality.AUDIO)]
    assert answers.found(likely, [hit()]) == "3 hits: texts, pictures and sounds; 1 weaker"
    assert answers.found([], [hit()]) == "no likely hit"


def test_nothing_likely_says_what_is_there_and_offers_what_finds_something():
    page = Reader(str(answers.nothing_likely({Modality.TEXT: 1_200, Modality.VIDEO: 1}, ["a red wall"])))
    assert "Nothing here looks like this." in page.words
    assert "1,200 texts and 1 clip" in page.words
    assert [button["data-text"] for button in page.all("button")] == ["a red wall"]


@pytest.mark.parametrize(("at", "acts"), [(0, {"forward", "go"}), (1, {"back", "forward", "go"}), (2, {"back", "go"})])
def test_the_ways_that_there_are_have_buttons(at, acts):
    history = asked(Query("text", "a"), Query("text", "b"), Query("text", "c")).go(at)
    page = Reader(str(answers.strip(history, "", NOBODY)))
    assert {button["data-act"] for button in page.all("button")} == acts
    current = [button["data-number"] for button in page.all("button") if "aria-current" in button]
    assert current == [str(at)]


def test_the_first_query_has_no_way_back_and_no_list():
    assert not Reader(str(answers.strip(asked(Query("text", "a")), "1 hit", NOBODY))).all("button")


def test_only_a_sentence_goes_into_the_address():
    def words(query: Query) -> str:
        return Reader(str(answers.strip(asked(query), "", NOBODY))).all("div")[0]["data-words"]

    assert words(Query("text", "a & b")) == "a & b"
    assert words(Query("file", "/uploads/x/photo.png", Modality.IMAGE)) == ""
    assert words(Query("item", "ab12")) == ""


def test_a_file_is_named_without_its_folder_and_an_item_by_its_title():
    shown = Reader(str(answers.asked(Query("file", "/uploads/x/photo.png", None, preview=b"webp"), NOBODY)))
    assert shown.words == "photo.png" and shown.all("img")[0]["src"].startswith("data:image/webp;base64,")
    assert Reader(str(answers.asked(Query("item", "ab12"), {"ab12": item()}.get))).words == "a red wall"
    assert "gone" in Reader(str(answers.asked(Query("item", "ab12"), NOBODY))).words


def test_script_in_what_was_asked_is_shown_as_text():
    history = asked(Query("text", EVIL), Query("file", f"/uploads/x/{EVIL.replace('/', '')}"), Query("item", "ab12"))
    for at in range(3):
        page = Reader(str(answers.strip(history.go(at), EVIL, {"ab12": item(title=EVIL)}.get)))
        assert {"script"} & {tag for tag, _ in page.tags} == set()
        assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
        assert EVIL in page.words
