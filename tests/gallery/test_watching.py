"""Folders that are watched, look by look."""

import os
import zipfile
from pathlib import Path

import pytest

from tests.gallery.conftest import COLOURS, write_picture
from unimma.gallery.watching import Stamp, Watch, settled, watched
from unimma.types import Item, Modality


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "photos" / "below").mkdir(parents=True)
    return tmp_path / "photos"


@pytest.fixture
def gallery(open_gallery):
    return open_gallery()


@pytest.fixture
def watch(gallery, folder) -> Watch:
    return Watch(gallery, [("photos", folder)])


def looks(watch: Watch) -> list[str]:
    """What two looks say: the second takes what has not changed since the first."""
    return [*watch.look(), *watch.look()]


def titles(gallery) -> list[str]:
    return [item.title for item in gallery.list()]


def test_new_files_come_in_and_vanished_ones_go(watch, gallery, folder):
    write_picture(folder / "red.png", COLOURS["red"])
    write_picture(folder / "below" / "blue.png", COLOURS["blue"])
    write_picture(folder / ".hidden.png", COLOURS["green"])
    assert looks(watch) == ["added: red.png", "added: blue.png"]
    expected = {"source": "photos", "watched": watched(folder)}
    assert [dict(item.metadata) for item in gallery.list()] == [expected] * 2
    assert looks(watch) == []
    (folder / "red.png").unlink()
    assert looks(watch) == ["gone: red.png"]
    assert titles(gallery) == ["blue"]


def test_what_vanished_while_nobody_watched_goes_and_nothing_else(watch, gallery, folder, tmp_path):
    namesake = tmp_path / "elsewhere" / "photos"
    namesake.mkdir(parents=True)
    write_picture(folder / "red.png", COLOURS["red"])
    write_picture(folder / "blue.png", COLOURS["blue"])
    write_picture(namesake / "green.png", COLOURS["green"])
    looks(watch)
    looks(Watch(gallery, [("photos", namesake)]))
    gallery.add(["a sentence of another way"], metadata={"source": "photos"})
    (folder / "red.png").unlink()
    later = Watch(gallery, [("photos", folder)])
    assert list(later.look()) == []  # nothing goes before every file has been looked at
    assert looks(later) == ["gone: red"]
    assert titles(gallery) == ["blue", "green", "a sentence of another way"]


def test_a_changed_file_takes_the_place_of_its_old_self(watch, gallery, folder):
    path = write_picture(folder / "wall.png", COLOURS["red"])
    looks(watch)
    (old,) = gallery.list()
    write_picture(path, COLOURS["blue"], seed=1)
    assert looks(watch) == ["replaced: wall.png"]
    (new,) = gallery.list()
    assert new.id != old.id and new.title == "wall"


def test_a_touched_file_is_the_same(watch, gallery, folder):
    path = write_picture(folder / "wall.png", COLOURS["red"])
    looks(watch)
    os.utime(path, ns=(1, 1))
    assert looks(watch) == [] and gallery.count() == 1


def test_a_file_that_is_still_growing_waits(watch, gallery, folder):
    path = folder / "said.txt"
    for length in range(1, 5):
        path.write_text("red " * length)
        assert list(watch.look()) == []
    assert list(watch.look()) == ["added: said.txt"]
    assert [item.text for item in gallery.list()] == ["red red red red"]


def test_a_content_that_another_watched_file_has_stays(watch, gallery, folder):
    first = write_picture(folder / "a.png", COLOURS["red"])
    (folder / "b.png").write_bytes(first.read_bytes())
    looks(watch)
    first.unlink()
    assert looks(watch) == ["gone: a.png"]
    assert gallery.count() == 1
    (folder / "b.png").rename(folder / "c.png")
    assert set(looks(watch)) == {"gone: b.png", "added: c.png"}
    assert gallery.count() == 1
    (folder / "c.png").unlink()
    looks(watch)
    assert gallery.count() == 0


def test_what_somebody_added_another_way_stays(watch, gallery, folder):
    path = write_picture(folder / "a.png", COLOURS["red"])
    gallery.add([Item(Modality.IMAGE, "mine", uri=str(path), metadata={"source": "upload"})])
    looks(watch)
    path.unlink()
    looks(watch)
    assert titles(gallery) == ["mine"]


def test_what_cannot_be_used_is_said_once_and_again_when_it_changes(watch, gallery, folder):
    (folder / "broken.jpg").write_bytes(b"no picture")
    (line,) = looks(watch)
    assert "broken.jpg" in line and str(folder) not in line
    assert looks(watch) == []
    write_picture(folder / "broken.jpg", COLOURS["red"])
    assert looks(watch) == ["replaced: broken.jpg"]


def test_a_changed_zip_takes_its_items_along(watch, gallery, folder):
    def pack(*words: str) -> None:
        with zipfile.ZipFile(folder / "words.zip", "w") as archive:
            for word in words:
                archive.writestr(f"{word}.txt", word)

    pack("red", "green")
    looks(watch)
    pack("green", "blue", "low")
    looks(watch)
    assert sorted(titles(gallery)) == ["blue", "green", "low"]
    (folder / "words.zip").unlink()
    looks(watch)
    assert gallery.count() == 0


def test_a_folder_that_is_gone_altogether_takes_nothing_with_it(watch, gallery, folder):
    write_picture(folder / "a.png", COLOURS["red"])
    looks(watch)
    folder.rename(folder.with_name("unplugged"))
    assert looks(watch) == [] and gallery.count() == 1
    folder.with_name("unplugged").rename(folder)
    assert looks(watch) == [] and gallery.count() == 1


def test_settled_is_what_two_looks_agree_on():
    one, other = Stamp(1, 1, 1), Stamp(2, 1, 1)
    paths = [Path(name) for name in "abc"]
    assert settled({}, {paths[0]: one}) == []
    assert settled(dict.fromkeys(paths, one), {paths[0]: one, paths[1]: other}) == [paths[0]]
