"""How far copies and strangers lie apart: pictures and clips by their perceptual hash, sounds by their embedding.

    python -m benchmarks.likeness

Pictures: the starter gallery's. Each is changed in many ways, one line of the table a way; then all pairs of different
pictures, four blank ones among them, and of pages of text. Clips: the starter gallery's, encoded anew at another size,
rate and quality; then all pairs of different clips. Columns: half and nine tenths of the distances lie below, the
farthest (for strangers: one in a hundred, half, and the nearest), and the share that `is_alike` takes for copies.
Sounds: the starter gallery's through the bundled model, made quieter, clipped, shortened, encoded anew; then all pairs
of different ones. Columns: the cosine that half and nine tenths lie above, the lowest (for strangers: the highest), and
the share above the line.
"""

import io
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image as PIL
from PIL import ImageDraw

from unimma.gallery.copies import SAME_SOUND_FROM
from unimma.gallery.likeness import ALIKE_UP_TO, distance, likeness
from unimma.gallery.starter import starter_items
from unimma.loading import load_model
from unimma.media import decode
from unimma.types import Audio, Image, Modality

Change = Callable[[PIL.Image], PIL.Image]


def as_jpeg(quality: int) -> Change:
    """Encoded and decoded again."""

    def change(picture: PIL.Image) -> PIL.Image:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        return PIL.open(file).convert("RGB")

    return change


def resized(scale: float) -> Change:
    """Smaller or larger."""
    return lambda picture: picture.resize(
        (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), PIL.Resampling.LANCZOS
    )


def with_gamma(gamma: float) -> Change:
    """Middle tones brighter (below 1) or darker."""
    return lambda picture: picture.point([round(255 * (level / 255) ** gamma) for level in range(256)] * 3)


def brightened(factor: float) -> Change:
    """All tones multiplied, the brightest clipped."""
    return lambda picture: picture.point([min(255, round(level * factor)) for level in range(256)] * 3)


def cropped(share: float) -> Change:
    """Less by a share of each side."""

    def change(picture: PIL.Image) -> PIL.Image:
        across, down = round(share * picture.width), round(share * picture.height)
        return picture.crop((across, down, picture.width - across, picture.height - down))

    return change


def marked(picture: PIL.Image) -> PIL.Image:
    """With a half-transparent white label in the lower right corner, a tenth as wide as the picture."""
    label = PIL.new("L", picture.size)
    width, height = picture.size
    ImageDraw.Draw(label).rectangle((0.88 * width, 0.93 * height, 0.98 * width, 0.98 * height), fill=128)
    return PIL.composite(PIL.new("RGB", picture.size, "white"), picture, label)


def all_of_it(picture: PIL.Image) -> PIL.Image:
    """Half the size, brighter, marked and as a poor JPEG."""
    return as_jpeg(60)(marked(with_gamma(0.85)(resized(0.5)(picture))))


CHANGES: Mapping[str, Change] = {
    **{f"JPEG of quality {quality}": as_jpeg(quality) for quality in (30, 60, 95)},
    **{f"{scale} times the size": resized(scale) for scale in (0.3, 0.5, 2.0)},
    **{f"gamma {gamma}": with_gamma(gamma) for gamma in (0.7, 0.85, 1.2, 1.4)},
    **{f"brightness {factor}": brightened(factor) for factor in (0.8, 1.2, 1.4)},
    **{f"each side less {share:.0%}": cropped(share) for share in (0.01, 0.02, 0.04)},
    "a small mark": marked,
    "mirrored": lambda picture: picture.transpose(PIL.Transpose.FLIP_LEFT_RIGHT),
    "half, brighter, marked, JPEG": all_of_it,
}


def reencoded(path: Path) -> bytes:
    """A clip at 0.6 times its size, 12 frames a second, poor quality."""
    file = io.BytesIO()
    with av.open(str(path)) as source, av.open(file, "w", format="mp4") as output:
        video = source.streams.video[0]
        stream = output.add_stream("libx264", rate=12, options={"crf": "34"})
        stream.width, stream.height = (round(side * 0.3) * 2 for side in (video.width, video.height))
        stream.pix_fmt = "yuv420p"
        due_s, count = 0.0, 0
        for frame in source.decode(video):
            while frame.time is not None and frame.time >= due_s:
                small = frame.reformat(stream.width, stream.height, "yuv420p")
                small.pts, small.time_base = count, Fraction(1, 12)
                output.mux(stream.encode(small))
                count += 1
                due_s = count / 12
        output.mux(stream.encode(None))
    return file.getvalue()


def hash_of(pixels: PIL.Image) -> bytes:
    """Of a picture."""
    found = likeness(Image(np.asarray(pixels)))
    assert found is not None
    return found


def page(seed: int) -> PIL.Image:
    """Black lines of random letters on white: many documents look so."""
    letters = np.random.default_rng(seed).choice(list("abcdefghijklmnop     "), (24, 60))
    picture = PIL.new("RGB", (400, 560), "white")
    ImageDraw.Draw(picture).multiline_text((24, 24), "\n".join(map("".join, letters)), fill="black", spacing=8)
    return picture


def copies(name: str, distances: Iterable[int]) -> None:
    """One line of what should be small."""
    far = np.array(list(distances))
    half, most = np.percentile(far, [50, 90])
    print(f"{name:<32} {half:>6.0f} {most:>6.0f} {far.max():>6} {(far <= ALIKE_UP_TO).mean():>7.0%}")


def strangers(name: str, hashes: Mapping[str, bytes]) -> None:
    """One line of what should be large, and who comes nearest."""
    pairs = sorted((distance(hashes[a], hashes[b]), a, b) for a, b in itertools.combinations(hashes, 2))
    far = np.array([pair[0] for pair in pairs])
    hundredth, half = np.percentile(far, [1, 50])
    print(f"{name:<32} {hundredth:>6.0f} {half:>6.0f} {far.min():>6} {(far <= ALIKE_UP_TO).mean():>7.2%}")
    print(f"{'':<8}nearest: " + "; ".join(f"{a} and {b} {apart}" for apart, a, b in pairs[:3]))


def as_mp3(bit_rate: int, rate_hz: int = 44_100) -> Callable[[Audio], Audio]:
    """Encoded and decoded again."""

    def change(sound: Audio) -> Audio:
        file = io.BytesIO()
        with av.open(file, "w", format="mp3") as output:
            stream = output.add_stream("libmp3lame", rate=rate_hz, layout="mono")
            stream.bit_rate = bit_rate
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.waveform[None]), format="flt", layout="mono")
            frame.rate = sound.rate_hz
            resampler = av.AudioResampler(format="s16p", layout="mono", rate=rate_hz)
            for part in [*resampler.resample(frame), *resampler.resample(None)]:
                part.pts = None
                output.mux(stream.encode(part))
            output.mux(stream.encode(None))
        decoded = decode(file.getvalue())
        assert isinstance(decoded, Audio)
        return decoded

    return change


def louder(gain: float) -> Callable[[Audio], Audio]:
    """All samples multiplied, the loudest clipped."""
    return lambda sound: replace(sound, waveform=np.clip(gain * sound.waveform, -1, 1).astype(np.float32))


def shortened(share: float) -> Callable[[Audio], Audio]:
    """Less by a share of either end."""

    def change(sound: Audio) -> Audio:
        cut = round(share * len(sound.waveform))
        return replace(sound, waveform=sound.waveform[cut : len(sound.waveform) - cut])

    return change


SOUND_CHANGES: Mapping[str, Callable[[Audio], Audio]] = {
    **{f"gain {gain}": louder(gain) for gain in (0.1, 0.3, 2.0)},
    "MP3 of 128 kbit/s": as_mp3(128_000),
    "MP3 of 48 kbit/s": as_mp3(48_000),
    "MP3 of 32 kbit/s, 16 kHz": as_mp3(32_000, 16_000),
    "each end less 2%": shortened(0.02),
}


def sounds(paths: Iterable[Path]) -> None:
    """The table of sounds."""
    model = load_model("bundled")
    heard = {path.stem: decode(path) for path in paths}
    vectors = {name: model.embed([sound])[0] for name, sound in heard.items()}
    print(f"\n{len(heard)} sounds{'':<23} {'half':>6} {'9/10':>6} {'least':>6} {'same':>7}")
    for name, change in SOUND_CHANGES.items():
        copies_of = [(each, change(sound)) for each, sound in heard.items() if isinstance(sound, Audio)]
        cosines = np.array([float(model.embed([copy])[0] @ vectors[each]) for each, copy in copies_of])
        half, most = np.percentile(cosines, [50, 10])
        same = (cosines >= SAME_SOUND_FROM).mean()
        print(f"{name:<32} {half:>6.3f} {most:>6.3f} {cosines.min():>6.3f} {same:>7.0%}")
    pairs = sorted((float(vectors[a] @ vectors[b]), a, b) for a, b in itertools.combinations(vectors, 2))
    far = np.array([pair[0] for pair in pairs])
    half, most = np.percentile(far, [50, 99])
    same = (far >= SAME_SOUND_FROM).mean()
    print(f"{'different sounds (1/100 above)':<32} {half:>6.3f} {most:>6.3f} {far.max():>6.3f} {same:>7.0%}")
    print(f"{'':<8}nearest: " + "; ".join(f"{a} and {b} {cosine:.2f}" for cosine, a, b in pairs[::-1][:3]))


def main() -> None:
    """Print the tables."""
    items = {item.uri: item for item in starter_items()}
    paths = {m: [Path(uri) for uri, item in items.items() if item.modality is m] for m in Modality}
    pictures = {path.stem: PIL.fromarray(decode(path).pixels) for path in paths[Modality.IMAGE]}  # type: ignore[union-attr]
    print(f"{len(pictures)} pictures{'':<21} {'half':>6} {'9/10':>6} {'most':>6} {'alike':>7}")
    hashes = {name: hash_of(picture) for name, picture in pictures.items()}
    for name, change in CHANGES.items():
        copies(name, (distance(hash_of(change(picture)), hashes[each]) for each, picture in pictures.items()))
    pages = {f"page {seed}": page(seed) for seed in range(20)}
    page_hashes = {name: hash_of(each) for name, each in pages.items()}
    copies("pages of text, likewise", (distance(hash_of(all_of_it(p)), page_hashes[n]) for n, p in pages.items()))
    print(f"{'':<32} {'1/100':>6} {'half':>6} {'least':>6} {'alike':>7}")
    blanks = {name: hash_of(PIL.new("RGB", (64, 48), name)) for name in ("white", "black", "red", "navy")}
    strangers("different pictures", hashes | blanks)
    strangers("different pages of text", page_hashes)
    print(f"\n{len(paths[Modality.VIDEO])} clips{'':<24} {'half':>6} {'9/10':>6} {'most':>6} {'alike':>7}")
    clips = {path.stem: likeness(decode(path)) or b"" for path in paths[Modality.VIDEO]}
    anew = ((likeness(decode(reencoded(path))) or b"", clips[path.stem]) for path in paths[Modality.VIDEO])
    copies("smaller, fewer frames, poor", itertools.starmap(distance, anew))
    same_length = {name: each[:1] + bytes(4) + each[5:] for name, each in clips.items()}  # lengths left aside
    strangers("different clips", same_length)
    sounds(paths[Modality.AUDIO])


if __name__ == "__main__":
    main()
