"""Wrong sentences: nearly right, never right, and always the same."""

from train.data.motion import MotionRow, motion_rows
from train.data.parquet import Row
from train.foils import Foils
from unimma.types import Modality

NAMES = {"snow_globe": ("snow globe",)}
KINDS = ["dog", "cat", "barking dog", "snow_globe", ""]
PHOTO = Row("pets", "1", "train", Modality.IMAGE, b"", "dog", (), None, None)


def changed(sentence: str, foil: str) -> tuple[set[str], set[str]]:
    """Words that only one of them has, articles aside."""
    own, other = ({*said.lower().split()} - {"a", "an"} for said in (sentence, foil))
    return own - other, other - own


def test_one_word_of_a_sentence_is_another_of_its_group() -> None:
    fitting = ["two red cars", "a photo of a dog", "rain on a window"]
    foils = Foils(KINDS, NAMES, 40).of(PHOTO, fitting)
    cars = [foil for foil in foils if foil.endswith("cars")]
    assert {*changed("two red cars", cars[0])[0]} <= {"two", "red"} and len({*cars}) > 10
    assert {foil for foil in foils if foil.startswith("a photo")} == {"a photo of a cat", "a photo of a snow globe"}
    assert not any("window" in foil for foil in foils)  # nothing in it that has others


def test_what_says_more_or_less_than_a_sentence_may_be_right_and_is_left_out() -> None:
    foils = Foils(["dog", "barking dog"], {}, 20).of(PHOTO, ["a dog", "the barking dog", "a cat and a dog"])
    assert foils == []


def test_the_same_sentence_has_the_same_foils_and_none_where_none_are_wanted() -> None:
    said = ["a red dog", "three cats"]
    assert Foils(KINDS, NAMES, 3).of(PHOTO, said) == Foils(KINDS[::-1], NAMES, 3).of(PHOTO, said) != []
    assert Foils(KINDS, NAMES, 2).of(PHOTO, ["a dog"]) == Foils(KINDS, NAMES, 3).of(PHOTO, ["a dog"])[:2]
    assert Foils(KINDS, NAMES, 0).of(PHOTO, said) == []


def test_a_still_in_motion_is_told_from_the_motion_backwards() -> None:
    clips: list[MotionRow] = motion_rows([PHOTO], 20, names={}, seed=0)
    for clip in clips:
        foils = Foils(KINDS, NAMES, 2).of(clip, clip.captions)
        assert set(clip.wrong_captions) <= set(foils)
        assert (clip.motion == "hold") is not bool(clip.wrong_captions)
        assert all("dog" not in foil for foil in foils if foil not in clip.wrong_captions)
        assert any("cat" in foil or "snow globe" in foil for foil in foils)
