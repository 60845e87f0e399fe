"""What holds for the house as a whole: its public surface, its pins, and the picture of its rooms."""

import itertools
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import unimma

ROOT = Path(__file__).parent.parent


def requirements(name: str) -> list[Requirement]:
    lines = (line.split(" #")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def test_the_surface_is_what_it_says():
    assert all(callable(getattr(unimma, name)) for name in unimma.__all__)
    assert not {module.name for module in pkgutil.iter_modules(unimma.__path__)} & set(unimma.__all__)


def test_an_unknown_name_is_answered_with_the_known_ones():
    try:
        unimma.serach  # noqa: B018
    except AttributeError as error:
        assert "'serach'" in str(error) and "search" in str(error)
    else:
        raise AssertionError("a misspelt name was found")


def test_importing_the_package_loads_nothing_heavy():
    heavy = {"torch", "gradio", "chromadb", "transformers", "av", "numpy", "PIL"}
    code = f"import sys, unimma; print(*{heavy} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_every_pin_is_exact_and_inside_the_range_that_the_package_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins: dict[str, set[str]] = {}
    for pin in requirements("requirements.txt") + requirements("requirements-dev.txt"):
        (exact,) = pin.specifier
        assert exact.operator == "==", pin
        pins.setdefault(canonicalize_name(pin.name), set()).add(exact.version)
    extras = itertools.chain.from_iterable(project["optional-dependencies"].values())
    for wanted in map(Requirement, [*project["dependencies"], *extras]):
        versions = pins[canonicalize_name(wanted.name)]
        assert all(wanted.specifier.contains(version) for version in versions), f"{wanted}: pinned at {versions}"


def test_the_hosted_pins_and_the_tested_pins_are_one_list():
    app = {canonicalize_name(pin.name) for pin in requirements("requirements.txt")}
    dev = {canonicalize_name(pin.name) for pin in requirements("requirements-dev.txt")}
    assert "-r requirements.txt" in (ROOT / "requirements-dev.txt").read_text().splitlines()
    assert not app & dev


def test_the_drawn_arrows_are_the_real_ones():
    text = (ROOT / "docs" / "architecture.md").read_text()
    (picture,) = re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL)
    drawn = {tuple(arrow) for arrow in re.findall(r"^ *(\w+) --> (\w+)$", picture, re.MULTILINE)}
    alone = set(re.findall(r"^ *(\w+)$", picture, re.MULTILINE))
    rooms = alone.union(*drawn)
    (ground_line,) = re.findall(r"^Ground floor: (.*)$", text, re.MULTILINE)
    ground = set(re.findall(r"`(\w+)`", ground_line))
    graph = grimp.build_graph("unimma", exclude_type_checking_imports=True, cache_dir=None)
    every = {child.removeprefix("unimma.") for child in graph.find_children("unimma")}
    assert rooms | ground == every and not rooms & ground, f"without a place: {every ^ (rooms | ground)}"
    real = {
        (a, b)
        for a, b in itertools.permutations(rooms, 2)
        if graph.direct_import_exists(importer=f"unimma.{a}", imported=f"unimma.{b}", as_packages=True)
    }
    assert drawn == real, f"drawn only: {drawn - real}; in the code only: {real - drawn}"
    upward = {
        (a, b)
        for a, b in itertools.product(ground, rooms)
        if graph.direct_import_exists(importer=f"unimma.{a}", imported=f"unimma.{b}", as_packages=True)
    }
    assert not upward, f"the ground floor stands on {upward}"
