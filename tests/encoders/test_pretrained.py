"""Loading through libraries: pinned, whole, quiet, and every failure as one sentence with a next step."""

import json
import logging
from pathlib import Path

import httpx2
import pytest
import torch
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RemoteEntryNotFoundError

import unimma
from tests.encoders import tiny_checkpoints as tiny
from tests.hub import Hub, Process
from unimma.encoders.pretrained import REVISIONS, described, half_on_gpu, load_network, loading, pinned, shown
from unimma.encoders.registry import find
from unimma.encoders.transformer_text import BertEncoder
from unimma.errors import ModelError

NAME = "somebody/bert"


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.bert(tmp_path_factory.mktemp("pretrained") / "bert")


def held(bert: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in bert.iterdir()}


def asking_for(folder: Path, checkpoint: str, revision: str | None) -> Path:
    """A model whose text encoder is that checkpoint."""
    encoder = {"name": "bert", "checkpoint": checkpoint, **({"revision": revision} if revision else {})}
    head = {"kind": "none", "num_features": 16, "dim": 16}
    folder.mkdir(exist_ok=True)
    return tiny.model_folder(
        folder, {"name": "t", "dim": 16, "encoders": {"text": encoder}, "heads": {"text": head}, "null": {}}
    )


def test_a_checkpoint_comes_from_the_hub_at_its_commit(hub: Hub, process: Process, bert: Path, tmp_path: Path) -> None:
    commit = hub.add(NAME, held(bert))
    done = process("load", asking_for(tmp_path / "model", NAME, commit))
    assert done.code == 0, done.err
    local = unimma.load_model(asking_for(tmp_path / "local", str(bert), None))
    assert len(done.out.strip()) == len(local.fingerprint)
    assert not done.err  # no bar and no note of a library
    asked = [address for address in hub.asked if "safetensors" in address]
    assert asked and all(commit in address or "/large/" in address for address in asked)


def test_without_a_network_the_sentence_says_so(hub: Hub, process: Process, tmp_path: Path) -> None:
    with hub.down():
        done = process("load", asking_for(tmp_path / "model", "somebody/far-away", None))
    assert done.code == 2 and done.err.count("\n") == 1
    assert done.err.startswith(
        "the model somebody/far-away cannot be fetched; expected an answer of the Hugging Face Hub"
    )


def test_a_model_that_is_not_there_is_named(process: Process, tmp_path: Path) -> None:
    done = process("load", asking_for(tmp_path / "model", "somebody/nothing", None))
    assert done.code == 2 and done.err.startswith("no model somebody/nothing on the Hub") and done.err.count("\n") == 1


def test_a_commit_that_is_not_there_is_named(hub: Hub, process: Process, bert: Path, tmp_path: Path) -> None:
    hub.add(NAME, held(bert))
    done = process("load", asking_for(tmp_path / "model", NAME, "f" * 40))
    assert done.code == 2 and done.err.startswith("no commit fffffff of somebody/bert") and done.err.count("\n") == 1


def test_a_refused_token_is_told(hub: Hub, process: Process, bert: Path, tmp_path: Path) -> None:
    commit = hub.add("somebody/private-bert", held(bert), private=True)
    asking = asking_for(tmp_path / "model", "somebody/private-bert", commit)
    assert "a private one wants a token" in process("load", asking).err
    done = process("load", asking, token="hf_made_up")
    assert done.err.startswith(f"the Hub refuses the token for somebody/private-bert@{commit[:7]}; expected")


def test_a_repository_without_weights_is_told(hub: Hub, process: Process, bert: Path, tmp_path: Path) -> None:
    files = {name: content for name, content in held(bert).items() if not name.endswith("safetensors")}
    commit = hub.add("somebody/hollow", files)
    done = process("load", asking_for(tmp_path / "model", "somebody/hollow", commit))
    assert done.code == 2 and done.err.startswith(f"somebody/hollow@{commit[:7]} cannot be read; expected whole files")


def answer(kind: type[HfHubHTTPError], status: int) -> HfHubHTTPError:
    return kind("the Hub's words", response=httpx2.Response(status, request=httpx2.Request("GET", "https://hub")))


def from_(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


# What a library raises, and how the sentence about it begins and goes on.
RAISED = [
    (from_(OSError("gated"), answer(GatedRepoError, 403)), "the model a/b is given to those alone", "Agree on the"),
    (from_(OSError("no"), answer(HfHubHTTPError, 403)), "the Hub refuses the token for a/b", "into HF_TOKEN"),
    (from_(OSError("no"), answer(HfHubHTTPError, 500)), "the model a/b cannot be fetched", "Check the network"),
    (from_(OSError("no"), httpx2.ConnectError("no")), "the model a/b cannot be fetched", "Check the network"),
    (from_(OSError("no file"), answer(RemoteEntryNotFoundError, 404)), "a/b cannot be read", "Fetch it again"),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "a/b needs more memory", "Choose another one"),
    (torch.OutOfMemoryError("CUDA out of memory"), "a/b needs more memory", "Choose another one"),
    (MemoryError(), "a/b needs more memory", "Choose another one"),
    (Exception("expected value at line 1"), "a/b cannot be read", "Fetch it again"),
    (TypeError("hidden_size"), "a/b cannot be read", "Fetch it again"),
    (ModuleNotFoundError("no", name="sentence_transformers"), "a/b needs the package", "pip install sentence-transf"),
    (
        ModuleNotFoundError("no", name="open_clip.tokenizer"),
        "a/b needs the package open-clip-t",
        "install open-clip-torch",
    ),
    (
        ImportError("T requires the SentencePiece library but it was not"),
        "a/b needs the package sentencepiece",
        "install sent",
    ),
    (
        ImportError("libfoo.so: cannot open\nmore"),
        "a/b needs a package that is not there",
        "pip install unimma[encoders]",
    ),
]


@pytest.mark.parametrize(("raised", "begins", "goes_on"), RAISED, ids=lambda value: repr(value)[:40])
def test_whatever_a_library_raises_is_one_sentence(raised: Exception, begins: str, goes_on: str) -> None:
    with pytest.raises(ModelError) as caught, loading("a/b"):
        raise raised
    assert str(caught.value).startswith(begins) and goes_on in str(caught.value)
    assert caught.value.__cause__ is raised


def test_our_own_errors_stay_as_they_are() -> None:
    own = ModelError("a", "b", "C.")
    with pytest.raises(ModelError) as caught, loading("a/b"):
        raise own
    assert caught.value is own


@pytest.mark.parametrize("name", ["/nowhere/some-bert", "./some-bert", "~/some-bert"])
def test_a_folder_that_is_not_there_is_not_looked_for_on_the_hub(name: str) -> None:
    with pytest.raises(ModelError, match=r"^no folder some-bert; expected"), loading(name):
        raise AssertionError("nothing is loaded")


def test_weights_that_the_library_would_make_up_are_missed(bert: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file
    from transformers import BertModel

    broken = tmp_path / "broken"
    broken.mkdir()
    for name, content in held(bert).items():
        (broken / name).write_bytes(content)
    weights = load_file(bert / "model.safetensors")
    missing = next(name for name in weights if "layer.1.output.dense.weight" in name)
    del weights[missing]
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"^broken lacks 1 of the weights, such as encoder\.layer\.1\.output\.dense"):
        BertEncoder(str(broken))
    with loading(str(broken)):  # what is not asked for may be missing
        spare = ("encoder.layer.1.output.dense.weight",)
        load_network(BertModel, str(broken), None, spare=spare, add_pooling_layer=False)
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps(config | {"hidden_size": 20}))
    with pytest.raises(ModelError, match=r"^broken cannot be read"):
        BertEncoder(str(broken))


def test_another_architecture_is_named(bert: Path) -> None:
    with pytest.raises(ModelError, match=r"^bert is a checkpoint of bert; expected one of llama"):
        find("llama")(str(bert))


def test_default_checkpoints_are_pinned() -> None:
    assert all(len(commit) == 40 for commit in REVISIONS.values())
    assert pinned("google-bert/bert-base-uncased", None) == REVISIONS["google-bert/bert-base-uncased"]
    assert pinned("google-bert/bert-base-uncased", "main") == "main"
    assert pinned("a/b", None) == "main"


def test_names_and_terms_are_those_of_the_checkpoint(bert: Path) -> None:
    assert shown(str(bert)) == "bert" and shown("a/b", "dev") == "a/b@dev"
    assert shown("google-bert/bert-base-uncased") == "google-bert/bert-base-uncased@86b5e09"
    info = BertEncoder.info
    assert described(info, "google-bert/bert-base-uncased", None, features=768, input="x").licence == "Apache-2.0"
    assert BertEncoder(str(bert)).info.licence == "as the checkpoint states"


def test_libraries_speak_again_afterwards() -> None:
    from transformers.utils import logging as library

    before = library.get_verbosity(), library.is_progress_bar_enabled()
    with loading("a/b"):
        assert library.get_verbosity() == logging.ERROR
    assert (library.get_verbosity(), library.is_progress_bar_enabled()) == before


def test_a_processor_computes_as_the_weights_are() -> None:
    with half_on_gpu(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
