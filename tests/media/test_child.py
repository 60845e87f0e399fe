"""Decoding in a child process gives what decoding here gives; what goes wrong there costs one file."""

import os
import pickle
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from tests.makers import write_animation
from tests.media import doings
from tests.toy import ToyModel
from unimma.errors import ConfigError, MediaError
from unimma.gallery import Gallery
from unimma.gallery.files import MediaFolder
from unimma.gallery.sources import Source, identify, prepare
from unimma.media import child as child_module
from unimma.media import decode, kind_of, wire
from unimma.media.child import Workers
from unimma.media.thumbnail import thumbnail
from unimma.settings import Limits
from unimma.types import Decoded, Modality, Span

T = TypeVar("T")

linux = pytest.mark.skipif(sys.platform != "linux", reason="tells by /proc or pidfd")
QUICK = Limits(max_silent_seconds=3.0)  # long enough for whoever shares the machine with other tests


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(1, Limits()) as warm:
        yield warm


@pytest.fixture
def fresh() -> Iterator[Workers]:
    """One child that may be broken."""
    with Workers(1, Limits()) as warm:
        yield warm


def assert_same(one: Any, other: Any) -> None:
    """Equal in every field, arrays in every number."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)
    elif hasattr(one, "__dataclass_fields__"):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    else:
        assert one == other


def arrays_of(decoded: Decoded | None) -> list[np.ndarray]:
    if decoded is None:
        return []
    own = [value for value in vars(decoded).values() if isinstance(value, np.ndarray)]
    return own + arrays_of(getattr(decoded, "sound", None))


@contextmanager
def ends(pid: int) -> Iterator[None]:
    """The process is there before, and its end comes within or soon after the block."""
    handle = os.pidfd_open(pid)
    try:
        yield
        assert select.select([handle], [], [], 20)[0]
    finally:
        os.close(handle)


def test_every_modality_decodes_there_as_here(
    workers: Workers, note: Path, picture: Path, sound: Path, clip: Path, silent_clip: Path, tmp_path: Path
) -> None:
    moving = write_animation(tmp_path / "moving.gif", [np.full((9, 9, 3), g, np.uint8) for g in (0, 200)], (90, 90))
    for path in (note, picture, sound, clip, silent_clip, moving):
        there = workers.call(decode, path, limits=Limits())
        assert_same(there, decode(path))
        assert not any(array.flags.writeable for array in arrays_of(there))
        assert workers.call(kind_of, path) is kind_of(path)
        assert workers.call(thumbnail, there) == thumbnail(there)
    assert_same(workers.call(decode, clip, modality=Modality.AUDIO), decode(clip, modality=Modality.AUDIO))
    assert_same(workers.call(decode, "a dog barks"), decode("a dog barks"))
    content = picture.read_bytes()
    assert_same(workers.call(decode, content, name="x.jpg"), decode(content, name="x.jpg"))


def test_what_a_gallery_keeps_is_prepared_there_as_here(
    workers: Workers, note: Path, picture: Path, sound: Path, clip: Path, tmp_path: Path
) -> None:
    files, limits, taken = MediaFolder(tmp_path), Limits(), frozenset(Modality)
    sources = [Source(path, metadata={"label": "x"}) for path in (note, picture, sound, clip)]
    for source in [*sources, Source("a dog barks"), Source(clip, span=Span(0.5, 1.5)), Source(clip, Modality.AUDIO)]:
        assert workers.call(identify, source, limits) == identify(source, limits)
        there = workers.call(prepare, source, "id", taken, files, "there", limits)
        here = prepare(source, "id", taken, files, "here", limits)
        assert_same(replace(there, item=replace(there.item, uri=here.item.uri)), here)
        assert Path(there.item.uri).read_bytes() == Path(here.item.uri).read_bytes()
        assert Path(there.item.uri).parent == tmp_path / "staging"


def test_a_refusal_comes_back_as_it_was_raised(workers: Workers, tmp_path: Path, sound: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(50))
    for path, named in ((tmp_path / "broken.jpg", {}), (sound, {"modality": Modality.IMAGE})):
        with pytest.raises(MediaError) as here:
            decode(path, **named)
        with pytest.raises(MediaError) as there:
            workers.call(decode, path, **named)
        assert there.value.args == here.value.args


def test_any_other_error_becomes_a_refusal_that_names_no_folder(
    workers: Workers, picture: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(MediaError, match=r"^quarters\.jpg: cannot be read") as refused:
        workers.call(doings.raise_what_python_raises, picture)
    assert str(picture.parent) not in str(refused.value)
    assert "RuntimeError: no luck" in caplog.text


def test_arrays_come_in_their_types_and_read_only(workers: Workers) -> None:
    for shape in ((3, 4), (0, 3), (1,), (500, 300, 3)):
        there, here = workers.call(doings.numbers, shape), doings.numbers(shape)
        for name, array in here.items():
            assert_same(there[name], array)
            assert not there[name].flags.writeable


def test_other_data_of_the_package_comes_as_it_is(workers: Workers, picture: Path) -> None:
    image, kinds, nothing = workers.call(doings.an_image_and_a_note, picture)
    assert_same(image, decode(picture))
    assert kinds == {Modality.TEXT}
    assert nothing is None


def test_a_relative_path_means_the_same_file_there(
    workers: Workers, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(picture.parent)
    assert_same(workers.call(decode, Path(picture.name)), decode(picture))


def test_what_cannot_be_sent_is_a_mistake_of_the_caller_and_harms_no_child(workers: Workers) -> None:
    before = workers.call(doings.pid)
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        workers.call(lambda: None)
    assert workers.call(doings.pid) == before


def test_a_child_cannot_make_the_app_run_anything(fresh: Workers, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(MediaError, match="its decoder crashed"):
        fresh.call(doings.something_that_is_not_data)
    assert "is not for sending" in caplog.text
    assert fresh.call(doings.size_of, b"next") == 4


def test_what_a_library_prints_goes_nowhere(workers: Workers) -> None:
    assert workers.call(doings.say_much) == "said"


def test_a_large_file_may_be_sent_as_its_content(workers: Workers) -> None:
    assert workers.call(doings.size_of, bytes(5_000_000)) == 5_000_000


def test_a_child_has_no_secret_no_folder_and_nothing_heavy(monkeypatch: pytest.MonkeyPatch, clip: Path) -> None:
    for name in ("HF_TOKEN", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "SPACE_ID", "HOME"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("UNIMMA_MAX_TEXT_CHARS", "7")
    with Workers(1) as own:
        files = MediaFolder(clip.parent)
        own.call(prepare, Source(clip), "id", frozenset(Modality), files, "stem", Limits())
        there = own.call(doings.surroundings)
        with pytest.raises(MediaError, match="at most 7"):
            own.call(decode, "a dog barks")
    assert "secret" not in there["environment"].values()
    assert there["folder"] == ""
    assert not {"torch", "gradio", "chromadb", "transformers"} & set(there["modules"])
    assert there["pid"] != os.getpid()


@pytest.mark.parametrize("deed", [doings.exit_at_once, doings.be_killed, doings.read_address_zero])
def test_h22_a_decoder_that_dies_costs_one_file(fresh: Workers, picture: Path, deed: Any) -> None:
    before = fresh.call(doings.pid)
    with pytest.raises(MediaError, match=r"^quarters\.jpg: its decoder crashed; expected a file that can be decoded"):
        fresh.call(deed, picture)
    assert_same(fresh.call(decode, picture), decode(picture))
    assert fresh.call(doings.pid) != before


@pytest.mark.parametrize("deed", [doings.hang, doings.hang_while_decoding])
def test_h22_a_decoder_that_hangs_is_ended_and_the_next_file_works(picture: Path, deed: Any) -> None:
    with Workers(1, QUICK) as own:
        with (
            ends(own.call(doings.pid)),
            pytest.raises(MediaError, match=r"^quarters\.jpg: its decoder got stuck and was stopped"),
        ):
            own.call(deed, picture)
        assert_same(own.call(decode, picture), decode(picture))


def test_h22_a_decoder_that_comes_to_no_end_is_ended_too(picture: Path) -> None:
    limits = Limits(max_decode_seconds=0.5, max_encode_seconds=0.5, max_silent_seconds=3.0)
    with Workers(1, limits) as own:
        with ends(own.call(doings.pid)), pytest.raises(MediaError, match="got stuck and was stopped"):
            own.call(doings.hang_alive, picture)
        assert own.call(kind_of, picture) is Modality.IMAGE


def test_signs_of_life_keep_a_slow_decoder_alive(picture: Path) -> None:
    with Workers(1, QUICK) as own:
        assert own.call(doings.beat_slowly, picture, 4, QUICK.max_silent_seconds / 3) == "done"


def test_h22_a_decoder_that_swallows_memory_is_refused_and_the_next_file_works(picture: Path) -> None:
    with Workers(1, Limits(max_decode_bytes=400_000_000)) as own:
        before = own.call(doings.pid)
        with pytest.raises(MediaError, match="needs too much memory; expected at most 400 MB"):
            own.call(doings.swallow, 500_000_000)
        assert own.call(doings.swallow, 50_000_000) == 50_000_000
        assert own.call(doings.pid) != before  # memory that was short may have left something broken


@linux
def test_h22_a_picture_beyond_the_memory_of_the_child_is_refused_by_name(tmp_path: Path, picture: Path) -> None:
    from PIL import Image as PIL

    PIL.new("RGBA", (7_000, 7_000), (9, 9, 9, 99)).save(tmp_path / "large.png", compress_level=1)
    with Workers(1, Limits(max_decode_bytes=300_000_000)) as own:
        with pytest.raises(MediaError, match=r"^large\.png: needs more memory than there is"):
            own.call(decode, tmp_path / "large.png")
        assert own.call(decode, picture).modality is Modality.IMAGE


@linux
def test_the_largest_pictures_within_the_limits_fit_into_the_memory_of_a_child(tmp_path: Path) -> None:
    from PIL import Image as PIL

    grey = np.linspace(0, 1, 50_000_000, dtype=np.float32).reshape(5_000, 10_000)
    PIL.fromarray(grey).save(tmp_path / "deep.tiff")
    with Workers(1, Limits(max_file_bytes=300_000_000)) as own:
        limits = Limits(max_file_bytes=300_000_000)
        assert own.call(decode, tmp_path / "deep.tiff", limits=limits).pixels.shape == (5_000, 10_000, 3)


def test_h22_a_gallery_refuses_what_kills_its_decoder_and_keeps_no_trace_of_it(
    fresh: Workers, tmp_path: Path, picture: Path, sound: Path, note: Path
) -> None:
    deadly = [shutil.copy(picture, tmp_path / f"deadly {i}.jpg") for i in (1, 2)]

    def call(function: Callable[..., T], /, *args: Any) -> T:
        return fresh.call(doings.die_at_deadly_names, function, *args)

    with Gallery.open(tmp_path / "gallery", ToyModel(), index=False, call=call) as gallery:
        report = gallery.add([sound, *map(Path, deadly), picture, note])
        assert [name for name, _ in report.refused] == ["deadly 1.jpg", "deadly 2.jpg"]
        assert all("its decoder crashed" in reason for _, reason in report.refused)
        assert {item.title for item in gallery.list()} == {"tone", "quarters", "note"}
        assert list((tmp_path / "gallery" / "staging").iterdir()) == []
        assert len(list((tmp_path / "gallery" / "media").iterdir())) == 3


def test_h22_twenty_threads_and_a_file_in_three_that_kills_its_decoder(picture: Path, sound: Path) -> None:
    with Workers(2, Limits()) as own, ThreadPoolExecutor(20) as pool:

        def one(i: int) -> str:
            if i % 3 == 0:
                with pytest.raises(MediaError, match="its decoder crashed"):
                    own.call(doings.exit_at_once, picture)
                return "crashed"
            return own.call(decode, picture if i % 3 == 1 else sound).name

        done = list(pool.map(one, range(45)))
    assert done == ["crashed", picture.name, sound.name] * 15


@linux
def test_nothing_is_left_of_children_that_died(picture: Path) -> None:
    def held() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), threading.active_count()

    pids = []
    with Workers(1, Limits()) as own:
        own.call(doings.pid)
    before = held()
    with Workers(2, Limits()) as own:
        for _ in range(6):
            pids.append(own.call(doings.pid))
            with pytest.raises(MediaError):
                own.call(doings.exit_at_once, picture)
    assert held() == before
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]  # not even a zombie


def test_a_child_that_dies_between_two_files_is_replaced_unseen(picture: Path) -> None:
    with Workers(1, Limits()) as own:
        first = own.call(doings.pid)
        with ends(first):
            os.kill(first, signal.SIGKILL)
        assert own.call(decode, picture).modality is Modality.IMAGE


def test_a_child_is_replaced_after_a_long_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "_TASKS_OF_A_LIFE", 3)
    with Workers(1, Limits()) as own:
        pids = [own.call(doings.pid) for _ in range(7)]
    assert len(set(pids)) == 3
    assert pids[0] == pids[2] != pids[3] == pids[5] != pids[6]


def test_closing_ends_a_child_at_work_and_its_caller_hears_of_it(picture: Path) -> None:
    own = Workers(1, Limits())
    pid, refused = own.call(doings.pid), list[str]()

    def call() -> None:
        try:
            own.call(doings.hang, picture)
        except MediaError as error:
            refused.append(str(error))

    caller = threading.Thread(target=call)
    caller.start()
    with ends(pid):
        own.close()
    caller.join(20)
    assert len(refused) == 1
    with pytest.raises(MediaError, match="no decoder could be started"):
        own.call(decode, picture)


@linux
def test_children_end_with_an_app_that_is_killed_even_while_they_hang() -> None:
    app = """
import threading
from pathlib import Path
from tests.media import doings
from unimma.media import wire
from unimma.media.child import Workers
idle, busy = Workers(1), Workers(1)
pids = idle.call(doings.pid), busy.call(doings.pid)
threading.Thread(target=busy.call, args=(doings.hang, Path("x")), daemon=True).start()
while not busy._idle.empty():
    threading.Event().wait(0.01)
print(*pids, flush=True)
threading.Event().wait()
"""
    with subprocess.Popen([sys.executable, "-c", app], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        idle, busy = map(int, running.stdout.readline().split())
        with ends(idle), ends(busy):
            running.kill()


@linux
def test_a_thread_that_started_children_may_end_before_them(picture: Path) -> None:
    made: list[Workers] = []
    starter = threading.Thread(target=lambda: made.append(Workers(1, Limits())))
    starter.start()
    starter.join()
    with made[0] as own:
        before = own.call(doings.pid)
        with ThreadPoolExecutor(1) as pool, pytest.raises(MediaError):
            pool.submit(own.call, doings.exit_at_once, picture).result()
        after = own.call(doings.pid)
        assert own.call(doings.pid) == after != before


def test_a_machine_without_resource_limits_or_memory_for_children(
    monkeypatch: pytest.MonkeyPatch, picture: Path
) -> None:
    from unimma.media import inside

    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    inside._bound(1_000)

    def no_process() -> None:
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(child_module, "_process", no_process)
    with Workers(1, Limits()) as own, pytest.raises(MediaError, match=r"quarters\.jpg: no decoder could be started"):
        own.call(decode, picture)


def test_limits_of_children_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIMMA_MAX_SILENT_SECONDS", "2.5")
    monkeypatch.setenv("UNIMMA_MAX_DECODE_BYTES", "900000000")
    assert Limits.from_env() == Limits(max_silent_seconds=2.5, max_decode_bytes=900_000_000)
    monkeypatch.setenv("UNIMMA_MAX_SILENT_SECONDS", "soon")
    with pytest.raises(ConfigError, match="a positive number"):
        Workers(1)


def test_a_message_holds_no_buffer_of_a_stream():
    # Python 3.12.1 crashes where the garbage collector finds one in a cycle, such as that of an error and its frames
    pickled, array = wire.packed(np.zeros(3))
    assert isinstance(pickled.obj, bytes) and array.nbytes == 24
