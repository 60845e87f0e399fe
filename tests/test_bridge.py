"""Two spaces joined through what both can read: the maps against second sources, and sounds that find pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests import spaces
from unimma import bridge
from unimma.bridge import fit, join
from unimma.captions import captions
from unimma.errors import ModelError
from unimma.heads import HeadConfig, LinearHead
from unimma.types import Image, Text

ANIMALS = ("horse", "sheep", "frogs", "whale", "lion", "goat", "parrot", "snake", "bees", "crows", "wolves", "ducks")
THINGS = [f"{animal} {place}" for animal in ANIMALS for place in ("river", "street", "kitchen", "tower")]


def rows(encoder: Any, items: Sequence[Any]) -> np.ndarray:
    return encoder.encode([encoder.prepare(item) for item in items]).numpy()


def found_own(queries: np.ndarray, gallery: np.ndarray) -> float:
    return float(((queries @ gallery.T).argmax(axis=1) == np.arange(len(queries))).mean())


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def rotation(dim: int, width: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(5).normal(size=(width, dim)))[0]


@pytest.mark.parametrize("width", [12, 20])
def test_a_turned_space_is_turned_back_exactly(width: int) -> None:
    source = unit(np.random.default_rng(0).normal(size=(300, 12)))
    target = source @ rotation(12, width).T
    found = fit(source, target)
    assert (found.kind, found.score, found.num_items, found.num_held_out) == ("orthogonal", 1.0, 300, 60)
    assert np.abs(found(3 * source) - target).max() < 1e-5, "whatever the length of the rows"
    assert found.matrix.shape == (width, 12)


def test_a_space_that_is_stretched_too_is_met_by_the_ridge_that_scipy_finds() -> None:
    from scipy.linalg import lstsq

    rng = np.random.default_rng(0)
    source = unit(rng.normal(size=(400, 10)))
    bent = source @ (rng.normal(size=(10, 16)) * np.linspace(0.1, 3, 16)) + 0.2 * rng.normal(size=(400, 16))
    found = fit(source, bent)
    assert found.kind.startswith("ridge")
    strength = float(found.kind[7:-1])
    x, y = source - source.mean(axis=0), unit(bent) - unit(bent).mean(axis=0)
    penalty = np.sqrt(strength * np.square(x).sum() / 10) * np.eye(10)
    slow, *_ = lstsq(np.concatenate([x, penalty]), np.concatenate([y, np.zeros((10, 16))]))
    assert np.abs(found.matrix - slow.T).max() < 1e-4


def test_what_is_held_out_is_not_the_same_thing_in_other_words() -> None:
    """Spaces that have nothing to do with each other: only a leak between items of one topic could join them."""
    rng = np.random.default_rng(0)
    topics = [f"{i // 10}" for i in range(500)]
    source, target = (rng.normal(size=(50, 40)).repeat(10, axis=0) for _ in range(2))
    noise = 0.01 * rng.normal(size=source.shape)
    assert fit(source + noise, target - noise, topics).score < 0.2
    assert fit(source + noise, target - noise, topics).num_held_out == 100


@pytest.mark.parametrize("count", [0, 1, 19])
def test_too_little_to_compare_is_refused(count: int) -> None:
    with pytest.raises(ModelError, match=f"a bridge over {count} shared items"):
        fit(np.ones((count, 3)), np.ones((count, 3)))


def test_items_about_one_thing_are_refused() -> None:
    with pytest.raises(ModelError, match="about 1 things; expected 20 items or more about several"):
        fit(np.ones((40, 3)), np.ones((40, 3)), ["dog"] * 40)


def test_sounds_find_pictures_of_which_they_never_saw_a_pair(tmp_path: Path) -> None:
    hears, reads, target = spaces.ClapAudio(dim=40), spaces.ClapText(dim=40), spaces.ClipText()
    found = join(hears, reads, target, cache=tmp_path)
    assert found.score > 0.75, "of captions, some of which mean the same to these readers"
    assert found.num_items == len(captions())
    assert f"{found.num_held_out:,} held-out ones find themselves" in str(found)
    heard = found(rows(hears, [spaces.sound(said) for said in THINGS]))
    seen = rows(spaces.ClipImage(), [spaces.picture(said) for said in THINGS])
    said = rows(target, [Text(said) for said in THINGS])
    assert found_own(heard, seen) > 0.95 and found_own(said, seen) > 0.95, "as well as the space's own sentences do"
    assert found_own(said, heard) > 0.95 and found_own(heard, said) > 0.95
    assert found_own(seen, heard) > found_own(seen, said) - 0.15


def test_mean_and_spread_take_the_gap_between_sounds_and_sentences_away(tmp_path: Path) -> None:
    """Mapped sounds lie where sentences of the other space lie, not beside them."""
    hears, reads, target = spaces.ClapAudio(), spaces.ClapText(), spaces.ClipText()
    raw = rows(hears, [spaces.sound(said) for said in THINGS])
    said = rows(target, [Text(said) for said in THINGS])
    across = join(hears, reads, target, cache=tmp_path)(raw)
    beside = join(reads, reads, target, cache=tmp_path)(raw)  # as if sounds were sentences
    assert (across * said).sum(axis=1).mean() > 0.8 > (beside * said).sum(axis=1).mean() + 0.1


def test_a_map_is_a_head(tmp_path: Path) -> None:
    found = join(spaces.ClapAudio(), spaces.ClapText(), spaces.ClipText(), cache=tmp_path)
    rows = np.random.default_rng(0).normal(size=(5, 32)).astype(np.float32)
    assert np.abs(found.head()(torch.from_numpy(rows)).detach().numpy() - found(rows)).max() < 1e-6


def test_it_is_computed_once_and_again_when_a_weight_changes(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    parts = spaces.ClapAudio(), spaces.ClapText(), spaces.ClipText()
    first = join(*parts, cache=tmp_path, say=lambda what, done, total: told.append((done, total)))
    assert told[0] == (0, len(captions())) and (len(captions()), len(captions())) in told
    spaces.encoded.clear()
    again = join(*parts, cache=tmp_path)
    assert spaces.encoded == [] and str(again) == str(first) and np.array_equal(again.matrix, first.matrix)
    head = LinearHead(HeadConfig(kind="linear", num_features=32, dim=8))
    assert join(*parts, head, cache=tmp_path).matrix.shape == (8, 32)
    other = join(spaces.ClapAudio("other"), spaces.ClapText("other"), spaces.ClipText(), cache=tmp_path)
    assert not np.array_equal(other.matrix, first.matrix)
    assert len(list(tmp_path.glob("*.safetensors"))) == 3 and not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_cache_is_computed_again(tmp_path: Path, damage: bytes | None, caplog: pytest.LogCaptureFixture):
    parts = spaces.ClapAudio(), spaces.ClapText(), spaces.ClipText()
    first = join(*parts, cache=tmp_path)
    (kept,) = tmp_path.glob("*.safetensors")
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-40] if damage is None else damage)
    again = join(*parts, cache=tmp_path)
    assert "damaged; it is computed again" in caplog.text and len(kept.read_bytes()) == len(whole)
    caplog.clear()
    for mended in (again, join(*parts, cache=tmp_path)):
        assert np.array_equal(mended.matrix, first.matrix) and str(mended) == str(first)
    assert not caplog.text


def test_any_modality_that_both_read_will_do(tmp_path: Path) -> None:
    class OtherPictures(spaces.ClapAudio):
        modality = spaces.ClipImage.modality

    through, into = OtherPictures(), spaces.ClipImage()
    pictures = [Image(np.full((2, 2, 3), i, np.uint8), f"{said}.png") for i, said in enumerate(THINGS)]
    found = join(spaces.ClapAudio(), through, into, items=pictures, topics=THINGS, cache=tmp_path)
    assert found.num_items == len(THINGS) and found.score > 0.8
    with pytest.raises(ModelError, match="a bridge through image without any items"):
        join(spaces.ClapAudio(), through, into, cache=tmp_path)


def test_encoders_that_do_not_meet_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="from an encoder of text to one of image; expected two encoders of one"):
        join(spaces.ClapAudio(), spaces.ClapText(), spaces.ClipImage(), cache=tmp_path)
    with pytest.raises(ModelError, match="through 32 features for 40 of audio"):
        join(spaces.ClapAudio(dim=40), spaces.ClapText(), spaces.ClipText(), cache=tmp_path)


def test_captions_are_a_few_thousand_different_sentences_about_many_things() -> None:
    said = captions()
    assert 3_000 <= len(said) == len({caption.text for caption in said}) < 10_000
    assert len({caption.topic for caption in said}) > 250
    assert said == captions()
    assert all(caption.text == " ".join(caption.text.split()) and caption.topic in caption.text for caption in said)
    held = [len(group) for group in np.array_split(said, 5)]
    assert min(held) > 500


def test_nothing_is_left_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge.os, "replace", lambda part, path: (_ for _ in ()).throw(OSError("no space left")))
    parts = spaces.ClapAudio(), spaces.ClapText(), spaces.ClipText()
    with pytest.raises(OSError, match="no space left"):
        join(*parts, cache=tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))
    monkeypatch.undo()
    assert join(*parts, cache=tmp_path).num_items and not list(tmp_path.glob("*.part"))
