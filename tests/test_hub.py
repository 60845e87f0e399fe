"""Models of the Hugging Face Hub: pinned, checked, data alone, fetched once. The real client against a stand-in."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import unimma
from tests.hub import READER, Hub, Process
from unimma import loading
from unimma.errors import ModelError

NAME = "somebody/some-model"
TAKEN = {"config.json", "model.safetensors", "README.md", "metrics.json"}
HOSTILE = {
    "pytorch_model.bin": b"a pickle",
    "model.pt": b"a pickle",
    "modeling.py": b"raise SystemExit('code of the model ran')",
}
BREAKS = 99  # as often as the client tries


@pytest.fixture
def name(hub: Hub, tiny: Path) -> str:
    """That of the tiny model on the Hub, beside what nobody should take."""
    revision = hub.add(NAME, {path.name: path.read_bytes() for path in tiny.iterdir()} | HOSTILE)
    return f"{NAME}@{revision}"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def fetched(cache: Path) -> set[str]:
    """What lies where models are loaded from."""
    return {path.name for folder in cache.glob("hub/*/" + "[0-9a-f]" * 40) for path in folder.rglob("*")}


def test_h31_hub_models_are_pinned_by_revision(hub: Hub, process: Process, name: str, tiny: Path, cache: Path):
    """And only data are taken: what a repository holds of code or pickles is neither fetched nor run."""
    fingerprint = loading.load_model(tiny).fingerprint
    assert process("load", name, cache=cache).out.strip() == fingerprint
    assert fetched(cache) == TAKEN | {"hashes.json"}
    assert not [address for address in hub.asked if any(file in address for file in HOSTILE)]
    hub.asked.clear()
    with hub.down():  # what is held needs no Hub
        assert process("load", name, cache=cache).out.strip() == fingerprint
    assert not hub.asked


@pytest.mark.parametrize(
    "revision", ["", "@", "@main", "@v1.0", "@0123456", "@" + "0123456789" * 4 + "0", "@" + "Z" * 40]
)
def test_h31_a_model_without_a_pinned_revision_is_refused_before_anything_is_asked(hub: Hub, process, revision: str):
    done = process("load", NAME + revision)
    assert done.code == 2 and "40 digits of a commit" in done.err
    assert not hub.asked


@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_content_of_another_hash_is_neither_used_nor_kept(hub: Hub, process: Process, name: str, cache: Path, file):
    hub.damaged = {file}
    done = process("load", name, cache=cache)
    assert done.err.startswith(
        f"{file} of {NAME}@{name.split('@')[1][:7]} came with another content; expected the hash "
    )
    assert done.err.count("\n") == 1 and not done.out
    assert not list(cache.rglob(file)) and not fetched(cache)
    hub.damaged = set()
    assert process("load", name, cache=cache).code == 0


def test_a_file_that_goes_bad_on_the_disk_is_fetched_again(hub: Hub, process: Process, name: str, cache: Path):
    said = process("load", name, cache=cache).out
    (weights,) = cache.rglob("model.safetensors")
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with hub.down():
        assert "cannot be fetched" in process("load", name, cache=cache).err
    assert process("load", name, cache=cache).out == said
    assert weights.read_bytes() == content


def test_a_download_that_breaks_off_goes_on(hub: Hub, process: Process, name: str, cache: Path):
    hub.break_off("GET", "/large/", after=1_000_000)
    assert process("load", name, cache=cache).code == 0
    assert len([address for address in hub.asked if address.startswith("GET /large/")]) == 2


def test_a_download_that_keeps_breaking_off_leaves_nothing_to_load(hub: Hub, process: Process, name: str, cache: Path):
    hub.break_off("GET", "/large/", after=0, times=BREAKS)
    done = process("load", name, cache=cache)
    assert done.err.startswith(f"the model {name[:-33]} cannot be fetched; expected an answer")
    assert done.err.count("\n") == 1 and str(cache) not in done.err
    assert not fetched(cache)
    hub.faults.clear()
    assert process("load", name, cache=cache).code == 0


def test_a_commit_that_is_not_there_is_named(process: Process, name: str, cache: Path):
    done = process("load", f"{NAME}@{'f' * 40}", cache=cache)
    assert done.err.startswith("no commit fffffff of somebody/some-model; expected") and done.err.count("\n") == 1


def test_a_model_that_is_not_there_is_named(process: Process, cache: Path):
    done = process("load", f"somebody/nothing@{'f' * 40}", cache=cache)
    assert done.err.startswith("no model somebody/nothing on the Hub; expected") and done.err.count("\n") == 1
    assert "a name that the Hub allows" in process("load", f"some--body/nothing@{'f' * 40}", cache=cache).err


def test_a_repository_that_holds_no_model_is_named(hub: Hub, process: Process, cache: Path):
    done = process("load", f"{NAME}@{hub.add(NAME, {'README.md': b'# hello'})}", cache=cache)
    assert "without config.json and model.safetensors" in done.err and done.err.count("\n") == 1


def test_a_private_model_wants_a_token(hub: Hub, process: Process, tiny: Path, cache: Path):
    files = {path.name: path.read_bytes() for path in tiny.iterdir()}
    name = f"{NAME}@{hub.add(NAME, files, private=True)}"
    assert "a private one wants a token" in process("load", name, cache=cache).err
    done = process("load", name, cache=cache, token="hf_made_up")
    assert done.err.startswith(f"the Hub refuses the token for {name[:-33]}; expected") and done.err.count("\n") == 1
    assert process("load", name, cache=cache, token=READER).code == 0


def test_without_a_network_the_sentence_says_so(hub: Hub, process: Process, name: str, cache: Path):
    with hub.down():
        done = process("load", name, cache=cache)
    assert done.err.startswith(f"the model {name[:-33]} cannot be fetched; expected") and done.err.count("\n") == 1


def test_a_model_that_a_space_has_preloaded_is_not_fetched(hub: Hub, process: Process, name: str, cache: Path):
    """As `preload_from_hub` lays it out: links to files that are named by their hash. A wrong one is not taken."""
    revision = name.split("@")[1]
    place = process.home / "hub" / "models--somebody--some-model"
    (place / "blobs").mkdir(parents=True)
    (place / "snapshots" / revision).mkdir(parents=True)
    files = hub.repositories[NAME].commits[revision]
    for file, listed in hub.hashes(NAME, "config.json", "model.safetensors").items():
        (place / "blobs" / listed).write_bytes(files[file])
        (place / "snapshots" / revision / file).symlink_to(f"../../blobs/{listed}")
    try:
        assert len(process("load", name, cache=cache).out.strip()) == 12
        assert not hub.asked and not fetched(cache)
        (place / "snapshots" / revision / "config.json").write_bytes(b"{}")
        assert len(process("load", name, cache=cache).out.strip()) == 12
        assert fetched(cache)
    finally:
        shutil.rmtree(place)


def test_the_app_opens_a_model_of_the_hub_and_says_when_it_cannot(
    hub: Hub, process: Process, name: str, tiny: Path, cache: Path, tmp_path: Path
):
    with hub.down():
        done = process("open", name, tmp_path / "gallery", cache=cache)
    assert done.code == 2 and done.err.startswith(f"the model {name[:-33]} cannot be fetched; expected")
    done = process("open", name, tmp_path / "gallery", cache=cache)
    assert done.out.strip() == loading.load_model(tiny).fingerprint


def test_the_card_is_shown_without_what_the_hub_reads_before_it(tiny: Path, tmp_path: Path):
    shutil.copytree(tiny, tmp_path / "model")
    (tmp_path / "model" / "README.md").write_text("---\nlicense: mit\n---\n\n# tiny\n\n---\n\nMore.\n")
    assert loading.load_model(tmp_path / "model").card == "# tiny\n\n---\n\nMore.\n"


def test_pt_holds_the_tensors_of_the_safetensors_and_loads_without_code(tiny: Path, tmp_path: Path):
    import torch
    from safetensors.torch import load_file

    loading.load_model(tiny).save_pretrained(tmp_path, pt=True)
    assert not (tiny / "model.pt").exists()  # only where it is asked for
    loaded = torch.load(tmp_path / "model.pt", weights_only=True)
    stored = load_file(tmp_path / "model.safetensors")
    assert loaded.keys() == stored.keys() and all(torch.equal(loaded[key], stored[key]) for key in stored)
    assert {tensor.dtype for tensor in loaded.values()} == {tensor.dtype for tensor in stored.values()}
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors"):  # which is what we read
        loading.load_model(tmp_path)
    sound = unimma.types.Audio(np.sin(np.arange(44_100) / 10).astype(np.float32), 44_100)
    again = loading.load_model(tiny)
    again.load_own_weights(loaded)
    assert np.array_equal(again.embed(sound), loading.load_model(tiny).embed(sound))
