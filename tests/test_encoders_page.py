"""docs/encoders.md: its tables are the registry's, its preset can be read, its own encoder works as a plugin."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.makers import write_picture
from unimma.captions import captions
from unimma.catalogue import read_preset

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "encoders.md").read_text(encoding="utf-8")
(EXAMPLE,) = (block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "@register" in block)
PRESET, ENTRY_POINT = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
OWN = """
name = "colours"
[about]
says = "Pictures by their colours."
size_mb = 1
licence = "MIT"
languages = "none"
[encoders]
image = { name = "mean-colours", fields = 3 }
[heads]
image = { kind = "none" }
"""
USE = """
from pathlib import Path
import unimma
from unimma import catalogue
from unimma.encoders import registry

assert "mean-colours" in registry.names()
(listed,) = (each for each in catalogue.encoders() if each["name"] == "mean-colours")
assert (listed["modality"], listed["licence"], listed["verified"]) == ("image", "MIT", "by eye")
model = unimma.load_model("colours.toml")
assert model.embed(Path("photo.jpg")).shape == (1, 27)
try:
    registry.register("mean-colours")(object)
except unimma.ModelError as error:
    print(error)
"""


def test_the_tables_are_those_of_the_registry():
    command = [sys.executable, "-m", "docs.tables", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_preset_can_be_read(tmp_path: Path):
    (tmp_path / "mine.toml").write_text(PRESET)
    preset = read_preset(tmp_path / "mine.toml")
    assert preset.is_ready and set(preset.through) == {"audio"}


def test_the_number_of_sentences_is_the_real_one():
    assert f"{len(captions()):,}\nsentences" in PAGE


def test_the_class_has_20_lines():
    body = EXAMPLE.partition("@register")[2].partition("\nif __name__")[0]
    assert len([line for line in body.splitlines() if line.strip()]) <= 20


@pytest.mark.parametrize("twice", [False, True])
def test_an_encoder_of_ones_own_is_found_as_an_installed_plugin(tmp_path: Path, twice: bool):
    (tmp_path / "my_encoders.py").write_text(EXAMPLE)
    for number in range(1 + twice):
        info = tmp_path / f"my_encoders{number}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: my-encoders{number}\nVersion: 1.0\n")
        own = ENTRY_POINT.replace("project.entry-points.", "").replace('"unimma.encoders"', "unimma.encoders")
        (info / "entry_points.txt").write_text(own.replace(' = "', " = ").replace('"\n', "\n"))
    (tmp_path / "colours.toml").write_text(OWN)
    write_picture(tmp_path / "photo.jpg")
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    command = [sys.executable, "-c", USE]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "a second encoder named 'mean-colours'; expected a name that is not taken" in done.stdout
