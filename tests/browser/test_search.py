"""The tab for anything, in Chromium: every way to ask, the line between likely and weaker, filters, back and forth."""

import re
import threading
import wave

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.hands import ask, carried, drop, expect_asked, paste, titles, unfold, upload
from tests.browser.look import NONSENSE, choose_tab
from tests.makers import corners, tone, write_clip, write_picture, write_tone
from tests.ui.conftest import even
from unimma.ui.visit import Visit

FOUND = "#results-search .hits .card"


@pytest.fixture
def held(monkeypatch):
    """Searches wait until the test says so."""
    go_on, search = threading.Event(), Visit.search

    def later(self, *args, **kwargs):
        go_on.wait()
        return search(self, *args, **kwargs)

    monkeypatch.setattr(Visit, "search", later)
    yield go_on
    go_on.set()


# every way to ask


def test_a_sentence_finds_all_four_modalities(page):
    ask(page, "red")
    assert titles(page)[0] == "red wall"
    unfold(page)
    for kind in ("text", "image", "audio", "video"):
        expect(page.locator(f"#results-search .card-{kind}").first).to_be_visible()


def test_any_file_searches_as_what_it_is(page, tmp_path):
    upload(page, write_picture(tmp_path / "sea.png", even((30, 40, 200))))
    expect_asked(page, "sea.png")
    assert titles(page)[0] == "blue wall"
    upload(page, write_tone(tmp_path / "bird.wav", hz=5_000.0))
    expect_asked(page, "bird.wav")
    assert titles(page, "audio")[0] == "whistle"
    upload(page, write_clip(tmp_path / "walk.mp4", sound_hz=200.0))
    expect_asked(page, "walk.mp4")
    assert titles(page, "video") == ["grey"]
    note = tmp_path / "note.txt"
    note.write_text("green\n", encoding="utf-8")
    upload(page, note)
    expect_asked(page, "note.txt")
    assert titles(page)[0] == "green wall"


def test_the_content_decides_what_a_file_is_and_not_its_name(page, tmp_path):
    picture = write_picture(tmp_path / "sea.png", even((30, 40, 200)))
    upload(page, picture.rename(tmp_path / "sea.mp3"))
    expect_asked(page, "sea.mp3")
    assert titles(page)[0] == "blue wall"


@pytest.mark.parametrize("tab", ["search", "audio", "about"])
def test_a_file_dropped_anywhere_searches(page, tmp_path, tab):
    choose_tab(page, tab)
    files = carried(page, write_picture(tmp_path / "sea.png", even((30, 40, 200))))
    page.dispatch_event("footer", "dragover", {"dataTransfer": files})
    expect(page.locator("#unimma-drop")).to_be_visible()
    expect(page.locator("#unimma-drop")).to_have_text("Drop anything to search with it")
    page.dispatch_event("footer", "drop", {"dataTransfer": files})
    expect(page.locator("#unimma-drop")).not_to_be_visible()
    expect_asked(page, "sea.png")
    expect(page.locator("#results-search .strip")).to_be_visible()


def test_of_many_dropped_files_the_first_is_taken_and_the_page_says_so(page, tmp_path):
    files = [write_picture(tmp_path / f"{name}.png", even((30, 40, 200))) for name in ("one", "two")]
    told = page.evaluate_handle(
        """() => { const told = [];
            new MutationObserver(() => told.push(document.querySelector("#query-search .note").textContent))
                .observe(document.querySelector("#query-search .note"), { childList: true });
            return told; }"""
    )
    drop(page, carried(page, *files))
    expect_asked(page, "one.png")
    assert "the first of 2 files is taken" in told.json_value()[0]
    expect(page.locator("#query-search .note")).to_contain_text("One thing at a time")


def test_words_dropped_or_pasted_search_and_a_pasted_file_too(page, tmp_path):
    drop(page, carried(page, words="red"))
    expect_asked(page, "“red”")
    paste(page, carried(page, words="green"))
    expect(page.locator("#query-search textarea")).to_be_focused()
    page.keyboard.press("Enter")
    expect_asked(page, "“green”")
    paste(page, carried(page, write_picture(tmp_path / "shot.png", even((30, 40, 200)))), "#query-search textarea")
    expect_asked(page, "shot.png")


def test_the_microphone_searches(page):
    page.click("#query-search [data-tool=microphone]")
    expect(page.locator("#unimma-record")).to_contain_text(re.compile("Recording: [1-9]"))
    page.click("#unimma-record .go")
    expect_asked(page, "recording.webm")
    expect(page.locator(FOUND).first).to_be_visible()


def test_the_camera_takes_a_photo_or_films_a_clip(page):
    page.click("#query-search [data-tool=camera]")
    page.wait_for_function("document.querySelector('#unimma-record video')?.videoWidth > 0")
    page.click("#unimma-record .go")
    expect_asked(page, "photo.jpg")
    page.click("#query-search [data-tool=camera]")
    page.click("#unimma-record >> text=Film")
    expect(page.locator("#unimma-record")).to_contain_text(re.compile("Recording: [1-9]"))
    page.click("#unimma-record .go")
    expect_asked(page, "clip.webm")


def test_a_recording_that_is_closed_is_discarded(page):
    page.click("#query-search [data-tool=microphone]")
    expect(page.locator("#unimma-record")).to_contain_text("Recording")
    page.keyboard.press("Escape")
    expect(page.locator("#unimma-record")).not_to_be_visible()
    ask(page, "red")
    expect(page.locator("#results-search [data-act=back]")).to_have_count(0)


def test_examples_of_all_four_modalities_search_on_one_click(page):
    kinds = page.locator("#examples-search [data-act=similar]").evaluate_all(
        "all => all.map((e) => e.getAttribute('aria-label').split(':')[0])"
    )
    assert {"Picture", "Sound", "Clip"} == set(kinds)
    page.locator("#examples-search [data-act=ask]").first.click()
    expect(page.locator("#results-search .score").first).to_be_visible()
    page.locator("#examples-search [data-act=similar]").first.click()
    expect(page.locator("#results-search [data-act=back]")).to_be_visible()


def test_a_file_that_cannot_be_read_is_refused_in_a_sentence(page, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG this is no picture")
    upload(page, bad)
    toast = page.locator(".toast-body").first
    expect(toast).to_contain_text("bad.png")
    expect(toast).to_contain_text("expected")
    assert "Traceback" not in toast.inner_text() and "/" not in toast.inner_text()
    ask(page, "red")


def test_an_empty_question_is_answered_in_a_sentence(page):
    page.click("#query-search .go")
    expect(page.locator(".toast-body").first).to_contain_text("Type what you are looking for")


# the answer


def test_weaker_matches_are_folded_below_the_likely_ones(page):
    ask(page, "red")
    expect(page.locator(FOUND).first).to_be_visible()
    summary = page.locator("#results-search .weaker summary")
    expect(summary).to_have_text(re.compile(r"\d+ weaker matches"))
    expect(page.locator("#results-search .weaker .card").first).not_to_be_visible()
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#results-search .weaker .card").first).to_be_visible()


def test_nonsense_gets_told_so_with_what_there_is_and_what_finds_something(page):
    ask(page, NONSENSE)
    answer = page.locator("#results-search")
    expect(answer.locator(".lead")).to_have_text("Nothing here looks like this.")
    expect(answer.locator(".nothing")).to_contain_text(re.compile(r"In the gallery: \d+ texts, \d+ pictures"))
    expect(answer.locator(".nothing [data-act=ask]")).to_have_count(3)
    expect(answer.locator(".weaker .card").first).not_to_be_visible()
    answer.locator(".nothing [data-act=ask]").first.click()
    expect(page.locator(FOUND).first).to_be_visible()


def test_near_duplicates_are_stacked_and_unfold(page, running, tmp_path):
    pictures = [write_picture(tmp_path / f"corners {q}.jpg", corners(320, 240), quality=q) for q in (95, 80, 60)]
    ids = running.engine.gallery.add(pictures).added
    try:
        upload(page, pictures[0])
        expect_asked(page, "corners 95.jpg")
        stack = page.locator("#results-search .alike").first
        expect(stack.locator("summary")).to_have_text("×3")
        expect(page.locator("#results-search .card-image h3", has_text="corners")).to_have_count(1)
        stack.locator("summary").click()
        expect(stack.locator("button")).to_have_count(2)
        stack.locator("button").first.click()
        expect(page.locator("#results-search .strip .asked")).to_have_text(re.compile("corners"))
    finally:
        running.engine.gallery.delete(ids)


def test_words_in_quotation_marks_come_first_and_say_so(page):
    ask(page, '"high whistle"')
    first = page.locator(FOUND).first
    expect(first).to_contain_text("a high whistle")
    expect(first.locator(".exact")).to_have_text("holds your words")


def test_a_hit_plays_from_the_matched_place(page, running, tmp_path):
    sound = np.concatenate([tone(24.0, hz=200.0), tone(12.0, hz=4_000.0)])
    with wave.open(str(tmp_path / "late.wav"), "wb") as file:
        file.setparams((1, 2, 44_100, len(sound), "NONE", ""))
        file.writeframes((sound * 32_767).astype("<i2").tobytes())
    ids = running.engine.gallery.add([tmp_path / "late.wav"]).added
    try:
        ask(page, "high")
        late = page.locator("#results-search .card-audio", has_text="late")
        start_s = float(re.search(r"#t=([\d.]+)$", late.locator("audio").get_attribute("src"))[1])
        assert 15.0 < start_s < 36.0
        minutes, seconds = divmod(int(start_s), 60)
        expect(late.locator(".moment")).to_have_text(f"from {minutes}:{seconds:02d}")
    finally:
        running.engine.gallery.delete(ids)


def test_a_hit_can_be_downloaded_under_a_generated_name(page):
    ask(page, "red")
    with page.expect_download() as started:
        page.locator("#results-search .card-image [download]").first.click()
    assert re.fullmatch(r"image-[0-9a-f]{12}\.webp", started.value.suggested_filename)


def test_a_deleted_hit_is_gone_at_once_and_comes_back_on_undo(page, running, tmp_path):
    ids = running.engine.gallery.add([write_picture(tmp_path / "violet.png", even((150, 20, 160)))]).added
    try:
        upload(page, tmp_path / "violet.png")
        violet = page.locator("#results-search .card-image", has_text="violet")
        expect(violet).to_have_count(1)
        violet.locator("[data-act=remove]").click()
        expect(violet).to_have_count(0)
        expect(page.locator("#notice")).to_contain_text("1 item was deleted.")
        page.click("#notice [data-act=restore]")
        expect(violet).to_have_count(1)
    finally:
        running.engine.gallery.delete(ids)


# filters


def test_kinds_that_are_unticked_are_not_found(page):
    ask(page, "blue")
    page.uncheck("#kinds-search input[name=text]")
    expect(page.locator("#results-search .card-text")).to_have_count(0)
    for kind in ("image", "audio", "video"):
        page.uncheck(f"#kinds-search input[name={kind}]")
    expect(page.locator("#results-search .nothing")).to_contain_text("Tick at least one")


def test_filters_are_chips_with_counts_that_can_be_removed(page, running, tmp_path):
    gallery = running.engine.gallery
    ids = gallery.add([write_picture(tmp_path / "brick.png", even((160, 60, 50)))], metadata={"label": "wall"}).added
    page.reload()
    try:
        ask(page, "red")
        page.click("#filters-search [data-facet=label] summary")
        page.click("#filters-search [data-act=narrow][data-value=wall]")
        expect(page.locator("#results-search .card")).to_have_count(1)
        expect(page.locator("#kinds-search label", has_text="Pictures").locator(".count")).to_have_text("1")
        chip = page.locator("#filters-search [data-act=widen]")
        expect(chip).to_have_text("Label: wall")
        expect(chip).to_be_focused()
        ask(page, "blue")  # stays for the next query
        expect(page.locator("#results-search .card")).to_have_count(1)
        chip.click()
        expect(page.locator("#results-search .card").nth(1)).to_be_attached()
        expect(page.locator("#filters-search [data-act=widen]")).to_have_count(0)
    finally:
        gallery.delete(ids)


def test_columns_and_number_of_hits_are_remembered_by_the_browser(page):
    ask(page, "blue")
    page.check("#view-search input[value=columns]")
    expect(page.locator("#results-search .column").first).to_be_attached()
    page.fill("#count-search input", "4")
    page.press("#count-search input", "Enter")
    expect(page.locator("#results-search .card")).to_have_count(4)
    page.reload()
    expect(page.locator("#view-search input[value=columns]")).to_be_checked()
    expect(page.locator("#count-search input")).to_have_value("4")
    choose_tab(page, "text")
    expect(page.locator("#view-text input[value=columns]")).to_be_checked()


def test_what_is_asked_while_another_answer_is_awaited_is_answered_last(page, held):
    page.fill("#query-search textarea", "red")
    page.press("#query-search textarea", "Enter")
    page.wait_for_selector("#results-search > .pending")
    page.uncheck("#kinds-search input[name=text]")
    page.fill("#query-search textarea", "blue")
    page.press("#query-search textarea", "Enter")
    page.uncheck("#kinds-search input[name=audio]")
    held.set()
    expect_asked(page, "“blue”")
    kinds = page.locator("#results-search article").evaluate_all("all => all.map((card) => card.className)")
    assert {card.split()[1] for card in kinds} == {"card-image", "card-video"}
    expect(page.locator("#kinds-search input[name=audio]")).not_to_be_checked()


# back and forth


def test_buttons_keys_and_the_browser_lead_back_and_forth(page):
    for words in ("red", "green", "blue"):
        ask(page, words)
    page.click("#results-search [data-act=back]")
    expect_asked(page, "“green”")
    page.keyboard.press("Alt+ArrowLeft")
    expect_asked(page, "“red”")
    expect(page.locator("#results-search [data-act=back]")).to_have_count(0)
    page.go_forward()
    expect_asked(page, "“green”")
    page.click("#results-search [data-act=forward]")
    expect_asked(page, "“blue”")
    page.click("#results-search .recent summary")
    page.click("#results-search .recent [data-act=go] >> nth=2")
    expect_asked(page, "“red”")
    assert page.url.endswith("?q=red")


def test_a_hit_becomes_the_query_and_back_returns(page):
    ask(page, "red")
    page.locator("#results-search .card-image .similar").first.click()
    expect_asked(page, "red wall")
    assert "red wall" not in titles(page)
    assert "q=" not in page.url
    expect(page.locator("#results-search .strip h2")).to_be_focused()
    page.go_back()
    expect_asked(page, "“red”")


def test_the_tabs_share_what_was_asked(page, tmp_path):
    ask(page, "green")
    ask(page, "red")
    choose_tab(page, "image")
    page.click("#results-image .recent summary")
    page.click("#results-image .recent [data-act=go] >> nth=1")
    expect_asked(page, "“green”", "image")
    page.go_forward()
    expect_asked(page, "“red”", "image")
    upload(page, write_picture(tmp_path / "sea.png", even((30, 40, 200))), "image")
    expect_asked(page, "sea.png", "image")
    page.click("#results-image .recent summary")
    recent = page.locator("#results-image .recent [data-act=go]")
    expect(recent).to_have_text(["sea.png", "“red”", "“green”"])
    expect(recent.first.locator("img")).to_be_visible()
    recent.nth(1).click()
    expect_asked(page, "“red”", "image")


def test_an_address_with_a_question_is_answered_at_once(open_app):
    page = open_app("?q=a%20red%20wall")
    expect_asked(page, "“a red wall”")
    expect(page.locator("#query-search textarea")).to_have_value("a red wall")


# while hits are awaited


def test_cards_without_content_keep_the_place_of_the_hits(page, held):
    page.fill("#query-search textarea", "red")
    page.press("#query-search textarea", "Enter")
    ghost = page.locator("#results-search .blank").first
    expect(ghost).to_be_visible()
    page.wait_for_function("getComputedStyle(document.querySelector('#results-search .ghosts')).opacity == 1")
    expect(page.locator("#results-search .turn")).to_be_visible()
    awaited = ghost.locator("div").bounding_box()
    bar = page.locator("#filters-search").bounding_box()
    held.set()
    expect_asked(page, "“red”")
    expect(ghost).not_to_be_visible()
    came = page.locator(f"{FOUND}-image .media").first.bounding_box()
    assert [came[key] for key in ("x", "y", "width", "height")] == pytest.approx(
        [awaited[key] for key in ("x", "y", "width", "height")], abs=2
    )
    assert page.locator("#filters-search").bounding_box() == bar


def test_the_place_in_the_line_is_told_in_words(open_app, held):
    pages = [open_app() for _ in range(4)]
    for page in pages:
        page.fill("#query-search textarea", "red")
        page.press("#query-search textarea", "Enter")
        expect(page.locator("#results-search .ghosts")).to_be_visible()
    expect(pages[2].locator("#results-search .turn")).to_have_text("You are next.")
    expect(pages[3].locator("#results-search .turn")).to_have_text("1 person is before you.")
    held.set()
    for page in pages:
        expect_asked(page, "“red”")
