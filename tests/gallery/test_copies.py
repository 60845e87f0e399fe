from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image as PIL

from tests.makers import corners, write_clip, write_picture, write_tone
from tests.toy import ToyModel
from unimma.gallery import Gallery
from unimma.gallery.copies import Copies
from unimma.types import Modality


@pytest.fixture
def gallery(tmp_path: Path):
    with Gallery.open(tmp_path / "gallery", ToyModel(), index=False) as opened:
        yield opened


def add(gallery: Gallery, *paths: Path) -> list[str]:
    (*ids,) = gallery.add(paths).added
    assert len(ids) == len(paths)
    return ids


def copies_of_the_first(gallery: Gallery, modality: Modality, ids: list[str]) -> set[int]:
    others = np.arange(1, len(ids))
    return {int(row) for row in others[Copies(gallery, modality, ids).of(0, others)]}


def test_pictures_are_told_by_sight(gallery, tmp_path):
    one = write_picture(tmp_path / "one.png", corners(320, 240))
    poor = write_picture(tmp_path / "poor.jpg", corners(320, 240), quality=40)
    small = tmp_path / "small.webp"
    PIL.open(one).resize((100, 75)).save(small)
    other = write_picture(tmp_path / "other.png", np.ascontiguousarray(corners(320, 240)[::-1]))
    ids = add(gallery, one, poor, small, other)
    assert copies_of_the_first(gallery, Modality.IMAGE, ids) == {1, 2}


def test_clips_are_told_by_sight_and_length(gallery, tmp_path):
    one = write_clip(tmp_path / "one.mp4", sound_hz=440.0)
    again = write_clip(tmp_path / "again.webm", "libvpx-vp9")
    longer = write_clip(tmp_path / "longer.mp4", seconds=4.0)
    ids = add(gallery, one, again, longer)
    assert copies_of_the_first(gallery, Modality.VIDEO, ids) == {1}


def test_sounds_are_told_by_their_embedding_and_length(gallery, tmp_path):
    one = write_tone(tmp_path / "one.wav")
    quiet = write_tone(tmp_path / "quiet.wav", level=0.1)
    longer = write_tone(tmp_path / "longer.wav", seconds=2.0)
    high = write_tone(tmp_path / "high.wav", hz=4_000.0)
    ids = add(gallery, one, quiet, longer, high)
    assert copies_of_the_first(gallery, Modality.AUDIO, ids) == {1}


def test_texts_have_no_copies(gallery):
    ids = list(gallery.add(["red", "red red"]).added)
    assert copies_of_the_first(gallery, Modality.TEXT, ids) == set()


def test_what_was_deleted_meanwhile_is_no_copy(gallery, tmp_path):
    ids = add(gallery, *(write_tone(tmp_path / f"{level}.wav", level=level) for level in (0.5, 0.2, 0.1)))
    gallery.delete([ids[1]])
    assert copies_of_the_first(gallery, Modality.AUDIO, ids) == {2}
    gallery.delete(ids)
    assert copies_of_the_first(gallery, Modality.AUDIO, ids) == set()


def test_a_sound_that_is_deleted_between_two_looks_is_no_copy(gallery, tmp_path, monkeypatch):
    ids = add(gallery, *(write_tone(tmp_path / f"{level}.wav", level=level) for level in (0.5, 0.2)))
    monkeypatch.setattr(gallery, "get_many", lambda ids: {})
    assert copies_of_the_first(gallery, Modality.AUDIO, ids) == set()


def test_music_over_a_black_screen_is_no_copy_of_other_music(gallery, tmp_path):
    paths = []
    for name, hz in (("a", 300.0), ("b", 5_000.0)):
        path = tmp_path / f"{name}.mp4"
        with av.open(str(path), "w") as output:
            seen = output.add_stream("libx264", rate=10)
            seen.width, seen.height, seen.pix_fmt = 64, 48, "yuv420p"
            heard = output.add_stream("aac", rate=44_100, layout="mono")
            for _ in range(20):
                output.mux(seen.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
            output.mux(seen.encode(None))
            wave = np.sin(2 * np.pi * hz * np.arange(88_200) / 44_100).astype(np.float32)[None]
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            frame.rate = 44_100
            output.mux(heard.encode(frame))
            output.mux(heard.encode(None))
        paths.append(path)
    ids = add(gallery, *paths)
    assert copies_of_the_first(gallery, Modality.VIDEO, ids) == set()


def test_an_item_of_another_model_is_no_copy(gallery, tmp_path):
    ids = add(gallery, write_tone(tmp_path / "a.wav"), write_tone(tmp_path / "b.wav", level=0.2))
    gallery.close()
    with Gallery.open(gallery.folder, ToyModel("other", "0123456789ab"), index=False) as reopened:
        assert copies_of_the_first(reopened, Modality.AUDIO, ids) == set()
