"""The door for uploads, and errors as messages."""

import gradio as gr
import pytest
from gradio.utils import get_upload_folder

from unimma.errors import MediaError
from unimma.ui.messages import readable_errors
from unimma.ui.queries import uploaded


@pytest.fixture
def uploads(tmp_path, monkeypatch):
    folder = tmp_path / "uploads"
    (folder / "abc").mkdir(parents=True)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    assert get_upload_folder() == str(folder)
    return folder


def test_an_upload_passes(uploads):
    file = uploads / "abc" / "a.png"
    file.write_bytes(b"x")
    assert uploaded(str(file)) == file.resolve()


def test_everything_else_is_refused_without_naming_a_folder(uploads, tmp_path):
    outside = tmp_path / "secret.png"
    outside.write_bytes(b"x")
    link = uploads / "abc" / "link.png"
    link.symlink_to(outside)
    for path in (outside, link, uploads / "abc" / ".." / ".." / "secret.png", uploads / "abc" / "gone.png", uploads):
        with pytest.raises(MediaError) as refused:
            uploaded(str(path))
        assert str(tmp_path) not in str(refused.value)
    for address in ("http://127.0.0.1/a.png", "file:///etc/passwd", "", "\0"):
        with pytest.raises(MediaError):
            uploaded(address)


def test_our_errors_are_shown_as_they_are_and_others_are_not():
    with pytest.raises(gr.Error, match=r"rain\.wav: empty; expected a sound\. Record it again\."), readable_errors():
        raise MediaError("rain.wav: empty", "a sound", "Record it again.")
    with pytest.raises(gr.Error) as shown, readable_errors():
        raise FileNotFoundError("/srv/secret/file")
    assert "secret" not in shown.value.message
