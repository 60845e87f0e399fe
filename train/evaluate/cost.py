"""What a model costs: the size of its checkpoint, and the time from decoded media to embedding."""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from train.evaluate.measures import Measure, with_interval
from unimma.model import UniMMA
from unimma.settings import AUDIO_RATE_HZ
from unimma.types import Audio, Decoded, Image, Modality, Video

SECONDS = 10
REPEATS = {Modality.IMAGE: 21, Modality.AUDIO: 11, Modality.VIDEO: 7}  # odd: the median is one of them
NAMES = {Modality.IMAGE: "image_ms", Modality.AUDIO: "audio_10s_ms", Modality.VIDEO: "video_10s_ms"}


def cost(model: UniMMA) -> dict[str, Measure]:
    """`checkpoint_mb` (10^6 bytes), and for each modality the median time of one item in milliseconds on this machine.

    Media are decoded already: a 640 x 480 picture, 10 s of sound, a clip of 10 s with sound. The first call of each is
    not counted.
    """
    megabytes = checkpoint_bytes(model) / 1e6
    found = {"checkpoint_mb": Measure(megabytes, megabytes, megabytes, 1)}
    for modality, item in samples().items():
        if modality in model.modalities:
            model.embed([item])
            found[NAMES[modality]] = with_interval(_times_ms(model, item, REPEATS[modality]), np.median)
    return found


def checkpoint_bytes(model: UniMMA) -> int:
    """Size of the model.safetensors that `save_pretrained` writes."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return (Path(folder) / "model.safetensors").stat().st_size


def samples() -> Mapping[Modality, Decoded]:
    """One item of noise of each modality: what it shows makes no difference to the time."""
    rng = np.random.default_rng(0)
    sound = Audio(rng.uniform(-0.5, 0.5, SECONDS * AUDIO_RATE_HZ).astype(np.float32), AUDIO_RATE_HZ)
    frames = rng.integers(0, 256, (2 * SECONDS, 240, 320, 3), np.uint8)
    return {
        Modality.IMAGE: Image(rng.integers(0, 256, (480, 640, 3), np.uint8)),
        Modality.AUDIO: sound,
        Modality.VIDEO: Video(frames, np.arange(len(frames)) / 2, float(SECONDS), sound),
    }


def _times_ms(model: UniMMA, item: Decoded, repeats: int) -> np.ndarray:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        model.embed([item])
        times.append(1e3 * (time.perf_counter() - start))
    return np.array(times)
