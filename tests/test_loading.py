"""Models by name: folders go before the Hub, and what a folder says about a model is read with care."""

import json
from pathlib import Path

import pytest

from unimma import loading
from unimma.errors import ModelError
from unimma.settings import assets_dir


def test_a_folder_goes_before_the_hub(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some" / "model").mkdir(parents=True)
    with pytest.raises(ModelError, match="a folder with config"):
        loading.load_model("some/model")


def test_an_encoder_with_options_that_it_does_not_have_is_refused(tmp_path: Path):
    config = json.loads((assets_dir() / "bundled" / "config.json").read_text())
    config["encoders"]["text"] = {"name": "minilm", "trust_remote_code": True}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="trust_remote_code"):
        loading.load_model(tmp_path)


def test_numbers_that_cannot_be_read_are_named(tmp_path: Path):
    (tmp_path / "config.json").write_bytes((assets_dir() / "bundled" / "config.json").read_bytes())
    for broken in ("{", "[1, 2]"):
        (tmp_path / "metrics.json").write_text(broken)
        with pytest.raises(ModelError, match=r"metrics\.json of .* cannot be read"):
            loading.load_model(tmp_path)
