"""A run's config: what ships is valid, a typo stops the run and is told the nearest key."""

from pathlib import Path

import pytest

from train.config import read_config
from unimma.errors import ConfigError

CONFIGS = Path(__file__).parent.parent.parent / "train" / "configs"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_config_is_valid(path: Path) -> None:
    assert read_config(path).optim.steps > 0


def test_overrides_are_put_in(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("[optim]\nsteps = 7\n")
    config = read_config(path, ["optim.lr=0.5", "data.folder=somewhere/else", "model.name=mine"])
    assert (config.optim.steps, config.optim.lr) == (7, 0.5)
    assert config.data.folder == Path("somewhere/else")
    assert config.model.name == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[optim]\nstepz = 7\n", r"optim\.stepz.*nearest known key: optim\.steps"),
        ("[distill]\nnum_window = 7\n", r"nearest known key: distill\.num_windows"),
        ("[optim]\nlr = -1.0\n", r"optim\.lr: input should be greater than 0"),
        ("[model]\nnum_layers = 9\n", r"model\.num_layers"),
        ("not toml", "cannot be read"),
    ],
)
def test_a_mistake_stops_the_run_and_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as refused:
        read_config(path)
    assert "run.toml" in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


def test_an_override_without_a_value_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("")
    with pytest.raises(ConfigError, match=r"expected section\.key=value"):
        read_config(path, ["optim.steps"])
