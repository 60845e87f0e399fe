"""Clips made from still pictures as a source of training media: rendered when asked for, the same for the same seed."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import unimma.augment.motion
from train.data.rows import TrainRow, another, meaning, said, tellable
from train.data.scenes import CLIP_PX, CLIP_S
from unimma.augment import MOTIONS, Motion, set_in_motion
from unimma.types import Image, Modality, Video

NUM_FRAMES = 8  # as many as the clip encoder looks at
CAMERAS = sorted(name for name, known in MOTIONS.items() if known.of_camera)
MOVES = sorted(name for name, known in MOTIONS.items() if not known.of_camera)


@dataclass(frozen=True)
class MotionRow:
    """A still in motion; the fields of `train.data.parquet.Row` that training reads.

    Attributes:
        label: what is seen and how it moves: rows of one label mean the same.
        captions: sentences that tell the motion.
        wrong_captions: the same sentences of the motion backwards; empty where backwards is the same.
        motion: a name of `unimma.augment.MOTIONS`.
        still: what is seen, or what moves.
        background: what it moves over; None where the camera moves.
    """

    set: str
    id: str
    modality: Modality
    label: str
    captions: tuple[str, ...]
    wrong_captions: tuple[str, ...]
    motion: str
    seed: int
    still: TrainRow = field(repr=False)
    background: TrainRow | None = field(repr=False)

    def decode(self) -> Video:
        """Render it.

        Raises:
            MediaError: one of its stills cannot be decoded.
        """
        stills = [row.decode() for row in (self.still, self.background) if row is not None]
        pixels = [still.pixels for still in stills if isinstance(still, Image)]
        clip = set_in_motion(
            pixels[0],
            pixels[1] if len(pixels) > 1 else None,
            MOTIONS[self.motion],
            np.random.default_rng(self.seed),
            num_frames=NUM_FRAMES,
            duration_s=CLIP_S,
            size=CLIP_PX,
        )
        return Video(clip.frames, clip.times, clip.duration_s, None, self.id)


def motion_version() -> str:
    """Eight hexadecimal digits that change with the code that renders: features of older clips are not reused."""
    files = (Path(unimma.augment.motion.__file__), Path(__file__))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:8]


def motion_rows(
    stills: Sequence[TrainRow], num_clips: int, *, names: Mapping[str, Sequence[str]], seed: int
) -> list[MotionRow]:
    """Clips made from pictures: every motion equally often, the pictures in an order that `seed` decides.

    What has a label moves over another picture or is seen by a moving camera, what has only captions is seen or moved
    over; a picture that has neither is left out.

    Args:
        stills: rows of pictures.
        names: label → what it is called; a label that is not in it is its own name.
    Raises:
        ConfigError: none of the stills can be told.
    """
    told, rng = tellable(stills), np.random.default_rng(seed)
    labelled = [still for still in told if still.label]
    motions = CAMERAS + (MOVES if labelled and len({meaning(still) for still in told}) > 1 else [])
    rows = []
    for i in range(num_clips):
        name = motions[i % len(motions)]
        choice = told if MOTIONS[name].of_camera else labelled
        still = choice[int(rng.integers(len(choice)))]
        background = None if MOTIONS[name].of_camera else another(still, told, rng)
        rows.append(_row(name, still, background, names, int(rng.integers(2**62))))
    return rows


def _row(
    name: str, still: TrainRow, background: TrainRow | None, names: Mapping[str, Sequence[str]], seed: int
) -> MotionRow:
    motion = MOTIONS[name]
    return MotionRow(
        set="stills-in-motion",
        id=f"{still.id}-{name.replace(' ', '-')}-{seed:016x}",
        modality=Modality.VIDEO,
        label=motion.label.format(meaning(still)),
        captions=_captions(motion, still, names),
        wrong_captions=() if motion.backwards == name else _captions(MOTIONS[motion.backwards], still, names),
        motion=name,
        seed=seed,
        still=still,
        background=background,
    )


def _captions(motion: Motion, still: TrainRow, names: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Its label inside the motion's sentences, or the motion beside its captions, which may be sentences themselves."""
    shown = said(still, names)
    if still.label:
        return tuple(sentence.format(each) for each in shown for sentence in motion.sentences)
    return tuple(told for each in shown for told in (f"{motion.alone}: {each}", f"{each}, {motion.alone}"))
