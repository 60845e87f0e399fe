import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.toy import DIM, ToyModel, load_model
from unimma.cli import main
from unimma.errors import ModelError
from unimma.gallery import Gallery
from unimma.types import Item, Modality

STARTER = [Item(Modality.TEXT, word, text=word, metadata={"source": "starter"}) for word in ("red", "green", "low")]


@pytest.fixture(autouse=True)
def house(tmp_path, monkeypatch):
    """A toy for a model, three sentences for a starter gallery, and a data folder below the test's."""

    def known(name: str) -> ToyModel:
        if name != "bundled":
            raise ModelError(f"model {name!r}", "'bundled'", "Check the name.")
        return load_model(name)

    monkeypatch.setattr("unimma.loading.load_model", known)
    monkeypatch.setattr("unimma.gallery.starter.starter_items", lambda: list(STARTER))
    monkeypatch.setenv("UNIMMA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("UNIMMA_GALLERY", raising=False)
    monkeypatch.delenv("UNIMMA_MODEL", raising=False)


@pytest.fixture
def run(capsys):
    """Runs a command: exit code, standard output, standard error."""

    def run_(*argv: object) -> tuple[int, str, str]:
        code = main([str(arg) for arg in argv])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_


def test_search_answers_with_one_json_object_of_the_promised_shape(run):
    code, out, _ = run("search", "--text", "a red thing", "--k", 2, "--json")
    answer = json.loads(out)
    assert code == 0
    assert list(answer) == ["model", "fingerprint", "query", "hits"]
    assert (answer["model"], answer["fingerprint"]) == ("bundled", ToyModel().fingerprint)
    assert answer["query"] == {"modality": "text", "text": "a red thing"}
    assert [hit["rank"] for hit in answer["hits"]] == [1, 2]
    hit = answer["hits"][0]
    fields = ["rank", "id", "modality", "title", "score", "similarity", "span", "uri", "alike", "exact", "likely"]
    assert list(hit) == fields
    assert (hit["modality"], hit["title"], hit["span"]) == ("text", "red", None)
    assert 0 <= hit["score"] <= 1 and -1 <= hit["similarity"] <= 1
    assert Path(hit["uri"]).read_text(encoding="utf-8") == "red"


@pytest.mark.parametrize(
    ("option", "fixture", "modality"),
    [
        ("--image", "picture", "image"),
        ("--audio", "sound", "audio"),
        ("--audio", "clip", "audio"),
        ("--video", "clip", "video"),
        ("--file", "clip", "video"),
        ("--file", "note", "text"),
    ],
)
def test_each_option_asks_with_its_modality(run, request, option, fixture, modality):
    code, out, err = run("search", option, request.getfixturevalue(fixture), "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["query"]["modality"] == modality


def test_modality_may_be_given_several_times(run, picture, sound, clip):
    run("add", picture, sound, clip)
    code, out, _ = run("search", "--text", "red", "--modality", "image", "--modality", "video", "--json")
    assert code == 0
    assert {hit["modality"] for hit in json.loads(out)["hits"]} == {"image", "video"}


@pytest.mark.parametrize(
    "argv",
    [
        ("search",),
        ("search", "--text", "a", "--image", "b.png"),
        ("search", "--text", ""),
        ("search", "--text", "a", "--k", "0"),
        ("search", "--text", "a", "--k", "many"),
        ("search", "--text", "a", "--modality", "smell"),
        ("search", "--text", "a", "--model", "nonsense"),
        ("search", "--image", "nowhere.png"),
        ("search", "--image", __file__),
        ("serch", "--text", "a"),
        ("add",),
        ("add", "nowhere.png"),
        ("delete", "nothing"),
        ("update", "nothing"),
        ("list", "--where", "year"),
        ("list", "--order", "beauty"),
        ("add", __file__, "--watch"),
        ("import-gallery", "nowhere.zip"),
        ("import-gallery", __file__),
        ("embed", "nowhere.png", "--output", "out.npz"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_line(run, argv, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*argv)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in err
    assert not out or argv[0] in ("add", "delete", "embed")


def test_a_picture_is_no_sound(run, picture):
    code, _, err = run("search", "--audio", picture)
    assert code == 2
    assert "quarters.jpg: a picture; expected a sound" in err


def test_a_gallery_in_use_ends_with_1(run, tmp_path):
    with Gallery.open(tmp_path / "busy", None):
        code, out, err = run("count", "--gallery", tmp_path / "busy")
    assert (code, out) == (1, "")
    assert "open in another" in err


def test_a_new_gallery_is_seeded_and_an_emptied_one_is_not(run, tmp_path):
    assert json.loads(run("count", "--json")[1]) == {
        "count": 3,
        "modalities": {"text": 3, "image": 0, "audio": 0, "video": 0},
    }
    assert (tmp_path / "data" / "gallery" / "items.sqlite").is_file()
    listed = json.loads(run("list", "--json")[1])["items"]
    assert [item["title"] for item in listed] == ["red", "green", "low"]
    assert listed[0]["metadata"] == {"source": "starter"}
    assert run("delete", *(item["id"] for item in listed))[:2] == (0, "3 deleted\n")
    assert run("count")[1].startswith("0 items")
    code, out, err = run("search", "--text", "red")
    assert (code, out) == (0, "")
    assert "Nothing found" in err


def test_add_reports_and_may_leave_the_starter_gallery_out(run, tmp_path, picture, sound):
    code, out, err = run("add", picture, sound, tmp_path / "nowhere.png", "--no-starter", "--json")
    report = json.loads(out)
    assert code == 0
    assert (len(report["added"]), report["already_there"]) == (2, [])
    assert report["refused"][0]["name"] == "nowhere.png"
    assert "nowhere.png" in err
    assert run("add", picture)[:2] == (0, "0 added, 1 already there, 0 refused\n")
    assert json.loads(run("count", "--json")[1])["count"] == 2


def test_the_gallery_may_be_named_by_option_or_environment(run, tmp_path, picture, monkeypatch):
    run("add", picture, "--no-starter", "--gallery", tmp_path / "mine")
    monkeypatch.setenv("UNIMMA_GALLERY", str(tmp_path / "mine"))
    assert json.loads(run("count", "--json")[1])["count"] == 1


def test_tables_for_people_show_titles_as_they_are(run, tmp_path):
    titled = tmp_path / "mine"
    with Gallery.open(titled, ToyModel()) as gallery:
        gallery.add([Item(Modality.TEXT, "[red]bold[/red]", text="red")])
    for argv in (("list",), ("search", "--text", "red")):
        code, out, _ = run(*argv, "--gallery", titled)
        assert code == 0
        assert "[red]bold[/red]" in out


def test_list_pages(run):
    answer = json.loads(run("list", "--offset", 1, "--limit", 1, "--json")[1])
    assert answer["count"] == 3
    assert [item["title"] for item in answer["items"]] == ["green"]


def test_embed_writes_unit_rows_with_what_they_are_of(run, tmp_path, picture, note):
    output = tmp_path / "vectors.npz"
    code, out, err = run("embed", picture, note, tmp_path / "nowhere.png", "--output", output)
    assert (code, out) == (0, "2 embedded, 1 refused\n")
    assert "nowhere.png" in err
    with np.load(output) as arrays:
        assert arrays["embeddings"].dtype == np.float32
        assert arrays["embeddings"].shape == (2, DIM)
        assert np.allclose(np.linalg.norm(arrays["embeddings"], axis=1), 1.0)
        assert np.allclose(arrays["embeddings"], ToyModel().embed([picture, note]))
        assert list(arrays["paths"]) == [str(picture), str(note)]
        assert list(arrays["modalities"]) == ["image", "text"]
        assert str(arrays["fingerprint"]) == ToyModel().fingerprint


def test_models_lists_what_can_be_named(run):
    code, out, _ = run("models", "--json")
    known = {model["name"]: model for model in json.loads(out)["models"]}
    assert code == 0
    assert known["bundled"]["modalities"] == ["text", "image", "audio", "video"]
    told = {"name", "dim", "modalities", "says", "size_mb", "licence", "commercial", "languages"}
    assert all(told <= set(model) and model["size_mb"] > 0 for model in known.values())
    encoders = {encoder["name"]: encoder for encoder in json.loads(out)["encoders"]}
    told = {"modality", "paper", "licence", "commercial", "input", "features", "weights", "verified"}
    assert "minilm" in encoders and all(told <= set(encoder) for encoder in encoders.values())
    table = run("models")[1]
    assert all(name in table for name in (*known, *encoders)), "no name is cut"


def test_a_model_is_loaded_on_the_terms_that_the_command_names(run, monkeypatch):
    asked = list[dict[str, object]]()

    def known(name: str, **terms: object) -> ToyModel:
        asked.append(terms)
        return load_model(name)

    monkeypatch.setattr("unimma.loading.load_model", known)
    assert run("search", "--text", "red", "--accept-license", "--checkpoint", "runs/mine", "--json")[0] == 0
    assert run("count")[0] == 0 and run("search", "--text", "red")[0] == 0
    assert asked == [{"checkpoint": "runs/mine", "accept_license": True}, {}]
    assert "--accept-license" in run("embed", "--help")[1] and "--accept-license" not in run("models", "--help")[1]


def test_help_is_there_for_every_command_and_loads_nothing_heavy():
    code = (
        "import sys; from unimma.cli import main; sys.argv = ['unimma', '--help']; code = main(); "
        "heavy = {'torch', 'chromadb', 'gradio', 'av', 'transformers'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in (
        "search", "add", "list", "update", "delete", "count", "embed", "models", "reembed", "rebuild", "compact",
        "export-gallery", "import-gallery",
    ):  # fmt: skip
        assert command in done.stdout


def test_what_is_added_names_the_folder_it_came_from(run, tmp_path, picture, sound):
    folder = tmp_path / "Holiday 2026"
    folder.mkdir()
    picture.rename(folder / picture.name)
    run("add", folder, sound, "--no-starter")
    listed = json.loads(run("list", "--json")[1])["items"]
    assert [item["metadata"] for item in listed] == [{"source": "Holiday 2026"}, {"source": tmp_path.name}]
    assert [item["num_bytes"] > 0 for item in listed] == [True, True]
    narrowed = json.loads(run("list", "--source", "Holiday 2026", "--json")[1])
    assert narrowed["count"] == 1 and narrowed["items"] == listed[:1]
    assert json.loads(run("list", "--order", "length", "--json")[1])["items"] == listed[::-1]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--where", "year=1990"), ["red"]),
        (("--where", "year>=1990", "--where", "year<2001"), ["red", "green"]),
        (("--where", "place=here=there"), ["green"]),
        (("--label", "warm", "--label", "cold"), ["red", "blue"]),
        (("--where", "added>=2020-01-01", "--descending"), ["blue", "green", "red"]),
        (("--where", "year>2100"), []),
    ],
)
def test_lists_are_narrowed_by_facts(run, tmp_path, options, expected):
    facts = ({"year": 1990, "label": "warm"}, {"year": 2000, "place": "here=there"}, {"year": 2001, "label": "cold"})
    with Gallery.open(tmp_path / "mine", ToyModel()) as gallery:
        for word, metadata in zip(("red", "green", "blue"), facts, strict=True):
            gallery.add([word], metadata=metadata)
    answer = json.loads(run("list", *options, "--gallery", tmp_path / "mine", "--json")[1])
    assert [item["title"] for item in answer["items"]] == expected
    assert answer["count"] == len(expected)


def test_titles_and_captions_are_changed(run):
    item = json.loads(run("list", "--limit", 1, "--json")[1])["items"][0]
    changed = json.loads(run("update", item["id"], "--title", "Rot", "--caption", "a colour", "--json")[1])
    assert (changed["title"], changed["metadata"]) == ("Rot", {"source": "starter", "caption": "a colour"})
    assert "Rot" in run("update", item["id"], "--caption", "")[1]
    assert json.loads(run("list", "--json")[1])["items"][0] == item | {"title": "Rot"}
    assert run("update", "nothing", "--title", "a")[0] == 1


def test_a_gallery_moves_through_a_zip(run, tmp_path, picture):
    run("add", picture)
    assert run("export-gallery", tmp_path / "a.zip")[:2] == (0, "4 exported\n")
    before = json.loads(run("list", "--json")[1])["items"]
    code, out, _ = run("import-gallery", tmp_path / "a.zip", "--gallery", tmp_path / "mine", "--json")
    assert code == 0 and len(json.loads(out)["added"]) == 4
    after = json.loads(run("list", "--gallery", tmp_path / "mine", "--json")[1])["items"]
    assert [item["id"] for item in after] == [item["id"] for item in before]
    assert run("import-gallery", tmp_path / "a.zip", "--gallery", tmp_path / "mine")[1].startswith("0 added, 4 already")


def test_another_model_gets_its_vectors_on_command(run, tmp_path, monkeypatch):
    run("count")
    monkeypatch.setattr("unimma.loading.load_model", lambda name: ToyModel(name, "0123456789ab"))
    assert run("reembed")[:2] == (0, "3 added, 0 already there, 0 refused\n")
    assert run("reembed")[:2] == (0, "0 added, 0 already there, 0 refused\n")
    assert [hit["title"] for hit in json.loads(run("search", "--text", "red", "--json")[1])["hits"]][:1] == ["red"]


def test_a_gallery_is_kept_up(run, tmp_path):
    hits = json.loads(run("search", "--text", "red", "--json")[1])["hits"]
    assert run("rebuild")[0] == 0
    assert run("compact")[0] == 0
    assert not (tmp_path / "data" / "gallery" / "chroma").exists()
    assert json.loads(run("search", "--text", "red", "--json")[1])["hits"] == hits


def test_a_folder_is_watched_until_ctrl_c(run, tmp_path, picture, monkeypatch):
    folder = tmp_path / "watched"
    folder.mkdir()
    looks = iter([lambda: None, lambda: picture.rename(folder / "a.jpg"), lambda: None, (folder / "a.jpg").unlink])

    def wait(seconds: float) -> None:
        try:
            next(looks)()
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("unimma.cli.content.time.sleep", wait)
    code, out, err = run("add", folder, "--watch", "--no-starter")
    assert (code, out) == (0, "")
    assert err.splitlines() == ["Watching; Ctrl-C ends it.", "added: a.jpg", "gone: a.jpg", "No longer watching."]
