"""The preview, made of generated media: every file that the page names is there and is what it says."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from tests.makers import corners, write_clip
from train.preview.__main__ import main
from train.preview.draw import log_mel, picture, sound, strip
from train.preview.files import write_mp4, write_wav
from train.preview.lines import picture_lines
from train.prompts import synonyms_of, with_article
from unimma import media
from unimma.types import Audio, Image, Modality, Video

CONFIG = Path(__file__).parent.parent.parent / "train" / "configs" / "smoke.toml"


class Addresses(HTMLParser):
    """What a page refers to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, value) for key, value in attrs if key in ("src", "href") and value]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("preview")
    assert main(["--config", str(CONFIG), "--output", str(output), "--count", "2"]) == 0
    return output


def test_everything_on_the_page_is_there_and_can_be_seen_or_heard(folder: Path) -> None:
    addresses = Addresses((folder / "index.html").read_text(encoding="utf-8")).found
    assert not any(":" in address for _, address in addresses)  # nothing from elsewhere
    files = {
        tag: [folder / address for found, address in addresses if found == tag] for tag in ("img", "audio", "video")
    }
    assert [len(found) > 20 for found in files.values()] == [True] * 3
    for path in files["img"]:
        with PillowImage.open(path) as tile:
            assert tile.width >= 240 and np.asarray(tile.convert("L")).std() > 1
    for path in files["audio"][::5]:
        heard = media.decode(path, modality=Modality.AUDIO)
        assert isinstance(heard, Audio) and 1.5 < heard.duration_s < 12 and heard.waveform.any()
    for path in files["video"][::7]:
        seen = media.decode(path, modality=Modality.VIDEO)
        assert isinstance(seen, Video) and 1 < seen.duration_s < 6


def test_the_page_shows_every_medium_and_every_motion(folder: Path) -> None:
    page = (folder / "index.html").read_text(encoding="utf-8")
    titles = re.findall(r"<h3>(.*?) <small>", page)
    for name in (
        "RandAugment",
        "vary_image_more",
        "pitch",
        "SpecAugment",
        "vary_audio_more",
        "backwards",
        "zoom in",
        "up",
    ):
        assert name in titles
    assert titles.count("as it is") == 3 and titles.count("two in one") == 5
    assert "prefers-color-scheme: dark" in page and "width=device-width" in page and "<script" not in page


def test_the_sheets_hold_all_of_it(folder: Path) -> None:
    with PillowImage.open(folder / "contact-sheet.png") as sheet:
        assert sheet.width >= 700 and sheet.height > 4_000
    text = (folder / "sentences.txt").read_text(encoding="utf-8")
    assert text.count("→") > 20 and "synonyms (the same)" in text and "two captions, in a row" in text


def test_the_same_seed_gives_the_same_tiles_however_many_there_are() -> None:
    one, other = (Image(corners(64, 48)), "a dog"), (Image(corners(48, 64)), "a cat")
    few, many, elsewhere = (picture_lines(shown, seed) for shown, seed in (([one], 0), ([one, other], 0), ([one], 1)))
    for line, longer in zip(few, many, strict=False):
        assert line.name == longer.name and np.array_equal(line.cells[0].tile, longer.cells[0].tile)
    assert len(many) == len(few) + 3  # one alone has nothing to be joined with
    assert any(not np.array_equal(a.cells[0].tile, b.cells[0].tile) for a, b in zip(few, elsewhere, strict=True))


def test_wrong_usage_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.toml").write_text("[data]\nvews = 2\n")
    assert main(["--config", str(tmp_path / "bad.toml"), "--output", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "out").exists()
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(CONFIG), "--output", str(tmp_path), "--count", "0"])
    assert ended.value.code == 2


def test_written_files_come_back_as_they_were(tmp_path: Path) -> None:
    clip = media.decode(write_clip(tmp_path / "in.mp4", sound_hz=440.0), modality=Modality.VIDEO)
    assert isinstance(clip, Video) and clip.sound is not None
    write_mp4(clip, tmp_path / "out.mp4")
    back = media.decode(tmp_path / "out.mp4", modality=Modality.VIDEO)
    assert isinstance(back, Video) and back.sound is not None
    assert back.duration_s == pytest.approx(clip.duration_s, abs=0.1)
    greys = np.interp(back.times, clip.times, clip.frames[:, 32, 64].mean(axis=1))
    assert np.abs(back.frames[:, 32, 64].mean(axis=1) - greys).max() < 24  # of 200: two of the clip's frames
    write_wav(clip.sound, tmp_path / "out.wav")
    heard = media.decode(tmp_path / "out.wav")
    assert isinstance(heard, Audio)
    assert np.abs(heard.waveform - clip.sound.waveform).max() < 1e-3


def test_tiles_show_what_they_are_of() -> None:
    tall = picture(corners(20, 60))
    assert tall.shape == (160, 240, 3) and tall[5, 5].tolist() == tall[150, 230].tolist()  # margins
    tone = np.sin(2 * np.pi * 1_000 * np.arange(44_100) / 44_100).astype(np.float32)
    loudness = log_mel(Audio(tone, 44_100))
    assert loudness.max() == pytest.approx(0, abs=6) and np.median(loudness) < -60
    tile = sound(Audio(tone, 44_100), 2.0)
    assert tile[:, :115].std() > 10 * max(0.1, tile[:, 125:].std())  # the second half is empty
    frames = np.repeat(np.arange(10, 90, 10), 24 * 32 * 3).reshape(8, 24, 32, 3).astype(np.uint8)
    shown = strip(Video(frames, np.arange(8.0), 8.0))
    assert shown[36, [48, 440]].mean(axis=1).tolist() == [10, 80]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("school bus", "a school bus"),
        ("glass of water", "a glass of water"),
        ("crickets at night", "crickets at night"),
        ("rain on a window", "rain on a window"),
        ("sunglasses", "sunglasses"),
        ("octopus", "an octopus"),
    ],
)
def test_the_article_is_that_of_the_noun(name: str, said: str) -> None:
    assert with_article(name) == said


def test_a_name_of_two_groups_has_no_sure_synonym() -> None:
    assert synonyms_of([("crane", "derrick"), ("crane", "heron"), ("sofa", "couch")]) == {
        "crane": (),
        "derrick": ("crane",),
        "heron": ("crane",),
        "sofa": ("couch",),
        "couch": ("sofa",),
    }
