"""python -m tests.browser.look FOLDER [URL]: screenshots of each tab of the app, wide and narrow, light and dark.

Of the app at URL, else of one that it starts. For people to look at: nothing here asserts anything.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
NONSENSE = "zxqv plorf"
WIDTHS = {"wide": (1280, 900), "narrow": (390, 844)}
TABS = ("search", "text", "image", "audio", "video", "library", "about")


def open_page(browser: Browser, url: str, width: str, scheme: str) -> Page:
    """A ready page of one width and colour scheme."""
    size = {"width": WIDTHS[width][0], "height": WIDTHS[width][1]}
    narrow = width == "narrow"
    context = browser.new_context(
        viewport=size,
        color_scheme=scheme,
        is_mobile=narrow,
        has_touch=narrow,
        device_scale_factor=1,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(url)
    page.wait_for_selector("#examples-search [data-act]", timeout=180_000)
    return page


def choose_tab(page: Page, name: str) -> None:
    """Open a tab by its button, wherever the width has put it."""
    page.locator(f"#tab-{name}-button").last.click()
    page.wait_for_selector(f"#tab-{name}", state="visible")


def shoot(page: Page, folder: Path, name: str, *, full: bool = True) -> None:
    """One screenshot, after its pictures have come."""
    page.wait_for_function(
        "[...document.images].filter(i => i.offsetParent && i.loading != 'lazy').every(i => i.complete)"
    )
    page.wait_for_function("[...document.querySelectorAll('video')].every(v => !v.offsetParent || v.readyState > 0)")
    page.wait_for_timeout(700)  # players draw themselves late, and say so to nobody
    page.screenshot(path=folder / f"{name}.png", full_page=full)


@contextmanager
def started() -> Iterator[str]:
    """The address of an app that runs as long as it is looked at."""
    command = [sys.executable, "app.py", "--port", "0"]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as app:
        try:
            assert app.stdout is not None
            yield app.stdout.readline().split()[-1]
        finally:
            app.terminate()


def main(url: str, folder: Path) -> None:
    """Every tab at both widths in both schemes, and a search of each kind in the wide one."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                page = open_page(browser, url, width, scheme)
                for tab in TABS:
                    choose_tab(page, tab)
                    shoot(page, folder, f"{width}-{scheme}-{tab}")
                choose_tab(page, "search")
                page.click("#examples-search [data-act] >> nth=0")
                page.wait_for_selector("#results-search .score")
                page.mouse.move(0, 0)
                shoot(page, folder, f"{width}-{scheme}-hits")
                shoot(page, folder, f"{width}-{scheme}-first-screen", full=False)
                page.click("#view-search label >> nth=1")
                page.wait_for_selector("#results-search .columns")
                shoot(page, folder, f"{width}-{scheme}-columns")
                page.click("#view-search label >> nth=0")
                page.fill("#query-search textarea", NONSENSE)
                page.press("#query-search textarea", "Enter")
                page.wait_for_selector(f"#results-search .asked >> text={NONSENSE}")
                shoot(page, folder, f"{width}-{scheme}-nonsense", full=False)
                page.context.close()
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        main(sys.argv[2], Path(sys.argv[1]))
    else:
        with started() as url:
            main(url, Path(sys.argv[1]))
