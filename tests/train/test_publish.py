"""Publishing on the Hugging Face Hub, and back: the real client against a stand-in of the Hub's HTTP API."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load

import unimma
from tests.hub import READER, ROOT, WRITER, Done, Hub, Process, environment
from train.publish import PUBLISHED, hub_card

NAME = "somebody/tiny"
ALWAYS = 99  # as often as the client tries
NUMBERS = {
    "esc50": {
        "zeroshot_top1": {"value": 0.81234567, "low": 0.7, "high": 0.9, "n": 400},
        "text_to_audio_r10": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 20},
        "text_to_audio_median_rank": {"value": 3.0, "low": 2.0, "high": 4.0, "n": 20},
    },
    "tiny-imagenet": {"zeroshot_top5": {"value": 0.7, "low": 0.6, "high": 0.8, "n": 400}},
}
ELSEWHERE = """
import sys, numpy as np, unimma
model = unimma.load_model(sys.argv[1])
sound = unimma.types.Audio(np.load(sys.argv[2]), 44_100)
np.save(sys.argv[3], model.embed(sound))
print(model.fingerprint, model.metrics["fingerprint"], model.card.splitlines()[0])
"""


@pytest.fixture
def folder(tiny: Path, tmp_path: Path) -> Path:
    """As a training run leaves it: model, card, numbers and what it was trained with."""
    shutil.copytree(tiny, tmp_path / "run")
    fingerprint = unimma.load_model(tiny).fingerprint
    metrics = {"model": "tiny", "fingerprint": fingerprint, "split": "val", "sets": NUMBERS}
    (tmp_path / "run" / "metrics.json").write_text(json.dumps(metrics))
    (tmp_path / "run" / "README.md").write_text(f"# tiny\n\nFingerprint `{fingerprint}`.\n\n## Licences\n\nNone.\n")
    (tmp_path / "run" / "train.json").write_text('{"optim": {"steps": 3}}')
    return tmp_path / "run"


@pytest.fixture
def publish(process: Process, folder: Path):
    """Runs the command on that folder."""

    def publish_(*options: str, name: str = NAME, token: str = WRITER) -> Done:
        return process("publish", folder, name, *options, token=token)

    return publish_


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def published(hub: Hub) -> Mapping[str, bytes]:
    return hub.repositories[NAME].commits[hub.repositories[NAME].head]


def front_matter(card: str) -> dict:
    return yaml.safe_load(card.split("---\n")[1])


def test_what_is_published_comes_back_the_same_in_another_process(hub: Hub, publish, folder: Path, tmp_path: Path):
    before = contents(folder)
    done = publish()
    assert done.code == 0
    assert re.fullmatch(rf"{NAME}@[0-9a-f]{{40}}\n", done.out)
    name = done.out.strip()
    assert f"python app.py --model {name}\n" in done.err and f"unimma.load_model('{name}')\n" in done.err
    assert contents(folder) == before, "it is read and stays as it is"
    assert set(published(hub)) == {*PUBLISHED, ".gitattributes"}

    model = unimma.load_model(folder)
    sound = np.random.default_rng(0).normal(scale=0.1, size=44_100).astype(np.float32)
    np.save(tmp_path / "sound.npy", sound)
    said = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, name, tmp_path / "sound.npy", tmp_path / "z.npy"],
        cwd=ROOT,
        env=environment(hub, tmp_path / "home", UNIMMA_CACHE_DIR=str(tmp_path / "cache")),
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split(maxsplit=2) == [model.fingerprint, model.fingerprint, "# tiny\n"]
    assert np.array_equal(np.load(tmp_path / "z.npy"), model.embed(unimma.types.Audio(sound, 44_100)))


def test_small_files_travel_in_the_one_commit_and_large_ones_before_it(hub: Hub, publish):
    publish("--message", "The first")
    assert [each.split("?")[0] for each in hub.asked if each.startswith("P")][:4] == [
        "POST /api/repos/create",
        "POST /api/validate-yaml",
        f"POST /api/models/{NAME}/preupload/main",
        f"POST /{NAME}.git/info/lfs/objects/batch",
    ]
    large = {f"PUT /large/{listed}" for listed in hub.hashes(NAME, "model.safetensors", "model.pt").values()}
    assert sorted(hub.asked[-3:-1]) == sorted(large)
    assert hub.asked[-1] == f"POST /api/models/{NAME}/commit/main"
    assert hub.messages == ["The first"]


def test_pt_is_published_with_the_tensors_of_the_safetensors(hub: Hub, publish):
    publish()
    files = published(hub)
    pt, safe = torch.load(io.BytesIO(files["model.pt"]), weights_only=True), load(files["model.safetensors"])
    assert pt.keys() == safe.keys() and all(torch.equal(pt[key], safe[key]) for key in safe)


def test_publishing_twice_changes_nothing_and_sends_nothing(hub: Hub, publish):
    first = publish()
    hub.asked.clear()
    assert publish().out == first.out
    assert not [each for each in hub.asked if each.startswith("PUT") or "/commit/" in each]


def test_what_is_left_of_an_earlier_model_goes(hub: Hub, publish, folder: Path):
    publish()
    (folder / "train.json").unlink()
    assert publish().code == 0
    assert set(published(hub)) == {*PUBLISHED, ".gitattributes"} - {"train.json"}


def test_the_card_tells_the_hub_what_it_wants_to_know(folder: Path):
    model = unimma.load_model(folder)
    card = hub_card(model, {})
    assert card.endswith(f"---\n\n{model.card}")
    data = front_matter(card)
    assert (data["license"], data["license_name"]) == ("other", "see-licences-in-the-card")
    assert (data["library_name"], data["pipeline_tag"]) == ("unimma", "feature-extraction")
    assert {"unimma", "audio"} <= set(data["tags"]) and "image" not in data["tags"]
    assert data["metrics"] == ["accuracy", "recall"]
    (index,) = data["model-index"]
    assert index["name"] == "tiny" and "datasets" not in data
    values = {metric["name"]: metric["value"] for result in index["results"] for metric in result["metrics"]}
    assert values == {"zero-shot top-1": 0.8123, "text → audio R@10": 0.5, "zero-shot top-5": 0.7}
    names = {result["dataset"]["type"]: result["dataset"]["name"] for result in index["results"]}
    assert names["esc50"] == "esc50" and "not unseen" in names["tiny-imagenet"]
    assert {result["dataset"]["split"] for result in index["results"]} == {"val"}


def test_a_model_without_numbers_has_none_before_its_card(tiny: Path):
    assert not {"model-index", "metrics"} & front_matter(hub_card(unimma.load_model(tiny), {})).keys()


def test_what_the_folders_card_says_to_the_hub_goes_first(hub: Hub, publish, folder: Path):
    card = folder / "README.md"
    card.write_text("---\nlicense: mit\ndatasets: [me/sounds]\nmodel-index: []\n---\n" + card.read_text())
    assert publish().code == 0
    data = front_matter(published(hub)["README.md"].decode())
    assert data["license"] == "mit" and "license_name" not in data
    assert data["datasets"] == ["me/sounds"] and data["library_name"] == "unimma"
    assert data["model-index"][0]["results"]
    assert published(hub)["README.md"].decode().count("\n---\n") == 1


@pytest.mark.parametrize(
    ("token", "name", "said"),
    [
        ("", NAME, "no token, or one that the Hub does not know"),
        ("hf_made_up", NAME, "no token, or one that the Hub does not know"),
        (READER, NAME, f"a token that may not write to {NAME}"),
        (WRITER, "another/tiny", "a token that may not write to another/tiny"),
        (WRITER, "tiny", "the name 'tiny'"),
        (WRITER, "some--body/tiny", "the name 'some--body/tiny'"),
        (WRITER, "../tiny", "the name '../tiny'"),
    ],
)
def test_a_name_or_token_that_the_hub_does_not_take_is_said_in_a_sentence(hub: Hub, publish, token, name, said):
    done = publish(name=name, token=token)
    assert done.code == 2 and not done.out
    assert done.err.startswith(f"{said}; expected ") and done.err.count("\n") == 1
    assert not hub.repositories


@pytest.mark.parametrize("at", ["/large/", "/commit/", "/preupload/", "/objects/batch", "/repos/create"])
def test_an_interrupted_upload_publishes_nothing_and_is_gone_on_with(hub: Hub, publish, at: str):
    hub.break_off("PUT" if at == "/large/" else "POST", at, after=100, times=ALWAYS)
    done = publish()
    assert done.code == 2 and not done.out
    assert done.err.startswith(f"the upload to {NAME} broke off; expected ") and done.err.count("\n") == 1
    assert NAME not in hub.repositories or set(published(hub)) == {".gitattributes"}
    hub.faults.clear()
    hub.asked.clear()
    assert publish().code == 0
    assert set(published(hub)) == {*PUBLISHED, ".gitattributes"}
    assert bool([each for each in hub.asked if each.startswith("PUT")]) == (at != "/commit/"), "sent once"


def test_an_upload_that_breaks_off_once_goes_on_by_itself(hub: Hub, publish):
    hub.break_off("PUT", "/large/", after=1_000_000)
    assert publish().code == 0
    assert len([each for each in hub.asked if each.startswith("PUT")]) == 3


def test_a_second_version_that_breaks_off_leaves_the_first_in_place(hub: Hub, publish, folder: Path):
    first = publish()
    (folder / "train.json").write_text("{}")
    hub.break_off("POST", "/commit/", after=10, times=ALWAYS)
    assert publish().code == 2
    assert f"{NAME}@{hub.repositories[NAME].head}\n" == first.out


def test_a_hub_that_is_down_or_busy_is_said_in_a_sentence(hub: Hub, publish):
    with hub.down():
        done = publish()
    assert done.code == 2 and done.err.startswith(f"the upload to {NAME} broke off; expected ")
    assert done.err.count("\n") == 1
    hub.refused["/preupload/"] = 503
    done = publish()
    assert done.code == 2 and done.err.startswith(f"the Hub refuses {NAME} with the answer 503; expected ")
    assert done.err.count("\n") == 1


def test_private_is_private_or_not_at_all(hub: Hub, publish):
    assert publish("--private").code == 0
    assert hub.repositories[NAME].private
    assert publish("--private").code == 0
    hub.repositories[NAME].private = False
    done = publish("--private", "--message", "Not for everybody")
    assert done.code == 2 and done.err.startswith(f"--private for {NAME}, which is public; expected ")
    assert "Not for everybody" not in hub.messages


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("README.md", "", "run without a model card"),
        ("README.md", "# tiny\n\nFingerprint `0123456789ab`.\n", "README.md of run is about 0123456789ab"),
        ("README.md", "---\na: [\n---\n\n# tiny\n", "README.md of run begins with lines that are no YAML"),
        ("README.md", "---\njust words\n---\n\n# tiny\n", "README.md of run begins with lines that are no YAML"),
        ("README.md", "---\nlicense: other\n---\n\n# tiny\n", "a card whose first lines the Hub does not take"),
        ("metrics.json", '{"fingerprint": "0123456789ab"}', "metrics.json of run is about 0123456789ab"),
        ("metrics.json", "{", "metrics.json of run cannot be read"),
        ("model.safetensors", "{", "model.safetensors of run cannot be read"),
        ("config.json", "{", "config.json of run cannot be read"),
        ("config.json", None, "model 'run'"),
    ],
)
def test_a_folder_that_does_not_hold_together_is_not_published(
    hub: Hub, publish, folder: Path, file: str, content: str | None, said: str
):
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_text(content)
    done = publish()
    assert done.code == 2 and not done.out
    assert done.err.startswith(said) and done.err.count("\n") == 1
    assert str(folder) not in done.err
    assert not [name for repository in hub.repositories.values() for name in published(hub) if name in PUBLISHED]


def test_the_command_itself_ends_in_a_sentence_and_not_in_a_traceback(hub: Hub, folder: Path, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "train.publish", os.path.relpath(folder, ROOT), NAME],
        cwd=ROOT,
        env=environment(hub, tmp_path / "home", HF_TOKEN="hf_made_up"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
