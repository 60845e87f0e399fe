"""What a visitor meets who comes before the model is there."""

import threading

import pytest
from playwright.sync_api import expect

from tests.browser.look import choose_tab
from tests.toy import ToyModel
from tests.ui.conftest import fill
from unimma.errors import GalleryError
from unimma.gallery import Gallery
from unimma.ui.app import serve
from unimma.ui.engine import Engine


@pytest.fixture
def early(browser, tmp_path):
    """A page of an app that opens its gallery when the test says so."""
    go_on = threading.Event()

    def load(say, call):
        say("Indexing the starter gallery: 3 of 9", 3, 9)
        go_on.wait()
        if (tmp_path / "fail").exists():
            raise GalleryError("a locked gallery", "one that is free", "Close the other program.")
        model = ToyModel()
        gallery = Gallery.open(tmp_path / "gallery", model, call=call)
        fill(gallery, tmp_path)
        return model, gallery

    engine = Engine(load)
    demo = serve(engine, host="127.0.0.1", port=None)
    context = browser.new_context()
    page = context.new_page()
    page.goto(demo.local_url)
    yield page, go_on
    go_on.set()
    context.close()
    demo.close()
    engine.close()


def test_a_search_that_came_too_early_starts_by_itself(early):
    page, go_on = early
    expect(page.locator("#status")).to_contain_text("3 of 9")
    page.fill("#query-search textarea", "red")
    page.press("#query-search textarea", "Enter")
    expect(page.locator("#results-search .nothing")).to_contain_text("Your search starts by itself")
    go_on.set()
    expect(page.locator("#results-search .asked")).to_have_text("“red”")
    expect(page.locator("#status")).to_contain_text("3 pictures")
    expect(page.locator("#examples-search [data-act]").first).to_be_visible()
    expect(page.locator("#results-search .asked")).to_have_text("“red”")


def test_a_browser_that_keeps_nothing_can_search_all_the_same(browser, running):
    context = browser.new_context()
    for store in ("sessionStorage", "localStorage"):
        forbidden = (
            f"Object.defineProperty(window, '{store}', {{ get() {{ throw new DOMException('no', 'SecurityError') }} }})"
        )
        context.add_init_script(forbidden)
    page = context.new_page()
    page.goto(running.url)
    expect(page.locator("#status")).to_contain_text("3 pictures")
    page.fill("#query-search textarea", "red")
    page.press("#query-search textarea", "Enter")
    expect(page.locator("#results-search .asked")).to_have_text("“red”")
    context.close()


def test_the_page_fills_itself_when_the_gallery_is_there(early):
    page, go_on = early
    expect(page.locator("#status progress")).to_be_visible()
    go_on.set()
    expect(page.locator("#results-search h2")).to_have_text("From the gallery")
    expect(page.locator("#results-search .card-audio").first).to_be_visible()


def test_a_start_that_failed_says_why(early, tmp_path):
    page, go_on = early
    (tmp_path / "fail").touch()
    go_on.set()
    expect(page.locator("#status [role=alert]")).to_contain_text("Close the other program.")
    expect(page.locator("#status .promise")).to_contain_text("deleted when you close this page")


def test_the_library_keeps_its_place_until_it_is_there(early):
    page, go_on = early
    expect(page.locator("#status")).to_contain_text("Delete everything now")
    choose_tab(page, "library")
    expect(page.locator("#shelf .ghost").first).to_be_visible()
    page.fill("#add-sentence textarea", "somebody was early")
    page.click("#add")
    go_on.set()
    expect(page.locator("#job h2")).to_have_text("1 added.")
    expect(page.locator("#shelf .tile").first).to_contain_text("somebody was early")
