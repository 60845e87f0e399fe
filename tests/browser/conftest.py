"""Chromium on a running app over a toy model and a small real gallery."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.look import ARGUMENTS, CHROMIUM, WIDTHS
from tests.ui.conftest import Running, private, running, visits_here  # noqa: F401 (fixtures)

PATIENCE_MS = 60_000  # for a busy machine; nothing waits that long on an idle one
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    missing = pytest.mark.skip(reason=f"there is no Chromium at {CHROMIUM}")
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not os.access(CHROMIUM, os.X_OK):
                item.add_marker(missing)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_app(browser: Browser, running: Running) -> Iterator[Callable[..., Page]]:  # noqa: F811
    """Opens the app in a page of its own: `open_app("?q=red", width="narrow", scheme="dark")`."""
    contexts = []

    def open_(address: str = "", *, width: str = "wide", scheme: str = "light") -> Page:
        narrow = width == "narrow"
        context = browser.new_context(
            viewport=dict(zip(("width", "height"), WIDTHS[width], strict=True)),
            color_scheme=scheme,
            is_mobile=narrow,
            has_touch=narrow,
            reduced_motion="reduce",
            permissions=["microphone", "camera"],
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{running.url}/{address}")
        page.wait_for_selector("#examples-search [data-act]")
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_app) -> Page:
    return open_app()
