"""Makes the starter gallery again: a picture, a sound, a clip and two sentences for each scene, and items.json.

python assets/make_gallery.py --output assets/gallery --seed 7
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

if __name__ == "__main__":  # started as a file: let `assets` be found beside it
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from assets.scenes import SCENES

PICTURE_SIZE = (800, 600)
CLIP_SIZE = (480, 360)
CLIP_SECONDS, CLIP_FPS = 4.0, 15
SOUND_SECONDS = 6.0
RATE_HZ = 44_100
SENTENCES_SHIPPED = 2

Entry = dict[str, str]


def write_picture(pixels: npt.NDArray[np.uint8], path: Path) -> None:
    """Write uint8 [height, width, 3] as WebP."""
    Image.fromarray(pixels).save(path, quality=84, method=4)


def write_sound(waveform: npt.NDArray[np.float32], path: Path) -> None:
    """Write float32 [n] at 44.1 kHz as MP3, which every browser plays."""
    with av.open(path, "w", format="mp3", options={"write_xing": "1", "id3v2_version": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=RATE_HZ, layout="mono", bit_rate=96_000)
        for frame in _audio_frames(waveform):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_clip(frames: Iterator[npt.NDArray[np.uint8]], waveform: npt.NDArray[np.float32], path: Path) -> None:
    """Write frames at CLIP_FPS and their sound as MP4 (H.264, AAC) that starts to play before it is all there."""
    options = {"movflags": "+faststart"}
    with av.open(path, "w", format="mp4", options=options) as container:
        video = container.add_stream("libx264", rate=CLIP_FPS, options={"crf": "24", "preset": "fast", "threads": "1"})
        video.width, video.height = CLIP_SIZE
        video.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=RATE_HZ, layout="mono", bit_rate=96_000)
        for index, pixels in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture.pts, picture.time_base = index, Fraction(1, CLIP_FPS)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        for frame in _audio_frames(waveform):
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))


def _audio_frames(waveform: npt.NDArray[np.float32]) -> Iterator[av.AudioFrame]:
    """The waveform in pieces of a second, as planar float."""
    for start in range(0, len(waveform), RATE_HZ):
        frame = av.AudioFrame.from_ndarray(waveform[None, start : start + RATE_HZ], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, start, Fraction(1, RATE_HZ)
        yield frame


def make_scene(index: int, folder: Path, seed: int) -> list[Entry]:
    """Write the media of SCENES[index] into the folder and return its entries for items.json.

    Picture, sound and clip show different variations, so that finding one by another is no matter of equal pixels.
    """
    scene = SCENES[index]  # by its place: a scene holds functions, which do not travel between processes
    stem = scene.name.replace(" ", "-")
    write_picture(scene.picture(seed, PICTURE_SIZE), folder / f"{stem}.webp")
    write_sound(scene.sound(seed + 1, SOUND_SECONDS, RATE_HZ), folder / f"{stem}.mp3")
    write_clip(*scene.clip(seed + 2, CLIP_SECONDS, CLIP_FPS, CLIP_SIZE), folder / f"{stem}.mp4")
    title = scene.name.capitalize()
    media = (("image", "webp"), ("audio", "mp3"), ("video", "mp4"))
    entries = [{"scene": scene.name, "modality": m, "title": title, "file": f"{stem}.{end}"} for m, end in media]
    texts = scene.sentences[:SENTENCES_SHIPPED]
    return entries + [{"scene": scene.name, "modality": "text", "title": title, "text": text} for text in texts]


def make_gallery(folder: Path, seed: int) -> list[Entry]:
    """Write all scenes' media and items.json into the folder; media of scenes that are gone are removed.

    Returns:
        The entries of items.json, scene by scene.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as workers:
        jobs = [workers.submit(make_scene, k, folder, seed + 10 * k) for k in range(len(SCENES))]
        entries = [entry for job in jobs for entry in job.result()]
    kept = {entry["file"] for entry in entries if "file" in entry}
    for path in folder.iterdir():
        if path.suffix in {".webp", ".mp3", ".mp4"} and path.name not in kept:
            path.unlink()
    (folder / "items.json").write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return entries


def main() -> None:
    """Read the options, make the gallery, say how large it is."""
    parser = argparse.ArgumentParser(description="Draw, animate and synthesise the starter gallery.")
    parser.add_argument("--output", type=Path, required=True, help="folder for the media and items.json")
    parser.add_argument("--seed", type=int, default=7, help="another seed makes other variations (default: 7)")
    options = parser.parse_args()
    entries = make_gallery(options.output, options.seed)
    size = sum(path.stat().st_size for path in options.output.iterdir())
    print(f"{len(entries)} items of {len(SCENES)} scenes, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
