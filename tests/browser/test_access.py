"""The page for everybody: every width and scheme, by keyboard and by ear; and nothing of strangers runs in it."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.hands import ask, expect_asked, unfold
from tests.browser.look import NONSENSE, TABS, choose_tab
from tests.makers import write_picture
from tests.ui.conftest import even

SEARCHING = TABS[:5]
EVIL = """<img src=x onerror="window.hasRun = 1"><script>window.hasRun = 1</script>"""


def with_hits(page: Page, tab: str) -> None:
    """Open a tab, and show hits of all sorts where it searches."""
    choose_tab(page, tab)
    if tab in SEARCHING:
        page.locator(f"#examples-{tab} [data-act]").first.click()
        expect(page.locator(f"#results-{tab} .strip .asked")).to_be_visible()
        unfold(page, tab)


# every width and colour scheme


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", ["wide", "narrow"])
def test_axe_finds_nothing_serious_on_any_tab(open_app, width, scheme):
    page = open_app(width=width, scheme=scheme)

    def found(where: str) -> list[str]:
        answer = Axe().run(page).response
        assert len(answer["passes"]) > 10, where  # it did look
        grave = [rule for rule in answer["violations"] if rule["impact"] in ("serious", "critical")]
        return [f"{where}: {rule['id']}: {node['html'][:200]}" for rule in grave for node in rule["nodes"]]

    all_found = found("before anything was asked")
    for tab in TABS:
        with_hits(page, tab)
        all_found += found(tab)
    choose_tab(page, "search")
    ask(page, NONSENSE)
    all_found += found("nothing found")
    page.click("#results-search .recent summary")
    all_found += found("recent queries")
    page.click("#query-search [data-tool=microphone]")
    all_found += found("recording")
    assert not all_found, "\n".join(all_found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_scrolls_sideways(open_app, scheme):
    page = open_app(width="narrow", scheme=scheme)
    for tab in TABS:
        with_hits(page, tab)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, tab
    choose_tab(page, "search")
    page.check("#view-search input[value=columns]")
    ask(page, "red")
    expect(page.locator("#results-search .column").first).to_be_visible()
    page.click("#results-search .recent summary")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_all_tabs_are_in_reach_on_a_phone(open_app):
    page = open_app(width="narrow")
    for tab in TABS:
        expect(page.locator(f"#tab-{tab}-button")).to_be_in_viewport()


def test_fingers_hit_what_they_aim_at(open_app):
    page = open_app(width="narrow")
    ask(page, "red")
    small = page.evaluate(
        """() => [...document.querySelectorAll("#tabs button, #tabs a, #tabs summary, #tabs label")]
        .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height > 1)
        .filter((e) => Math.min(e.getBoundingClientRect().width, e.getBoundingClientRect().height) < 24)
        .map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert not small  # WCAG 2.2, 2.5.8


def test_dark_follows_the_system(open_app):
    light, dark = (open_app(scheme=scheme) for scheme in ("light", "dark"))
    brightness = (
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b)"
    )
    assert light.evaluate(brightness) > 700 > 100 > dark.evaluate(brightness)
    assert dark.evaluate("document.body.classList.contains('dark')")


# by keyboard and by ear


def test_everything_to_press_has_a_name(page):
    for tab in TABS:
        with_hits(page, tab)
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
    expect(page.locator("#query-search textarea")).to_be_focused()
    page.keyboard.type("green")
    page.keyboard.press("Enter")
    expect_asked(page, "“green”")
    page.locator("#results-search .similar").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#results-search [data-act=back]")).to_be_visible()


def test_the_focus_goes_from_the_box_to_the_examples_the_filters_and_the_hits(page):
    ask(page, "red")
    page.focus("#query-search textarea")
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.closest('[id$=-search]')?.id ?? ''"))
    places = [place for place in ("query-search", "examples-search", "filters-search", "results-search")]
    assert [place for place in dict.fromkeys(seen) if place in places] == places


def test_slash_finds_the_box_from_any_tab_and_is_an_ordinary_sign_within(page):
    choose_tab(page, "about")
    page.keyboard.press("/")
    expect(page.locator("#query-search textarea")).to_be_focused()
    page.keyboard.type("and/or")
    expect(page.locator("#query-search textarea")).to_have_value("and/or")


def test_escape_closes_what_is_open(page):
    ask(page, "red")
    ask(page, "blue")
    page.click("#results-search .recent summary")
    expect(page.locator("#results-search .recent .menu")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#results-search .recent .menu")).not_to_be_visible()
    expect(page.locator("#results-search .recent summary")).to_be_focused()


def test_new_hits_are_announced(page):
    ask(page, "red")
    expect(page.locator("#unimma-live")).to_contain_text("“red”")
    expect(page.locator("#unimma-live")).to_contain_text("hits")


# strangers


@pytest.fixture
def evil(running, tmp_path) -> Iterator[str]:
    """The id of a picture whose title, caption, label and origin all hold script."""
    gallery = running.engine.gallery
    facts = {"caption": EVIL, "label": EVIL, "source": EVIL}
    [evil_id] = gallery.add([write_picture(tmp_path / "x.png", even((200, 120, 40)))], metadata=facts).added
    gallery.update(evil_id, title=EVIL)
    yield evil_id
    gallery.delete([evil_id])


def has_run(page: Page) -> bool:
    """Whether any of it did what it is meant to, after the page has had the time."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    return bool(page.evaluate("window.hasRun"))


def test_h27_script_in_titles_captions_and_labels_is_shown_as_text(evil, page):
    ask(page, "red")
    unfold(page)
    expect(page.locator(f"#results-search [data-id={evil}] h3").first).to_have_text(EVIL)
    page.click("#filters-search [data-facet=label] summary")
    expect(page.locator("#filters-search [data-act=narrow][data-facet=label]")).to_contain_text("onerror")
    page.click("#filters-search [data-act=narrow][data-facet=label]")
    expect(page.locator("#filters-search [data-act=widen]")).to_contain_text(EVIL)
    page.locator(f"#results-search article[data-id={evil}] .similar").click()
    expect_asked(page, EVIL)
    choose_tab(page, "library")
    expect(page.locator("#shelf article", has_text="window.hasRun").first).to_be_visible()
    assert not has_run(page)


def test_h27_script_in_a_question_an_address_and_a_list_of_questions_is_shown_as_text(open_app):
    page = open_app("?q=" + "%3Cimg src=x onerror=%22window.hasRun = 1%22%3E")
    expect_asked(page, '“<img src=x onerror="window.hasRun = 1">”')
    ask(page, EVIL)
    page.click("#results-search .recent summary")
    expect(page.locator("#results-search .recent [data-act=go]").first).to_contain_text(EVIL)
    assert not has_run(page)


def test_h27_script_in_file_names_and_errors_is_shown_as_text(page, tmp_path):
    name = """<img src=x onerror="window.hasRun = 1">"""
    good = write_picture(tmp_path / "x.png", even((30, 40, 200))).read_bytes()
    for tab in ("search", "image"):
        choose_tab(page, tab)
        box = f"#query-{tab} input[type=file]"
        page.set_input_files(box, {"name": f"{name}.png", "mimeType": "image/png", "buffer": good})
        expect(page.locator(f"#results-{tab} .strip .asked")).to_contain_text("onerror")
    choose_tab(page, "search")
    bad = {"name": f"{name}.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.set_input_files("#query-search input[type=file]", bad)
    expect(page.locator(".toast-body").first).to_contain_text("onerror")
    assert not has_run(page)


def test_the_page_makes_no_request_to_anywhere_else(browser, running):
    asked = []
    context = browser.new_context()
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(running.url)
    page.wait_for_selector("#examples-search [data-act]", timeout=60_000)
    context.close()
    assert asked and all(url.startswith((running.url, "data:", "blob:")) for url in asked), asked
