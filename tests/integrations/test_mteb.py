"""MTEB evaluates a model: a made-up task from sentences to pictures, sounds and clips, with the toy model."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from tests.makers import tone
from tests.toy import ToyModel
from unimma.errors import ModelError
from unimma.types import Video

mteb = pytest.importorskip("mteb")
datasets = pytest.importorskip("datasets")

from mteb.abstasks.retrieval import AbsTaskRetrieval  # noqa: E402
from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData  # noqa: E402
from mteb.abstasks.task_metadata import TaskMetadata  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402

from unimma.integrations.mteb import MtebEncoder, decoded_columns  # noqa: E402

COLOURS = {"red": (220, 20, 20), "green": (20, 190, 20), "blue": (30, 60, 230)}


class ColoursTask(AbsTaskRetrieval):
    """Which picture is red?"""

    metadata = TaskMetadata(
        name="MadeUpColours",
        description="A sentence that names a colour finds the picture of it.",
        reference=None,
        dataset={"path": "nowhere", "revision": "1"},
        type="Any2AnyRetrieval",
        category="t2i",
        modalities=["text", "image"],
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
        main_score="hit_rate_at_1",
    )

    def load_data(self, **_: Any) -> None:
        pictures = [PillowImage.new("RGB", (32, 24 + 8 * i), colour) for i, colour in enumerate(COLOURS.values())]
        queries = {"id": [f"q-{name}" for name in COLOURS], "text": [f"something {name}" for name in COLOURS]}
        split = RetrievalSplitData(
            queries=datasets.Dataset.from_dict(queries),
            corpus=datasets.Dataset.from_dict({"id": list(COLOURS), "image": pictures}),
            relevant_docs={f"q-{name}": {name: 1} for name in COLOURS},
            top_ranked=None,
        )
        self.dataset = {"default": {"test": split}}
        self.data_loaded = True


def test_mteb_runs_a_task_on_a_model_and_scores_it() -> None:
    results = mteb.evaluate(MtebEncoder(ToyModel()), ColoursTask(), cache=None, show_progress_bar=False)
    scores = results.task_results[0].scores["test"][0]
    assert scores["hit_rate_at_1"] == 1.0
    assert results.model_name == "unimma/toy" and results.model_revision == "70970970abcd"


def test_mteb_is_told_what_the_model_is() -> None:
    meta = MtebEncoder(ToyModel()).mteb_model_meta
    assert meta.modalities == ["audio", "image", "text", "video"] and meta.embed_dim == ToyModel().dim
    with pytest.raises(ModelError, match="no-such-model"):
        MtebEncoder("no-such-model")


def test_columns_become_media_and_a_clip_has_its_sound() -> None:
    frames = np.zeros((40, 3, 8, 10), np.uint8)
    frames[:, 1] = 200  # green
    decoder = SimpleNamespace(
        metadata=SimpleNamespace(num_frames=40, duration_seconds=8.0),
        get_frames_at=lambda chosen: SimpleNamespace(data=frames[chosen]),
    )
    stereo = {"array": np.stack([tone(0.5, rate_hz=8000), np.zeros(4000)]), "sampling_rate": 8000}
    ((clip,),) = decoded_columns({"video": [decoder], "audio": [stereo]})
    assert isinstance(clip, Video) and clip.frames.shape == (16, 8, 10, 3)
    assert clip.frames[0, 0, 0].tolist() == [0, 200, 0]
    assert 0.0 < clip.times[0] < 0.5 and 7.5 < clip.times[-1] < clip.duration_s == 8.0
    assert clip.sound is not None and clip.sound.duration_s == 0.5
    assert np.abs(clip.sound.waveform).max() == pytest.approx(np.abs(tone(0.5, rate_hz=8000)).max() / 2)
    ((plain,),) = decoded_columns({"video": [frames[:5]]})
    assert plain.sound is None and len(plain.frames) == 5
    (texts, pictures) = decoded_columns({"text": [" "], "image": [PillowImage.new("L", (4, 4))]})
    assert texts[0].text == "-" and pictures[0].pixels.shape == (4, 4, 3)


def test_inputs_of_any_size_are_embedded_in_their_order_and_two_columns_are_one_embedding() -> None:
    encoder = MtebEncoder(ToyModel())
    rows = [
        {"audio": {"array": tone(0.3, rate_hz=8000, hz=hz), "sampling_rate": 8000}, "text": said}
        for hz, said in ((200.0, "low"), (3000.0, "high"), (200.0, "low"))
    ]
    z = encoder.encode(DataLoader(rows, batch_size=2))
    assert z.shape == (3, ToyModel().dim) and np.linalg.norm(z, axis=1) == pytest.approx(1)
    assert np.array_equal(z[0], z[2]) and z[0] @ z[1] < 0.9
    sound, text = (ToyModel().embed(column) for column in reversed(decoded_columns({k: [rows[0][k]] for k in rows[0]})))
    assert z[0] == pytest.approx((sound + text)[0] / np.linalg.norm(sound + text), abs=1e-6)


def test_what_the_model_cannot_embed_is_told() -> None:
    with pytest.raises(ModelError, match="columns smell"):
        MtebEncoder(ToyModel()).encode(DataLoader([{"smell": "rose"}]))
