"""What UniMMA costs beside calling the same networks by hand.

    python -m benchmarks.encoders [--items 96] [--rounds 5] [--device cpu] [--tiny]

Everything runs by turns in one process, on the same media and weights (random ones for pictures and sounds: CLIP's
ViT-B/32 and HuBERT base; MiniLM's real ones for sentences), in batches of 32; what is printed is the quickest round of
each, and ratios above 1 mean that UniMMA is quicker. Three comparisons:

ready      a tower on prepared items, against the network on tensors that are stacked already
files      `UniMMA.embed` on JPEG and MP3 files, against a loop by hand (open, transform, stack, network), and against
           the bound that reading and computing set: the longer of the two, or the processor time of both spread over
           all cores
library    `UniMMA.embed` on sentences, against `SentenceTransformer.encode` with the same weights
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor
from torch.nn import functional as F

from unimma.captions import captions
from unimma.compat import ensure_torch_extensions
from unimma.encoders.base import Prepared
from unimma.encoders.registry import find
from unimma.encoders.weights import locate
from unimma.heads import HeadConfig, NoHead
from unimma.media import decode
from unimma.model import BATCH_ITEMS, ModelConfig, Tower, UniMMA
from unimma.types import Modality

SOUND_S, FILE_HZ, SOUND_HZ = 5.0, 44_100, 16_000
NUM_SAMPLES = round(SOUND_S * SOUND_HZ)  # of each sound, by hand: a batch of one length
PHOTO_PX = (1024, 768)
GOALS = {"ready": 0.97, "files, by hand": 1.0, "files, bound": 0.9, "library": 1.0}


@dataclass(frozen=True)
class Cost:
    """Of one run: seconds on the clock, and of all processors together."""

    wall_s: float
    processor_s: float


@dataclass(frozen=True)
class Case:
    """A model of one tower, the files it reads, and the same by hand.

    Attributes:
        read: a file → the tensor that the network takes.
        compute: a stacked batch of these → unit rows.
    """

    name: str
    model: UniMMA
    files: Sequence[Path]
    read: Callable[[Path], Tensor]
    compute: Callable[[Tensor], Tensor]

    @property
    def tower(self) -> Tower:
        (tower,) = self.model.towers.values()
        return tower


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tiny", action="store_true", help="networks of a few thousand weights, to see that it runs")
    args = parser.parse_args()
    print(f"{args.items} items, {os.cpu_count()} cores, torch on {args.device} with {torch.get_num_threads()} threads")
    print(f"{'':<28}{'UniMMA /s':>11}{'other /s':>11}{'ratio':>8}{'aim':>7}")
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        for case in (pictures(Path(folder), args), sounds(Path(folder), args)):
            ready(case, args)
            from_files(case, args)
        sentences(args)


def ready(case: Case, args: argparse.Namespace) -> None:
    """A tower on prepared items, against the network on ready tensors."""
    prepared = [case.tower.encoder.prepare(decode(path)) for path in case.files]
    stacked = torch.stack([case.read(path) for path in case.files]).split(BATCH_ITEMS)
    batches = [prepared[start : start + BATCH_ITEMS] for start in range(0, len(prepared), BATCH_ITEMS)]

    def ours() -> Tensor:
        return torch.cat([case.tower(batch).cpu() for batch in batches])

    def by_hand() -> Tensor:
        return torch.cat([case.compute(batch.to(args.device)).cpu() for batch in stacked])

    assert (ours() * by_hand()).sum(dim=1).min() > 0.99, "the two compute the same"
    best = by_turns(args.rounds, ours=ours, other=by_hand)
    show(f"{case.name}, ready", "ready", len(prepared), best["ours"].wall_s, best["other"].wall_s)


def from_files(case: Case, args: argparse.Namespace) -> None:
    """`UniMMA.embed` on files, against a loop by hand and against what overlapping could reach."""
    files = case.files

    def by_hand() -> Tensor:
        rows = []
        for start in range(0, len(files), BATCH_ITEMS):
            batch = torch.stack([case.read(path) for path in files[start : start + BATCH_ITEMS]])
            rows.append(case.compute(batch.to(args.device)).cpu())
        return torch.cat(rows)

    def reading() -> list[Prepared]:
        return [case.tower.encoder.prepare(decode(path)) for path in files]

    def computing() -> None:
        for start in range(0, len(files), BATCH_ITEMS):
            case.tower(prepared[start : start + BATCH_ITEMS]).cpu()

    prepared = reading()
    best = by_turns(
        args.rounds, ours=lambda: case.model.embed(files), other=by_hand, reading=reading, computing=computing
    )
    cores = os.cpu_count() or 1
    parts = best["reading"], best["computing"]
    spread_s = sum(part.processor_s for part in parts) / cores
    bound_s = max(parts[0].wall_s / cores, parts[1].wall_s, spread_s)
    show(f"{case.name}, files, by hand", "files, by hand", len(files), best["ours"].wall_s, best["other"].wall_s)
    show(f"{case.name}, files, bound", "files, bound", len(files), best["ours"].wall_s, bound_s)
    per_item = [1000 * part.wall_s / len(files) for part in parts]
    print(f"{'':<4}reading {per_item[0]:.1f} ms, computing {per_item[1]:.1f} ms an item, one after the other")


def sentences(args: argparse.Namespace) -> None:
    """`UniMMA.embed` on sentences, against sentence-transformers."""
    ensure_torch_extensions()
    from sentence_transformers import SentenceTransformer

    from unimma.encoders.minilm import _WEIGHTS

    model = of_one("minilm", {}, Modality.TEXT, args.device)
    library = SentenceTransformer(str(locate(_WEIGHTS).parent), device=args.device)
    said = [caption.text for caption in captions()[:: max(1, len(captions()) // (4 * args.items))]]

    def theirs() -> Any:
        return library.encode(said, batch_size=BATCH_ITEMS, normalize_embeddings=True, show_progress_bar=False)

    assert np.abs(model.embed(said) - theirs()).max() < 1e-4, "the two compute the same"
    best = by_turns(args.rounds, ours=lambda: model.embed(said), other=theirs)
    show("sentences, library", "library", len(said), best["ours"].wall_s, best["other"].wall_s)


def pictures(folder: Path, args: argparse.Namespace) -> Case:
    """Photos through CLIP's ViT-B/32."""
    ensure_torch_extensions()
    import open_clip

    options = write_clip(folder / "clip", args.tiny)
    model = of_one("open-clip-image", options, Modality.IMAGE, args.device)
    network: Any = next(iter(model.towers.values())).encoder.network
    _, _, transform = open_clip.create_model_and_transforms(options["model"])
    rng = np.random.default_rng(0)
    files = [folder / f"photo {i}.jpg" for i in range(args.items)]
    for path in files:
        coarse = PillowImage.fromarray(rng.integers(0, 256, (48, 64, 3), np.uint8))
        coarse.resize(PHOTO_PX, PillowImage.Resampling.BICUBIC).save(path, quality=90)

    def read(path: Path) -> Tensor:
        pixels: Tensor = transform(PillowImage.open(path).convert("RGB"))
        return pixels

    return Case("pictures", model, files, read, lambda batch: F.normalize(network.encode_image(batch), dim=1))


def sounds(folder: Path, args: argparse.Namespace) -> Case:
    """Recordings through HuBERT."""
    ensure_torch_extensions()
    from transformers import AutoFeatureExtractor, HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

    small = {
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "conv_dim": [16] * 7,
    }
    HubertModel(HubertConfig(**(small if args.tiny else {}))).save_pretrained(folder / "hubert")
    Wav2Vec2FeatureExtractor().save_pretrained(folder / "hubert")
    model = of_one("hubert", {"checkpoint": str(folder / "hubert")}, Modality.AUDIO, args.device)
    network: Any = next(iter(model.towers.values())).encoder.network
    extract = AutoFeatureExtractor.from_pretrained(folder / "hubert")
    rng = np.random.default_rng(0)
    files = [folder / f"sound {i}.mp3" for i in range(args.items)]
    for path in files:
        write_sound(path, rng)

    def read(path: Path) -> Tensor:
        with av.open(str(path)) as container:
            resampler = av.AudioResampler("flt", "mono", SOUND_HZ)
            frames = (part for frame in [*container.decode(audio=0), None] for part in resampler.resample(frame))
            waveform = np.concatenate([frame.to_ndarray()[0] for frame in frames])
        heard: Tensor = extract(waveform[:NUM_SAMPLES], sampling_rate=SOUND_HZ, return_tensors="pt").input_values[0]
        return heard

    def compute(batch: Tensor) -> Tensor:
        return F.normalize(network(batch).last_hidden_state.mean(dim=1), dim=1)

    return Case("sounds", model, files, read, compute)


def write_sound(path: Path, rng: np.random.Generator) -> None:
    """A few tones that come and go, a little longer than `SOUND_S`."""
    times_s = np.arange(round((SOUND_S + 0.1) * FILE_HZ)) / FILE_HZ
    tones = [np.sin(2 * np.pi * hz * times_s) * np.sin(times_s * hz / 300) for hz in rng.uniform(100, 5_000, 5)]
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libmp3lame", rate=FILE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.mean(tones, axis=0, dtype=np.float32)[None], "flt", "mono")
        frame.rate = FILE_HZ
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def write_clip(folder: Path, tiny: bool) -> dict[str, str]:
    """A CLIP of random weights, as a folder that open_clip loads: the options of its encoders."""
    import open_clip

    shape = open_clip.get_model_config("ViT-B-32")
    if tiny:
        shape["vision_cfg"] |= {"layers": 1, "width": 64}
        shape["text_cfg"] |= {"layers": 1, "width": 64, "heads": 1}
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": shape, "preprocess_cfg": {}}))
    (folder / "benchmarked.json").write_text(json.dumps(shape))
    open_clip.add_model_config(folder / "benchmarked.json")
    torch.save(open_clip.create_model("benchmarked").state_dict(), folder / "open_clip_pytorch_model.bin")
    return {"model": f"local-dir:{folder}", "pretrained": "none"}


def of_one(name: str, options: dict[str, str], modality: Modality, device: str) -> UniMMA:
    """A model of one encoder, whose features are its embeddings."""
    encoder = find(name)(**options)
    head = HeadConfig(kind="none", num_features=encoder.dim, dim=encoder.dim)
    config = ModelConfig(name=name, dim=encoder.dim, encoders={modality: {"name": name}}, heads={modality: head})
    return UniMMA(config, {modality: Tower(encoder, NoHead(head))}).to(device)


def by_turns(rounds: int, **acts: Callable[[], Any]) -> dict[str, Cost]:
    """The quickest of some rounds of each, after one that does not count."""
    found: dict[str, list[Cost]] = {name: [] for name in acts}
    for _ in range(rounds + 1):
        for name, act in acts.items():
            wall_s, processor_s = time.perf_counter(), time.process_time()
            act()
            found[name].append(Cost(time.perf_counter() - wall_s, time.process_time() - processor_s))
    return {name: min(costs[1:], key=lambda cost: cost.wall_s) for name, costs in found.items()}


def show(title: str, goal: str, count: int, ours_s: float, other_s: float) -> None:
    """One line of the table."""
    rates = f"{count / ours_s:>11.1f}{count / other_s:>11.1f}"
    print(f"{title:<28}{rates}{other_s / ours_s:>8.2f}{GOALS[goal]:>7.2f}", flush=True)


if __name__ == "__main__":
    main()
