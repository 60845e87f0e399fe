"""Media made of other media: rows that say what they show, whatever they were made of."""

import io

import numpy as np
import pytest
from PIL import Image as PillowImage

from tests.makers import peak_hz, tone
from train.data.disorder import disorder_rows
from train.data.motion import MotionRow, motion_rows, motion_version
from train.data.pairs import pair_rows
from train.data.parquet import Row
from train.data.scenes import scene_rows
from unimma.augment import MOTIONS
from unimma.errors import ConfigError, MediaError
from unimma.types import Audio, Image, Modality, Video

COLOURS = {"dog": (230, 20, 20), "beach": (20, 180, 30), "car": (30, 40, 230)}
NAMES = {"dog": ("dog", "hound"), "car": ("automobile",)}


def still(label: str | None, *captions: str, media: bytes | None = None) -> Row:
    buffer = io.BytesIO()
    PillowImage.new("RGB", (64, 48), COLOURS.get(label or "", (128, 128, 128))).save(buffer, "PNG")
    name = label or captions[0] if label or captions else "untold"
    return Row("made", name, "train", Modality.IMAGE, media or buffer.getvalue(), label, captions, None, None)


STILLS = [still("dog"), still("beach"), still(None, "A man rides a horse.")]


def test_every_motion_comes_equally_often_and_the_same_for_the_same_seed() -> None:
    rows, again = (motion_rows(STILLS, 30, names=NAMES, seed=3) for _ in range(2))
    assert [row.motion for row in rows].count("zoom in") == 2 and {row.motion for row in rows} == set(MOTIONS)
    assert rows == again and len({row.id for row in rows}) == 30
    assert [row.id for row in rows] != [row.id for row in motion_rows(STILLS, 30, names=NAMES, seed=4)]
    assert all(row.modality is Modality.VIDEO for row in rows)


def moving(row: MotionRow) -> tuple[str, str]:
    return row.motion, row.still.label or ""


def test_words_tell_what_moves_and_how_and_the_wrong_ones_the_way_back() -> None:
    rows = {moving(row): row for row in motion_rows(STILLS, 200, names=NAMES, seed=0)}
    dog = rows["to the right", "dog"]
    assert dog.label == "dog moving from left to right"
    assert {"a dog moves from left to right", "a hound moves to the right"} <= set(dog.captions)
    assert "a dog moves from right to left" in dog.wrong_captions
    assert not set(dog.captions) & set(dog.wrong_captions)
    beach = rows["zoom in", "beach"]
    assert beach.label == "zoom in on beach" and beach.captions[0] == "the camera zooms in on a beach"
    horse = rows["pan left", ""]
    assert "a man rides a horse, the camera pans from right to left" in horse.captions
    assert "a man rides a horse, the camera pans from left to right" in horse.wrong_captions
    assert rows["hold", "dog"].wrong_captions == ()
    assert not any(motion == "up" and label == "" for motion, label in rows)  # a scene does not rise


def test_a_clip_shows_what_its_row_says() -> None:
    for row in motion_rows(STILLS[:2], 60, names={}, seed=1):
        if row.motion not in ("to the right", "to the left") or row.still.label != "dog":
            continue
        clip = row.decode()
        assert clip.sound is None and clip.name == row.id
        red = (clip.frames[..., 0].astype(int) - clip.frames[..., 1] > 60).mean(axis=1)  # [frames, width]
        first, last = ((np.arange(red.shape[1]) * each).sum() / each.sum() for each in (red[0], red[-1]))
        assert bool(last > first) is (row.motion == "to the right")
        assert np.array_equal(clip.frames, row.decode().frames)
        assert clip.frames[0, 0, 0].tolist() == pytest.approx(COLOURS["beach"], abs=4)


def test_stills_that_nobody_can_tell_are_left_out() -> None:
    rows = motion_rows([still(None), still("dog")], 20, names={}, seed=0)
    assert {row.still.label for row in rows} == {"dog"}
    assert all(MOTIONS[row.motion].of_camera for row in rows)  # nothing else to move over
    with pytest.raises(ConfigError, match="label or a caption"):
        motion_rows([still(None)], 3, names={}, seed=0)


def test_a_damaged_still_is_an_error_of_its_clip_alone() -> None:
    rows = motion_rows([still("dog", media=b"no picture"), still("beach")], 15, names={}, seed=0)
    failed = 0
    for row in rows:
        try:
            row.decode()
        except MediaError:
            failed += 1
    assert 0 < failed < 15


def test_the_version_is_short_and_stays() -> None:
    assert len(motion_version()) == 8 and motion_version() == motion_version()


class Brightening:
    """A row that is a clip of eight greys, each lighter than the one before."""

    def __init__(self, label: str | None, *captions: str) -> None:
        self.set, self.id, self.modality, self.label = "clips", label or captions[0], Modality.VIDEO, label
        self.captions = captions

    def decode(self) -> Video:
        frames = np.repeat(np.arange(8, dtype=np.uint8) * 30, 8 * 8 * 3).reshape(8, 8, 8, 3)
        return Video(frames, np.arange(8) / 2, 4.0, None, self.id)


def test_clips_out_of_order_are_what_they_say() -> None:
    clips = [Brightening("dawn"), Brightening(None, "The sun rises.")]
    rows = disorder_rows(clips, 99, names={"dawn": ("dawn", "sunrise")}, seed=0)
    assert len(rows) == 4 == len({row.id for row in rows})  # each clip in both ways, once
    told = {(row.clip.id, row.way): row for row in rows}
    for (_, way), row in told.items():
        greys = row.decode().frames[:, 0, 0, 0].tolist()
        assert (greys == [*range(210, -1, -30)]) is (way == "played backwards")
        assert sorted(greys) == [*range(0, 240, 30)] != greys
        assert np.array_equal(row.decode().frames[:, 0, 0, 0], greys)
    assert told["dawn", "played backwards"].captions == ("a dawn, played backwards", "a sunrise, played backwards")
    sun = told["The sun rises.", "with its frames out of order"]
    assert sun.captions == ("the sun rises, with its frames out of order",)
    assert sun.wrong_captions == ("the sun rises, played backwards",)
    assert [row.id for row in disorder_rows(clips, 1, names={}, seed=0)] == [rows[0].id]
    with pytest.raises(ConfigError, match="label or a caption"):
        disorder_rows([], 3, names={}, seed=0)


def test_two_pictures_stand_where_the_caption_says() -> None:
    rows = pair_rows([still("dog"), still("beach")], 12, names={}, seed=0)
    assert {row.pairing for row in rows} == {"beside", "above", "blended"}
    for row in rows:
        joined = row.decode()
        assert isinstance(joined, Image) and row.label == "beach and dog" and row.modality is Modality.IMAGE
        assert all("dog" in said and "beach" in said for said in row.captions)
        height, width = joined.pixels.shape[:2]
        corners = [joined.pixels[2, 2].tolist(), joined.pixels[height - 3, width - 3].tolist()]
        expected = [list(COLOURS[each.label or ""]) for each in (row.first, row.second)]
        if row.pairing == "blended":
            assert corners[0] == corners[1] and corners[0] not in expected
        else:
            assert corners == expected
            first_said = [
                said.index(row.first.label or "") < said.index(row.second.label or "") for said in row.captions
            ]
            assert all(first_said)
            assert (width > height) is (row.pairing == "beside")
        assert np.array_equal(joined.pixels, row.decode().pixels)


class Tone:
    """A row that is a tone."""

    def __init__(self, label: str, hz: float) -> None:
        self.set, self.id, self.modality, self.label, self.hz = "tones", label, Modality.AUDIO, label, hz
        self.captions: tuple[str, ...] = ()

    def decode(self) -> Audio:
        return Audio(tone(0.5, rate_hz=16_000, hz=self.hz), 16_000, self.id)


def test_two_sounds_are_heard_in_the_order_that_the_caption_says() -> None:
    low, high = Tone("hum", 300.0), Tone("whistle", 2_000.0)
    for row in pair_rows([low, high], 8, names={"hum": ("deep hum",)}, seed=2):
        joined = row.decode()
        assert isinstance(joined, Audio) and row.label == "hum and whistle"
        assert all("deep hum" in said and "whistle" in said for said in row.captions)
        first, second = (each.hz for each in (row.first, row.second) if isinstance(each, Tone))
        if row.pairing == "in a row":
            assert peak_hz(joined.waveform[:8_000], 16_000) == pytest.approx(first, rel=0.02)
            assert peak_hz(joined.waveform[-8_000:], 16_000) == pytest.approx(second, rel=0.02)
        else:
            spectrum = np.abs(np.fft.rfft(joined.waveform[:8_000]))
            assert min(spectrum[150], spectrum[1_000]) > 20 * np.median(spectrum)


def test_pairs_need_two_different_things() -> None:
    with pytest.raises(ConfigError, match="all show the same"):
        pair_rows([still("dog"), still("dog")], 2, names={}, seed=0)


def test_drawn_scenes_can_be_paired_and_set_in_motion() -> None:
    scenes = scene_rows(Modality.IMAGE, 1)
    assert motion_rows(scenes, 1, names={}, seed=0)[0].decode().frames.shape[0] == 8
    assert isinstance(pair_rows(scenes, 1, names={}, seed=0)[0].decode(), Image)
