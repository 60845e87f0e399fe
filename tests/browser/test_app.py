"""The tabs of one modality each in Chromium: search, play, go on from a hit; and errors in words."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.hands import ask, expect_asked, titles, unfold, upload
from tests.browser.look import choose_tab
from tests.makers import write_clip, write_picture, write_tone
from tests.ui.conftest import even


@pytest.fixture
def text(page):
    """The page with its tab for sentences open."""
    choose_tab(page, "text")
    return page


# search


def test_a_sentence_finds_all_four_modalities(text):
    ask(text, "red", "text")
    unfold(text, "text")
    for kind in ("text", "image", "audio", "video"):
        expect(text.locator(f"#results-text .card-{kind}").first).to_be_visible()
    assert titles(text, tab="text")[0] == "red wall"


def test_a_photo_finds_its_like(page, tmp_path):
    upload(page, write_picture(tmp_path / "sea.png", even((30, 40, 200))), "image")
    expect_asked(page, "sea.png", "image")
    assert titles(page, "image", "image")[0] == "blue wall"


def test_a_sound_finds_its_like(page, tmp_path):
    upload(page, write_tone(tmp_path / "bird.wav", hz=5_000.0), "audio")
    expect_asked(page, "bird.wav", "audio")
    assert titles(page, "audio", "audio")[0] == "whistle"


def test_a_clip_finds_its_like(page, tmp_path):
    upload(page, write_clip(tmp_path / "walk.mp4", sound_hz=200.0), "video")
    expect_asked(page, "walk.mp4", "video")
    assert titles(page, "video", "video") == ["grey"]


def test_a_recording_from_the_microphone_searches(page):
    choose_tab(page, "audio")
    page.click('#query-audio [aria-label="Record audio"]')
    page.click("#query-audio button.record-button")
    expect(page.locator("#query-audio time.duration")).to_have_text(re.compile("0:0[1-9]"))  # a second was recorded
    page.click("#query-audio button.stop-button")
    expect(page.locator("#results-audio .card-audio").first).to_be_attached()


@pytest.mark.parametrize("tab", ["text", "image", "audio", "video"])
def test_an_example_searches_on_one_click(page, tab):
    choose_tab(page, tab)
    page.locator(f"#examples-{tab} [data-act]").first.click()
    expect(page.locator(f"#results-{tab} .score").first).to_be_visible()
    cards = page.locator(f"#results-{tab} article").evaluate_all("all => all.map((card) => card.className)")
    assert {"card-text", "card-image", "card-audio"} <= {card.split()[1] for card in cards}


def test_filters_choose_kinds_number_and_columns(text):
    ask(text, "blue", "text")
    text.uncheck("#kinds-text input[name=text]")
    expect(text.locator("#results-text .card-text")).to_have_count(0)
    text.fill("#count-text input[type=number]", "4")
    text.press("#count-text input[type=number]", "Enter")
    text.check("#view-text input[value=columns]")
    columns = text.locator("#results-text .column")
    expect(columns.first).to_be_attached()
    names = columns.evaluate_all("all => all.map((column) => column.getAttribute('aria-label'))")
    assert set(names) == {"Pictures", "Sounds", "Clips"}


# hits


def test_a_hit_becomes_the_query_and_back_returns(text):
    ask(text, "red", "text")
    text.locator("#results-text .card-image .similar").first.click()
    expect_asked(text, "red wall", "text")
    assert "red wall" not in titles(text, tab="text")
    expect(text.locator("#results-text .strip h2")).to_be_focused()
    text.click("#results-text [data-act=back]")
    expect_asked(text, "“red”", "text")
    expect(text.locator("#results-text [data-act=back]")).to_have_count(0)


def test_a_sound_plays_and_falls_silent_when_another_starts(text):
    ask(text, "low", "text")
    unfold(text, "text")
    players = text.locator("#results-text audio, #results-text video")
    assert players.evaluate_all("all => all.every(player => player.paused)")
    first, second = players.nth(0), players.nth(1)
    for player in (first, second):
        player.evaluate("player => { player.loop = true; player.muted = true; return player.play() }")
    text.wait_for_function("player => !player.paused && player.currentTime > 0", arg=second.element_handle())
    assert first.evaluate("player => player.paused")
    assert first.evaluate("player => player.duration") > 0.5
    choose_tab(text, "about")
    assert second.evaluate("player => player.paused")


def test_a_picture_opens_large_and_escape_closes_it(text):
    ask(text, "red", "text")
    text.locator("#results-text .card-image .zoom").first.click()
    shown = text.locator("#unimma-zoom img")
    expect(shown).to_be_visible()
    text.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=shown.element_handle())
    text.keyboard.press("Escape")
    expect(shown).not_to_be_visible()


def test_a_score_tells_its_meaning_to_the_keyboard(text):
    ask(text, "red", "text")
    score = text.locator("#results-text .score").first
    score.focus()
    expect(score.locator(".tip")).to_be_visible()
    expect(score).to_contain_text("Stands out from about")


# errors


def test_a_file_that_is_no_picture_is_refused_in_a_sentence(page, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"this is no picture")
    upload(page, bad, "image")
    toast = page.locator(".toast-body").first
    expect(toast).to_contain_text("bad.png")
    expect(toast).to_contain_text("expected")
    assert "Traceback" not in toast.inner_text() and "/" not in toast.inner_text().replace("and/or", "")
    page.locator("#examples-image [data-act]").first.click()
    expect(page.locator("#results-image .card").first).to_be_visible()


def test_an_empty_question_is_answered_in_a_sentence(text):
    text.click("#search")
    expect(text.locator(".toast-body").first).to_contain_text("Type what you are looking for")
