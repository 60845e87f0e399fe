"""Texts: a file counts as one by its ending and its bytes together."""

from pathlib import Path

import pytest

from unimma.errors import MediaError
from unimma.media import decode, kind_of
from unimma.settings import Limits
from unimma.types import Modality, Text

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Rain</i> on the window

2
00:00:03,000 --> 00:00:04,000 X1:40 X2:600
12
- Who is there?
- Who is there?

3
00:00:05,000 --> 00:00:06,000
{\\an8}1984
"""
VTT = """WEBVTT Kind: captions; Language: en

STYLE
::cue { color: white }

NOTE not to be read aloud

intro
00:01.000 --> 00:02.000 align:start
<v Roger Bingham>We are in <c.yellow>New York</c> City

01:00:02.000 --> 01:00:03.000
<00:00:02.500>if x < 3 then
"""


@pytest.mark.parametrize("ending", ["txt", "md", "TXT"])
def test_a_text_file_is_its_words(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"note.{ending}"
    path.write_bytes("\ufeffGrüße aus Zürich 🐕\r\nzweite Zeile\n".encode())
    assert decode(path) == Text("Grüße aus Zürich 🐕\r\nzweite Zeile", f"note.{ending}")
    assert kind_of(path) is Modality.TEXT


@pytest.mark.parametrize("words", ["BMW drives past", "ID3 tags", "GIF89a is a format", "MZ", "<b>bold</b>", "v=0"])
def test_a_note_is_a_note_whatever_its_first_letters(words: str) -> None:
    assert decode(words.encode(), name="note.md").text == words


def test_a_long_note_may_have_a_character_where_the_first_bytes_end(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("a" * 4095 + "ü" * 2000, encoding="utf-8")
    assert len(decode(path).text) == 6095


def test_of_subtitles_the_spoken_words_alone() -> None:
    assert decode(SRT.encode(), name="film.srt").text == "Rain on the window\n12\n- Who is there?\n1984"
    assert decode(SRT.replace("\n", "\r\n").encode(), name="film.srt").text.startswith("Rain on the window\n12")
    assert decode(VTT.encode(), name="film.vtt").text == "We are in New York City\nif x < 3 then"


def test_subtitles_without_words_are_refused() -> None:
    with pytest.raises(MediaError, match="no words"):
        decode(b"WEBVTT\n\nNOTE nothing here\n", name="empty.vtt")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"   \n\t ", "no words"),
        (b"caf\xe9", "not UTF-8"),
        (b"a\0b", "characters that are no text"),
        ("wide".encode("utf-16"), "not UTF-8"),
        (b"", "empty"),
    ],
)
def test_a_text_file_that_is_none_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(MediaError, match=rf"note\.txt: {words}"):
        decode(content, name="note.txt")


def test_text_under_another_name_is_refused_with_the_endings_to_use() -> None:
    for name in ("", "letter", "letter.doc", "letter.txt.jpg"):
        with pytest.raises(MediaError, match=r"some kind of text; .* \.txt, \.md, \.srt, \.vtt"):
            decode(b"Dear Sir or Madam,", name=name)


def test_a_sentence_is_a_text() -> None:
    assert decode("  a dog barks \n") == Text("a dog barks")
    assert kind_of("a dog barks") is Modality.TEXT


@pytest.mark.parametrize("sentence", ["", " \n", "a\0b", "\ud800", "x" * 11])
def test_a_sentence_that_cannot_be_used_is_refused(sentence: str) -> None:
    with pytest.raises(MediaError, match="the text: "):
        decode(sentence, limits=Limits(max_text_chars=10))


def test_a_text_over_the_limit_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("ü" * 11, encoding="utf-8")
    for limit in (10, 2):
        with pytest.raises(MediaError, match=rf"long\.txt: .*characters.*at most {limit}"):
            decode(path, limits=Limits(max_text_chars=limit))
    assert decode(path, limits=Limits(max_text_chars=11)).text == "ü" * 11
