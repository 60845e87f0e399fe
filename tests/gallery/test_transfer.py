"""Export and import: a gallery in one zip, and such a zip from a stranger."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.gallery.conftest import COLOURS, write_picture, write_tone
from tests.toy import DIM, ToyModel
from unimma.errors import ConfigError, GalleryError, MediaError
from unimma.gallery import Gallery
from unimma.gallery.transfer import _checked
from unimma.media import decode
from unimma.retrieval import search
from unimma.types import Item, Modality, Span


class Counting(ToyModel):
    """Counts what it embeds."""

    count = 0

    def embed(self, items):
        self.count += len(items)
        return super().embed(items)


@pytest.fixture
def exported(open_gallery, files, tmp_path) -> Path:
    gallery = open_gallery("first")
    stretch = Item(
        Modality.AUDIO, "a moment", uri=str(write_tone(tmp_path / "long.wav", 300.0, 2.0)), span=Span(0.5, 1.5)
    )
    gallery.add([files, "a red sentence", stretch], metadata={"source": "home", "year": 2020})
    assert gallery.export(tmp_path / "gallery.zip") == 9
    gallery.close()
    return tmp_path / "gallery.zip"


def described(gallery: Gallery) -> list[tuple[object, ...]]:
    return [
        (item.id, item.modality, item.title, item.text, item.span, dict(item.metadata), item.added, Path(item.uri).name)
        for item in gallery.list(limit=100)
    ]


def found(gallery: Gallery) -> list[tuple[str, float]]:
    return [(hit.item.id, hit.similarity) for query in ("red", "low") for hit in search(gallery, query, k=20)]


def test_what_is_exported_comes_in_again_as_it_was_without_being_embedded_anew(open_gallery, exported):
    first, second = open_gallery("first"), open_gallery("second", Counting())
    seen: list[tuple[int, int]] = []
    report = second.import_(exported, lambda *p: seen.append(p))
    assert report.refused == () and len(report.added) == 9 and seen[-1] == (9, 9)
    assert second.model.count == 0
    assert described(second) == described(first)
    assert found(second) == found(first)
    for item in second.list():
        assert decode(Path(item.uri)).modality == item.modality and item.num_bytes == Path(item.uri).stat().st_size
    assert second.import_(exported).already_there == report.added


def test_the_archive_holds_what_it_says(exported):
    with zipfile.ZipFile(exported) as archive:
        rows = np.load(io.BytesIO(archive.read("vectors.npy")), allow_pickle=False)
        about = json.loads(archive.read("model.json"))
        media = {name.removeprefix("media/") for name in archive.namelist() if name.startswith("media/")}
    assert about == {"format": 1, "name": "toy", "fingerprint": ToyModel().fingerprint, "dim": DIM}
    assert {entry["media"] for entry in entries(exported)} == media
    assert [entry["vector"] for entry in entries(exported)] == list(range(9)) and rows.shape == (9, DIM)


def test_another_model_embeds_what_comes_in(open_gallery, exported):
    model = Counting(fingerprint="0123456789ab")
    second = open_gallery("second", model)
    assert len(second.import_(exported).added) == 9
    assert model.count == 9 and second.missing() == 0


def test_an_export_appears_whole_or_not_at_all(open_gallery, tmp_path):
    gallery = open_gallery()
    gallery.add(["red", "blue"])

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gallery.export(tmp_path / "a.zip", stop)
    with pytest.raises(GalleryError, match=r"b\.zip"):
        gallery.export(tmp_path / "nowhere" / "b.zip")
    with pytest.raises(ConfigError, match="inside the gallery"):
        gallery.export(gallery.folder / "media" / "c.zip")
    assert {path.name for path in tmp_path.iterdir()} == {"gallery"}


def changed(
    exported: Path, listing: str | None = None, vectors: bytes | None = None, extra: dict[str, bytes] | None = None
) -> Path:
    """The exported zip with another listing, other vectors or further members."""
    target = exported.with_name("changed.zip")
    with zipfile.ZipFile(exported) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "items.json" and listing is not None:
                content = listing.encode("utf-8", "surrogatepass")
            if name == "vectors.npy" and vectors is not None:
                content = vectors
            new.writestr(name, content)
        for name, content in (extra or {}).items():
            new.writestr(name, content)
    return target


def entries(exported: Path) -> list[dict[str, object]]:
    with zipfile.ZipFile(exported) as archive:
        return [json.loads(line) for line in archive.read("items.json").splitlines()]


def lines(*rows: dict[str, object]) -> str:
    return "\n".join(json.dumps(row) for row in rows)


@pytest.mark.parametrize(
    "change",
    [
        {"media": "../../items.sqlite"},
        {"media": "/etc/passwd"},
        {"media": ""},
        {"modality": "smell"},
        {"metadata": {"a": {"b": 1}}},
        {"metadata": {"a": "\ud800"}},
        {"metadata": None},
        {"span": [0, float("nan")]},
        {"span": "all"},
        {"span": [5]},
        {"span": [100.0, 200.0]},
        {"modality": "text", "text": None},
        {"modality": "text", "text": "half a character \ud800"},
        {"modality": "video"},
    ],
    ids=repr,
)
def test_h23_a_listing_that_lies_is_refused_line_by_line(open_gallery, exported, change):
    rows = entries(exported)
    bad = next(row for row in rows if row["modality"] == "image") | change
    second = open_gallery("second")
    report = second.import_(changed(exported, lines(bad, *(row for row in rows if row["id"] != bad["id"]))))
    assert (len(report.added), len(report.refused)) == (8, 1)
    assert str(exported.parent) not in report.refused[0][1]
    assert not list((second.folder / "staging").iterdir())


@pytest.mark.parametrize("line", ["[" * 100_000, "{", "7", "null", '{"id": 1}', "\x00", '"' + "a" * 800_000 + '"'])
def test_h23_a_line_that_is_no_item_is_refused(open_gallery, exported, line):
    report = open_gallery("second").import_(changed(exported, line + "\n" + lines(*entries(exported))))
    assert (len(report.added), len(report.refused)) == (9, 1)


def test_h23_titles_ids_and_times_of_a_stranger_are_cleaned(open_gallery, exported):
    row = entries(exported)[0] | {"id": "../../evil", "title": "a\x00b\u202e\nc\ud800", "added": "<script>"}
    second = open_gallery("second")
    (item_id,) = second.import_(changed(exported, lines(row))).added
    item = second.get(item_id)
    assert len(item_id) == 32 and item.title == "a b c?" and item.added.endswith("Z")


def npy(rows: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, rows)
    return buffer.getvalue()


def ones(count: int, dim: int = DIM) -> np.ndarray:
    return np.full((count, dim), dim**-0.5, np.float32)


class Runs:
    """What a pickle in an array would do when it is loaded."""

    def __reduce__(self):
        return (Path.touch, (Path("touched-by-a-pickle"),))


@pytest.mark.parametrize(
    "vectors",
    [
        b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff{", b"\x93NUMPY\x01\x00\x03\x00{([", npy(2 * ones(9)),
        npy(ones(9) * np.nan),
        npy(ones(9, DIM + 1)), npy(ones(9).astype(np.float64)), npy(np.asfortranarray(ones(9))),
        npy(ones(9))[:-1], npy(ones(9)[0]), npy(np.array([Runs()], dtype=object)),
        npy(ones(9)).replace(b"(9,", b"(99999999999,"),
    ],
)  # fmt: skip
def test_h23_vectors_that_are_not_what_they_should_be_are_made_anew(
    open_gallery, exported, vectors, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    model = Counting()
    second = open_gallery("second", model)
    assert len(second.import_(changed(exported, vectors=vectors)).added) == 9
    assert model.count == 9
    assert not (tmp_path / "touched-by-a-pickle").exists()


def test_rows_that_are_right_are_read():
    assert np.array_equal(_checked(npy(ones(3)), DIM), ones(3))


def test_h23_an_archive_that_is_no_gallery_is_said(open_gallery, files, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(files / "hum.wav", "hum.wav")
    for path in (tmp_path / "a.zip", files / "hum.wav", tmp_path / "nowhere.zip"):
        with pytest.raises(MediaError):
            open_gallery(path.stem).import_(path)


def test_h23_media_in_an_export_are_decoded_and_encoded_like_every_other_file(open_gallery, exported, tmp_path):
    marked = write_picture(tmp_path / "marked.png", COLOURS["green"])
    marked.write_bytes(marked.read_bytes() + b"<script>alert(1)</script>")
    row = {"id": "", "modality": "image", "title": "x", "text": None, "span": None, "metadata": {}, "added": ""}
    rows = [row | {"media": "marked.png"}, row | {"media": "page.png"}]
    extra = {"media/marked.png": marked.read_bytes(), "media/page.png": b"<html><script>alert(1)</script>"}
    second = open_gallery("second")
    report = second.import_(changed(exported, lines(*rows), extra=extra))
    assert (len(report.added), len(report.refused)) == (1, 1)
    assert b"<script>" not in Path(second.get(report.added[0]).uri).read_bytes()
