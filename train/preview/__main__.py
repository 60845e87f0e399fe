"""Look at and listen to what training makes of its media: a contact sheet, sounds, clips and sentences on one page.

python -m train.preview --config train/configs/smoke.toml --output runs/preview                (a minute, no data)
python -m train.preview --config train/configs/bundled.toml --set data.folder=FOLDER --output runs/preview --count 6
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from train.config import TrainConfig, read_config
from train.data.parquet import names_in
from train.preview import draw
from train.preview.examples import captions_in, examples
from train.preview.files import write_mp4, write_wav
from train.preview.lines import Line, clip_lines, motion_lines, picture_lines, sound_lines
from train.preview.page import Sentences, Shown, page
from train.preview.sentences import sentence_lines
from unimma.errors import UnimmaError
from unimma.types import Audio, Modality

log = logging.getLogger(__name__)
STILLS = 8  # that are set in motion, at least
SOUND_S = 4.0  # of each sound
Chapter = tuple[str, list[Line]]


def main(argv: Sequence[str] | None = None) -> int:
    """Steps of a preview."""
    args = _parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        config = read_config(args.config, args.set)
        chapters, sentences = preview(config, args.count)
    except UnimmaError as error:
        print(error, file=sys.stderr)
        return 2
    args.output.mkdir(parents=True, exist_ok=True)
    write(args.output, args.config.name, chapters, sentences)
    print(f"{args.output / 'index.html'}: {sum(len(lines) for _, lines in chapters)} variations of media")
    return 0


def preview(config: TrainConfig, count: int) -> tuple[list[Chapter], Sentences]:
    """All variations, each on `count` pictures and sounds, on half as many clips, and on three times as many captions.

    Raises:
        ConfigError: the data folder cannot be read.
    """
    data, seed, num_clips = config.data, config.optim.seed, max(1, count // 2)
    rng, names = np.random.default_rng(seed), names_in(data.folder, data.sets)
    stills = examples(data, Modality.IMAGE, max(count, STILLS), names, rng)
    log.info("%d pictures", len(stills))
    pictures = picture_lines([(item, said) for _, item, said in stills[:count]], seed)
    heard = examples(data, Modality.AUDIO, count, names, rng)
    log.info("%d sounds", len(heard))
    sounds = sound_lines([(_beginning(item), said) for _, item, said in heard if isinstance(item, Audio)], seed)
    seen = examples(data, Modality.VIDEO, num_clips, names, rng)
    log.info("%d clips", len(seen))
    clips = clip_lines([(item, said) for _, item, said in seen], seed)
    motions = motion_lines([row for row, _, _ in stills], names, num_clips, seed)
    log.info("%d stills in motion", sum(len(line.cells) for line in motions))
    sentences = sentence_lines(captions_in(data, 3 * count, rng), names, seed)
    chapters = [("Pictures", pictures), ("Sounds", sounds), ("Clips", clips), ("Stills in motion", motions)]
    return [(title, lines) for title, lines in chapters if lines], sentences


def write(folder: Path, config_name: str, chapters: list[Chapter], sentences: Sentences) -> None:
    """The page, the contact sheet, the text sheet, and a folder of files a chapter."""
    shown = [
        (title, [(one.name, one.parameters, _files(folder, title, i, one)) for i, one in enumerate(lines)])
        for title, lines in chapters
    ]
    tiles = [
        (title, [(one.name, one.parameters, [(cell.tile, cell.caption) for cell in one.cells]) for one in lines])
        for title, lines in chapters
    ]
    draw.contact_sheet(tiles).save(folder / "contact-sheet.png")
    about = f"What training with {config_name} may make of its media. What is as it is comes first."
    (folder / "index.html").write_text(page("Variations", about, shown, sentences), encoding="utf-8")
    text = "\n".join(
        f"{name} ({purpose})\n" + "".join(f"  {before}\n→ {after}\n" for before, after in pairs)
        for name, purpose, pairs in sentences
    )
    (folder / "sentences.txt").write_text(text, encoding="utf-8")
    log.info("contact sheet, page and sentences written")


def _files(folder: Path, title: str, number: int, line: Line) -> list[Shown]:
    """Writes a line's tiles and media."""
    place = title.lower().replace(" ", "-")
    (folder / place).mkdir(exist_ok=True)
    shown = []
    for i, cell in enumerate(line.cells):
        stem = f"{place}/{number:02d}-{line.name.lower().replace(' ', '-')}-{i + 1}"
        PillowImage.fromarray(cell.tile).save(folder / f"{stem}.webp", quality=85)
        media = ""
        if isinstance(cell.item, Audio):
            media = f"{stem}.wav"
            write_wav(cell.item, folder / media)
        elif cell.item is not None:
            media = f"{stem}.mp4"
            write_mp4(cell.item, folder / media)
        shown.append(Shown(f"{stem}.webp", cell.tile.shape[1], cell.tile.shape[0], media, cell.caption))
    return shown


def _beginning(audio: Audio) -> Audio:
    return Audio(audio.waveform[: round(SOUND_S * audio.rate_hz)], audio.rate_hz, audio.name)


def _count(value: str) -> int:
    if not 1 <= int(value) <= 24:
        raise argparse.ArgumentTypeError("between 1 and 24")
    return int(value)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m train.preview", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="TOML file of a run")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="such as data.folder=FOLDER")
    parser.add_argument("--output", type=Path, required=True, help="folder to write into")
    parser.add_argument("--count", type=_count, default=4, help="examples of each variation, 1 to 24")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
