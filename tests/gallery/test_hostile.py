"""Neighbours, full disks and floods: a gallery goes on with what it has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gallery.conftest import COLOURS, write_picture
from tests.toy import ToyModel
from unimma.errors import GalleryError
from unimma.gallery import Gallery
from unimma.retrieval import search

posix = pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are of POSIX systems")

FILL_UP = """
import resource, signal, sys
from pathlib import Path
from tests.toy import ToyModel
from unimma.gallery import Gallery
from unimma.retrieval import search

folder, files, index = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "True"
with Gallery.open(folder, ToyModel(), index=index) as gallery:
    before = gallery.count()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing on then fails as it does on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), resource.RLIM_INFINITY))
    report = gallery.add([files, *("sentence %d of red " % n * 50 for n in range(400))])
    assert report.refused, "it was not full"
    assert all("expected" in reason and str(folder.parent) not in reason for _, reason in report.refused)
    assert len(report.added) + len(report.refused) == 400 + len(list(files.iterdir()))
    assert gallery.count() == before + len(report.added)
    assert {hit.item.id for hit in search(gallery, "red", k=5)}
    assert not list((folder / "staging").iterdir())
    kept = {path.stem for path in (folder / "media").iterdir()}
    assert kept == {item.id for item in gallery.list(limit=1000)}, "media without items"
    print(len(report.added), len(report.refused), report.refused[-1][1])
"""


@posix
@pytest.mark.parametrize("index", [False, True], ids=["exact", "with an index"])
@pytest.mark.parametrize("most_bytes", [1_500, 200_000])
def test_h26_on_a_full_disk_adding_refuses_with_reasons_and_what_was_there_goes_on(
    open_gallery, files, index, most_bytes
):
    """A limit on the size of files stands for the full disk: the same writes fail, at the same places."""
    gallery = open_gallery()
    gallery.add(["red", "blue", "green"])
    gallery.close()
    code = [sys.executable, "-c", FILL_UP, str(gallery.folder), str(files), str(index), str(most_bytes)]
    done = subprocess.run(code, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    num_added = int(done.stdout.split()[0])
    assert (num_added > 0) == (most_bytes > 100_000)
    again = open_gallery()
    assert again.count() == 3 + num_added and again.missing() == 0
    assert {"red", "blue"} <= {hit.item.title for hit in search(again, "red and blue", k=500)}
    assert len(again.add(["low"]).added) == 1


@posix
def test_h26_on_a_full_disk_deleting_says_so_and_nothing_is_half_gone(open_gallery):
    gallery = open_gallery()
    added = gallery.add(["red", "blue"]).added
    gallery.close()
    code = """
import resource, signal, sys
from tests.toy import ToyModel
from unimma.errors import GalleryError
from unimma.gallery import Gallery
with Gallery.open(sys.argv[1], ToyModel(), index=False) as gallery:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
    for change in (gallery.delete, gallery.trash):
        try:
            change(sys.argv[2:])
        except GalleryError as error:
            print(error)
    assert gallery.count() == 2
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""
    done = subprocess.run([sys.executable, "-c", code, str(gallery.folder), *added], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("a change that cannot be stored") == 2
    again = open_gallery()
    assert [item.title for item in again.list()] == ["red", "blue"]
    assert {hit.item.title for hit in search(again, "red")} == {"red", "blue"}


def test_h26_of_ten_thousand_files_at_once_the_bad_ones_are_listed_and_the_good_ones_come_in(tmp_path):
    folder = tmp_path / "flood"
    folder.mkdir()
    for number in range(10_000):
        (folder / f"{number:05}.jpg").write_bytes(b"no picture %d" % number)
    write_picture(folder / "good.png", COLOURS["red"])
    with (folder / "huge.png").open("wb") as file:
        file.truncate(300_000_000)  # takes no room, and is over the limit
    with Gallery.open(tmp_path / "gallery", ToyModel(), index=False) as gallery:
        report = gallery.add([folder])
        assert len(report.added) == 1 and len(report.refused) == 10_001
        assert [name for name, _ in report.refused] == [f"{number:05}.jpg" for number in range(10_000)] + ["huge.png"]
        assert "300 MB" in report.refused[-1][1]


def test_h32_a_second_process_on_a_gallery_says_so_whatever_it_wants(open_gallery):
    gallery = open_gallery()
    gallery.add(["red"])
    environment = os.environ | {"UNIMMA_DATA_DIR": str(gallery.folder.parent)}
    for command in (["list"], ["count"], ["delete", gallery.list()[0].id], ["compact"]):
        argv = [sys.executable, "-m", "unimma", *command, "--gallery", str(gallery.folder)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 1 and "open in another app" in done.stderr, done.stderr
        assert str(gallery.folder) not in done.stderr and "Traceback" not in done.stderr
    with pytest.raises(GalleryError, match="open in another"):
        Gallery.open(gallery.folder, ToyModel())
    assert [hit.item.title for hit in search(gallery, "red")] == ["red"]
    assert Path(gallery.list()[0].uri).is_file()
