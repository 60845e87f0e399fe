"""Train the heads that bring text, pictures, sounds and clips into one space.

python -m train.align --config train/configs/smoke.toml --output runs/smoke                    (minutes, no data)
python -m train.align --config train/configs/bundled.toml --set data.folder=FOLDER --output assets/bundled
"""

import argparse
import csv
import hashlib
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pydantic import TypeAdapter

from train.calibrate import null_similarities
from train.card import model_card
from train.config import DataConfig, ModelShape, TrainConfig, read_config
from train.data import yamnet
from train.data.parquet import concept_names, label_names, sizes
from train.distill import distil, label_windows
from train.evaluate import as_json, evaluate
from train.heads import fit_statistics, train_clips, train_heads
from train.material import Material, caption_pairs, class_sentences, fitting_sentences, gather, rows_of
from train.sentences import Sentences
from train.steps import Batches, Objective
from unimma.encoders.joined import JoinedEncoder
from unimma.encoders.spectrogram import resample
from unimma.encoders.yamnet_student import RATE_HZ, YamnetStudent
from unimma.errors import ConfigError, UnimmaError
from unimma.heads import ClipHead, HeadConfig, LinearHead
from unimma.loading import build_model
from unimma.model import ModelConfig, UniMMA
from unimma.settings import cache_dir
from unimma.types import Audio, Modality, Video

log = logging.getLogger(__name__)
NUM_CLASSES = {Modality.IMAGE: 1000, Modality.AUDIO: 521}
ENCODERS: dict[Modality, Mapping[str, Any]] = {
    Modality.TEXT: {"name": "minilm"},
    Modality.IMAGE: {"name": "efficientnet-lite2"},
    Modality.AUDIO: {"joined": ["aisfx", "yamnet-student"]},
}
NUM_FEATURES = {Modality.TEXT: 384, Modality.IMAGE: 2280, Modality.AUDIO: 2569}
DIM = 384


def main(argv: Sequence[str] | None = None) -> int:
    """Steps of a run; what was trained, the config and the numbers go into --output."""
    args = _parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        config = read_config(args.config, args.set)
        model = align(config, args.cache)
    except UnimmaError as error:
        print(error, file=sys.stderr)
        return 2
    model.metrics = measured(model, config.data, args.cache)
    model.card = model_card(model, config, model.metrics)
    model.save_pretrained(args.output)
    (args.output / "train.json").write_text(json.dumps(_plain(config), indent=2) + "\n", encoding="utf-8")
    print(f"{args.output}: fingerprint {model.fingerprint}")
    return 0


def align(config: TrainConfig, cache: Path) -> UniMMA:
    """A trained model: the student first, then heads on frozen features, then clips, then calibration."""
    torch.manual_seed(config.optim.seed)
    classes = class_names(config.data)
    model = build_model(untrained(config.model, classes))
    if config.distill is not None:
        teach_student(model, config, cache)
    objective = Objective(_text_head(model), {str(m): model.towers[m].head for m in NUM_CLASSES}, config.loss)
    sentences = Sentences()
    batches = material(model, config.data, classes, sentences, cache)
    fit_statistics(objective, batches)
    train_heads(objective, batches, config)
    objective.refresh_classes(batches.classes)
    round_weights(model)  # before the clips learn on top of these heads: they must see what will be stored
    clips = gather(model.towers[Modality.VIDEO].encoder, Modality.VIDEO, config.data, sentences, cache / "clips")
    sentence_features = sentences.features(model.towers[Modality.TEXT].encoder, cache)
    train_clips(_clip_head(model), _text_head(model), clips, sentence_features, config)
    round_weights(model)
    null = calibrate(model, {**_by_modality(batches), Modality.VIDEO: clips}, sentence_features)
    return UniMMA(replace(model.config, null=null), model.towers)


def measured(model: UniMMA, data: DataConfig, cache: Path) -> dict[str, Any]:
    """The numbers on the data folder's val split; {} where there is no folder."""
    return as_json(model, "val", evaluate(model, data.folder, "val", cache)) if data.folder else {}


def untrained(shape: ModelShape, classes: Mapping[Modality, Sequence[Sequence[str]]]) -> ModelConfig:
    """The bundled model's config before training; a head knows classes where their names are known."""
    heads = {Modality.TEXT: HeadConfig(kind="linear", num_features=NUM_FEATURES[Modality.TEXT], dim=DIM)}
    for modality, num_classes in NUM_CLASSES.items():
        heads[modality] = HeadConfig(
            kind="conse" if modality in classes else "mlp",
            num_features=NUM_FEATURES[modality],
            dim=DIM,
            hidden=shape.hidden,
            num_layers=shape.num_layers,
            num_classes=num_classes if modality in classes else 0,
            dropout=shape.dropout,
        )
    heads[Modality.VIDEO] = HeadConfig(kind="clip", num_features=4 * DIM + 1, dim=DIM, hidden=256, dropout=0.4)
    encoders = {**ENCODERS, Modality.VIDEO: {"frames_and_sound": shape.num_frames}}
    return ModelConfig(name=shape.name, dim=DIM, encoders=encoders, heads=heads)


def class_names(data: DataConfig) -> dict[Modality, list[tuple[str, ...]]]:
    """The names of the classes that the picture and sound encoders predict, from the data folder's teachers."""
    if data.folder is None:
        return {}
    folder = data.folder / "teachers"
    try:
        with (folder / "imagenet1k-classes.tsv").open(encoding="utf-8") as stream:
            imagenet = [(row[1], row[2]) for row in csv.reader(stream, delimiter="\t")]
        audioset = yamnet.class_names(folder)
    except OSError as error:
        came = f"{data.folder.name}: no class names in its folder teachers"
        raise ConfigError(
            came, "imagenet1k-classes.tsv and yamnet_class_map.csv", "Check data.folder, or leave it out."
        ) from error
    said = concept_names(data.folder)
    return {
        Modality.IMAGE: [said.get(concept, (name.replace("_", " ").lower(),)) for concept, name in imagenet],
        Modality.AUDIO: [tuple(part.strip().lower() for part in name.split(",")) for name in audioset],
    }


def teach_student(model: UniMMA, config: TrainConfig, cache: Path) -> None:
    """Distil the teacher into the sound student, in place; an interrupted run goes on where it was."""
    assert config.distill is not None
    if config.data.folder is None:
        raise ConfigError("[distill] without data.folder", "a folder with teachers in it", "Leave [distill] out.")
    joined = model.towers[Modality.AUDIO].encoder
    assert isinstance(joined, JoinedEncoder)
    student = joined.parts["yamnet-student"].network
    assert isinstance(student, YamnetStudent)
    teacher = yamnet.YamnetTeacher(config.data.folder / config.distill.teacher)
    key = hashlib.sha256(repr([config.distill, sorted(sizes(config.data.folder).items())]).encode()).hexdigest()[:12]
    windows = label_windows(
        lambda: training_sounds(config.data),
        teacher,
        config.distill.num_windows,
        config.distill.seed,
        cache / f"yamnet-windows-{key}.npz",
    )
    distil(student, windows, config.distill, cache / f"student-{key}.pt")
    round_module(student)


def training_sounds(data: DataConfig) -> list[npt.NDArray[np.float32]]:
    """Every recorded training sound there is, also those of clips, at the student's rate."""
    sounds = []
    recorded = replace(data, scene_variations=0, scene_clips=0)
    for modality in (Modality.AUDIO, Modality.VIDEO):
        for rows in rows_of(recorded, modality).values():
            for row in rows:
                item = row.decode()
                heard = item.sound if isinstance(item, Video) else item
                if isinstance(heard, Audio):
                    sounds.append(resample(torch.tensor(heard.waveform), heard.rate_hz, RATE_HZ).numpy())
    return sounds


def material(
    model: UniMMA,
    data: DataConfig,
    classes: Mapping[Modality, Sequence[Sequence[str]]],
    sentences: Sentences,
    cache: Path,
) -> Batches:
    """Features and sentences of everything the heads learn from; adds to `sentences`."""
    media = {str(m): gather(model.towers[m].encoder, m, data, sentences, cache) for m in NUM_CLASSES}
    pairs = caption_pairs(data, sentences)
    spoken = {m: class_sentences(names, m, sentences) for m, names in classes.items()}
    for stem, rows in rows_of(data, Modality.VIDEO).items():  # the clips' sentences too: all are encoded at once
        names = label_names(data.folder, stem) if data.folder else {}
        for row in rows:
            sentences.add(fitting_sentences(row, names))
    features = sentences.features(model.towers[Modality.TEXT].encoder, cache)
    means = {str(m): torch.stack([features[rows].mean(dim=0) for rows in said]) for m, said in spoken.items()}
    return Batches(media, pairs, features, means)


@torch.no_grad()
def calibrate(
    model: UniMMA, media: Mapping[Modality, Material], sentences: torch.Tensor
) -> dict[str, tuple[float, float]]:
    """The cosine of unrelated pairs, from a sample of the training media and one sentence for each."""
    rng = np.random.default_rng(0)
    embeddings, meanings = {}, {}
    said, told = [], []
    for modality, rows in media.items():
        chosen = rng.choice(len(rows.weight), min(500, len(rows.weight)), replace=False)
        embeddings[modality] = model.towers[modality].head(rows.features[chosen].float()).numpy()
        meanings[modality] = np.array([rows.name[i] for i in chosen])
        said += [rng.choice(rows.sentences[i]) for i in chosen]
        told += [rows.name[i] for i in chosen]
    embeddings[Modality.TEXT] = _text_head(model)(sentences[np.array(said)]).numpy()
    meanings[Modality.TEXT] = np.array(told)
    return null_similarities(embeddings, meanings)


def round_weights(model: UniMMA) -> None:
    """Round everything that a checkpoint stores to float16, so that what is measured is what is shipped."""
    for tower in model.towers.values():
        round_module(tower.head)


def round_module(module: torch.nn.Module) -> None:
    """Round a module's floating-point parameters and buffers to what float16 can hold, in place."""
    with torch.no_grad():
        for tensor in module.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(tensor.half())


def _text_head(model: UniMMA) -> LinearHead:
    head = model.towers[Modality.TEXT].head
    assert isinstance(head, LinearHead)
    return head


def _clip_head(model: UniMMA) -> ClipHead:
    head = model.towers[Modality.VIDEO].head
    assert isinstance(head, ClipHead)
    return head


def _by_modality(batches: Batches) -> dict[Modality, Material]:
    return {Modality(name): material for name, material in batches.media.items()}


def _plain(config: TrainConfig) -> object:
    """The config as JSON; of the data folder only its name, since a checkpoint travels."""
    plain = json.loads(TypeAdapter(TrainConfig).dump_json(config))
    plain["data"]["folder"] = config.data.folder.name if config.data.folder else None
    return plain


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True, help="TOML file of the run")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="such as optim.steps=100")
    parser.add_argument("--output", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--cache", type=Path, default=cache_dir() / "train", help="of features and unfinished work")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
