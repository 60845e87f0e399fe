"""The bundled model as people call it: mixed queries, unit rows, stable versions, helpful refusals."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

import unimma
from unimma.types import Audio, Image, Modality, Text, Video

RATE_HZ = 44_100


@pytest.fixture(scope="module")
def model() -> unimma.UniMMA:
    return unimma.load_model("bundled")


def picture(seed: int) -> Image:
    return Image(np.random.default_rng(seed).integers(0, 256, (40, 60, 3), dtype=np.uint8))


def tone(hz: float, seconds: float = 1.0) -> Audio:
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return Audio((0.3 * np.sin(2 * np.pi * hz * t)).astype(np.float32), RATE_HZ)


def clip(seed: int, sound: Audio | None = None, seconds: float = 2.0) -> Video:
    frames = np.random.default_rng(seed).integers(0, 256, (16, 40, 60, 3), dtype=np.uint8)
    return Video(frames, np.linspace(0, seconds, 16, endpoint=False), seconds, sound)


def test_anything_goes_in_and_unit_rows_come_out(model: unimma.UniMMA, tmp_path: Path) -> None:
    PillowImage.fromarray(picture(0).pixels).save(tmp_path / "a.png")
    encoded = (tmp_path / "a.png").read_bytes()
    z = model.embed(["a dog barks", tmp_path / "a.png", encoded, Text("rain"), picture(0), tone(440), clip(1)])
    assert z.dtype == np.float32
    assert z.shape == (7, model.dim)
    assert np.linalg.norm(z, axis=1) == pytest.approx(np.ones(7), abs=1e-5)
    assert np.array_equal(z[1], z[2])
    assert z[1] == pytest.approx(z[4], abs=1e-5)
    assert model.embed("a dog barks").shape == (1, model.dim)
    assert model.embed([]).shape == (0, model.dim)


def test_order_and_batch_size_change_an_embedding_by_next_to_nothing(model: unimma.UniMMA) -> None:
    items = [f"sentence {i} about {'a long walk ' * i}" for i in range(20)] + [
        tone(200.0 * i, i / 2) for i in (1, 3, 5)
    ]
    together, alone = model.embed(items), np.concatenate([model.embed([item]) for item in items])
    backwards = model.embed(items[::-1])[::-1]
    assert np.abs(together - alone).max() < 1e-4
    assert np.abs(together - backwards).max() < 1e-4


def test_a_very_oblong_picture_is_shown_less_so(model: unimma.UniMMA) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4_000, 3), dtype=np.uint8)
    shorter = np.asarray(PillowImage.fromarray(pixels).resize((48, 3), PillowImage.Resampling.BOX))
    frames = pixels.transpose(1, 0, 2)[None].repeat(2, axis=0)
    shown = [Image(pixels), Image(shorter), Video(frames, np.array([0.0, 1.0]), 2.0)]
    shown.append(Video(shorter.transpose(1, 0, 2)[None].repeat(2, axis=0), np.array([0.0, 1.0]), 2.0))
    z = model.embed(shown)
    assert np.array_equal(z[0], z[1]) and z[2] == pytest.approx(z[3], abs=1e-6)


def test_the_sound_of_a_clip_counts(model: unimma.UniMMA) -> None:
    silent, heard = model.embed([clip(1), clip(1, tone(900, 2.0))])
    assert 0.2 < float(silent @ heard) < 0.999


def test_save_and_load_keep_the_fingerprint_and_the_vectors(model: unimma.UniMMA, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "copy")
    again = unimma.load_model(str(tmp_path / "copy"))
    assert again.fingerprint == model.fingerprint
    assert again.card == model.card
    assert again.metrics == model.metrics
    queries = ["waves on a beach", picture(3), tone(300)]
    assert np.array_equal(again.embed(queries), model.embed(queries))


def test_another_weight_gives_another_fingerprint(model: unimma.UniMMA, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    model.save_pretrained(tmp_path / "copy")
    weights = load_file(tmp_path / "copy" / "model.safetensors")
    weights["heads.text.linear.bias"][0] += 0.5
    save_file(weights, tmp_path / "copy" / "model.safetensors")
    assert unimma.load_model(str(tmp_path / "copy")).fingerprint != model.fingerprint


def test_a_checkpoint_that_does_not_fit_is_refused(model: unimma.UniMMA, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    model.save_pretrained(tmp_path / "copy")
    weights = load_file(tmp_path / "copy" / "model.safetensors")
    del weights["heads.text.linear.bias"]
    save_file(weights, tmp_path / "copy" / "model.safetensors")
    with pytest.raises(unimma.ModelError, match=r"heads\.text\.linear\.bias"):
        unimma.load_model(str(tmp_path / "copy"))
    (tmp_path / "copy" / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(unimma.ModelError, match="cannot be read"):
        unimma.load_model(str(tmp_path / "copy"))
    (tmp_path / "copy" / "config.json").write_text("{}")
    with pytest.raises(unimma.ModelError, match=r"config\.json of copy cannot be read"):
        unimma.load_model(str(tmp_path / "copy"))


def test_an_unknown_model_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(unimma.ModelError, match=r"model 'nowhere'; expected one of bundled, cav-mae, ") as refused:
        unimma.load_model(str(tmp_path / "nowhere"))
    assert str(tmp_path) not in str(refused.value)


def test_a_sequence_tells_where_its_pieces_lie(model: unimma.UniMMA) -> None:
    z, times = model.embed_sequence(tone(440, 9.0))
    assert z.shape == (len(times), model.dim)
    assert times[0].tolist() == [0.0, 4.0]
    assert times[-1].tolist() == [5.0, 9.0]
    text = "A dog barks. Then it rains."
    _, offsets = model.embed_sequence(text)
    assert [text[int(a) : int(b)] for a, b in offsets] == ["A dog barks.", "Then it rains."]
    z, times = model.embed_sequence(clip(2, tone(500, 6.0), seconds=6.0))
    assert times.tolist() == [[0.0, 4.0], [2.0, 6.0]]
    assert np.linalg.norm(z, axis=1) == pytest.approx(np.ones(2), abs=1e-5)


def test_every_pair_of_modalities_has_its_own_null(model: unimma.UniMMA) -> None:
    assert model.modalities == frozenset(Modality)
    pairs = {model.null_similarity(a, b) for a in Modality for b in Modality}
    assert len(pairs) > 4
    assert all(abs(mean) < 0.9 and 0 < std < 0.5 for mean, std in pairs)


def test_embedding_one_file_twice_gives_one_vector(model: unimma.UniMMA) -> None:
    buffer = io.BytesIO()
    PillowImage.fromarray(picture(5).pixels).save(buffer, "PNG")
    one, other = model.embed([buffer.getvalue(), buffer.getvalue()])
    assert np.array_equal(one, other)
