"""The built wheel alone: in an environment elsewhere, with nothing of the checkout in reach, it loads and searches."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SEARCH = """
import json, sys
from pathlib import Path
import unimma
from unimma.gallery.starter import starter_items

model = unimma.load_model("bundled")
scenes = sorted({str(item.metadata["label"]) for item in starter_items() if "label" in item.metadata})
wanted = {scenes[0], scenes[len(scenes) // 2]}
items = [item for item in starter_items() if item.metadata.get("label") in wanted]
with unimma.Gallery.open(Path("gallery"), model) as gallery:
    report = gallery.add(items)
    hits = unimma.search(gallery, scenes[0], k=len(items))
nearest_text = max((hit for hit in hits if hit.item.modality == "text"), key=lambda hit: hit.similarity)
print(json.dumps({
    "package": unimma.__file__,
    "path": sys.path,
    "items": len(items),
    "added": len(report.added),
    "refused": report.refused,
    "modalities": sorted({hit.item.modality for hit in hits}),
    "nearest": nearest_text.item.metadata["label"],
    "asked": scenes[0],
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], check=True)
    (file,) = folder.glob("unimma-*.whl")
    return file


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment with the wheel in it; its dependencies are lent by the one that runs the tests."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "venv", symlinks=os.name != "nt")
    names = {"base": str(folder / "venv"), "platbase": str(folder / "venv")}
    packages = Path(sysconfig.get_path("purelib", scheme="venv", vars=names))
    options = ["--quiet", "--no-deps", "--no-index", "--target", str(packages)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True)
    lent = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "lent.pth").write_text("\n".join(sorted(lent)) + "\n")
    return folder


def run(elsewhere: Path, *arguments: str) -> str:
    """The standard output of that environment's Python, started in a folder far from the checkout."""
    python = Path(sysconfig.get_path("scripts", scheme="venv", vars={"base": str(elsewhere / "venv")})) / "python"
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(python), *arguments],
        cwd=elsewhere,
        env=clean | {"UNIMMA_DATA_DIR": str(elsewhere / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_the_model_the_gallery_and_nothing_of_the_workshop(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"unimma/py.typed", "unimma/assets/bundled/config.json", "unimma/assets/gallery/items.json"} <= names
    assert {name.split("/")[0] for name in names} == {"unimma", f"{wheel.name.split('-py3')[0]}.dist-info"}


def test_installed_elsewhere_it_loads_bundled_and_searches(elsewhere: Path):
    found = json.loads(run(elsewhere, "-c", SEARCH).splitlines()[-1])
    assert Path(found["package"]).is_relative_to(elsewhere)
    assert str(ROOT) not in found["path"]
    assert found["added"] == found["items"] and not found["refused"]
    assert found["modalities"] == ["audio", "image", "text", "video"]
    assert found["nearest"] == found["asked"]


def test_installed_elsewhere_it_brings_its_command(elsewhere: Path):
    assert "search" in run(elsewhere, "-m", "unimma", "--help")
    load = "print(entry_points(group='console_scripts', name='unimma')['unimma'].load().__module__)"
    assert run(elsewhere, "-c", f"from importlib.metadata import entry_points; {load}").strip() == "unimma.cli"
