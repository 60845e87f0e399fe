import subprocess
import sys
from pathlib import Path

import pytest

from tests.gallery.conftest import COLOURS, write_clip, write_picture, write_tone
from tests.gallery.victim import ADDED, BEFORE, NUM_DELETED, WAYS, Turned
from tests.toy import ToyModel
from unimma import settings
from unimma.gallery import Gallery
from unimma.gallery.index import CandidateIndex
from unimma.media import decode
from unimma.retrieval import search
from unimma.types import Modality

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork are of POSIX systems")
QUERIES = ("red", "green and blue", "low", "sentence 7 of red")


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A folder with a gallery for each way to die, after dying."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "files").mkdir()
    write_picture(folder / "files" / "red.png", COLOURS["red"])
    write_tone(folder / "files" / "tone.wav", 300.0)
    write_clip(folder / "files" / "clip.mp4", COLOURS["blue"])
    with Gallery.open(folder / "before", ToyModel()) as gallery:
        gallery.add(BEFORE)
    with Gallery.open(folder / "exported", ToyModel()) as gallery:
        gallery.add([*ADDED, folder / "files"])
        gallery.export(folder / "exported.zip")
    subprocess.run([sys.executable, "-m", "tests.gallery.victim", str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def fresh_answers(killed):
    """What a gallery that never crashed, with these items alone, answers; made once for each set of items and model."""
    made: dict[tuple[str, ...], list[tuple[str, int, float, float]]] = {}

    def answers(titles: tuple[str, ...], model: ToyModel) -> list[tuple[str, int, float, float]]:
        key = (model.name, *titles)
        if key not in made:
            files = {path.stem: path for path in (killed / "files").iterdir()}
            with Gallery.open(killed / f"fresh {len(made)}", model) as gallery:
                wanted = [title for title in [*BEFORE, *ADDED] if title in titles]
                gallery.add([*wanted, *(path for stem, path in sorted(files.items()) if stem in titles[len(wanted) :])])
                made[key] = found(gallery)
        return made[key]

    return answers


def found(gallery: Gallery) -> list[tuple[str, int, float, float]]:
    hits = [hit for query in QUERIES for hit in search(gallery, query, k=50)]
    return [(hit.item.id, hit.rank, hit.similarity, round(hit.score, 6)) for hit in hits]


@pytest.mark.parametrize("way", WAYS)
def test_h33_after_dying_a_gallery_equals_a_fresh_one_with_the_same_items(killed, fresh_answers, way, monkeypatch):
    model = Turned() if way.startswith("reembed") else ToyModel()
    with Gallery.open(killed / way, model) as gallery:
        gallery.reembed()  # goes on where it was killed; elsewhere there is nothing to do
        items = gallery.list(limit=100)
        titles = tuple(item.title for item in items)
        whole = (*BEFORE, *ADDED, "clip", "red", "tone")
        assert titles in (BEFORE_ALONE, BEFORE_ALONE[NUM_DELETED:], whole[: len(titles)])
        assert gallery.missing() == 0
        for item in items:
            assert decode(Path(item.uri)).modality == item.modality
        assert {path.name for path in (gallery.folder / "media").iterdir()} == {Path(item.uri).name for item in items}
        assert not list((gallery.folder / "staging").iterdir())
        assert found(gallery) == fresh_answers(titles, model)
        monkeypatch.setattr(settings, "EXACT_SEARCH_UP_TO", 0)
        assert found(gallery) == fresh_answers(titles, model)
    assert sorted(indexed(killed / way, model)) == sorted(item.id for item in items)


def test_there_are_more_than_twenty_ways_to_die():
    assert len(WAYS) > 40 and len({act for act, *_ in WAYS.values()}) == 10


@pytest.mark.parametrize("way", ["insert-after", "upsert-before", "upsert-after", "indexed-after"])
def test_what_was_committed_before_dying_is_there(killed, way):
    with Gallery.open(killed / way, ToyModel()) as gallery:
        assert gallery.count() > len(BEFORE)


@pytest.mark.parametrize(
    "way",
    [
        "delete-after",
        "unindex-after",
        "unindexed",
        "unlink-within",
        "unlink-after",
        "trash-after",
        "trash-unindexed",
        "purge-after",
        "purge-unlink",
    ],
)
def test_what_was_deleted_before_dying_stays_gone(killed, way):
    with Gallery.open(killed / way, ToyModel()) as gallery:
        assert gallery.count() == len(BEFORE) - NUM_DELETED


@pytest.mark.parametrize("way", ["trash-before", "restore-after", "restore-index"])
def test_what_was_not_thrown_away_or_was_brought_back_before_dying_is_there(killed, way):
    with Gallery.open(killed / way, ToyModel()) as gallery:
        assert gallery.count() == len(BEFORE)


BEFORE_ALONE = tuple(BEFORE)


def indexed(folder: Path, model: ToyModel) -> list[str]:
    index = CandidateIndex(folder / "chroma")
    try:
        query = model.embed(["red"])[0]
        counts = {m: index.count(model.fingerprint, m) for m in Modality}
        return [i for m in Modality if counts[m] for i in index.nearest(model.fingerprint, m, query, 100)]
    finally:
        index.close()
