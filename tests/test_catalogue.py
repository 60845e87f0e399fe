"""Presets: what ships can be read and says what people ask; mixes load; what does not go together is refused."""

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unimma
from tests import spaces
from unimma import catalogue, loading
from unimma.catalogue import About, presets, read_preset
from unimma.encoders import registry
from unimma.errors import ModelError
from unimma.heads import HeadConfig
from unimma.loading import build_model, load_model
from unimma.model import ModelConfig
from unimma.types import Modality, Text

ABOUT = 'says = "for tests"\nsize_mb = 1\nlicence = "none"\nlanguages = "English"\n'
MIXED = f"""
name = "mixed"
dim = 32
[about]
{ABOUT}
[encoders]
text = {{ name = "toy-clip-text" }}
image = {{ name = "toy-clip-image" }}
audio = {{ name = "toy-clap-audio" }}
[heads]
text = {{ kind = "none" }}
image = {{ kind = "none" }}
audio = {{ kind = "map", through = {{ name = "toy-clap-text" }} }}
"""
NAMED = ("horse sheep", "whale tower", "river kitchen")


@pytest.fixture(autouse=True)
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIMMA_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("ACCEPT_LICENSE", "CHECKPOINT"):
        monkeypatch.delenv(f"UNIMMA_{name}", raising=False)


def write(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", presets())
def test_a_shipped_preset_says_what_people_ask_and_names_encoders_that_there_are(name: str) -> None:
    preset = read_preset(name)
    assert preset.name == name and preset.about.says.endswith(".") and preset.about.size_mb > 0
    assert preset.about.licence and preset.about.languages
    known = {each["name"]: each for each in catalogue.encoders()}
    specs = [*preset.encoders.values(), *preset.through.values(), *nested(preset.encoders)]
    assert preset.about.commercial == all(known[spec["name"]]["commercial"] for spec in specs)
    assert all(known[spec["name"]]["modality"] == modality for modality, spec in preset.encoders.items())
    assert all(head.num_features == 0 == head.dim for head in preset.heads.values()), "the encoders tell the widths"
    waits = "{checkpoint}" in str(preset.encoders) or not preset.is_ready
    assert waits == bool(preset.about.checkpoint)


def nested(specs: Any) -> list[dict[str, Any]]:
    return [inner for spec in specs.values() for inner in spec.values() if isinstance(inner, dict)]


def test_a_preset_of_ones_own_joins_two_worlds_and_survives_saving(tmp_path: Path) -> None:
    model = load_model(write(tmp_path, MIXED))
    assert (model.name, model.dim, sorted(model.modalities)) == ("mixed", 32, ["audio", "image", "text"])
    heard = model.embed([spaces.sound(said) for said in NAMED])
    seen = model.embed([spaces.picture(said) for said in NAMED])
    assert ((heard @ seen.T).argmax(axis=1) == np.arange(len(NAMED))).all()
    assert "audio joined without training" in model.card and "held-out ones find themselves" in model.card
    model.save_pretrained(tmp_path / "saved")
    again = load_model(tmp_path / "saved")
    assert again.fingerprint == model.fingerprint and again.card == model.card
    assert np.array_equal(again.embed([spaces.sound(said) for said in NAMED]), heard)
    head = json.loads((tmp_path / "saved" / "config.json").read_text())["heads"]["audio"]
    assert (head["kind"], head["num_features"], head["dim"]) == ("map", 32, 32)


def test_a_second_load_takes_the_bridge_from_the_cache(tmp_path: Path) -> None:
    path, told = write(tmp_path, MIXED), list[str]()
    first = load_model(path, say=lambda what, done, total: told.append(what))
    assert any("Joining two spaces, text: 64 of" in what for what in told)
    told.clear()
    assert load_model(path, say=lambda what, done, total: told.append(what)).fingerprint == first.fingerprint
    assert told == [] and len(list((tmp_path / "cache" / "bridges").glob("*.safetensors"))) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '{ kind = "map", through = { name = "toy-clap-text" } }',
            '{ kind = "none" }',
            "text and audio .* share no space",
        ),
        ('audio = { kind = "map"', 'video = { kind = "map"', "a head or an encoder missing for audio, video"),
        ('through = { name = "toy-clap-text" }', 'through = { name = "minilm" }', "does not share its space"),
        ('through = { name = "toy-clap-text" }', 'through = { name = "toy-clap-audio" }', "bridged through audio"),
        (', through = { name = "toy-clap-text" }', "", "cannot be read .*through"),
        ('name = "toy-clip-image"', 'name = "toy-clip-text"', "an encoder of text for image"),
        ('name = "toy-clip-image"', 'name = "toy-clap-image"', "encoder 'toy-clap-image'; expected one of toy-cl"),
        (
            'name = "toy-clip-image"',
            'name = "toy-clip-image", checkpoint = "other"',
            "text and image .* share no space",
        ),
        (
            'text = { kind = "none" }',
            'text = { kind = "linear" }',
            "without a checkpoint; expected a model that was tr",
        ),
        ("dim = 32", "dim = 32\nspeed = 3", "unknown: speed"),
        ('says = "for tests"', 'sais = "for tests"', "cannot be read .*sais"),
        ("size_mb = 1\n", "size_mb = 900_000_000\n", r"needs 900,000,000 MB of memory; [\d,]+ MB are free"),
        ('name = "mixed"', "name = ", "cannot be read"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_reason(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert MIXED.count(old) == 1
    with pytest.raises(ModelError, match=said) as refused:
        load_model(write(tmp_path, MIXED.replace(old, new)))
    assert str(tmp_path) not in str(refused.value)


def test_a_preset_that_is_not_there_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"the preset away\.toml cannot be read \(No such file") as refused:
        load_model(tmp_path / "away.toml")
    assert str(tmp_path) not in str(refused.value)


def test_encoders_of_different_networks_may_say_that_they_share_a_space(tmp_path: Path) -> None:
    apart = MIXED.replace('{ kind = "map", through = { name = "toy-clap-text" } }', '{ kind = "none" }')
    for name in ("toy-clip-text", "toy-clip-image", "toy-clap-audio"):
        apart = apart.replace(f'name = "{name}"', f'name = "{name}", same_space = "ours"')
    model = load_model(write(tmp_path, apart))
    model.save_pretrained(tmp_path / "saved")
    assert load_model(tmp_path / "saved").fingerprint == model.fingerprint


def test_a_hand_written_config_of_two_spaces_is_refused_too() -> None:
    none = HeadConfig(kind="none", num_features=32, dim=32)
    encoders = {Modality.TEXT: {"name": "toy-clip-text"}, Modality.AUDIO: {"name": "toy-clap-audio"}}
    config = ModelConfig(name="x", dim=32, encoders=encoders, heads=dict.fromkeys(encoders, none))
    with pytest.raises(ModelError, match="text and audio of the model x, whose encoders share no space"):
        build_model(config)


UNFREE = MIXED.replace("toy-clap-audio", "toy-unfree-audio")


def test_weights_without_commercial_use_want_their_licence_accepted(tmp_path: Path, monkeypatch) -> None:
    path = write(tmp_path, UNFREE)
    spaces.encoded.clear()
    with pytest.raises(
        ModelError, match=r"toy, whose licence allows no commercial use \(CC-BY-NC-4\.0\).*--accept-lice"
    ):
        load_model(path)
    assert not spaces.encoded, "nothing was computed, or fetched"
    model = load_model(path, accept_license=True)
    model.save_pretrained(tmp_path / "saved")
    with pytest.raises(ModelError, match="allows no commercial use"):
        load_model(tmp_path / "saved")
    monkeypatch.setenv("UNIMMA_ACCEPT_LICENSE", "1")
    assert load_model(tmp_path / "saved").fingerprint == load_model(path).fingerprint == model.fingerprint
    with pytest.raises(ModelError, match="allows no commercial use"):
        load_model(path, accept_license=False)


def test_other_weights_of_the_same_network_have_their_own_licence(tmp_path: Path) -> None:
    other = '"toy-unfree-audio", checkpoint = "free"'
    text = UNFREE.replace('"toy-unfree-audio"', other).replace(
        '"toy-clap-text"', '"toy-clap-text", checkpoint = "free"'
    )
    assert load_model(write(tmp_path, text)).name == "mixed"


def test_a_licence_inside_another_encoders_options_counts() -> None:
    with pytest.raises(ModelError, match="allows no commercial use"):
        loading._check_terms({"name": "toy-clip-text", "inner": {"name": "toy-unfree-audio"}}, False)


WAITING = (
    MIXED.replace(ABOUT, ABOUT + 'checkpoint = "the weights of that world"\n')
    .replace('"toy-clip-text" }', '"toy-clip-text", checkpoint = "{checkpoint}" }')
    .replace('"toy-clip-image" }', '"toy-clip-image", checkpoint = "{checkpoint}" }')
)


def test_a_preset_waits_for_the_checkpoint_that_it_asks_for(tmp_path: Path, monkeypatch) -> None:
    path = write(tmp_path, WAITING)
    said = (
        r"the preset mixed without a checkpoint; expected the weights of that world\. Name it by --checkpoint, UNIMMA"
    )
    with pytest.raises(ModelError, match=said):
        load_model(path)
    model = load_model(path, checkpoint="other")
    assert model.config.encoders[Modality.TEXT]["checkpoint"] == "other"
    monkeypatch.setenv("UNIMMA_CHECKPOINT", "other")
    assert load_model(path).fingerprint == model.fingerprint
    model.save_pretrained(tmp_path / "saved")
    assert load_model(tmp_path / "saved").fingerprint == model.fingerprint, "it waits for nothing any more"
    for name in (write(tmp_path, MIXED), tmp_path / "saved"):
        with pytest.raises(ModelError, match="expected none: it has its own"):
            load_model(name, checkpoint="other")


def test_classic_says_how_to_train_it_and_then_loads_what_was_trained(tmp_path: Path, tiny: Path) -> None:
    with pytest.raises(ModelError, match=r"python -m train\.align --config (train/configs/classic\.toml)") as refused:
        load_model("classic")
    config = tomllib.loads(Path("train/configs/classic.toml").read_text())["model"]
    preset = read_preset("classic")
    assert {m: spec["name"] for m, spec in config["encoders"].items()} == {
        m: spec["name"] for m, spec in preset.encoders.items()
    }
    assert config["dim"] == preset.dim and "--checkpoint" in str(refused.value)
    assert load_model("classic", checkpoint=tiny).fingerprint == unimma.load_model(tiny).fingerprint


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch) -> None:
    def fails(self: object, *args: object, **options: object) -> None:
        raise ModuleNotFoundError("No module named 'heavy'", name="heavy")

    monkeypatch.setattr(spaces.ClipImage, "__init__", fails)
    with pytest.raises(ModelError, match="encoder toy-clip-image without the package heavy"):
        load_model(write(tmp_path, MIXED))


def test_models_and_encoders_are_listed_without_loading_any() -> None:
    known = {each["name"]: each for each in catalogue.models()}
    assert list(known) == ["bundled", *presets()]
    facts = {"name", "dim", "modalities", *About.__dataclass_fields__}
    assert all(set(each) == facts for each in known.values())
    encoders = {each["name"]: each for each in catalogue.encoders()}
    assert set(encoders) == set(registry.names())
    for each in (encoders[name] for name in registry.shipped()):
        told = [key for key in ("modality", "paper", "licence", "input", "weights", "verified") if not each[key]]
        assert not told, f"{each['name']} does not say its {told}"


def test_free_memory_is_told_where_the_machine_tells_it() -> None:
    free = catalogue.free_memory_mb()
    assert free is None or 10 < free < 100_000_000


def test_sentences_of_mixed_lengths_come_back_in_their_order(tmp_path: Path) -> None:
    model = load_model(write(tmp_path, MIXED))
    items: list[Any] = [f"{said} " * (i % 7 + 1) for i, said in enumerate(NAMED * 30)]
    items[5], items[40], items[41] = spaces.sound("whale"), spaces.picture("river"), Text("lion")
    together = model.embed(items)
    assert np.abs(together - np.concatenate([model.embed([item]) for item in items])).max() < 1e-5
