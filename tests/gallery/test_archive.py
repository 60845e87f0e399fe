"""Zips among the things to add, from people who mean well and from people who do not."""

import io
import stat
import struct
import zipfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unimma.errors import MediaError
from unimma.gallery import Gallery
from unimma.gallery.archive import Archive, unzipped
from unimma.gallery.sources import Source
from unimma.settings import Limits


def zipped(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes], packing: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as archive:
        for member, content in members:
            archive.writestr(member, content)
    return path


def everything_below(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def test_a_zip_is_as_good_as_the_files_in_it(open_gallery, files, tmp_path):
    path = zipped(
        tmp_path / "Holiday.ZIP",
        *((f"pictures/{each.name}", each.read_bytes()) for each in sorted(files.iterdir())),
        ("pictures/.hidden.png", b"x"),
        ("__MACOSX/._a.png", b"x"),
        ("said.txt", b"a red sentence"),
    )
    gallery = open_gallery()
    seen: list[tuple[int, int]] = []
    report = gallery.add([path], metadata={"source": "holiday"}, progress=lambda *p: seen.append(p))
    assert report.refused == ()
    assert len(report.added) == 8 and seen[-1] == (8, 8)
    assert "a red wall" in {item.title for item in gallery.list()}
    assert all(item.metadata == {"source": "holiday"} for item in gallery.list())
    assert gallery.add([files]).already_there == report.added[:7]  # the same content is the same item
    assert not list((gallery.folder / "staging").iterdir())


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


def device(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFBLK | 0o600) << 16
    return info


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("/tmp/evil.png", "an absolute path"),
        ("\\\\server\\share\\evil.png", "an absolute path"),
        ("C:\\evil.png", "an absolute path"),
        ("../evil.png", "leads out of the archive"),
        ("a/../../evil.png", "leads out of the archive"),
        ("a\\..\\..\\evil.png", "leads out of the archive"),
        ("CON", "the name of a device"),
        ("a/nul.png", "the name of a device"),
        ("LPT1", "the name of a device"),
        ("a.png:stream", "the name of a device"),
        ("line\nbreak.png", "control characters"),
        ("turned\u202egnp.exe", "control characters"),
        (link("evil.png"), "a link"),
        (device("evil.png"), "a device"),
    ],
    ids=repr,
)
def test_h23_names_that_lead_elsewhere_are_refused_and_the_rest_comes_in(open_gallery, files, tmp_path, member, reason):
    picture = (files / "a_red-wall.png").read_bytes()
    path = zipped(tmp_path / "a.zip", (member, picture), ("good.png", picture))
    gallery = open_gallery()
    before = everything_below(tmp_path) - everything_below(gallery.folder)
    report = gallery.add([path])
    assert len(report.added) == 1 and gallery.get(report.added[0]).title == "good"
    ((_, told),) = report.refused
    assert reason in told and str(tmp_path) not in told
    assert everything_below(tmp_path) - everything_below(gallery.folder) == before
    assert {each.name for each in (gallery.folder / "media").iterdir()} == {f"{report.added[0]}.webp"}


def test_h23_a_name_cut_off_by_a_zero_byte_is_refused(open_gallery, files, tmp_path):
    path = zipped(tmp_path / "a.zip", ("evil.png_.txt", (files / "a_red-wall.png").read_bytes()))
    path.write_bytes(path.read_bytes().replace(b"evil.png_.txt", b"evil.png\0.txt"))
    assert "control characters" in open_gallery().add([path]).refused[0][1]


def test_h23_of_two_members_with_one_name_the_second_is_refused(open_gallery, files, tmp_path):
    red, blue = ((files / f"a_{colour}-wall.png").read_bytes() for colour in ("red", "blue"))
    with pytest.warns(UserWarning, match="Duplicate"):
        path = zipped(tmp_path / "a.zip", ("a.png", red), ("a.png", blue), ("A.PNG", blue))
    report = open_gallery().add([path])
    assert [name for name, _ in report.refused] == ["a.png", "A.PNG"]
    assert len(report.added) == 1


@pytest.mark.parametrize("stated", [None, 1_000])
def test_h23_a_bomb_is_stopped_by_what_it_unpacks_to_whatever_it_states(open_gallery, tmp_path, stated):
    path = zipped(tmp_path / "bomb.zip", ("zeros.png", bytes(30_000_000)))
    if stated is not None:
        data = bytearray(path.read_bytes())
        for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
            at = data.index(signature) + offset
            data[at : at + 4] = struct.pack("<I", stated)
        path.write_bytes(data)
    limits = replace(Limits(), max_file_bytes=1_000_000)
    with Gallery.open(tmp_path / "small", open_gallery("other").model, limits=limits) as gallery:
        report = gallery.add([path])
        assert not report.added and len(report.refused) == 1
        assert not list((gallery.folder / "staging").iterdir())


def test_h23_many_members_that_unpack_to_a_lot_are_stopped_together(tmp_path):
    path = zipped(tmp_path / "bomb.zip", *((f"{number}.png", bytes(900_000)) for number in range(100)))
    archive = Archive(path, replace(Limits(), max_file_bytes=1_000_000))
    with pytest.raises(MediaError, match="times its size"):
        for name in archive.names:
            archive.unpack(name, tmp_path / "out")
    archive.close()


def test_h23_an_archive_in_an_archive_is_refused(open_gallery, tmp_path):
    inner = zipped(tmp_path / "inner.zip", ("a.txt", b"red"))
    report = open_gallery().add([zipped(tmp_path / "outer.zip", ("inner.zip", inner.read_bytes()))])
    assert not report.added
    assert "ZIP archive" in report.refused[0][1]


def test_h23_too_many_members_are_refused_before_they_are_listed(tmp_path):
    path = zipped(tmp_path / "many.zip", *((f"{number}.txt", b"") for number in range(2_000)))
    with pytest.raises(MediaError, match="2,000 files"):
        Archive(path, Limits(), max_members=1_999)
    data = bytearray(path.read_bytes())
    end = data.rindex(b"PK\x05\x06")
    data[:0] = b"\0" * 3_000_000  # and a list of members that claims to be most of the file
    data[end + 3_000_012 : end + 3_000_016] = struct.pack("<I", 2_900_000)
    path.write_bytes(data)
    with pytest.raises(MediaError, match="damaged"):
        Archive(path, Limits(), max_members=100)


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_h23_unusual_packings_are_refused(tmp_path, packing):
    archive = Archive(zipped(tmp_path / "a.zip", ("a.txt", b"red"), packing=packing), Limits())
    assert archive.names == [] and "unusual" in archive.refused[0][1]
    archive.close()


def test_h23_encrypted_members_are_refused(tmp_path):
    data = bytearray(zipped(tmp_path / "a.zip", ("a.txt", b"red")).read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    archive = Archive(tmp_path / "a.zip", Limits())
    assert "password" in archive.refused[0][1]
    archive.close()


def test_a_damaged_zip_is_one_refusal(open_gallery, tmp_path):
    path = zipped(tmp_path / "a.zip", ("a.txt", b"red" * 1000))
    path.write_bytes(path.read_bytes()[:-30])
    report = open_gallery().add([path, "a sentence"])
    assert len(report.added) == 1
    assert report.refused[0][0] == "a.zip" and "damaged" in report.refused[0][1]


def test_another_file_with_that_ending_and_an_office_document_are_refused_as_what_they_are(open_gallery, tmp_path):
    (tmp_path / "no.zip").write_bytes(b"no archive at all")
    zipped(tmp_path / "letter.docx", ("word/document.xml", b"<a/>"))
    report = open_gallery().add([tmp_path / "no.zip", tmp_path / "letter.docx"])
    assert [name for name, _ in report.refused] == ["no.zip", "letter.docx"]
    assert not report.added


def small_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.txt", "red " * 50)
        archive.writestr("c.txt", "blue")
    return buffer.getvalue()


@given(st.lists(st.tuples(st.integers(0, len(small_zip()) - 1), st.integers(0, 255)), max_size=12), st.integers(0, 40))
def test_h23_whatever_the_bytes_an_archive_is_read_or_refused(tmp_path_factory, changes, cut):
    data = bytearray(small_zip())
    for at, value in changes:
        data[at] = value
    path = tmp_path_factory.mktemp("fuzz") / "a.zip"
    path.write_bytes(data[: len(data) - cut])
    with ExitStack() as opened:
        sources, refused = unzipped([Source(path)], Limits(), opened)
        for source in sources:
            if source.packed:
                try:
                    source.packed.unpack(path.with_name("out"))
                except MediaError:
                    refused.append((source.name, "damaged"))
    assert set(path.parent.iterdir()) <= {path, path.with_name("out")}
