"""Every preset that ships, with tiny random models in the place of its checkpoints, on the road that people take."""

import json
import socket
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unimma
from tests.encoders import tiny_cav_mae, tiny_checkpoints, tiny_joint, tiny_vatt, tiny_vision
from tests.train import tiny
from train.align import main as train
from unimma import catalogue
from unimma.catalogue import presets
from unimma.cli import main
from unimma.encoders.cav_mae import CAVMAE

Write = Callable[[Path], Any]
WRITERS: dict[str, Write] = {  # family of encoders → what writes its checkpoint
    "clap": tiny_checkpoints.clap,
    "clip": lambda folder: write_clip_of(12, folder),  # as wide as the tiny M-CLIP
    "dinov2": lambda folder: tiny_vision.write("dinov2", folder),
    "embeddinggemma-2": tiny_joint.write_embeddinggemma2,
    "flava": tiny_joint.write_flava,
    "m-clip": tiny_checkpoints.m_clip,
    "open-clip": tiny.write_open_clip,
    "pe-av": tiny_joint.write_pe_av,
    "pe-core": lambda folder: tiny_vision.write("pe-core", folder),
    "qwen3-vl": tiny_joint.write_qwen3_vl,
    "sentence-bert": tiny_checkpoints.sentence_bert,
    "videomae": lambda folder: tiny_vision.write("videomae", folder),
    "whisper": tiny_checkpoints.whisper,
}


def write_clip_of(width: int, folder: Path) -> Path:
    network, *others = tiny_vision.clip()
    network.config.projection_dim = width
    for part in (type(network)(network.config), *others):
        part.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """The options that name the tiny checkpoint of an encoder, which is written when it is first asked for."""
    root, written = tmp_path_factory.mktemp("checkpoints"), dict[str, dict[str, Any]]()

    def options(encoder: str) -> dict[str, Any]:
        family = next((name for name in sorted(WRITERS, key=len, reverse=True) if encoder.startswith(name)), None)
        if family is None:
            return {}  # made of others
        if family not in written:
            made = WRITERS[family](root / family)
            written[family] = made if isinstance(made, dict) else {"checkpoint": str(root / family)}
        return written[family]

    return options


@pytest.fixture
def shrunk(checkpoint, tmp_path: Path) -> Callable[[str], Path]:
    """A shipped preset as a file of one's own, with tiny checkpoints in place of its own."""

    def write(name: str) -> Path:
        raw = tomllib.loads((Path(catalogue.__file__).parent / "presets" / f"{name}.toml").read_text())
        told = [json_as_toml(raw | {"encoders": small(raw["encoders"]), "heads": small(raw["heads"])})]
        path = tmp_path / f"{name}.toml"
        path.write_text("\n".join(told), encoding="utf-8")
        return path

    def small(part: Any) -> Any:
        if not isinstance(part, dict):
            return part
        inner = {key: small(value) for key, value in part.items()}
        return inner | checkpoint(part["name"]) if "name" in part else inner

    return write


def json_as_toml(raw: dict[str, Any]) -> str:
    """One key a line, tables inline: TOML and JSON spell the rest alike."""

    def spelt(value: Any) -> str:
        if isinstance(value, dict):
            return "{ " + ", ".join(f"{json.dumps(key)} = {spelt(inner)}" for key, inner in value.items()) + " }"
        return json.dumps(value)

    return "\n".join(f"{key} = {spelt(value)}" for key, value in raw.items())


@pytest.fixture(autouse=True)
def this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reaches for another one fails."""
    connect, look_up, here = socket.socket.connect, socket.getaddrinfo, ("127.0.0.1", "::1", "localhost")

    def connect_here(own: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in here:
            raise OSError("no network in tests")
        connect(own, address)

    def look_up_here(host: Any, *args: Any, **options: Any) -> Any:
        if host not in here:
            raise OSError("no network in tests")
        return look_up(host, *args, **options)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)


@pytest.fixture(autouse=True)
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIMMA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UNIMMA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("UNIMMA_CHECKPOINT", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def items(picture: Path, sound: Path, clip: Path) -> dict[str, Any]:
    return {"text": "a dog barks at the falling rain", "image": picture, "audio": sound, "video": clip}


READY = ("clip", "clip-clap", "compact", "embeddinggemma-2", "flava", "multilingual", "pe-av", "qwen3-vl")


@pytest.mark.parametrize("name", READY)
def test_a_preset_loads_embeds_and_survives_saving(name: str, shrunk, items, tmp_path: Path) -> None:
    model = unimma.load_model(shrunk(name))
    assert model.modalities == set(catalogue.read_preset(name).encoders)
    asked = [items[modality] for modality in sorted(model.modalities)]
    rows = model.embed(asked)
    assert rows.shape == (len(asked), model.dim) and np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    model.save_pretrained(tmp_path / "saved")
    again = unimma.load_model(tmp_path / "saved")
    assert again.fingerprint == model.fingerprint and np.array_equal(again.embed(asked), rows)
    assert ("joined without training" in model.card) == (name in ("clip-clap", "compact"))


def test_cav_mae_waits_for_its_checkpoint_and_its_licence(items, tmp_path: Path) -> None:
    path = tmp_path / "original.pth"
    torch.save(tiny_cav_mae.shaken(CAVMAE(tiny_cav_mae.TINY)).state_dict(), path)
    with pytest.raises(
        unimma.ModelError, match=r"without a checkpoint; expected the path of an original CAV-MAE \.pth"
    ):
        unimma.load_model("cav-mae", accept_license=True)
    with pytest.raises(unimma.ModelError, match="allows no commercial use"):
        unimma.load_model("cav-mae", checkpoint=path)
    model = unimma.load_model("cav-mae", checkpoint=path, accept_license=True)
    assert model.embed([items["image"], items["audio"]]).shape == (2, tiny_cav_mae.TINY.width)


@pytest.mark.parametrize("config", [tiny_vatt.SPECIFIC, tiny_vatt.AGNOSTIC], ids=["specific", "agnostic"])
def test_vatt_loads_a_converted_checkpoint(config: tiny_vatt.Config, items, tmp_path: Path) -> None:
    with pytest.raises(unimma.ModelError, match="the preset vatt without a checkpoint"):
        unimma.load_model("vatt")
    checkpoint = tiny_vatt.write_checkpoint(tmp_path / "converted", config)
    model = unimma.load_model("vatt", checkpoint=checkpoint)
    asked = [items[modality] for modality in sorted(model.modalities)]
    rows = model.embed(asked)
    assert rows.shape == (3, model.dim) and np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    model.save_pretrained(tmp_path / "saved")
    assert unimma.load_model(tmp_path / "saved").fingerprint == model.fingerprint


def test_a_mixed_preset_searches_from_the_command_line(shrunk, picture, sound, clip, note, tmp_path, capsys) -> None:
    preset = shrunk("clip-clap")
    add = ["add", str(picture), str(sound), str(clip), str(note), "--model", str(preset), "--no-starter", "--json"]
    assert main(add) == 0
    assert len(json.loads(capsys.readouterr().out)["added"]) == 4
    for option, path in (("--audio", sound), ("--image", picture), ("--video", clip)):
        assert main(["search", option, str(path), "--model", str(preset), "--json"]) == 0
        hits = json.loads(capsys.readouterr().out)["hits"]
        assert {hit["modality"] for hit in hits} == {"text", "image", "audio", "video"}
        assert next(hit for hit in hits if hit["modality"] == option[2:])["similarity"] > 0.999


def test_a_mixed_preset_searches_in_the_app(shrunk, picture, sound, clip, tmp_path: Path) -> None:
    from gradio_client import Client, handle_file

    from unimma.ui.app import serve
    from unimma.ui.engine import Engine, loader

    engine = Engine(loader(str(shrunk("clip-clap")), tmp_path / "gallery"))
    demo = serve(engine, host="127.0.0.1", port=None)
    try:
        assert engine.wait(120)
        app = Client(demo.local_url, verbose=False)
        files = [handle_file(str(path)) for path in (picture, sound, clip)]
        assert len(app.predict(files, ["a dog barks"], api_name="/add")["added"]) == 4
        found = app.predict(handle_file(str(sound)), 10, None, None, api_name="/search_audio")
        assert found["model"] == "clip-clap" and len(found["hits"]) == 4
        assert next(hit for hit in found["hits"] if hit["modality"] == "audio")["similarity"] > 0.999
    finally:
        demo.close()
        engine.close()


def test_the_training_of_classic_makes_what_the_preset_loads(checkpoint, items, tmp_path: Path, monkeypatch) -> None:
    folder = tiny.write_data(tmp_path / "data")
    overrides = {
        "data.folder": str(folder),
        "data.scene_variations": "0",
        "data.scene_clips": "0",
        "data.motion_clips": "4",
        "model.dim": "16",
        "model.heads.video.hidden": "16",
        "optim.steps": "4",
        "optim.batch_size": "8",
        "optim.evaluate_every": "2",
    }
    for modality, encoder in (
        ("text", "sentence-bert"),
        ("image", "dinov2"),
        ("audio", "whisper"),
        ("video", "videomae"),
    ):
        overrides[f"model.encoders.{modality}.checkpoint"] = checkpoint(encoder)["checkpoint"]
    command = [
        "--config",
        "train/configs/classic.toml",
        "--output",
        str(tmp_path / "run"),
        "--cache",
        str(tmp_path / "c"),
    ]
    for key, value in overrides.items():
        command += ["--set", f"{key}={value}"]
    monkeypatch.setenv("UNIMMA_ACCEPT_LICENSE", "1")
    assert train(command) == 0
    model = unimma.load_model("classic", checkpoint=tmp_path / "run")
    assert model.modalities == {"text", "image", "audio", "video"}
    assert np.isfinite(model.embed([items[modality] for modality in sorted(items)])).all()


def test_every_shipped_preset_is_tried_here_or_says_what_it_waits_for() -> None:
    waiting = {"cav-mae", "classic", "vatt"}
    assert set(presets()) == {*READY, *waiting}
