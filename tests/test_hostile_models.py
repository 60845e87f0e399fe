"""Models from strangers: nothing that a checkpoint brings along is ever run."""

import ast
import json
import pickle
from pathlib import Path

import pytest
import torch

import unimma
from unimma.compat import ensure_torch_extensions
from unimma.encoders import efficientnet_lite
from unimma.errors import ModelError

ROOT = Path(__file__).parent.parent
TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


class Payload:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """What a payload that runs leaves behind."""
    return tmp_path / "it-ran"


@pytest.fixture
def poisoned(tmp_path: Path, trace: Path) -> Path:
    torch.save({"weight": torch.zeros(2), "payload": Payload(trace)}, tmp_path / "poisoned.pt")
    return tmp_path / "poisoned.pt"


def test_h30_the_payload_of_these_tests_would_run(poisoned: Path, trace: Path) -> None:
    torch.load(poisoned, weights_only=False)
    assert trace.exists()


def test_h30_a_checkpoint_with_a_pickle_payload_is_refused_and_not_run(
    tmp_path: Path, poisoned: Path, trace: Path
) -> None:
    ensure_torch_extensions()
    import open_clip

    (tmp_path / "tiny-and-poisoned.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(tmp_path / "tiny-and-poisoned.json")
    spec = {"name": "open-clip-text", "model": "tiny-and-poisoned", "pretrained": str(poisoned)}
    head = {"kind": "none", "num_features": 16, "dim": 16}
    config = {"name": "evil", "dim": 16, "encoders": {"text": spec}, "heads": {"text": head}, "null": {}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    with pytest.raises(ModelError, match="open_clip cannot load"):
        unimma.load_model(tmp_path)
    assert not trace.exists()


def test_h30_weights_of_a_package_are_checked_before_they_are_read_and_never_unpickled(
    poisoned: Path, trace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(ModelError, match="SHA-256"):
        patch.setattr("unimma.encoders.weights._installed", lambda file: poisoned)
        efficientnet_lite.EfficientNetLite2Encoder()
    monkeypatch.setattr(efficientnet_lite, "locate", lambda file: poisoned)  # even if the hash were right
    with pytest.raises(pickle.UnpicklingError):
        efficientnet_lite.EfficientNetLite2Encoder()
    assert not trace.exists()


def test_h30_a_pickle_in_the_place_of_safetensors_is_refused(tmp_path: Path, poisoned: Path, trace: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_bytes((ROOT / "assets" / "bundled" / "config.json").read_bytes())
    poisoned.rename(folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"model\.safetensors of model cannot be read"):
        unimma.load_model(folder)
    assert not trace.exists()


def test_h31_code_that_lies_in_a_model_folder_is_not_run(tmp_path: Path, trace: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    code = f"from pathlib import Path; Path({str(trace)!r}).touch()"
    for name in ("modeling_evil.py", "configuration_evil.py", "__init__.py", "setup.py"):
        (folder / name).write_text(code)
    config = json.loads((ROOT / "assets" / "bundled" / "config.json").read_text())
    config |= {"auto_map": {"AutoModel": "modeling_evil.Evil", "AutoConfig": "configuration_evil.Evil"}}
    config |= {"trust_remote_code": True, "custom_pipelines": {"evil": {"impl": "modeling_evil.Evil"}}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes((ROOT / "assets" / "bundled" / "model.safetensors").read_bytes())
    assert unimma.load_model(folder).embed(["red"]).shape == (1, config["dim"])
    assert not trace.exists()


@pytest.mark.parametrize("name", ["os.system", "../../evil", "unimma.cli:main", "http://127.0.0.1/evil.py", ""])
def test_h31_an_encoder_is_one_of_those_that_ship(tmp_path: Path, name: str) -> None:
    config = json.loads((ROOT / "assets" / "bundled" / "config.json").read_text())
    config["encoders"]["text"] = {"name": name}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError):
        unimma.load_model(tmp_path)


def calls() -> list[tuple[str, ast.Call]]:
    """Every call in what ships and in what trains it, with the dotted name that is called."""
    found = []
    for folder in ("unimma", "train"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found += [(ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return found


def keyword(call: ast.Call, name: str) -> object:
    return next((ast.literal_eval(each.value) for each in call.keywords if each.arg == name), None)


def test_h30_all_that_reads_a_checkpoint_says_that_it_takes_weights_alone() -> None:
    loads = [call for name, call in calls() if name == "torch.load"]
    assert loads and all(keyword(call, "weights_only") is True for call in loads)
    assert all(keyword(call, "allow_pickle") in (None, False) for name, call in calls() if name.startswith("np."))


def test_h31_nothing_asks_for_remote_code() -> None:
    names = {name for name, _ in calls()}
    assert not names & {"torch.hub.load", "torch.jit.load", "eval", "exec", "importlib.util.module_from_spec"}
    assert not [name for name, call in calls() if any(each.arg == "trust_remote_code" for each in call.keywords)]
