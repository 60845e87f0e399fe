"""Varied sentences: the sense stays where it should stay, and changes by one word where it should change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unimma.augment import (
    COLOURS,
    NUMBERS,
    above,
    beside,
    both,
    change_one_word,
    drop_tokens,
    drop_words,
    first_then_second,
    inside,
    paraphrase,
    replace_synonyms,
    swap_clauses,
    swap_sides,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("sentence", "swapped"),
    [
        ("a dog barks and a man talks", "a man talks and a dog barks"),
        ("A man rides a wave while people watch.", "People watch while a man rides a wave."),
        ("A bird sings as the wind blows", "The wind blows as a bird sings"),
        ("A dog, a cat", "A cat, a dog"),
        ("A dog barks, then a door shuts.", "A door shuts after a dog barks."),
        ("A dog barks and is followed by a bang", "A bang after a dog barks"),
        ("A siren is followed by a bang", "A bang after a siren"),
        ("A dog barks followed by a bang", "A bang after a dog barks"),
        ("A cat meows after a man speaks.", "A man speaks and then a cat meows."),
    ],
)
def test_clauses_change_places_and_what_came_first_still_does(sentence: str, swapped: str) -> None:
    assert swap_clauses(sentence) == swapped


@pytest.mark.parametrize(
    "sentence",
    [
        "a black and white dog",
        "A truck between a car and a bus",
        "a dog runs and jumps",
        "a dog runs and then it barks",
        "A man plays while his dog sleeps",
        "a dog, a cat, and a bird",
        "A group of men and women are facing the camera.",
        "A computer desk has two monitors and two keyboards near a laptop.",
        "A man stands before a house",
        "Two players run after the ball.",
        "A man speaks then runs water into a sink",
        "A woman and child walking uphill",
        "As a woman talks a door shuts followed by a bang",
        "A car starts, some beeping followed by the engine",
        "Shots of a shirt as well as some baths",
        "rain",
        "",
    ],
)
def test_what_has_no_two_clauses_that_can_change_places_stays(sentence: str) -> None:
    assert swap_clauses(sentence) == sentence


def test_synonyms_replace_whole_names_and_the_article_follows() -> None:
    synonyms = {"car": ("automobile",), "sports car": ("racer",), "cat": ()}
    said = replace_synonyms("A car, a sports car and a cat on the carpet", synonyms, rng(), share=1.0)
    assert said == "An automobile, a racer and a cat on the carpet"
    assert replace_synonyms("a car", synonyms, rng(), share=0.0) == "a car"
    assert replace_synonyms("Car", synonyms, rng(), share=1.0) == "Automobile"


def test_a_paraphrase_says_the_same_in_many_ways() -> None:
    sentence, synonyms = "A man talks and a car passes by.", {"car": ("automobile",), "man": ("guy",)}
    frames = ("{}", "a recording: {}")
    said = {paraphrase(sentence, rng(seed), synonyms=synonyms, frames=frames) for seed in range(60)}
    assert len(said) > 12
    assert "a recording: an automobile passes by and a man talks" in said
    for one in said:
        assert ("car" in one or "automobile" in one.lower()) and ("man" in one.lower() or "guy" in one.lower())


def test_dropped_words_are_a_share_and_something_always_stays() -> None:
    sentence = " ".join(f"w{i}" for i in range(1_000))
    kept = drop_words(sentence, rng(), share=0.2).split()
    assert 750 < len(kept) < 850
    assert kept == sorted(kept, key=lambda word: int(word[1:]))
    assert drop_words("rain", rng(), share=1.0) == "rain"
    assert drop_words("the dog on the mat", rng(), share=1.0, among=frozenset({"the"})) == "dog on mat"
    assert drop_words("", rng()) == ""


def test_dropped_tokens_leave_the_special_ones_and_one_other() -> None:
    ids = np.array([101, 7, 8, 9, 102])
    ids.setflags(write=False)
    assert drop_tokens(ids, rng(), share=1.0, special=(101, 102)).tolist() == [101, 7, 102]
    assert drop_tokens(ids, rng(), share=0.0).tolist() == ids.tolist()
    long = drop_tokens(np.arange(10_000), rng(), share=0.3)
    assert len(long) == pytest.approx(7_000, abs=200)
    assert drop_tokens(np.array([101, 102]), rng(), share=1.0, special=(101, 102)).tolist() == [101, 102]
    assert drop_tokens(np.zeros(0, np.int64), rng()).tolist() == []


def test_a_hard_negative_differs_in_one_word_of_the_same_group() -> None:
    sentence = "Two red apples lie beside a dog."
    seen = set()
    for seed in range(80):
        wrong = change_one_word(sentence, rng(seed), [COLOURS, NUMBERS, ("dog", "elephant", "cat")])
        assert wrong is not None
        pairs = list(zip(sentence.split(), wrong.split(), strict=True))
        changed = [(a, b) for a, b in pairs if a != b and a not in ("a", "an")]
        ((before, after),) = changed
        group = next(group for group in (COLOURS, NUMBERS, ("dog.", "elephant.", "cat.")) if before.lower() in group)
        assert after.lower() in group and after.lower() != before.lower()
        seen.add(after)
        assert ("an elephant" in wrong) == (after == "elephant.")
    assert {"Three", "blue", "cat.", "elephant."} <= seen
    assert change_one_word("rain on a window", rng(), [COLOURS]) is None
    assert change_one_word("", rng(), [COLOURS]) is None
    assert change_one_word("a redwood", rng(), [("red",), COLOURS]) is None


def test_two_captions_make_one_sentence_that_holds_both() -> None:
    for say in (both, first_then_second, beside, above):
        made = {say("A dog barks.", "The rain falls.", rng(seed)) for seed in range(30)}
        assert len(made) > 1
        for sentence in made:
            assert sentence.endswith(".") and sentence.count(".") == 1 and sentence[0].isupper()
            assert sentence.lower().index("a dog barks") < sentence.index("the rain falls")
        assert say("", "The rain falls.", rng()) == "The rain falls."
        assert say("A dog barks.", " ", rng()) == "A dog barks."
        assert say("", "", rng()) == ""


def test_sides_are_exchanged_and_twice_is_nothing() -> None:
    assert swap_sides("Left to right, turning clockwise") == "Right to left, turning counterclockwise"
    assert swap_sides("what is left of the brightest") == "what is right of the brightest"
    assert swap_sides(swap_sides("from the left, counterclockwise")) == "from the left, counterclockwise"


def test_a_sentence_inside_another_is_small_where_only_its_place_made_it_large() -> None:
    assert inside("A dog barks.") == "a dog barks"
    assert inside("Rain falls. ") == "rain falls"
    assert inside("TV noise") == "TV noise" and inside("I walk") == "I walk"


def test_only_names_stand_next_to_names() -> None:
    pairs = [("a dog", "crying baby"), ("A dog barks", "rain falls")]
    names, sentences = ({say(*pair, rng(seed)) for seed in range(60) for say in (both, beside)} for pair in pairs)
    assert {"a dog with crying baby", "a dog next to crying baby", "a dog and crying baby"} <= names
    assert "A dog barks and rain falls" in sentences
    assert not any("next to" in said or " with " in said for said in sentences)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.text(max_size=30), st.integers(0, 99))
def test_no_text_whatever_is_too_strange(sentence: str, other: str, seed: int) -> None:
    words = {"a": ("b",), "dog": ("hound",), other: ("c",)} if other else {}
    paraphrase(sentence, rng(seed), synonyms=words, frames=("{}", "so: {}"))
    change_one_word(sentence, rng(seed), [COLOURS, ("a", "{}", "\\1")])
    swap_sides(sentence)
    swap_clauses(sentence)
    for say in (both, first_then_second, beside, above):
        say(sentence, other, rng(seed))
