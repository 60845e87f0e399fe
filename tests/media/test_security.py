"""The page on security names tests: they exist, and every case about decoding has one."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def names_of_tests(folder: Path) -> set[str]:
    return {
        name for path in folder.rglob("test_*.py") for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }


def test_the_tests_that_the_page_names_exist() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    files = {path.name for path in (ROOT / "tests").rglob("*.py")}
    functions = names_of_tests(ROOT / "tests")
    named = re.findall(r"`(?:(\w+\.py)(?:::)?)?(test_\w+)?(…)?(?:\[[^]]*\])?`", page)
    assert len([name for _, name, _ in named if name]) > 30
    for file, name, cut in named:
        assert not file or not file.startswith("test_") or file in files, file
        assert not name or name in functions or (cut and any(each.startswith(name) for each in functions)), name


def test_every_hostile_case_about_decoding_has_a_test_of_its_number() -> None:
    numbers = {
        int(number) for name in names_of_tests(ROOT / "tests" / "media") for number in re.findall(r"_h(\d\d)_", name)
    }
    assert numbers >= set(range(1, 23))
