"""The starter gallery's scene generator as a source of training media: endless variations, drawn when asked for."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unimma.settings import AUDIO_RATE_HZ
from unimma.types import Audio, Decoded, Image, Modality, Video

TRAIN_SEED = 1_000_000  # the shipped gallery is drawn with small seeds: training never sees those very pictures
CLIP_S, CLIP_FPS = 4.0, 2  # eight frames: as many as the clip encoder looks at
PICTURE_PX, CLIP_PX = (320, 240), (288, 216)


@dataclass(frozen=True)
class SceneRow:
    """One variation of one scene, in one modality; the fields of `train.data.parquet.Row` that training reads."""

    set: str
    id: str
    modality: Modality
    label: str
    captions: tuple[str, ...]
    seed: int

    def decode(self) -> Decoded:
        """Draw or synthesise it."""
        from assets.scenes import SCENES

        scene = next(scene for scene in SCENES if scene.name == self.label)
        if self.modality is Modality.IMAGE:
            return Image(scene.picture(self.seed, PICTURE_PX), self.id)
        if self.modality is Modality.AUDIO:
            return Audio(scene.sound(self.seed, rate_hz=AUDIO_RATE_HZ), AUDIO_RATE_HZ, self.id)
        drawn, waveform = scene.clip(self.seed, CLIP_S, CLIP_FPS, CLIP_PX)
        frames = np.stack(list(drawn))
        sound = Audio(waveform, AUDIO_RATE_HZ, self.id)
        return Video(frames, np.arange(len(frames)) / CLIP_FPS, CLIP_S, sound, self.id)


def generator_version() -> str:
    """Eight hexadecimal digits that change with the generator's code: features of older drawings are not reused."""
    import assets.scenes

    files = sorted(path for folder in assets.scenes.__path__ for path in Path(folder).glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:8]


def scene_rows(modality: Modality, variations: int) -> list[SceneRow]:
    """`variations` of every scene in one modality."""
    from assets.scenes import SCENES

    return [
        SceneRow(
            set=f"scenes-drawn-{modality}",
            id=f"{scene.name.replace(' ', '-')}-{modality}-{seed}",
            modality=modality,
            label=scene.name,
            captions=scene.sentences,
            seed=seed,
        )
        for seed in range(TRAIN_SEED, TRAIN_SEED + variations)
        for scene in SCENES
    ]
