import pytest
from hypothesis import given
from hypothesis import strategies as st

from unimma.gallery.phrases import holder, quoted


@pytest.mark.parametrize(
    ("text", "sentence", "phrases"),
    [
        ('"red bus"', "red bus", ("red bus",)),
        ('a "red bus" in town', "a red bus in town", ("red bus",)),
        ("“rain” and “wind”", "rain and wind", ("rain", "wind")),
        ("ein „roter Bus“ hält", "ein roter Bus hält", ("roter Bus",)),
        ("„czerwony autobus”", "czerwony autobus", ("czerwony autobus",)),
        ("un «bus rouge» passe", "un bus rouge passe", ("bus rouge",)),
        ("« bus  rouge »", "bus rouge", ("bus rouge",)),
        ('("red"), please', "(red), please", ("red",)),
        ('"route 66" by night', "route 66 by night", ("route 66",)),
        ('a 27" screen and a "cat"', 'a 27" screen and a cat', ("cat",)),
    ],
)
def test_what_stands_in_quotation_marks_is_a_phrase_and_the_marks_go(text, sentence, phrases):
    assert quoted(text) == (sentence, phrases)


@pytest.mark.parametrize(
    "text",
    [
        "a red bus",
        "the dog's  bowl",
        "'red bus'",
        'a 24" screen',
        '24" and 27" screens',
        'say "hello',
        'hello"',
        '""',
        '" "',
        '"..."',
        "“”",
        "«»",
        '" red " and " blue "',
        "",
    ],
)
def test_marks_that_quote_nothing_stay(text):
    assert quoted(text) == (text, ())


def test_a_long_quotation_and_the_seventeenth_are_not_looked_up():
    words = "word " * 50
    assert quoted(f'he said "{words.strip()}"') == (f'he said "{words.strip()}"', ())
    many = " ".join(f'"word {number % 40}"' for number in range(20_000))
    assert quoted(many)[1] == tuple(f"word {number}" for number in range(16))


@given(st.text(), st.from_regex(r"\w[\w ]*\w", fullmatch=True).filter(lambda words: len(words) <= 200))
def test_a_text_that_holds_the_phrase_says_so(before, words):
    (phrase,) = quoted(f'"{words}"')[1]
    assert holder([phrase])(f"{before} {words}!", None, None)


@given(st.text())
def test_any_text_is_read_and_no_word_is_lost(text):
    sentence, phrases = quoted(text)
    marks = str.maketrans("", "", '"“”„«»')
    assert "".join(sentence.translate(marks).split()) == "".join(text.translate(marks).split())
    assert all(phrase in " ".join(text.split()) for phrase in phrases)
