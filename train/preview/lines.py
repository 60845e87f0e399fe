"""What is shown: each variation with its name and its parameters, on a few examples."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from train.data.motion import motion_rows
from train.data.rows import TrainRow
from train.preview import draw
from unimma import augment
from unimma.augment import image as picture_limits
from unimma.augment import video as clip_limits
from unimma.types import Audio, Decoded, Image, Video

Rng = np.random.Generator
Said = tuple[Decoded, str]
PLAIN = "as it is"


@dataclass(frozen=True)
class Cell:
    """One example of a variation: how it looks, what it sounds like or plays, and what is said of it."""

    tile: draw.Pixels
    item: Audio | Video | None
    caption: str


@dataclass(frozen=True)
class Line:
    """A variation on several examples."""

    name: str
    parameters: str
    cells: tuple[Cell, ...]


def rng_of(seed: int, name: str, place: int) -> Rng:
    """A generator for one cell: the same whatever else is shown."""
    return np.random.default_rng([seed, zlib.crc32(name.encode()), place])


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


PICTURES: tuple[tuple[str, str, Callable[[Image, Rng], Image]], ...] = (
    (PLAIN, "", lambda image, rng: image),
    (
        "random crop",
        f"{_percent(picture_limits.MIN_CROP_SHARE)} to all of the area",
        lambda image, rng: Image(augment.random_crop(image.pixels, rng)),
    ),
    ("mirror", "left and right exchanged, in captions too", lambda image, rng: Image(augment.mirror(image.pixels))),
    (
        "colour jitter",
        f"± {_percent(picture_limits.MAX_COLOUR_CHANGE)}, hue ± {_percent(picture_limits.MAX_HUE_TURN)}",
        lambda image, rng: Image(augment.jitter_colour(image.pixels, rng)),
    ),
    ("blur", "sigma 1.5 px", lambda image, rng: Image(augment.blur(image.pixels, 1.5))),
    ("resolution", "48 px", lambda image, rng: Image(augment.lower_resolution(image.pixels, 48))),
    (
        "RandAugment",
        "2 operations, magnitude 0.3",
        lambda image, rng: Image(augment.rand_augment(image.pixels, rng, 2, 0.3)),
    ),
    ("vary_image", "all of it, mildly", augment.vary_image),
    ("vary_image_more", "all of it, widely", augment.vary_image_more),
)


def _wave(
    change: Callable[[draw.Waveform, int, Rng], draw.Waveform],
) -> Callable[[Audio, Rng], Audio]:
    return lambda sound, rng: Audio(change(sound.waveform, sound.rate_hz, rng), sound.rate_hz, sound.name)


SOUNDS: tuple[tuple[str, str, Callable[[Audio, Rng], Audio]], ...] = (
    (PLAIN, "", lambda sound, rng: sound),
    ("white noise", "SNR 10 dB", _wave(lambda wave, rate_hz, rng: augment.add_noise(wave, 10.0, rng))),
    (
        "pink noise",
        "SNR 10 dB",
        _wave(lambda wave, rate_hz, rng: augment.mix_at(wave, augment.coloured_noise(len(wave), 1.0, rng), 10.0)),
    ),
    ("pitch", "4 semitones higher", _wave(lambda wave, rate_hz, rng: augment.shift_pitch(wave, 4.0))),
    ("pitch", "4 semitones lower", _wave(lambda wave, rate_hz, rng: augment.shift_pitch(wave, -4.0))),
    ("speed", "1.3 times as fast, higher", _wave(lambda wave, rate_hz, rng: augment.change_speed(wave, 1.3))),
    ("tempo", "0.75 times as fast, same pitch", _wave(lambda wave, rate_hz, rng: augment.change_tempo(wave, 0.75))),
    ("time shift", "1 s", _wave(lambda wave, rate_hz, rng: augment.shift_time(wave, rate_hz))),
    ("gain", "12 dB quieter", _wave(lambda wave, rate_hz, rng: augment.change_gain(wave, -12.0))),
    ("low-pass", "2.5 kHz", _wave(lambda wave, rate_hz, rng: augment.low_pass(wave, rate_hz, 2_500.0))),
    ("band", "300 Hz to 3.4 kHz", _wave(lambda wave, rate_hz, rng: augment.band_limit(wave, rate_hz, 300.0, 3_400.0))),
    ("room", "0.6 s, 40 % echo", _wave(lambda wave, rate_hz, rng: augment.add_reverb(wave, rate_hz, 0.6, 0.4, rng))),
    ("vary_audio", "all of it, mildly", augment.vary_audio),
    ("vary_audio_more", "all of it, widely", augment.vary_audio_more),
)
CLIPS: tuple[tuple[str, str, Callable[[Video, Rng], Video]], ...] = (
    (PLAIN, "", lambda clip, rng: clip),
    ("stretch of time", f"{_percent(clip_limits.MIN_TIME_SHARE)} to all of it", augment.crop_time),
    ("faster", "1.5 times, its sound higher", lambda clip, rng: augment.change_video_speed(clip, 1.5)),
    ("vary_video", "all of it", augment.vary_video),
)


def picture_lines(pictures: Sequence[Said], seed: int) -> list[Line]:
    """Variations of pictures, then two in one."""
    lines = []
    for name, parameters, change in PICTURES:
        cells = []
        for place, (image, caption) in enumerate(pictures):
            assert isinstance(image, Image)
            said = augment.swap_sides(caption) if name == "mirror" else caption
            cells.append(Cell(draw.picture(change(image, rng_of(seed, name, place)).pixels), None, said))
        lines.append(Line(name, parameters, tuple(cells)))
    for name, pairing in augment.PICTURE_PAIRINGS.items():
        cells = []
        for place, (one, other) in enumerate(_pairs(pictures)):
            assert isinstance(one[0], Image) and isinstance(other[0], Image)
            rng = rng_of(seed, name, place)
            joined = pairing.join(one[0], other[0], rng)
            cells.append(Cell(draw.picture(joined.pixels), None, pairing.say(one[1], other[1], rng)))
        lines.append(Line("two in one", name, tuple(cells)))
    return [line for line in lines if line.cells]


def sound_lines(sounds: Sequence[Said], seed: int) -> list[Line]:
    """Variations of sounds, masks on their spectrograms, then two in one."""
    lines = []
    for name, parameters, change in SOUNDS:
        cells = []
        for place, (sound, caption) in enumerate(sounds):
            assert isinstance(sound, Audio)
            varied = change(sound, rng_of(seed, name, place))
            cells.append(Cell(draw.sound(varied, _width_s(sound)), varied, caption))
        lines.append(Line(name, parameters, tuple(cells)))
    masked = []
    for place, (sound, caption) in enumerate(sounds):
        assert isinstance(sound, Audio)
        log_mel = augment.mask_spectrogram(draw.log_mel(sound), rng_of(seed, "masks", place))
        masked.append(Cell(draw.sound(sound, _width_s(sound), log_mel), None, caption))
    lines.append(Line("SpecAugment", "2 + 2 masks of up to 20 %; seen, not heard", tuple(masked)))
    for name, pairing in augment.SOUND_PAIRINGS.items():
        cells = []
        for place, (one, other) in enumerate(_pairs(sounds)):
            assert isinstance(one[0], Audio) and isinstance(other[0], Audio)
            rng = rng_of(seed, name, place)
            joined = pairing.join(one[0], other[0], rng)
            cells.append(Cell(draw.sound(joined, joined.duration_s), joined, pairing.say(one[1], other[1], rng)))
        lines.append(Line("two in one", name, tuple(cells)))
    return [line for line in lines if line.cells]


def clip_lines(clips: Sequence[Said], seed: int) -> list[Line]:
    """Variations of clips, and the same clips out of order."""
    lines = []
    for name, parameters, change in CLIPS:
        cells = []
        for place, (clip, caption) in enumerate(clips):
            assert isinstance(clip, Video)
            varied = change(clip, rng_of(seed, name, place))
            cells.append(Cell(draw.strip(varied), varied, caption))
        lines.append(Line(name, parameters, tuple(cells)))
    changed = [
        augment.out_of_order(clip, caption, rng_of(seed, "order", place))
        for place, (clip, caption) in enumerate(clips)
        if isinstance(clip, Video)
    ]
    for name, told in zip(("backwards", "frames shuffled"), zip(*changed, strict=True), strict=True):
        cells = [Cell(draw.strip(clip), clip, caption) for clip, caption in told]
        lines.append(Line(name, "true of this clip, a hard negative of the first", tuple(cells)))
    return lines


def motion_lines(
    stills: Sequence[TrainRow], names: dict[str, tuple[str, ...]], num_clips: int, seed: int
) -> list[Line]:
    """Stills set in motion, a line a motion, with the words that would be wrong."""
    by_motion: dict[str, list[Cell]] = {}
    for row in motion_rows(stills, num_clips * len(augment.MOTIONS), names=names, seed=seed):
        clip = row.decode()
        wrong = f" (not: {row.wrong_captions[0]})" if row.wrong_captions else ""
        by_motion.setdefault(row.motion, []).append(Cell(draw.strip(clip), clip, row.captions[0] + wrong))
    return [Line(name, _kind(augment.MOTIONS[name]), tuple(cells)) for name, cells in by_motion.items()]


def _kind(motion: augment.Motion) -> str:
    if motion.first == motion.last:
        return "nothing moves"
    return "the camera moves" if motion.of_camera else "a still moves over another"


def _width_s(sound: Audio) -> float:
    """What a tile shows: room for it to become longer."""
    return 1.35 * sound.duration_s


def _pairs(items: Sequence[Said]) -> list[tuple[Said, Said]]:
    """Each with the next one, the last with the first; none where there is only one."""
    return list(zip(items, [*items[1:], *items[:1]], strict=True)) if len(items) > 1 else []
