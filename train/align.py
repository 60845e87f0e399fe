"""Train what brings text, pictures, sounds and clips into one space.

python -m train.align --config train/configs/smoke.toml --output runs/smoke                    (minutes, no data)
python -m train.align --config train/configs/bundled.toml --set data.folder=FOLDER --output runs/bundled
torchrun --nproc-per-node 2 -m train.align …                                                   (several processes)
"""

import argparse
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from pydantic import TypeAdapter

from train.build import class_names, round_weights, untrained
from train.calibrate import null_similarities
from train.card import model_card
from train.config import OptimConfig, TrainConfig, read_config
from train.data.parquet import sizes
from train.data.scenes import generator_version
from train.drawing import Supply, lacking
from train.evaluate import as_json, evaluate
from train.features import on_features
from train.gathering import Gathered, gather_clips, gather_towers
from train.loop import fit
from train.material import Material, Rows
from train.publish import push
from train.sentences import Sentences
from train.steps import CHUNK_ROWS, Objective, fit_statistics
from train.student import teach_student
from train.weights import PAIRS, PairLoss
from unimma.encoders.base import fingerprint
from unimma.errors import ConfigError, UnimmaError
from unimma.hub import REPOSITORY
from unimma.model import Tower, UniMMA
from unimma.settings import cache_dir
from unimma.types import Modality

log = logging.getLogger(__name__)
CLIP_STEPS_SHARE = 5  # clips of frames and sound train this many times shorter
CLIP_BATCH = 512  # at most; half of it clips
CLIP_WEIGHT_DECAY = 0.1
CALIBRATION_ROWS = 500  # of each modality
WAITING = timedelta(days=2)  # of the other processes, while the main one teaches the student or fills the cache


def main(argv: Sequence[str] | None = None) -> int:
    """Steps of a run; what was trained, the config and the numbers go into --output."""
    args = _parse(argv)
    # Without a GPU several processes find each other only if they are told that there is none.
    state = PartialState(cpu=not torch.accelerator.is_available(), timeout=WAITING)
    level = logging.INFO if state.is_main_process else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        config = read_config(args.config, args.set)
        if args.push_to_hub and not REPOSITORY.fullmatch(args.push_to_hub):
            raise ConfigError(f"--push-to-hub {args.push_to_hub}", "user/repo", "Check the name.")
        model, skipped = align(config, args.cache, args.output / "checkpoints", resume=args.resume)
        if state.is_main_process:
            save(model, config, skipped, args.output, args.cache)
            if args.push_to_hub:
                print(f"published: {push(args.output, args.push_to_hub)}")
    except UnimmaError as error:
        print(error, file=sys.stderr)
        return 2
    state.wait_for_everyone()
    state.destroy_process_group()
    return 0


def align(
    config: TrainConfig, cache: Path, checkpoints: Path, *, resume: bool = False
) -> tuple[UniMMA, dict[str, str]]:
    """A trained model, and the samples that could not be used.

    The student first, then heads (and encoders that are trainable) on everything, then clips that are made of frames
    and sound on top of these, then calibration.

    Args:
        cache: folder of what is computed once: features, and what the student learns from.
        checkpoints: folder of the two stages' checkpoints.
        resume: go on from these; a stage that is finished is not run again.
    Raises:
        ConfigError: parts that do not fit, or nothing to learn from.
        ModelError: weights that cannot be had.
    """
    state, skipped = PartialState(), dict[str, str]()
    torch.manual_seed(config.optim.seed)
    classes = class_names(config)
    model = untrained(config.model, classes)
    with state.main_process_first():
        if config.distill is not None:
            teach_student(model, config, cache, state.device)
    sentences = Sentences()
    model.to(state.device)
    with state.main_process_first():
        gathered = gather_towers(model, config, classes, sentences, cache)
    run = _fingerprint(model, config)
    pairs = wanted_pairs(config, gathered.train)
    clips = {name: pairs.pop(name) for name in list(pairs) if config.model.encoder(PAIRS[name][0]).of_towers}
    towers = [modality for modality in model.towers if not config.model.encoder(modality).of_towers]
    if pairs:
        text_head = model.towers[Modality.TEXT].head
        fit_statistics(text_head, gathered.train.text)
        text = on_features(text_head, gathered.train.text)
        for modality, material in gathered.train.media.items():
            fit_statistics(model.towers[modality].head, material.features, material, text)
        objective = Objective(model, towers, gathered.train, pairs, config, run)
        skipped |= _fit(objective, gathered, checkpoints, "heads", resume)
        round_weights(model)  # before the clips learn on top of these towers: they must see what will be stored
    media = dict(gathered.train.media)
    if clips:
        model.to(state.device)
        with state.main_process_first():
            gathered = gather_clips(model, config, sentences, cache)
        gentle = replace(config, optim=clip_optim(config.optim), loss=replace(config.loss, teachers=()))
        objective = Objective(model, [Modality.VIDEO], gathered.train, clips, gentle, run)
        skipped |= _fit(objective, gathered, checkpoints, "clips", resume)
        round_weights(model)
        media |= gathered.train.media
    for name, why in skipped.items():
        log.info("skipped %s: %s", name, why)
    log.info("%d samples were skipped", len(skipped))
    model.to("cpu")
    text = sentences.features(model.towers[Modality.TEXT].encoder, cache)
    return UniMMA(replace(model.config, null=calibrate(model, media, text)), model.towers), skipped


def wanted_pairs(config: TrainConfig, supply: Supply) -> dict[str, PairLoss]:
    """What is minimised; captions that say the same are left out where there are none, unless they are asked for."""
    pairs = config.loss.pairs(config.model.modalities)
    if config.loss.text_text is None and lacking("text_text", supply):
        pairs.pop("text_text", None)
    return pairs


def clip_optim(optim: OptimConfig) -> OptimConfig:
    """How clips of frames and sound are trained, far fewer rows on top of trained towers: shorter and more gently."""
    steps, looks = (max(1, number // CLIP_STEPS_SHARE) for number in (optim.steps, optim.evaluate_every))
    return replace(
        optim,
        steps=steps,
        batch_size=min(CLIP_BATCH, optim.batch_size),
        lr=optim.fine_lr,
        weight_decay=CLIP_WEIGHT_DECAY,
        evaluate_every=looks if optim.evaluate_every else 0,
    )


def _fit(objective: Objective, gathered: Gathered, checkpoints: Path, name: str, resume: bool) -> Mapping[str, str]:
    val = gathered.val
    optim = objective.config.optim if val is not None else replace(objective.config.optim, evaluate_every=0)
    report = fit(
        objective,
        optim,
        checkpoints,
        name=name,
        validate=(lambda: objective.score(val)) if val is not None else None,
        resume=resume,
    )
    log.info("%s: %d steps, loss %.3f", name, report.steps, report.loss)
    return report.skipped


def _fingerprint(model: UniMMA, config: TrainConfig) -> str:
    """What decides the run beside [optim]: the config's other tables, the data, and the weights at the start."""
    data = [sorted(sizes(config.data.folder).items()) if config.data.folder else [], generator_version()]
    towers = [part for tower in model.towers.values() for part in (tower.encoder, tower.head)]
    return fingerprint(repr([config.model, config.loss, config.data, data]), *towers)


@torch.no_grad()
def calibrate(model: UniMMA, media: Mapping[Modality, Material], text: torch.Tensor) -> dict[str, tuple[float, float]]:
    """The cosine of unrelated pairs, from a sample of the training media and one sentence for each.

    Args:
        text: features of all sentences by the model's own text encoder, float32 [m, F].
    """
    rng = np.random.default_rng(0)
    embeddings, meanings = {}, {}
    said: list[int] = []
    told: list[str] = []
    for modality, material in media.items():
        known = np.flatnonzero(material.told)
        chosen = rng.choice(known, min(CALIBRATION_ROWS, len(known)), replace=False)
        embeddings[modality] = _embed(model.towers[modality], material, chosen).numpy()
        meanings[modality] = material.name[chosen]
        said += [int(rng.choice(material.sentences[i])) for i in chosen]
        told += material.name[chosen].tolist()
    embeddings[Modality.TEXT] = on_features(model.towers[Modality.TEXT].head, text[said]).numpy()
    meanings[Modality.TEXT] = np.array(told)
    return null_similarities(embeddings, meanings)


def _embed(tower: Tower, material: Material, rows: Rows) -> torch.Tensor:
    if material.media is None:
        return on_features(tower.head, material.features[rows].float())
    parts = np.array_split(rows, max(1, len(rows) // CHUNK_ROWS))
    return torch.cat([tower([tower.encoder.prepare(material.decode(int(i))) for i in part]) for part in parts])


def save(model: UniMMA, config: TrainConfig, skipped: Mapping[str, str], output: Path, cache: Path) -> None:
    """Measure the model on the data folder's val split, if there is one, and write it with its card and config."""
    if config.data.folder is not None:
        model.metrics = as_json(model, "val", evaluate(model, config.data.folder, "val", cache))
    model.card = model_card(model, config, model.metrics)
    model.save_pretrained(output)
    said = _plain(config) | {"skipped": dict(skipped)}
    (output / "train.json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    print(f"{output}: fingerprint {model.fingerprint}")


def _plain(config: TrainConfig) -> dict[str, Any]:
    """The config as JSON; of the data folder only its name, since a checkpoint travels."""
    plain: dict[str, Any] = json.loads(TypeAdapter(TrainConfig).dump_json(config))
    plain["data"]["folder"] = config.data.folder.name if config.data.folder else None
    return plain


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True, help="TOML file of the run")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="such as optim.steps=100")
    parser.add_argument("--output", type=Path, required=True, help="folder for the model and its checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on where a run into the same --output was")
    parser.add_argument("--push-to-hub", metavar="user/repo", help="publish the model when it is done")
    parser.add_argument("--cache", type=Path, default=cache_dir() / "train", help="of features and unfinished work")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
