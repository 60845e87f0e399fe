"""What visitors do on the page, for several tests."""

import base64
from pathlib import Path

from playwright.sync_api import JSHandle, Page, expect

from tests.browser.look import choose_tab


def ask(page: Page, sentence: str, tab: str = "search") -> None:
    """Type a sentence and wait for what it finds."""
    page.fill(f"#query-{tab} textarea", sentence)
    page.press(f"#query-{tab} textarea", "Enter")
    expect_asked(page, f"“{sentence}”", tab)


def expect_asked(page: Page, name: str, tab: str = "search") -> None:
    """Wait for the hits of a query that the page calls so."""
    expect(page.locator(f"#results-{tab} .strip .asked")).to_have_text(name)


def upload(page: Page, path: Path, tab: str = "search") -> None:
    """Give a file to the box of a tab."""
    choose_tab(page, tab)
    page.set_input_files(f"#query-{tab} input[type=file]", path)


def titles(page: Page, kind: str = "image", tab: str = "search") -> list[str]:
    """Titles of the hits of a kind, best first."""
    return page.locator(f"#results-{tab} .card-{kind} h3").all_text_contents()


def unfold(page: Page, tab: str = "search") -> None:
    """Show the weaker matches, too."""
    page.click(f"#results-{tab} .weaker summary")


def carried(page: Page, *files: Path, words: str = "") -> JSHandle:
    """Files or words as a mouse or the clipboard carries them."""
    data = [(file.name, base64.b64encode(file.read_bytes()).decode()) for file in files]
    return page.evaluate_handle(
        """([files, words]) => {
            const carried = new DataTransfer();
            for (const [name, data] of files) {
                carried.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name));
            }
            if (words) carried.setData("text/plain", words);
            return carried;
        }""",
        [data, words],
    )


def drop(page: Page, carried: JSHandle, place: str = "footer") -> None:
    """Let go of what is carried over a place of the page."""
    page.dispatch_event(place, "dragover", {"dataTransfer": carried})
    page.dispatch_event(place, "drop", {"dataTransfer": carried})


def paste(page: Page, carried: JSHandle, place: str = "body") -> None:
    """Paste what is carried while a place of the page has the focus."""
    page.evaluate(
        """([place, carried]) => document.querySelector(place).dispatchEvent(
            new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true }))""",
        [place, carried],
    )
