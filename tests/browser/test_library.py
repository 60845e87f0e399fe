"""The library tab in Chromium: adding that is watched and held, a shelf to look through, and the line of trust."""

import csv
import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.hands import ask
from tests.browser.look import choose_tab
from tests.makers import write_picture
from tests.toy import ToyModel
from tests.ui.conftest import Running, even, fill, running_app
from unimma.gallery import Gallery
from unimma.settings import Quotas
from unimma.ui import engine as engines
from unimma.ui import notice
from unimma.ui.app import serve
from unimma.ui.engine import Engine
from unimma.ui.visit import Library, Visit

ITEMS = 12  # that `fill` puts in
HELD = ("wall", "sea")  # labels of what `held` puts in


class HeldModel(ToyModel):
    """Embeds only while it is let; each call that waits can be let through alone."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go = threading.Event()
        self.may_go.set()
        self._passes = threading.Semaphore(0)

    def let_one_through(self) -> None:
        self._passes.release()

    def embed(self, items: Sequence[object]) -> object:
        while not self.may_go.is_set() and not self._passes.acquire(timeout=0.02):
            pass
        return super().embed(items)


@pytest.fixture
def open_at(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the library tab of an app: `open_at(url)`."""
    contexts = []

    def open_(url: str, **look: object) -> Page:
        context = browser.new_context(reduced_motion="reduce", accept_downloads=True, **look)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.goto(url)
        return come_in(page)

    yield open_
    for context in contexts:
        context.close()


def come_in(page: Page) -> Page:
    expect(page.locator("#status .promise button")).to_be_visible()
    choose_tab(page, "library")
    expect(page.locator("#shelf h2")).to_contain_text("item")
    return page


@pytest.fixture
def page(open_at, running: Running) -> Page:
    return open_at(running.url)


@contextmanager
def app_over(engine: Engine) -> Iterator[str]:
    demo = serve(engine, host="127.0.0.1", port=None)
    try:
        assert engine.wait(120)
        yield demo.local_url
    finally:
        demo.close()
        engine.close()


@pytest.fixture
def held(tmp_path) -> Iterator[tuple[str, Engine, HeldModel]]:
    """An app, private, whose model waits for the test; its gallery holds a sentence for each label."""
    model = HeldModel()

    def load(say, call):
        gallery = Gallery.open(tmp_path / "gallery", model, call=call)
        for word in HELD:
            gallery.add([f"a red {word}"], metadata={"label": word})
        return model, gallery

    engine = Engine(load, library=Library.PRIVATE, quotas=Quotas())
    with app_over(engine) as url:
        yield url, engine, model
        model.may_go.set()


@pytest.fixture(scope="module")
def read_only(tmp_path_factory, visits_here) -> Iterator[Running]:
    with running_app(tmp_path_factory.mktemp("read only"), Library.READ_ONLY) as app:
        yield app


def notes(folder: Path, count: int) -> list[Path]:
    folder.mkdir(exist_ok=True)
    made = [folder / f"note {number:02}.txt" for number in range(count)]
    for number, path in enumerate(made):
        path.write_text(f"a note, the {number}th of them")
    return made


def give(page: Page, files: Sequence[Path]) -> None:
    page.set_input_files("#add-files input[type=file]", list(files))


def write(page: Page, sentence: str) -> None:
    page.fill("#add-sentence textarea", sentence)
    page.click("#add")


def titles(page: Page) -> list[str]:
    return page.locator("#shelf .tile h3").all_text_contents()


def tile(page: Page, title: str):
    return page.locator("#shelf .tile").filter(has=page.locator("h3", has_text=re.compile(f"^{title}$")))


def eventually(page: Page, is_so: Callable[[], bool]) -> None:
    """Wait for something that no page shows."""
    for _ in range(PATIENCE_MS // 50):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it never came about")


def card(page: Page):
    return page.locator("#job .job")


# adding


def test_files_go_in_as_they_are_dropped_and_what_is_refused_says_why(page, tmp_path):
    good = write_picture(tmp_path / "violet.png", even((150, 20, 160)))
    bad = tmp_path / "page.html"
    bad.write_text("<html><b>no</b></html>")
    give(page, [good, bad])
    expect(card(page).locator("h2")).to_have_text("1 added, 1 refused.")
    expect(card(page).locator("th")).to_have_text("page.html")
    expect(card(page).locator("td")).to_contain_text("a web page; expected")
    expect(page.locator("#shelf .tile h3").first).to_have_text("violet")
    expect(page.locator("#shelf h2")).to_contain_text(f"{ITEMS + 1} items")
    expect(page.locator("#status")).to_contain_text("4 pictures")
    expect(page.locator("#unimma-live")).to_have_text("1 added, 1 refused.")
    page.click("#job [data-act=close]")
    expect(card(page)).to_have_count(0)
    expect(page.locator("#add")).to_be_focused()


def test_a_sentence_is_added_and_found(page):
    write(page, "a violet field")
    expect(card(page).locator("h2")).to_have_text("1 added.")
    expect(page.locator("#shelf .tile q").first).to_have_text("a violet field")
    write(page, "a violet field")
    expect(card(page).locator("h2")).to_have_text("Nothing was added, 1 already there.")


def test_a_file_dropped_anywhere_is_added_while_the_tab_is_open(page):
    dropped = page.evaluate_handle("""() => {
        const data = new DataTransfer();
        data.items.add(new File(["a note that fell from the sky"], "sky.txt", { type: "text/plain" }));
        return data;
    }""")
    page.dispatch_event("#header", "dragover", {"dataTransfer": dropped})
    expect(page.locator("#unimma-drop")).to_have_text("Drop to add to the library")
    page.dispatch_event("#header", "drop", {"dataTransfer": dropped})
    expect(card(page).locator("h2")).to_have_text("1 added.")
    expect(tile(page, "sky")).to_have_count(1)


def test_a_zip_is_added_as_the_files_in_it(page, tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as packed:
        for path in notes(tmp_path / "packed", 3):
            packed.write(path, path.name)
        packed.writestr("page.html", "<html>no</html>")
    give(page, [tmp_path / "many.zip"])
    expect(card(page).locator("h2")).to_have_text("3 added, 1 refused.")
    expect(card(page).locator("th")).to_contain_text("page.html")


def test_adding_nothing_says_what_to_do(page):
    page.click("#add")
    expect(page.locator(".toast-body").first).to_contain_text("Drop files, or write a sentence.")


def test_h28_the_list_of_what_was_refused_runs_in_no_spreadsheet(page, tmp_path):
    bad = tmp_path / "=1+1.html"
    bad.write_text("<html>no</html>")
    give(page, [bad])
    expect(card(page).locator("h2")).to_have_text("Nothing was added, 1 refused.")
    with page.expect_download() as kept:
        page.click("#job [data-act=keep]")
    assert kept.value.suggested_filename == "refused.csv"
    header, row = csv.reader(io.StringIO(kept.value.path().read_text("utf-8-sig")))
    assert header == ["name", "reason"] and all(cell.startswith("'=1+1.html") for cell in row)


def test_progress_is_seen_and_held_and_nothing_is_lost(held, open_at, tmp_path):
    url, _, model = held
    page = open_at(url)
    model.may_go.clear()
    give(page, notes(tmp_path / "notes", 20))
    expect(card(page)).to_contain_text("0 of 20")
    model.let_one_through()
    expect(card(page)).to_contain_text("16 of 20")
    expect(page.locator("#job progress")).to_have_attribute("value", "16")

    page.focus("#job [data-act=pause]")
    page.keyboard.press("Enter")
    expect(card(page).locator("h2")).to_have_text("Paused")
    expect(page.locator("#job [data-act=resume]")).to_be_focused()  # the card changes below the keyboard's hands

    come_in_again(page)
    expect(card(page).locator("h2")).to_have_text("Paused")
    expect(card(page)).to_contain_text("16 of 20")
    page.click("#job [data-act=resume]")
    model.may_go.set()
    expect(card(page).locator("h2")).to_have_text("20 added.")
    expect(page.locator("#shelf h2")).to_contain_text("22 items")
    expect(page.locator("#shelf .own")).to_have_count(20)


def come_in_again(page: Page) -> None:
    page.reload()
    come_in(page)


def test_what_came_in_while_another_tab_was_open_is_there(held, open_at, tmp_path):
    url, engine, model = held
    page = open_at(url)
    model.may_go.clear()
    give(page, notes(tmp_path / "notes", 2))
    expect(card(page)).to_contain_text("0 of 2")
    page.reload()
    expect(page.locator("#status")).to_contain_text("Searching 2 texts.")
    model.may_go.set()
    eventually(page, lambda: all(visit.job.is_over for visit in with_a_job(engine)))
    come_in(page)
    expect(card(page).locator("h2")).to_have_text("2 added.")
    expect(page.locator("#shelf h2")).to_contain_text("4 items")


def with_a_job(engine: Engine) -> list[Visit]:
    return [visit for visit in engine.visits._all() if visit.job]


def test_stopping_keeps_what_came_in_and_lists_the_rest(held, open_at, tmp_path):
    url, _, model = held
    page = open_at(url)
    model.may_go.clear()
    give(page, notes(tmp_path / "notes", 20))
    expect(card(page)).to_contain_text("0 of 20")
    page.click("#job [data-act=stop]")
    model.may_go.set()
    expect(card(page).locator("h2")).to_contain_text("Stopped: ")
    added, refused = map(int, re.findall(r"(\d+) (?:added|refused)", card(page).locator("h2").inner_text()))
    assert added + refused == 20 and 0 < added <= 16
    expect(card(page).locator("td").first).to_have_text("not added: stopped before its turn")
    expect(page.locator("#shelf h2")).to_contain_text(f"{added + len(HELD)} items")


def test_files_that_come_meanwhile_wait_in_the_box_and_follow(held, open_at, tmp_path):
    url, _, model = held
    page = open_at(url)
    model.may_go.clear()
    give(page, notes(tmp_path / "first", 2))
    expect(card(page)).to_contain_text("0 of 2")
    picture = write_picture(tmp_path / "late.png")
    give(page, [picture])
    expect(page.locator("#add-files")).to_contain_text("late")
    expect(card(page)).to_contain_text("0 of 2")
    model.may_go.set()
    expect(card(page).locator("h2")).to_have_text("1 added.")
    expect(page.locator("#shelf h2")).to_contain_text("5 items")


def test_the_place_in_the_line_is_told(held, open_at):
    url, engine, model = held
    page = open_at(url)
    model.may_go.clear()
    others = [engine.visits.of(f"other {number}").add(["theirs"]) for number in range(engines._AT_ONCE)]
    eventually(page, lambda: all(job.state == "running" for job in others))
    write(page, "mine")
    told = "1 other is before you" if len(others) == 1 else f"{len(others)} others are before you"
    expect(card(page).locator("h2")).to_have_text(f"Waiting: {told}")
    model.may_go.set()
    expect(card(page).locator("h2")).to_have_text("1 added.")


# the shelf


def test_the_shelf_shows_what_each_item_is(page):
    expect(tile(page, "red wall").locator("img")).to_have_attribute("src", re.compile("/thumb$"))
    expect(tile(page, "hum").locator("p")).to_contain_text("0:0")
    page.wait_for_function(
        "[...document.querySelectorAll('#shelf .tile img')].every(i => i.complete && i.naturalWidth > 0)"
    )


def test_kinds_facets_and_words_narrow_the_shelf(page):
    page.click("#shelf [data-set=kind][data-value=audio]")
    expect(page.locator("#shelf h2")).to_contain_text(re.compile(r"^2 of \d+ items"))
    assert set(titles(page)) == {"hum", "whistle"}
    expect(page.locator("#shelf [data-set=kind][data-value=audio]")).to_have_attribute("aria-pressed", "true")
    page.click("#shelf [data-set=kind][data-value='']")
    page.fill("#shelf [data-words]", "wall")
    expect(page.locator("#shelf .tile")).to_have_count(4)
    expect(page.locator("#shelf [data-words]")).to_have_value("wall")
    page.fill("#shelf [data-words]", "nothing of the kind")
    expect(page.locator("#shelf .nothing")).to_contain_text("Nothing here is all of that.")
    page.click("#shelf [data-set=all]")
    expect(page.locator("#shelf [data-words]")).to_have_value("")
    expect(page.locator("#shelf h2")).to_have_text(re.compile(r"^\d+ items, "))


def test_a_facet_is_chosen_from_its_menu_and_removed(page):
    page.click("#shelf details[data-facet=length] summary")
    page.click("#shelf details[data-facet=length] button >> nth=0")
    expect(page.locator("#shelf [data-act=widen]")).to_contain_text("Length: ")
    assert set(titles(page)) <= {"hum", "whistle", "grey"}
    page.click("#shelf [data-act=widen]")
    expect(page.locator("#shelf [data-act=widen]")).to_have_count(0)
    expect(page.locator("#shelf h2")).to_have_text(re.compile(r"^\d+ items, "))


def test_an_open_menu_stays_open_while_the_shelf_fills(held, open_at, tmp_path):
    url, _, model = held
    page = open_at(url)
    model.may_go.clear()
    give(page, notes(tmp_path / "notes", 1))
    expect(card(page)).to_contain_text("0 of 1")
    page.click("#shelf details[data-facet=label] summary")
    model.may_go.set()
    expect(page.locator("#shelf h2")).to_contain_text("3 items")
    page.click("#shelf details[data-facet=label] button >> text=wall")
    expect(page.locator("#shelf [data-act=widen]")).to_contain_text("Label: wall")
    assert titles(page) == ["a red wall"]


def test_the_shelf_is_sorted_in_both_directions(page):
    page.select_option("#shelf [data-order]", "title")
    expect(page.locator("#shelf [data-set=direction]")).to_have_attribute("aria-label", "Rising; turn round")
    rising = titles(page)
    assert rising == sorted(rising, key=str.casefold)
    page.click("#shelf [data-set=direction]")
    expect(page.locator("#shelf [data-set=direction]")).to_have_attribute("aria-label", "Falling; turn round")
    assert titles(page) == rising[::-1]
    expect(page.locator("#shelf [data-order]")).to_have_value("title")


def test_title_and_caption_are_edited_by_the_keyboard_alone(page):
    tile(page, "green wall").locator("[data-open]").focus()
    page.keyboard.press("Enter")
    title = page.locator("#unimma-item [name=title]")
    expect(title).to_be_focused()
    title.fill("  ")
    page.keyboard.press("Enter")
    expect(page.locator("#unimma-item .error")).to_have_text(
        "An empty title; expected a word or more. Type one, so that the item can be told from others."
    )
    title.fill("a <b>meadow</b>")
    page.keyboard.press("Tab")
    page.keyboard.type("as seen in May")
    page.locator("#unimma-item [type=submit]").press("Enter")
    expect(page.locator("#unimma-item")).not_to_be_visible()
    opener = tile(page, "a <b>meadow</b>").locator("[data-open]")
    expect(opener).to_be_focused()
    opener.press("Enter")
    expect(page.locator("#unimma-item [name=caption]")).to_have_value("as seen in May")
    expect(page.locator("#unimma-item img")).to_have_attribute("alt", "a <b>meadow</b>")
    page.locator("#unimma-item [name=title]").fill("green wall")
    page.locator("#unimma-item [name=title]").press("Enter")
    expect(tile(page, "green wall")).to_have_count(1)


def test_an_item_opens_with_its_player_facts_and_download(page):
    tile(page, "whistle").locator("[data-open]").click()
    box = page.locator("#unimma-item")
    player = box.locator("audio")
    page.wait_for_function("player => player.duration > 0.5", arg=player.element_handle())
    expect(box.locator(".item-facts")).to_contain_text(re.compile(r"Sound · 0:0\d · .* · added .* 20\d\d"))
    with page.expect_download() as kept:
        box.locator("a").click()
    assert kept.value.suggested_filename.endswith(".mp3")
    page.keyboard.press("Escape")
    expect(box.locator("audio")).to_have_count(0)


def test_what_strangers_wrote_runs_nowhere(page):
    seen = []
    page.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
    tile(page, re.escape("<img src=x onerror=alert(1)>")).locator("[data-open]").click()
    expect(page.locator("#unimma-item p.item-media")).to_have_text("<img src=x onerror=alert(1)>")
    assert not seen and page.locator("img[src=x]").count() == 0


def test_the_whole_list_is_kept_as_csv_and_json(page):
    page.click("#shelf [data-set=kind][data-value=audio]")
    expect(page.locator("#shelf .tile")).to_have_count(2)
    for form, read in (("csv", lambda text: list(csv.DictReader(io.StringIO(text)))), ("json", json.loads)):
        with page.expect_download() as kept:
            page.click(f"#shelf [data-form={form}]")
        assert kept.value.suggested_filename == f"library.{form}"
        assert {item["title"] for item in read(kept.value.path().read_text("utf-8-sig"))} == {"hum", "whistle"}


def test_many_are_deleted_and_brought_back(page, running):
    before = titles(page)
    for title in ("hum", "blue wall"):
        tile(page, title).locator("[data-pick]").check()
    page.click("#shelf [data-act=remove] >> text=Delete selected (2)")
    expect(page.locator("#notice")).to_contain_text("2 items were deleted.")
    expect(page.locator("#shelf .tile")).to_have_count(len(before) - 2)
    expect(page.locator("#shelf [data-pick]:checked")).to_have_count(0)  # none of those that moved up
    assert "hum" not in {item.title for item in running.engine.gallery.list()}
    page.click("#notice [data-act=restore]")
    expect(page.locator("#notice")).to_contain_text("2 items are back.")
    expect(page.locator("#shelf .tile")).to_have_count(len(before))
    assert titles(page) == before


def test_all_of_a_page_are_chosen_at_once(page):
    count = len(titles(page))
    page.check("#shelf [data-all]")
    expect(page.locator("#shelf [data-act=remove]")).to_have_text(f"Delete selected ({count})")
    page.locator("#shelf [data-pick]").first.uncheck()
    expect(page.locator("#shelf [data-act=remove]")).to_have_text(f"Delete selected ({count - 1})")
    assert page.locator("#shelf [data-all]").evaluate("box => box.indeterminate")
    page.check("#shelf [data-all]")
    page.uncheck("#shelf [data-all]")
    expect(page.locator("#shelf [data-act=remove]")).to_be_disabled()


def test_by_the_keyboard_the_way_back_is_under_the_hands(page):
    tile(page, "hum").locator("[data-open]").press("Enter")
    page.locator("#unimma-item [data-drop]").press("Enter")
    expect(page.locator("#notice button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(tile(page, "hum")).to_have_count(1)


def test_a_deletion_on_another_tab_is_seen_and_taken_back_here(page):
    before = titles(page)
    choose_tab(page, "search")
    ask(page, "high")
    page.locator("#results-search .hits .card", has_text="a high whistle").locator("[data-act=remove]").click()
    expect(page.locator("#notice")).to_contain_text("1 item was deleted.")
    choose_tab(page, "library")
    expect(tile(page, "a high whistle")).to_have_count(0)
    expect(page.locator("#shelf h2")).to_contain_text(f"{len(before) - 1} items")
    page.click("#notice [data-act=restore]")
    expect(tile(page, "a high whistle")).to_have_count(1)
    assert titles(page) == before


def test_a_deletion_is_for_good_when_the_bar_goes(page, running, monkeypatch):
    monkeypatch.setattr(notice, "UNDO_WITHIN_S", 0.1)
    (item_id,) = running.engine.gallery.add(["a thing to be deleted for good"]).added
    come_in_again(page)
    tile(page, "a thing to be deleted for good").locator("[data-pick]").check()
    page.click("#shelf [data-act=remove]")
    expect(tile(page, "a thing to be deleted for good")).to_have_count(0)
    expect(page.locator("#notice .notice")).not_to_be_visible()
    media = running.engine.gallery.folder / "media"
    eventually(page, lambda: not list(media.glob(f"{item_id}.*")))  # while it can be brought back, they stay
    assert not running.engine.gallery.get_many([item_id]) and not running.engine.gallery.restore([item_id])


def test_a_deletion_is_for_good_when_the_page_is_loaded_anew(page, running):
    (item_id,) = running.engine.gallery.add(["a thing that goes with the page"]).added
    come_in_again(page)
    tile(page, "a thing that goes with the page").locator("[data-pick]").check()
    page.click("#shelf [data-act=remove]")
    expect(page.locator("#notice")).to_contain_text("1 item was deleted.")
    come_in_again(page)
    assert running.engine.gallery.restore([item_id]) == 0


# the line of trust


def test_in_a_private_library_only_ones_own_can_be_changed(open_at, private):
    page = open_at(private.url)
    expect(page.locator("#status")).to_contain_text("Only you see what you add")
    expect(page.locator("#shelf [data-pick]")).to_have_count(0)
    write(page, "a secret of mine")
    expect(page.locator("#shelf .tile").first).to_contain_text("Yours")
    expect(page.locator("#shelf [data-pick]")).to_have_count(1)
    expect(page.locator("#shelf .shelf-head p")).to_contain_text("Yours: 1 item, 16 bytes, of up to 200 and 500 MB.")
    tile(page, "red wall").locator("[data-open]").click()
    expect(page.locator("#unimma-item")).to_contain_text("belongs to the host")
    expect(page.locator("#unimma-item form")).to_have_count(0)
    page.keyboard.press("Escape")
    stranger = open_at(private.url)
    assert "a secret of mine" not in titles(stranger)


def test_a_page_that_is_loaded_anew_still_has_its_own(open_at, private):
    page = open_at(private.url)
    write(page, "a secret that stays")
    expect(tile(page, "a secret that stays")).to_have_count(1)
    come_in_again(page)
    expect(tile(page, "a secret that stays").locator(".own")).to_have_text("Yours")


def test_everything_is_deleted_at_once_after_a_question(open_at, private):
    page = open_at(private.url)
    write(page, "a secret to forget")
    expect(tile(page, "a secret to forget")).to_have_count(1)
    page.click("#status [data-act=forget]")
    expect(page.locator("#unimma-confirm")).to_contain_text("Delete everything you added, and every file")
    page.click("#unimma-confirm >> text=Cancel")
    expect(tile(page, "a secret to forget")).to_have_count(1)
    page.click("#status [data-act=forget]")
    page.click("#unimma-confirm .danger")
    expect(page.locator("#notice")).to_contain_text("Deleted: 1 item and every file you searched with.")
    come_in(page)
    expect(tile(page, "a secret to forget")).to_have_count(0)
    expect(page.locator("#shelf h2")).to_contain_text(f"{ITEMS} items")
    expect(card(page)).to_have_count(0)
    write(page, "and it goes on")
    expect(card(page).locator("h2")).to_have_text("1 added.")


def test_a_read_only_library_says_so_and_offers_no_change(open_at, read_only):
    page = open_at(read_only.url)
    expect(page.locator("#read-only")).to_contain_text("This library is read-only")
    expect(page.locator("#status")).to_contain_text("Nothing can be added here.")
    for change in ("#add-files", "#add", "#shelf [data-pick]", "#shelf [data-act=remove]"):
        expect(page.locator(change)).to_have_count(0)
    tile(page, "hum").locator("[data-open]").click()
    expect(page.locator("#unimma-item form")).to_have_count(0)
    expect(page.locator("#unimma-item [data-drop]")).to_have_count(0)


def test_items_of_another_model_are_offered_to_be_embedded_again(open_at, tmp_path):
    with Gallery.open(tmp_path / "gallery", ToyModel("old", "0123456789ab")) as gallery:
        fill(gallery, tmp_path)
    model = HeldModel()
    engine = Engine(lambda say, call: (model, Gallery.open(tmp_path / "gallery", model, call=call)))
    with app_over(engine) as url:
        page = open_at(url)
        offer = page.locator("#status .offer")
        expect(offer).to_contain_text(f"{ITEMS} items were embedded with another model and cannot be found.")
        model.may_go.clear()
        offer.locator("button").click()
        expect(page.locator("#status")).to_contain_text("Embedding again")
        expect(page.locator("#status progress")).to_be_visible()
        model.may_go.set()
        expect(page.locator("#status")).to_contain_text("Searching 6 texts, 3 pictures, 2 sounds and 1 clip.")
        expect(offer).to_have_count(0)
        assert engine.missing() == 0


# every width and colour scheme


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_grave_in_any_state(open_at, private, tmp_path, scheme):
    page = open_at(private.url, color_scheme=scheme)

    def found(where: str) -> list[str]:
        answer = Axe().run(page).response
        assert len(answer["passes"]) > 20, where  # it did look
        return [
            f"{where}: {rule['id']}: {node['html'][:200]}" for rule in answer["violations"] for node in rule["nodes"]
        ]

    bad = tmp_path / "page.html"
    bad.write_text("<html>no</html>")
    give(page, [*notes(tmp_path / scheme, 2), bad])
    expect(card(page).locator("h2")).to_contain_text("1 refused")
    all_found = found("what became of the files")
    page.locator("#shelf [data-open]").first.click()
    all_found += found("an item of one's own")
    page.keyboard.press("Escape")
    tile(page, "hum").locator("[data-open]").click()
    all_found += found("an item of the host")
    page.keyboard.press("Escape")
    page.click("#shelf details[data-facet=length] summary")
    all_found += found("a menu")
    page.locator("#shelf [data-pick]").first.check()
    page.click("#shelf [data-act=remove]")
    expect(page.locator("#notice button")).to_be_visible()
    all_found += found("a deletion")
    assert not all_found, "\n".join(all_found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_of_the_library_scrolls_sideways(open_at, running, scheme):
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "color_scheme": scheme}
    page = open_at(running.url, **phone)
    write(page, f"a sentence for {scheme}")
    expect(card(page).locator("h2")).to_have_text("1 added.")
    expect(card(page)).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#shelf [data-open]").first.click()
    expect(page.locator("#unimma-item [type=submit]")).to_be_in_viewport()
    page.locator("#unimma-item [data-drop]").click()
    expect(page.locator("#notice button")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
