"""The starter gallery that is shipped is complete, small, plays, and is made by the command that is documented."""

import json
from collections import Counter
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from assets.make_gallery import CLIP_SECONDS, SOUND_SECONDS, make_scene
from assets.scenes import SCENES

GALLERY = Path(__file__).parents[2] / "assets" / "gallery"


@pytest.fixture(scope="module")
def entries() -> list[dict[str, str]]:
    loaded: list[dict[str, str]] = json.loads((GALLERY / "items.json").read_text(encoding="utf-8"))
    return loaded


def test_every_scene_has_a_picture_a_sound_a_clip_and_two_sentences(entries: list[dict[str, str]]) -> None:
    counts = Counter((entry["scene"], entry["modality"]) for entry in entries)
    wanted = {"image": 1, "audio": 1, "video": 1, "text": 2}
    assert counts == {(scene.name, modality): n for scene in SCENES for modality, n in wanted.items()}


def test_every_file_is_there_and_every_file_there_is_listed(entries: list[dict[str, str]]) -> None:
    listed = {entry["file"] for entry in entries if entry["modality"] != "text"}
    assert listed == {path.name for path in GALLERY.iterdir()} - {"items.json"}


def test_titles_are_short_and_texts_are_unique_sentences_of_the_scene(entries: list[dict[str, str]]) -> None:
    assert all(0 < len(entry["title"]) <= 40 for entry in entries)
    texts = [(entry["scene"], entry["text"]) for entry in entries if entry["modality"] == "text"]
    assert len({text for _, text in texts}) == len(texts)
    assert set(texts) <= {(scene.name, sentence) for scene in SCENES for sentence in scene.sentences}


def test_the_whole_gallery_is_at_most_25_megabytes() -> None:
    assert sum(path.stat().st_size for path in GALLERY.iterdir()) <= 25_000_000


def test_every_picture_opens_and_carries_no_private_tags(entries: list[dict[str, str]]) -> None:
    for entry in entries:
        if entry["modality"] == "image":
            with Image.open(GALLERY / entry["file"]) as picture:
                assert picture.format == "WEBP"
                assert min(picture.size) >= 384
                assert not picture.getexif()


def test_every_sound_decodes_to_its_length_without_clipping(entries: list[dict[str, str]]) -> None:
    for entry in entries:
        if entry["modality"] == "audio":
            with av.open(GALLERY / entry["file"]) as container:
                rate_hz = container.streams.audio[0].rate
                sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
            assert sound.shape[1] / rate_hz == pytest.approx(SOUND_SECONDS, abs=0.1)
            assert np.mean(np.abs(sound) >= 1.0) < 1e-4
            assert np.sqrt(np.mean(sound**2)) > 0.015


def test_every_clip_has_pictures_and_sound_that_browsers_play(entries: list[dict[str, str]]) -> None:
    for entry in entries:
        if entry["modality"] == "video":
            with av.open(GALLERY / entry["file"]) as container:
                video, sound = container.streams.video[0], container.streams.audio[0]
                assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
                assert sound.codec_context.name == "aac"
                assert container.duration is not None
                assert container.duration / av.time_base == pytest.approx(CLIP_SECONDS, abs=0.15)
            head = (GALLERY / entry["file"]).read_bytes()
            assert head.index(b"moov") < head.index(b"mdat")  # plays before it is all there


def test_a_scene_made_again_with_the_same_seed_is_the_same_picture_and_sound(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made.append(make_scene(0, tmp_path / name, seed=11))
    assert made[0] == made[1]
    for entry in made[0][:2]:
        assert (tmp_path / "one" / entry["file"]).read_bytes() == (tmp_path / "two" / entry["file"]).read_bytes()
