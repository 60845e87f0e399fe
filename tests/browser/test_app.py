"""The app as a visitor meets it, in Chromium: search, play, go on from a hit, add, delete, wide and narrow."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.look import TABS, choose_tab
from tests.makers import write_clip, write_picture, write_tone
from tests.ui.conftest import even


def ask(page, sentence: str) -> None:
    page.fill("#query-text textarea", sentence)
    page.press("#query-text textarea", "Enter")
    expect(page.locator("#results-text .asked")).to_have_text(f"“{sentence}”")


def upload(page, tab: str, path: Path) -> None:
    choose_tab(page, tab)
    page.set_input_files(f"#query-{tab} input[type=file]", path)


def titles(page, tab: str = "text", kind: str = "image") -> list[str]:
    return page.locator(f"#results-{tab} .card-{kind} h3").all_text_contents()


# search


def test_a_sentence_finds_all_four_modalities(page):
    ask(page, "red")
    for kind in ("text", "image", "audio", "video"):
        expect(page.locator(f"#results-text .card-{kind}").first).to_be_visible()
    assert titles(page)[0] == "red wall"


def test_a_photo_finds_its_like(page, tmp_path):
    upload(page, "image", write_picture(tmp_path / "sea.png", even((30, 40, 200))))
    expect(page.locator("#results-image .asked")).to_have_text("sea.png")
    assert titles(page, "image")[0] == "blue wall"


def test_a_sound_finds_its_like(page, tmp_path):
    upload(page, "audio", write_tone(tmp_path / "bird.wav", hz=5_000.0))
    expect(page.locator("#results-audio .asked")).to_have_text("bird.wav")
    assert titles(page, "audio", "audio")[0] == "whistle"


def test_a_clip_finds_its_like(page, tmp_path):
    upload(page, "video", write_clip(tmp_path / "walk.mp4", sound_hz=200.0))
    expect(page.locator("#results-video .asked")).to_have_text("walk.mp4")
    assert titles(page, "video", "video") == ["grey"]


def test_a_recording_from_the_microphone_searches(page):
    choose_tab(page, "audio")
    page.click('#query-audio [aria-label="Record audio"]')
    page.click("#query-audio button.record-button")
    expect(page.locator("#query-audio time.duration")).to_have_text(re.compile("0:0[1-9]"))  # a second was recorded
    page.click("#query-audio button.stop-button")
    expect(page.locator("#results-audio .card-audio").first).to_be_visible()


@pytest.mark.parametrize("tab", ["text", "image", "audio", "video"])
def test_an_example_searches_on_one_click(page, tab):
    choose_tab(page, tab)
    page.locator(f"#examples-{tab} [data-act]").first.click()
    expect(page.locator(f"#results-{tab} .score").first).to_be_visible()
    kinds = {
        card.split()[1] for card in page.locator(f"#results-{tab} article").evaluate_all("a => a.map(e => e.className)")
    }
    assert {"card-text", "card-image", "card-audio"} <= kinds


def test_filters_choose_kinds_number_and_columns(page):
    ask(page, "blue")
    page.uncheck("#kinds-text input[name=text]")
    expect(page.locator("#results-text .card-text")).to_have_count(0)
    page.fill("#count-text input[type=number]", "4")
    page.press("#count-text input[type=number]", "Enter")
    page.check("#view-text input[value=columns]")
    expect(page.locator("#results-text .column")).to_have_count(3)
    assert page.locator("#results-text .column").first.get_attribute("aria-label") == "Pictures"


def test_without_any_kind_the_page_says_what_to_do(page):
    ask(page, "blue")
    for kind in ("text", "image", "audio", "video"):
        page.uncheck(f"#kinds-text input[name={kind}]")
    expect(page.locator("#results-text .nothing")).to_contain_text("Tick at least one")


# hits


def test_a_hit_becomes_the_query_and_back_returns(page):
    ask(page, "red")
    page.locator("#results-text .card-image .similar").first.click()
    expect(page.locator("#results-text .asked")).to_have_text("red wall")
    assert "red wall" not in titles(page)
    expect(page.locator("#results-text .strip h2")).to_be_focused()
    page.click("#results-text [data-act=back]")
    expect(page.locator("#results-text .asked")).to_have_text("“red”")
    expect(page.locator("#results-text [data-act=back]")).to_have_count(0)


def test_a_sound_plays_and_falls_silent_when_another_starts(page):
    ask(page, "low")
    players = page.locator("#results-text audio, #results-text video")
    assert players.evaluate_all("all => all.every(player => player.paused)")
    first, second = players.nth(0), players.nth(1)
    for player in (first, second):
        player.evaluate("player => { player.loop = true; player.muted = true; return player.play() }")
    page.wait_for_function("player => !player.paused && player.currentTime > 0", arg=second.element_handle())
    assert first.evaluate("player => player.paused")
    assert first.evaluate("player => player.duration") > 0.5
    choose_tab(page, "about")
    assert second.evaluate("player => player.paused")


def test_a_picture_opens_large_and_escape_closes_it(page):
    ask(page, "red")
    page.locator("#results-text .card-image .zoom").first.click()
    shown = page.locator("#unimma-zoom img")
    expect(shown).to_be_visible()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=shown.element_handle())
    page.keyboard.press("Escape")
    expect(shown).not_to_be_visible()


def test_a_score_tells_its_meaning_to_the_keyboard(page):
    ask(page, "red")
    score = page.locator("#results-text .score").first
    score.focus()
    expect(score.locator(".tip")).to_be_visible()
    expect(score).to_contain_text("Stands out from about")


def test_script_in_a_sentence_is_shown_as_text(page):
    seen = []
    page.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
    ask(page, "<img src=x onerror=alert(1)>")
    expect(page.locator("#results-text q", has_text="<img src=x onerror=alert(1)>").first).to_be_visible()
    assert not seen and page.locator("#results-text img[src=x]").count() == 0


# errors


def test_a_file_that_is_no_picture_is_refused_in_a_sentence(page, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"this is no picture")
    upload(page, "image", bad)
    toast = page.locator(".toast-body").first
    expect(toast).to_contain_text("bad.png")
    expect(toast).to_contain_text("expected")
    assert "Traceback" not in toast.inner_text() and "/" not in toast.inner_text().replace("and/or", "")
    ask_again = page.locator("#examples-image [data-act]").first
    ask_again.click()
    expect(page.locator("#results-image .card").first).to_be_visible()


def test_an_empty_question_is_answered_in_a_sentence(page):
    page.click("#search")
    expect(page.locator(".toast-body").first).to_contain_text("Type what you are looking for")


# library


def test_files_are_added_refused_with_a_reason_found_and_deleted(page, tmp_path):
    good = write_picture(tmp_path / "violet.png", even((150, 20, 160)))
    bad = tmp_path / "page.html"
    bad.write_text("<html><b>no</b></html>")
    choose_tab(page, "library")
    page.set_input_files("#add-files input[type=file]", [good, bad])
    page.fill("#add-sentence textarea", "a violet field")
    page.click("#add")
    report = page.locator("#report")
    expect(report).to_contain_text("2 added, 1 refused.")
    expect(report.locator("th")).to_have_text("page.html")
    expect(report.locator("td")).to_contain_text("expected")
    expect(page.locator("#shelf article").first).to_contain_text("a violet field")

    page.click("#shelf [data-act=browse][data-kind=image]")
    expect(page.locator("#shelf .card-text")).to_have_count(0)
    page.locator("#shelf article", has_text="violet").locator("input").check()
    page.click("#shelf [data-act=remove]")
    page.click("#unimma-confirm >> text=Cancel")
    expect(page.locator("#shelf article", has_text="violet")).to_have_count(1)
    page.click("#shelf [data-act=remove]")
    page.click("#unimma-confirm .danger")
    expect(report).to_contain_text("1 item was deleted.")
    expect(page.locator("#shelf h3", has_text="violet").filter(has_not_text="field")).to_have_count(0)


def test_adding_nothing_says_what_to_do(page):
    choose_tab(page, "library")
    page.click("#add")
    expect(page.locator(".toast-body").first).to_contain_text("Drop files, or write a sentence.")


# every width and colour scheme


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_scrolls_sideways(open_app, scheme):
    page = open_app(width="narrow", scheme=scheme)
    for tab in TABS:
        choose_tab(page, tab)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, tab
    choose_tab(page, "text")
    ask(page, "red")
    page.check("#view-text input[value=columns]")
    expect(page.locator("#results-text .column").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_all_tabs_are_in_reach_on_a_phone(open_app):
    page = open_app(width="narrow")
    for tab in TABS:
        expect(page.locator(f"#tab-{tab}-button")).to_be_in_viewport()


def test_dark_follows_the_system(open_app):
    light, dark = (open_app(scheme=scheme) for scheme in ("light", "dark"))
    brightness = (
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b)"
    )
    assert light.evaluate(brightness) > 700 > 100 > dark.evaluate(brightness)
    assert dark.evaluate("document.body.classList.contains('dark')")


# by keyboard and by ear


def test_everything_to_press_has_a_name(page):
    ask(page, "red")
    for tab in TABS:
        choose_tab(page, tab)
        nameless = page.evaluate(
            """() => [...document.querySelectorAll('button, input:not([type=file]), textarea, audio, video')]
            .filter(e => e.checkVisibility() && !e.closest('[aria-hidden=true]'))
            .filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.title || e.placeholder
                           || e.labels?.[0]?.textContent.trim()))
            .map(e => e.outerHTML.slice(0, 200))"""
        )
        assert not nameless, tab


def test_every_picture_of_ours_says_what_it_is_or_that_it_is_decoration(page):
    ask(page, "red")
    assert page.evaluate(
        "[...document.querySelectorAll('.results img, .try img')].every(image => image.hasAttribute('alt'))"
    )


def test_a_search_and_the_next_one_need_only_the_keyboard(page):
    page.focus("#query-text textarea")
    page.keyboard.type("green")
    page.keyboard.press("Enter")
    expect(page.locator("#results-text .asked")).to_have_text("“green”")
    page.locator("#results-text .similar").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#results-text [data-act=back]")).to_be_visible()


def test_new_hits_are_announced(page):
    ask(page, "red")
    expect(page.locator("#unimma-live")).to_contain_text("“red”")
    expect(page.locator("#unimma-live")).to_contain_text("hits")


def test_the_page_makes_no_request_to_anywhere_else(browser, running):
    asked = []
    context = browser.new_context()
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(running.url)
    page.wait_for_selector("#examples-text [data-act]", timeout=60_000)
    context.close()
    assert asked and all(url.startswith((running.url, "data:", "blob:")) for url in asked), asked
