"""Working through a running app: by the word that it leaves in its gallery's folder, or by its address."""

import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.makers import write_picture, write_tone
from tests.toy import ToyModel, load_model
from tests.ui.conftest import Running, even, running_app
from unimma import cli, loading, remote
from unimma.errors import GalleryError, MediaError
from unimma.gallery import Gallery
from unimma.gallery.lock import GalleryLock
from unimma.gallery.watching import Watch
from unimma.remote import RUNNING, RemoteGallery
from unimma.types import Modality
from unimma.ui.visit import Library

ROOT = Path(__file__).parent.parent
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module", autouse=True)
def visits_here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNIMMA_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, visits_here: None) -> Iterator[Running]:
    with running_app(tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory, visits_here: None) -> Iterator[Running]:
    with running_app(tmp_path_factory.mktemp("private"), Library.PRIVATE) as running:
        yield running


@pytest.fixture
def command(app: Running, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command on the gallery that the app has open: exit code, what it printed, what it said."""
    monkeypatch.setattr(loading, "load_model", lambda name: pytest.fail("the app has a model"))

    def run(*words: object, gallery: object = app.folder / "gallery") -> tuple[int, str, str]:
        code = cli.main([*map(str, words), "--gallery", str(gallery)])
        return code, *capsys.readouterr()

    return run


def answer(done: tuple[int, str, str]) -> dict:
    assert done[0] == 0, done
    return json.loads(done[1])


# the word that an app leaves


def test_an_app_leaves_word_that_its_user_alone_can_read_and_takes_it_back(tmp_path):
    with running_app(tmp_path) as running:
        path = tmp_path / "gallery" / RUNNING
        assert json.loads(path.read_text())["url"] == running.url
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def test_the_word_of_a_killed_app_is_passed_over(tmp_path):
    with Gallery.open(tmp_path, ToyModel()) as gallery:
        gallery.add(["a red wall"])
    remote.announce(tmp_path, "http://127.0.0.1:9", "token")
    assert remote.find(tmp_path) is None
    with Gallery.open(tmp_path, None) as gallery:
        assert gallery.count() == 1


@pytest.mark.parametrize("word", ["", "{", "[]", '{"url": "http://127.0.0.1:9"}', '{"url": "ftp://x", "token": ""}'])
def test_a_damaged_word_is_passed_over(tmp_path, word):
    (tmp_path / RUNNING).write_text(word)
    lock = GalleryLock(tmp_path)
    assert remote.find(tmp_path) is None
    lock.release()


def test_the_word_of_another_app_at_the_same_address_is_passed_over(app, tmp_path):
    """The app was killed, another has its port now, and a command has the gallery open."""
    remote.announce(tmp_path, app.url, "an old token")
    lock = GalleryLock(tmp_path)
    assert remote.find(tmp_path) is None
    lock.release()


def test_the_token_gives_the_hosts_rights_and_nothing_else_does(app):
    token = app.engine.token
    assert RemoteGallery(app.url, token).answers()
    for wrong in ("", "x", token[:-1], token + "x"):
        assert not RemoteGallery(app.url, wrong).answers()


# commands through the app


def test_searching_by_sentence_and_by_file(command, tmp_path):
    said = answer(command("search", "--text", "red", "--k", 3, "--modality", "image", "--json"))
    assert said["model"] == "toy" and said["query"] == {"modality": "text", "text": "red"}
    assert said["hits"][0]["title"] == "red wall" and said["hits"][0]["uri"].startswith("http://")
    photo = write_picture(tmp_path / "my photo.png", even((20, 20, 215)))
    for option in ("--image", "--file"):
        shown = answer(command("search", option, photo, "--k", 1, "--modality", "image", "--json"))
        assert shown["hits"][0]["title"] == "blue wall" and shown["query"]["file"] == "my photo.png"
    code, table, _ = command("search", "--text", "red", "--k", 2)
    assert code == 0 and "red" in table


def test_adding_listing_counting_changing_and_deleting(command, app, tmp_path):
    before = answer(command("count", "--json"))["count"]
    (tmp_path / "new").mkdir()
    write_picture(tmp_path / "new" / "violet.png", even((130, 0, 130)))
    write_tone(tmp_path / "new" / "buzz.wav", hz=250.0)
    (tmp_path / "new" / "page.html").write_text("<html></html>")
    report = answer(command("add", tmp_path / "new", "--json"))
    assert len(report["added"]) == 2 and [each["name"] for each in report["refused"]] == ["page.html"]
    assert answer(command("count", "--json"))["count"] == before + 2 == app.engine.gallery.count()
    listed = answer(command("list", "--modality", "audio", "--limit", 10, "--json"))
    assert "buzz" in {item["title"] for item in listed["items"]}
    assert command("delete", *report["added"])[1] == "2 deleted\n"
    assert app.engine.gallery.count() == before


def test_a_file_that_cannot_be_read_is_refused_and_the_rest_comes_in(app, tmp_path):
    write_tone(tmp_path / "fine.wav", hz=270.0)
    with RemoteGallery(app.url, app.engine.token) as gallery:
        report = gallery.add([tmp_path / "none.wav", tmp_path / "fine.wav"])
        assert len(report.added) == 1 and [name for name, _ in report.refused] == ["none.wav"]
        assert gallery.delete(report.added) == 1


def test_progress_is_told_file_by_file(app):
    told = []
    with RemoteGallery(app.url, app.engine.token) as gallery:
        report = gallery.add([f"line {n}" for n in range(20)], progress=lambda *now: told.append(now))
        assert len(report.added) == 20 and told == [(16, 20), (20, 20)]
        assert gallery.delete(report.added) == 20


def test_uploads_of_the_host_do_not_pile_up(app, tmp_path):
    from gradio.utils import get_upload_folder

    before = {*Path(get_upload_folder()).glob("*")}
    with RemoteGallery(app.url, app.engine.token) as gallery:
        report = gallery.add([write_tone(tmp_path / "once.wav", hz=290.0)])
        gallery.delete(report.added)
    assert {*Path(get_upload_folder()).glob("*")} <= before


def test_an_unknown_id_is_answered_as_without_an_app(command):
    code, _, said = command("delete", "nope")
    assert code == 2 and "nope" in said


def test_exporting_and_importing(command, app, tmp_path):
    count = app.engine.gallery.count()
    assert answer(command("export-gallery", tmp_path / "out.zip", "--json")) == {"exported": count}
    assert zipfile.is_zipfile(tmp_path / "out.zip") and [path.name for path in tmp_path.iterdir()] == ["out.zip"]
    report = answer(command("import-gallery", tmp_path / "out.zip", "--json"))
    assert len(report["already_there"]) == count and not report["added"]
    (tmp_path / "no.zip").write_text("no gallery")
    code, _, said = command("import-gallery", tmp_path / "no.zip")
    assert code == 2 and "no.zip" in said and "/" not in said


def test_keeping_up(command, app):
    assert command("rebuild")[0] == 0
    assert command("reembed")[0] == 0
    assert command("compact")[0] == 0
    assert answer(command("search", "--text", "red", "--k", 1, "--modality", "image", "--json"))["hits"]


def test_titles_and_metadata_are_changed_by_the_host(app):
    with RemoteGallery(app.url, app.engine.token) as gallery:
        item = gallery.list(Modality.VIDEO, limit=1)[0]
        changed = gallery.update(item.id, title="dusk", metadata={"label": "sky", "year": 1999})
        assert (changed.title, dict(changed.metadata)) == ("dusk", {"label": "sky", "year": 1999})
        gallery.update(item.id, title=item.title, metadata=item.metadata)
        assert gallery.get(item.id) == item
        with pytest.raises(GalleryError, match="nope"):
            gallery.get("nope")


def test_a_watched_folder_is_kept_alike_through_the_app(app, tmp_path):
    with RemoteGallery(app.url, app.engine.token) as gallery:
        watch = Watch(gallery, [("voices", tmp_path)])
        tone = write_tone(tmp_path / "voice.wav", hz=310.0)
        assert [*watch.look()] == [] and [*watch.look()] == ["added: voice.wav"]
        (item,) = gallery.list(Modality.AUDIO, {"source": "voices"})
        assert item.title == "voice"
        tone.unlink()
        assert [*watch.look()] == ["gone: voice.wav"] and not gallery.get_many([item.id])


# an app by its address


def test_an_address_is_asked_as_a_visitor(command, app):
    found = answer(command("search", "--text", "red", "--k", 1, "--json", gallery=app.url))
    assert len(found["hits"]) == 1
    for words in (["export-gallery", "out.zip"], ["compact"], ["rebuild"], ["reembed"]):
        code, _, said = command(*words, gallery=app.url)
        assert code == 1 and "somebody else" in said


def test_a_visitor_can_keep_nothing_in_a_private_library_nor_touch_the_hosts(command, private, tmp_path):
    code, _, said = command("add", write_tone(tmp_path / "mine.wav"), gallery=private.url)
    assert code == 2 and "private" in said
    item = private.engine.gallery.list(limit=1)[0]
    assert command("delete", item.id, gallery=private.url)[0] == 2
    assert private.engine.gallery.get(item.id)


def test_a_visitor_changes_title_and_caption_alone(app):
    with RemoteGallery(app.url) as gallery:
        item = gallery.list(Modality.IMAGE, limit=1)[0]
        assert gallery.update(item.id, metadata={**item.metadata, "caption": "noon"}).metadata["caption"] == "noon"
        assert "caption" not in gallery.update(item.id, metadata=dict(item.metadata)).metadata
        with pytest.raises(GalleryError, match="title or caption"):
            gallery.update(item.id, metadata={"label": "mine"})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "http://no.such.host.invalid", "http://[", "http://127.0.0.1:9/x"]
)
def test_an_address_without_an_app_is_said_so_in_a_sentence(command, url):
    code, shown, said = command("count", gallery=url)
    assert code in (1, 2) and not shown and said.count("\n") == 1 and "expected" in said


def test_words_of_the_app_arrive_as_they_were(app):
    with RemoteGallery(app.url) as gallery, pytest.raises(MediaError) as refused:
        gallery.search("  ")
    with pytest.raises(MediaError) as here:
        from unimma.media import decode

        decode("  ")
    assert str(refused.value) == str(here.value)


# a second app


def test_a_second_app_says_where_the_first_one_is_and_ends(app):
    second = [sys.executable, "app.py", "--gallery", str(app.folder / "gallery"), "--port", "0"]
    done = subprocess.run(second, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"UniMMA is at {app.url} already\n"), done


def test_a_gallery_that_a_command_has_open_is_refused_as_before(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(loading, "load_model", load_model)
    with Gallery.open(tmp_path, ToyModel()) as gallery:
        gallery.add(["a red wall"])
        assert cli.main(["count", "--gallery", str(tmp_path)]) == 1
    assert "open in another app" in capsys.readouterr().err


def test_a_killed_app_leaves_a_gallery_that_can_be_opened(tmp_path):
    """A process that announces itself as an app does, and is killed."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "from tests.toy import ToyModel; from unimma import Gallery, remote\n"
        "folder = Path(sys.argv[1]); gallery = Gallery.open(folder, ToyModel()); gallery.add(['a red wall'])\n"
        "remote.announce(folder, 'http://127.0.0.1:9', 'token'); print('ready', flush=True); time.sleep(60)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        process.kill()
    assert (tmp_path / RUNNING).exists() and remote.find(tmp_path) is None
    assert cli.main(["count", "--gallery", str(tmp_path)]) == 0
