"""What every kind has in common: who is let in, as what, and what is said to the others."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.makers import write_animation, write_picture, write_tone
from unimma.errors import MediaError
from unimma.media import decode, kind_of
from unimma.settings import Limits
from unimma.types import Audio, Image, Modality, Text

REFUSED = {
    "an SVG drawing": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "a web page": b"<!DOCTYPE html><title>x</title>",
    "a playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "a list of other files": b"ffconcat version 1.0\nfile a.mp4\n",
    "a session description": b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
    "a DASH playlist": b"<?xml version='1.0'?>\n<MPD></MPD>",
    "a PDF document": b"%PDF-1.7\n",
    "a ZIP archive or office document": b"PK\x03\x04" + bytes(40),
    "a program": b"\x7fELF" + bytes(40),
    "of no known kind": bytes(range(1, 255)),
    "some kind of text": b'{"a": 1}',
}


def test_the_kind_is_that_of_the_content(
    picture: Path, sound: Path, clip: Path, silent_clip: Path, note: Path, tmp_path: Path
) -> None:
    kinds = {picture: "image", sound: "audio", clip: "video", silent_clip: "video", note: "text"}
    for path, kind in kinds.items():
        assert kind_of(path) == decode(path).modality == kind
    for path in (picture, sound, clip):
        misnamed = tmp_path / f"{path.stem}.txt"
        misnamed.write_bytes(path.read_bytes())
        assert kind_of(misnamed) == kinds[path]


def test_a_container_with_nothing_but_sound_is_a_sound(tmp_path: Path) -> None:
    for ending, codec in (("mp4", "aac"), ("mkv", "flac"), ("webm", "libopus"), ("mov", "aac"), ("avi", "pcm_s16le")):
        path = write_tone(tmp_path / f"tone.{ending}", codec, 48_000)
        assert kind_of(path) is Modality.AUDIO
        assert isinstance(decode(path), Audio)


def test_what_is_decoded_already_passes_through() -> None:
    image = Image(np.zeros((2, 2, 3), np.uint8), "a.png")
    assert decode(image) is image
    assert decode(image, modality=Modality.IMAGE) is image
    with pytest.raises(MediaError, match=r"a\.png: a picture; expected a sound"):
        decode(image, modality=Modality.AUDIO)
    assert decode(Text("words")) == Text("words")


@pytest.mark.parametrize("wanted", list(Modality))
def test_another_kind_than_the_wanted_one_is_refused_by_name(
    picture: Path, sound: Path, silent_clip: Path, note: Path, wanted: Modality
) -> None:
    for path in (picture, sound, silent_clip, note):
        if kind_of(path) is wanted:
            assert decode(path, modality=wanted).modality is wanted
        else:
            with pytest.raises(MediaError, match=path.name):
                decode(path, modality=wanted)


@pytest.mark.parametrize("words", REFUSED)
@pytest.mark.parametrize("name", ["photo.jpg", "clip.mp4", ""])
def test_what_is_not_taken_in_is_named(words: str, name: str) -> None:
    with pytest.raises(MediaError, match=f"{name or 'this file'}: {words}") as refused:
        decode(REFUSED[words], name=name)
    assert "expected a picture, a sound, a clip or a text file" in str(refused.value)


def test_no_message_tells_a_folder(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(50))
    (tmp_path / "broken.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(50))
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder.wav").mkdir()
    for name in ("broken.jpg", "broken.mp4", "empty.png", "folder.wav", "missing.mp3"):
        with pytest.raises(MediaError) as refused:
            decode(tmp_path / name)
        assert str(refused.value).startswith(f"{name}: ")
        assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize(
    "name", ["/etc/passwd/../x.jpg", "C:\\Users\\me\\x.jpg", "../../x.jpg", "x.jpg/", "\\\\server\\share\\x.jpg"]
)
def test_a_name_from_outside_is_its_last_part(name: str) -> None:
    content = write_picture_content()
    assert decode(content, name=name).name == "x.jpg"


def test_control_and_direction_characters_of_a_name_are_not_repeated() -> None:
    with pytest.raises(MediaError, match=r"^gpj\?\?\?evil: empty"):
        decode(b"", name="gpj\u202e\n\x1bevil")


def test_limits_come_from_the_environment(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIMMA_MAX_FILE_BYTES", "10")
    with pytest.raises(MediaError, match=r"quarters\.jpg"):
        decode(picture)
    assert decode(picture, limits=Limits()).modality is Modality.IMAGE


def test_importing_the_door_loads_no_decoder() -> None:
    code = "import unimma.media, sys; sys.exit(any(m in sys.modules for m in ('av', 'PIL', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_many_files_at_once_from_many_threads(tmp_path: Path, picture: Path, clip: Path, sound: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    moving = write_animation(tmp_path / "moving.gif", [np.full((9, 9, 3), g, np.uint8) for g in (0, 200)], (90, 90))
    heic = write_picture(tmp_path / "photo.heic")
    files = [picture, clip, sound, moving, heic] * 4
    with ThreadPoolExecutor(8) as pool:
        kinds = [decoded.modality for decoded in pool.map(decode, files)]
    assert kinds == ["image", "video", "audio", "video", "image"] * 4


def write_picture_content() -> bytes:
    import io

    from PIL import Image as PIL

    file = io.BytesIO()
    PIL.new("RGB", (8, 8)).save(file, "JPEG")
    return file.getvalue()
