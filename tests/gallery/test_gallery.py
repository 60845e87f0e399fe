import logging
import re
import sqlite3
import subprocess
import sys
import threading
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.gallery.conftest import COLOURS, write_picture, write_tone
from tests.toy import ToyModel
from unimma import settings
from unimma.errors import ConfigError, GalleryError
from unimma.gallery import Gallery
from unimma.media import decode
from unimma.retrieval import search
from unimma.settings import Limits
from unimma.types import Item, Modality, Span


def titles(gallery: Gallery) -> list[str]:
    return [item.title for item in gallery.list(limit=1000)]


def test_files_sentences_and_items_become_items_in_the_order_given(open_gallery, files):
    gallery = open_gallery()
    item = Item(Modality.AUDIO, "The hum of a mill", uri=str(files / "hum.wav"), metadata={"place": "mill"})
    report = gallery.add(["a red dog", files / "a_red-wall.png", item], metadata={"place": "home", "year": 2020})
    assert report.refused == report.already_there == ()
    first, second, third = (gallery.get(item_id) for item_id in report.added)
    assert (first.modality, first.title, first.text) == ("text", "a red dog", "a red dog")
    assert (second.modality, second.title, second.text) == ("image", "a red wall", None)
    assert (third.modality, third.title) == ("audio", "The hum of a mill")
    assert [dict(each.metadata) for each in (first, third)] == [
        {"place": "home", "year": 2020},
        {"place": "mill", "year": 2020},
    ]
    assert gallery.list() == [first, second, third]
    assert second.thumbnail and third.thumbnail and first.thumbnail is None


def test_kept_media_are_whole_playable_and_independent_of_the_originals(open_gallery, files):
    gallery = open_gallery()
    gallery.add([files, "a sentence"])
    for path in files.iterdir():
        path.unlink()
    for item in gallery.list():
        assert decode(Path(item.uri)).modality == item.modality
        assert Path(item.uri).stem == item.id


def test_everything_is_there_again_after_closing(open_gallery, files, model):
    gallery = open_gallery()
    gallery.add([files, "a red wall", "low tones"])
    before, hits = gallery.list(), search(gallery, "red", k=6)
    gallery.close()
    again = open_gallery()
    assert again.list() == before
    assert search(again, "red", k=6) == hits
    assert again.missing() == 0


def test_a_folder_is_walked_sorted_without_hidden_files(open_gallery, tmp_path):
    folder = tmp_path / "photos"
    (folder / "b" / ".cache").mkdir(parents=True)
    for number, name in enumerate(["z.png", "b/two.png", "b/one.png", ".hidden.png", "b/.cache/three.png"]):
        write_picture(folder / name, COLOURS["red"], seed=number)
    gallery = open_gallery()
    gallery.add([folder])
    assert titles(gallery) == ["z", "one", "two"]


def test_the_same_content_is_one_item_whatever_its_name(open_gallery, files, tmp_path):
    gallery = open_gallery()
    copy = tmp_path / "copy.png"
    copy.write_bytes((files / "a_red-wall.png").read_bytes())
    sentence = tmp_path / "said.txt"
    sentence.write_text("  a sentence\n")
    report = gallery.add([files / "a_red-wall.png", copy, "a sentence", sentence])
    assert len(report.added) == 2
    assert report.already_there == report.added
    again = gallery.add([copy], metadata={"new": True})
    assert again.already_there == report.added[:1]
    assert dict(gallery.get(report.added[0]).metadata) == {}


def test_the_sound_of_a_clip_and_a_stretch_of_a_sound_are_items_of_their_own(open_gallery, tmp_path, clip):
    tone = write_tone(tmp_path / "tone.wav", 300.0, duration_s=2.0)
    gallery = open_gallery()
    stretch = Item(Modality.AUDIO, "a second", uri=str(tone), span=Span(0.5, 1.5))
    report = gallery.add([clip, Item(Modality.AUDIO, "its sound", uri=str(clip)), tone, stretch])
    assert len(set(report.added)) == 4
    assert [gallery.get(item_id).modality for item_id in report.added] == ["video", "audio", "audio", "audio"]
    assert gallery.get(report.added[3]).span == Span(0.5, 1.5)
    hits = search(gallery, "low", k=5)
    assert {hit.span for hit in hits if hit.item.title == "a second"} == {Span(0.5, 1.5)}


@pytest.mark.parametrize("span", [Span(-1, 1), Span(1, 1), Span(0, 99)])
def test_a_span_outside_of_the_file_is_refused(open_gallery, tmp_path, span):
    tone = write_tone(tmp_path / "tone.wav", 300.0)
    report = open_gallery().add([Item(Modality.AUDIO, "", uri=str(tone), span=span)])
    assert "span" in report.refused[0][1]


def test_what_cannot_be_used_is_listed_and_stops_nothing(open_gallery, files, tmp_path):
    broken = tmp_path / "secret-folder" / "broken.jpg"
    broken.parent.mkdir()
    broken.write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    wrong = Item(Modality.VIDEO, "a picture as a clip", uri=str(files / "a_red-wall.png"))
    gallery = open_gallery()
    report = gallery.add([broken, tmp_path / "nowhere.png", "  ", wrong, files / "hum.wav"])
    assert [name for name, _ in report.refused] == ["broken.jpg", "nowhere.png", "", "a_red-wall.png"]
    assert len(report.added) == gallery.count() == 1
    for _, reason in report.refused:
        assert "expected" in reason
        assert str(tmp_path) not in reason and "secret-folder" not in reason
    assert not list((gallery.folder / "staging").iterdir())


def test_a_modality_that_the_model_does_not_know_is_refused(open_gallery, files):
    gallery = open_gallery(with_model=ToyModel(modalities=frozenset({Modality.TEXT, Modality.IMAGE})))
    report = gallery.add([files])
    assert gallery.count() == 3
    assert {name for name, _ in report.refused} == {"hum.wav", "whistle.wav", "red clip.mp4", "blue clip.mp4"}
    assert len(list((gallery.folder / "media").iterdir())) == 3


def test_an_embedding_that_is_no_number_spoils_only_its_own_file(open_gallery):
    class Spoiling(ToyModel):
        def embed(self, items):
            vectors = super().embed(items)
            vectors[[getattr(item, "text", "") == "bad" for item in items]] = np.nan
            return vectors

    gallery = open_gallery(with_model=Spoiling())
    report = gallery.add(["red", "bad", "blue"])
    assert titles(gallery) == ["red", "blue"]
    assert [name for name, _ in report.refused] == ["bad"]
    assert np.isfinite([hit.score for hit in search(gallery, "red")]).all()


def test_a_file_over_the_limit_is_refused(tmp_path, files, model):
    with Gallery.open(tmp_path / "small", model, limits=replace(Limits(), max_file_bytes=1000)) as gallery:
        assert len(gallery.add([files / "hum.wav"]).refused) == 1


def test_progress_rises_to_the_number_of_sources(open_gallery, files):
    seen: list[tuple[int, int]] = []
    open_gallery().add(
        [files, *(f"sentence {i}" for i in range(40)), "sentence 3", ""], progress=lambda *p: seen.append(p)
    )
    done = [count for count, _ in seen]
    assert done == sorted(done) and done[-1] == 49
    assert {total for _, total in seen} == {49}
    assert len(set(done)) > 3


def test_a_progress_callback_may_end_the_adding_and_what_is_committed_stays(open_gallery):
    def stop(done: int, total: int) -> None:
        raise InterruptedError

    gallery = open_gallery()
    with pytest.raises(InterruptedError):
        gallery.add([f"sentence {i}" for i in range(20)], progress=stop)
    assert 0 < gallery.count() < 20
    assert titles(gallery) == [f"sentence {i}" for i in range(gallery.count())]
    assert not list((gallery.folder / "staging").iterdir())


@pytest.mark.parametrize("source", ["a sentence", Path("file.png"), Item(Modality.TEXT, "", text="a")])
def test_one_source_in_place_of_a_list_is_said(open_gallery, source):
    with pytest.raises(ConfigError, match=re.escape("add([source])")):
        open_gallery().add(source)


def test_titles_are_one_readable_line(open_gallery, tmp_path):
    long = "word " * 100
    odd = write_picture(tmp_path / "Rain_on--the.window\u202e\n(2).png", COLOURS["red"])
    gallery = open_gallery()
    gallery.add([odd, long, Item(Modality.TEXT, "two\nlines", text="red")])
    first, second, third = titles(gallery)
    assert first == "Rain on the window (2)"
    assert len(second) <= 80 and second.endswith("word…")
    assert third == "two lines"
    assert len(gallery.update(gallery.list()[0].id, title="a" * 10_000).title) == 500


def test_pages_follow_each_other(open_gallery):
    gallery = open_gallery()
    gallery.add([f"sentence {i}" for i in range(25)])
    pages = [gallery.list(offset=offset, limit=10) for offset in (0, 10, 20, 30)]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert [item.title for page in pages for item in page] == [f"sentence {i}" for i in range(25)]
    with pytest.raises(ConfigError):
        gallery.list(offset=-1)


def test_counts_go_by_modality(open_gallery, files):
    gallery = open_gallery()
    gallery.add([files, "a sentence"])
    assert [gallery.count(modality) for modality in Modality] == [1, 3, 2, 2]
    assert gallery.count() == 8
    assert {item.modality for item in gallery.list(Modality.VIDEO)} == {"video"}


def test_update_changes_title_or_metadata_and_nothing_else(open_gallery):
    gallery = open_gallery()
    (item_id,) = gallery.add(["red"], metadata={"a": 1}).added
    before = gallery.get(item_id)
    assert gallery.update(item_id, title=" new\ttitle ") == replace(before, title="new title")
    assert gallery.update(item_id, metadata={"b": 2}) == replace(before, title="new title", metadata={"b": 2})
    with pytest.raises(GalleryError):
        gallery.update("nothing", title="new")
    with pytest.raises(ConfigError):
        gallery.update(item_id, title=" \n")
    with pytest.raises(ConfigError):
        gallery.update(item_id, metadata={"b": [1]})


def test_deleted_items_are_gone_from_everywhere(open_gallery, files):
    gallery = open_gallery()
    added = gallery.add([files, "a red wall"]).added
    gone = {hit.item.id for hit in search(gallery, "red", k=3)}
    assert gallery.delete([*gone, "nothing"]) == 3
    assert gallery.delete(gone) == 0
    assert not gone & {hit.item.id for hit in search(gallery, "red", k=100)}
    assert {path.stem for path in (gallery.folder / "media").iterdir()} == set(added) - gone
    with pytest.raises(GalleryError):
        gallery.get(next(iter(gone)))
    with pytest.raises(ConfigError):
        gallery.delete(added[0])
    gallery.close()
    assert open_gallery().count() == len(added) - 3


def test_what_was_deleted_can_be_added_again(open_gallery, files):
    gallery = open_gallery()
    (item_id,) = gallery.add([files / "hum.wav"]).added
    gallery.delete([item_id])
    assert gallery.add([files / "hum.wav"]).added == (item_id,)
    assert Path(gallery.get(item_id).uri).is_file()


def test_a_second_gallery_on_the_folder_says_so(open_gallery, tmp_path):
    open_gallery()
    with pytest.raises(GalleryError, match="open in another"):
        open_gallery()


def test_a_second_process_on_the_folder_says_so_and_gets_it_once_it_is_free(open_gallery):
    gallery = open_gallery()
    code = f"from unimma.gallery import Gallery; Gallery.open({str(gallery.folder)!r}, None).close()"
    refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "GalleryError: this gallery is open in another app" in refused.stderr
    gallery.close()
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_another_model_says_what_is_missing_and_never_mixes_vectors(open_gallery, files, caplog):
    gallery = open_gallery()
    added = gallery.add([files, "a red wall"]).added
    hits = search(gallery, "red", k=5)
    gallery.close()

    with caplog.at_level(logging.WARNING):
        other = open_gallery(with_model=ToyModel("other", fingerprint="0123456789ab"))
    assert "8 of 8 items have no vector of model other" in caplog.text and "only of toy" in caplog.text
    assert other.missing() == other.count() == 8
    with pytest.raises(GalleryError, match="none with a vector of model other"):
        search(other, "red")
    assert set(other.add([files / "hum.wav"], metadata={"ignored": 1}).added) <= set(added)
    assert [hit.item.title for hit in search(other, "red")] == ["hum"]
    assert not other.get(search(other, "red")[0].item.id).metadata
    assert (other.missing(), other.count()) == (7, 8)
    assert tomllib.loads((other.folder / "gallery.toml").read_text())["model"]["fingerprint"] == "0123456789ab"
    other.close()

    back = open_gallery()
    assert back.missing() == 0
    assert search(back, "red", k=5) == hits


def test_deleting_under_one_model_deletes_the_vectors_of_all(open_gallery):
    gallery = open_gallery()
    added = gallery.add(["red", "blue"]).added
    gallery.close()
    other = open_gallery(with_model=ToyModel(fingerprint="0123456789ab"))
    other.delete(added[:1])
    other.close()
    with sqlite3.connect(other.folder / "items.sqlite") as database:
        assert database.execute("SELECT count(*) FROM vectors").fetchone() == (1,)
    assert [hit.item.title for hit in search(open_gallery(), "red")] == ["blue"]


def test_without_a_model_a_gallery_lists_counts_updates_and_deletes(open_gallery):
    gallery = open_gallery()
    added = gallery.add(["red", "blue"]).added
    gallery.close()
    bare = open_gallery(with_model=None)
    assert (bare.count(), len(bare.list())) == (2, 2)
    assert bare.delete(added[:1]) == 1
    bare.update(added[1], title="sky")
    for act in (lambda: bare.add(["green"]), lambda: search(bare, "red"), bare.missing):
        with pytest.raises(GalleryError, match="without a model"):
            act()
    bare.close()
    assert [hit.item.title for hit in search(open_gallery(), "red")] == ["sky"]


def test_a_damaged_or_newer_database_is_said_and_the_lock_let_go(open_gallery, tmp_path):
    for content in (b"no database " * 1000, None):
        folder = tmp_path / ("newer" if content is None else "damaged")
        folder.mkdir()
        if content is None:
            with sqlite3.connect(folder / "items.sqlite") as database:
                database.execute("PRAGMA user_version = 99")
        else:
            (folder / "items.sqlite").write_bytes(content)
        for _ in range(2):
            with pytest.raises(GalleryError, match=r"format 99|items\.sqlite"):
                open_gallery(folder.name)


def test_a_lost_database_is_said_and_no_media_are_swept(open_gallery, files):
    gallery = open_gallery()
    gallery.add([files / "hum.wav"])
    gallery.close()
    (gallery.folder / "items.sqlite").unlink()
    with pytest.raises(GalleryError, match=r"without items\.sqlite"):
        open_gallery()
    assert list((gallery.folder / "media").iterdir())
    (gallery.folder / "gallery.toml").unlink()
    assert open_gallery().count() == 0
    assert not list((gallery.folder / "media").iterdir())


def test_a_folder_that_cannot_be_made_is_said(tmp_path, model):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(GalleryError, match="expected a folder"):
        Gallery.open(tmp_path / "file", model)


def test_searches_go_on_while_everything_changes_beside_them(open_gallery, monkeypatch):
    """Through the index, which is closed, wiped and made anew meanwhile."""
    monkeypatch.setattr(settings, "EXACT_SEARCH_UP_TO", 0)
    gallery = open_gallery()
    kept = gallery.add([f"red {number}" for number in range(30)]).added
    errors: list[BaseException] = []
    changing = True

    def look() -> None:
        try:
            while changing:
                hits = search(gallery, "red", k=30)
                assert len({hit.item.id for hit in hits}) == len(hits) > 0
        except BaseException as error:
            errors.append(error)

    looking = [threading.Thread(target=look) for _ in range(3)]
    for thread in looking:
        thread.start()
    try:
        for number in range(4):
            gallery.trash(kept[:10])
            gallery.add([f"blue {number}"])
            gallery.restore(kept[:5])
            gallery.rebuild()
            gallery.purge()
            gallery.delete(kept[:10])
            gallery.compact()
            gallery.rebuild()
            gallery.add([f"red {n}" for n in range(10)])
    finally:
        changing = False
        for thread in looking:
            thread.join()
    assert not errors
    assert gallery.count() == 34


def test_threads_add_delete_and_search_at_once(open_gallery):
    gallery = open_gallery()
    gallery.add([f"red {i}" for i in range(8)])
    errors: list[BaseException] = []
    reports = []

    def guarded(act):
        def run() -> None:
            try:
                act()
            except BaseException as error:
                errors.append(error)

        return run

    def add_all() -> None:  # the same sentences from several threads
        reports.append(gallery.add([f"sentence {i}" for i in range(40)]))

    def delete_some() -> None:
        for item in gallery.list(where=None, limit=8):
            gallery.delete([item.id])

    def look() -> None:
        while any(thread.is_alive() for thread in changing):
            hits = search(gallery, "red", k=10)
            assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
            assert len({hit.item.id for hit in hits}) == len(hits)

    changing = [threading.Thread(target=guarded(act)) for act in (add_all, add_all, add_all, delete_some)]
    looking = [threading.Thread(target=guarded(look)) for _ in range(3)]
    for thread in [*changing, *looking]:
        thread.start()
    for thread in [*changing, *looking]:
        thread.join()
    assert not errors
    assert all(len(report.added) + len(report.already_there) == 40 for report in reports)
    assert sum(len(report.added) for report in reports) == 40
    assert gallery.count() == 40
    assert {path.stem for path in (gallery.folder / "media").iterdir()} == {item.id for item in gallery.list(limit=100)}
