import math
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.makers import corners, write_picture, write_tone
from tests.toy import DIM, ToyModel
from unimma import settings
from unimma.errors import ConfigError, MediaError, ModelError
from unimma.gallery import Gallery
from unimma.media import decode
from unimma.ranking import PRIOR_WEIGHT
from unimma.retrieval import search
from unimma.types import Audio, Item, Modality, Span, Text


class Ready(ToyModel):
    """Embeds a text "v 17" as row 17 of a matrix: vectors of one's choice in a gallery, quickly."""

    def __init__(self, vectors: np.ndarray) -> None:
        super().__init__("ready")
        self.vectors, self.dim = vectors, vectors.shape[1]

    def embed(self, items):
        return np.stack(
            [self.vectors[int((item if isinstance(item, str) else item.text).split()[1])] for item in items]
        )


def clustered(count: int, dim: int = 16) -> np.ndarray:
    rng = np.random.default_rng(count)
    rows = rng.standard_normal((20, dim))[rng.integers(0, 20, count)] + 0.5 * rng.standard_normal((count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def mixed(tmp_path, picture, sound, clip):
    """A gallery with all four modalities."""
    with Gallery.open(tmp_path / "gallery", ToyModel()) as gallery:
        gallery.add(["red", "a red wall", "green", "low tones", "high", picture, sound, clip])
        yield gallery


def test_scores_are_what_the_definition_says(mixed):
    model = mixed.model
    query = model.embed(["red"])[0].astype(float)
    items = mixed.list()
    vectors = model.embed([decode(item.text if item.text else Path(item.uri)) for item in items]).astype(float)
    hits = {hit.item.id: hit for hit in search(mixed, "red", k=8)}
    for item in items:
        cosines = np.array(
            [v @ query for v, other in zip(vectors, items, strict=True) if other.modality == item.modality]
        )
        similarity = hits[item.id].similarity
        mean, std = model.null_similarity(Modality.TEXT, item.modality)
        weight = PRIOR_WEIGHT + len(cosines)
        usual = (cosines.sum() + PRIOR_WEIGHT * mean) / weight
        spread = math.sqrt((len(cosines) * cosines.var() + PRIOR_WEIGHT * std**2) / weight)
        # kept media are re-encoded, so a picture's vector made from them is a little off
        assert hits[item.id].score == pytest.approx(
            0.5 * math.erfc((usual - similarity) / spread / math.sqrt(2)), abs=0.02
        )


def test_eight_hits_show_all_four_modalities_sorted_by_score(mixed):
    for query in ("red", "low", "a dog"):
        hits = search(mixed, query, k=4)
        assert {hit.item.modality for hit in hits} == set(Modality)
        assert [hit.rank for hit in hits] == [1, 2, 3, 4]
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_every_kind_of_query_works(mixed, picture, sound, clip):
    by_file = search(mixed, picture)
    assert search(mixed, picture.read_bytes()) == by_file
    assert search(mixed, decode(picture)) == by_file
    assert by_file[0].similarity == pytest.approx(1.0, abs=1e-3)
    for query in (sound, clip, "red"):
        assert len(search(mixed, query)) == 8


def test_a_vector_gives_the_same_similarities_and_a_prior_over_all_modalities(mixed):
    vector = mixed.model.embed(["red"])[0]
    for query in (vector, vector.astype(np.float64)):
        asked = {hit.item.id: hit.similarity for hit in search(mixed, query)}
        assert asked == pytest.approx({hit.item.id: hit.similarity for hit in search(mixed, "red")}, abs=1e-6)
    (low,) = [hit for hit in search(mixed, vector) if hit.item.title == "low tones"]
    (also,) = [hit for hit in search(mixed, "red") if hit.item.title == "low tones"]
    assert low.score > also.score  # the mean prior is below that of text and text


@pytest.mark.parametrize(
    "vector", [np.zeros(DIM), np.ones(DIM), np.eye(DIM)[0] * np.nan, np.ones(3) / 3**0.5, np.eye(DIM)[:1]]
)
def test_a_vector_that_is_no_unit_vector_of_the_model_is_refused(mixed, vector):
    with pytest.raises(ConfigError, match="length 1"):
        search(mixed, vector)


def test_modalities_and_where_filter_without_changing_scores(mixed):
    everything = {hit.item.id: hit.score for hit in search(mixed, "red")}
    for modality in Modality:
        hits = search(mixed, "red", modalities=[str(modality)])
        assert {hit.item.modality for hit in hits} == {modality}
        assert all(hit.score == everything[hit.item.id] for hit in hits)
    item = mixed.list()[3]
    mixed.update(item.id, metadata={"mark": 1})
    (hit,) = search(mixed, "red", where={"mark": 1})
    assert (hit.item.id, hit.score) == (item.id, everything[item.id])
    assert search(mixed, "red", where={"mark": 2}) == []
    assert search(mixed, "red", modalities=["image"], where={"mark": 1}) == []


def test_raw_ranking_sorts_by_similarity_and_keeps_the_scores(mixed):
    fair, raw = search(mixed, "red", k=8), search(mixed, "red", k=8, ranking="raw")
    assert [hit.similarity for hit in raw] == sorted((hit.similarity for hit in fair), reverse=True)
    assert {hit.item.id: hit.score for hit in raw} == {hit.item.id: hit.score for hit in fair}


@pytest.mark.parametrize(
    "options",
    [{"k": 0}, {"k": -1}, {"k": 1001}, {"k": 2.5}, {"modalities": []}, {"modalities": ["smell"]}, {"ranking": "best"}],
)
def test_arguments_that_make_no_sense_are_refused(mixed, options):
    with pytest.raises(ConfigError):
        search(mixed, "red", **options)


def test_queries_that_cannot_be_used_are_refused(mixed, tmp_path):
    for query in ("", tmp_path / "nowhere.png", b"\x00\x01"):
        with pytest.raises(MediaError):
            search(mixed, query)
    with (
        Gallery.open(tmp_path / "words", ToyModel(modalities=frozenset({Modality.TEXT}))) as words,
        pytest.raises(ModelError),
    ):
        search(words, Path(mixed.list(Modality.IMAGE)[0].uri))


def test_an_empty_gallery_has_no_answer(tmp_path):
    with Gallery.open(tmp_path / "empty", ToyModel()) as gallery:
        assert search(gallery, "red") == []


def test_above_the_switch_the_index_finds_what_exact_search_finds(tmp_path, monkeypatch):
    vectors = clustered(300)
    with Gallery.open(tmp_path / "gallery", Ready(vectors)) as gallery:
        gallery.add([f"v {i}" for i in range(200)])
        exact = [search(gallery, vectors[i], k=10) for i in range(200, 300)]
        monkeypatch.setattr(settings, "EXACT_SEARCH_UP_TO", 50)
        quick = [search(gallery, vectors[i], k=10) for i in range(200, 300)]
        same = [len({h.item.id for h in a} & {h.item.id for h in b}) for a, b in zip(exact, quick, strict=True)]
        assert np.mean(same) > 9.9
        assert [hits[0] for hits in exact] == [hits[0] for hits in quick]  # similarity and score, too
        gallery.delete([exact[0][0].item.id])
        assert exact[0][0].item.id not in {hit.item.id for hit in search(gallery, vectors[200], k=10)}


def test_equal_items_come_in_the_order_of_addition(tmp_path):
    same = np.repeat(clustered(1), 30, axis=0)
    with Gallery.open(tmp_path / "gallery", Ready(same)) as gallery:
        gallery.add([Item(Modality.TEXT, f"{i}", text=f"v {i}") for i in range(30)])
        assert [hit.item.title for hit in search(gallery, same[0], k=20)] == [str(i) for i in range(20)]


@pytest.fixture
def copies(tmp_path):
    """Three encodings of one picture, another picture, two levels of one sound, another sound, two like sentences."""
    pixels = corners(160, 120)
    paths = [
        write_picture(tmp_path / "one.png", pixels),
        write_picture(tmp_path / "two.jpg", pixels, quality=80),
        write_picture(tmp_path / "three.webp", pixels, quality=60),
        write_picture(tmp_path / "other.png", np.ascontiguousarray(pixels[:, ::-1])),
        write_tone(tmp_path / "loud.wav"),
        write_tone(tmp_path / "quiet.wav", level=0.1),
        write_tone(tmp_path / "high.wav", hz=5_000.0),
    ]
    with Gallery.open(tmp_path / "gallery", ToyModel(), index=False) as gallery:
        gallery.add([*paths, "low", "low!"])
        yield gallery


def titles(hits) -> list[tuple[str, list[str]]]:
    return [(hit.item.title, sorted(item.title for item in hit.alike)) for hit in hits]


def test_near_duplicates_share_one_hit(copies):
    hits = search(copies, "red", modalities=["image"])
    assert [len(hit.alike) for hit in hits] in ([2, 0], [0, 2])
    together = {item.title for hit in hits for item in (hit.item, *hit.alike) if hit.alike}
    assert together == {"one", "two", "three"}
    assert sorted(titles(search(copies, "low", modalities=["audio"]))) == [("high", []), ("loud", ["quiet"])]
    assert all(hit.alike == () for hit in search(copies, "low", modalities=["text"]))
    assert [hit.rank for hit in hits] == [1, 2]


def test_the_best_of_near_duplicates_leads_and_scores_as_without_stacking(copies):
    alone = search(copies, "red", k=20, stack=False)
    assert len(alone) == copies.count() and all(hit.alike == () for hit in alone)
    score = {hit.item.id: hit.score for hit in alone}
    for hit in search(copies, "red", k=20):
        assert hit.score == score[hit.item.id]
        assert all(score[item.id] <= hit.score for item in hit.alike)


def test_as_many_hits_as_asked_for_come_though_copies_crowd(tmp_path):
    rng = np.random.default_rng(5)
    base = rng.integers(0, 255, (12, 16, 3), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    copies = [write_picture(tmp_path / f"copy {i}.jpg", base, quality=30 + i) for i in range(45)]
    blocks = [rng.integers(0, 255, (12, 16, 3), np.uint8).repeat(8, axis=0).repeat(8, axis=1) for _ in range(3)]
    others = [write_picture(tmp_path / f"other {i}.png", pixels) for i, pixels in enumerate(blocks)]
    with Gallery.open(tmp_path / "gallery", ToyModel(), index=False) as gallery:
        gallery.add([*copies, *others])
        hits = search(gallery, copies[0], k=4)
        assert sorted(len(hit.alike) for hit in hits) == [0, 0, 0, 44]
        assert len(search(gallery, copies[0], k=40)) == 4


QUOTED = {
    "red dog": "the dog is red",
    "reddish": "a dogged pursuit of reddish things",
    "caption": "nothing here",
    "green": "green grass",
    "blue": "blue sky, dog below",
}


@pytest.fixture
def said(tmp_path, picture):
    with Gallery.open(tmp_path / "gallery", ToyModel(), index=False) as gallery:
        gallery.add([Item(Modality.TEXT, title, text=text) for title, text in QUOTED.items()])
        gallery.add([Item(Modality.IMAGE, "quarters", uri=str(picture), metadata={"caption": "My Dog, 2026"})])
        yield gallery


def test_items_that_hold_the_quoted_words_come_first(said):
    hits = search(said, 'green "dog"')
    assert [hit.exact for hit in hits] == [True] * 3 + [False] * 3
    assert {hit.item.title for hit in hits[:3]} == {"red dog", "blue", "quarters"}
    assert all(hit.likely for hit in hits[:3])
    for some in (hits[:3], hits[3:]):
        assert [hit.score for hit in some] == sorted((hit.score for hit in some), reverse=True)
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5, 6]


def test_the_sentence_is_embedded_without_its_marks(said):
    plain = {hit.item.id: hit.similarity for hit in search(said, "green dog")}
    assert {hit.item.id: hit.similarity for hit in search(said, 'green "dog"')} == plain
    assert search(said, Text("green “dog”")) == search(said, 'green "dog"')


def test_every_quoted_phrase_has_to_be_held(said):
    assert [hit.item.title for hit in search(said, '"dog" and "sky"') if hit.exact] == ["blue"]
    assert not any(hit.exact for hit in search(said, '"dog sky"'))


def test_quoted_words_obey_modalities_filters_and_number(said):
    assert [hit.item.title for hit in search(said, '"dog"', modalities=["image"])] == ["quarters"]
    hits = search(said, '"dog"', k=2)
    assert [hit.exact for hit in hits] == [True, True]
    said.update(said.list()[1].id, metadata={"mark": 1})
    (hit,) = search(said, '"dog"', where={"mark": 1})
    assert (hit.item.title, hit.exact) == ("reddish", False)
    raw = search(said, 'green "dog"', ranking="raw")
    assert [hit.exact for hit in raw] == [True] * 3 + [False] * 3
    assert [hit.similarity for hit in raw[:3]] == sorted((hit.similarity for hit in raw[:3]), reverse=True)


def test_a_file_is_no_sentence_and_quotes_nothing(said, tmp_path):
    path = tmp_path / "query.txt"
    path.write_text('"dog"', encoding="utf-8")
    assert not any(hit.exact for hit in search(said, path))


def test_an_exact_item_leads_its_copies(tmp_path):
    paths = [
        write_picture(tmp_path / f"{name}.jpg", corners(160, 120), quality=95 - 20 * i) for i, name in enumerate("abc")
    ]
    with Gallery.open(tmp_path / "gallery", ToyModel(), index=False) as gallery:
        gallery.add(paths)
        gallery.update(gallery.ids()[2], title="the dog")
        (hit,) = search(gallery, '"dog"')
        assert (hit.item.title, hit.exact, len(hit.alike)) == ("the dog", True, 2)


def test_what_is_asked_for_is_likely_and_what_is_not_there_is_not(tmp_path):
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((201, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    with Gallery.open(tmp_path / "gallery", Ready(rows), index=False) as gallery:
        gallery.add([f"v {i}" for i in range(200)])
        hits = search(gallery, rows[7], k=5)
        assert [hit.likely for hit in hits] == [True] + [False] * 4
        assert not any(hit.likely for hit in search(gallery, rows[200], k=5))


def long_sound(tmp_path: Path, high_from_s: float, high_to_s: float, seconds: float = 20.0) -> Path:
    rate_hz = 16_000
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    hz = np.where((time_s >= high_from_s) & (time_s < high_to_s), 4_000.0, 200.0)
    waveform = (0.5 * np.sin(2 * np.pi * np.cumsum(hz) / rate_hz)).astype(np.float32)
    path = tmp_path / "long.wav"
    write_wave(path, Audio(waveform, rate_hz))
    return path


def write_wave(path: Path, sound: Audio) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound.rate_hz)
        file.writeframes((sound.waveform * 32_767).astype("<i2").tobytes())


def test_a_hit_in_a_long_sound_points_to_the_place(tmp_path):
    path = long_sound(tmp_path, 8.0, 12.0)
    with Gallery.open(tmp_path / "gallery", ToyModel(), index=False) as gallery:
        gallery.add([path])
        (hit,) = search(gallery, "high")
        assert hit.span is not None
        assert 6.0 <= hit.span.start <= 8.0 and 12.0 <= hit.span.end <= 14.0
        (hit,) = search(gallery, "low")
        assert hit.span is not None and (hit.span.end <= 10.0 or hit.span.start >= 10.0)


def test_a_place_in_a_stretch_of_a_file_is_told_in_the_time_of_the_file(tmp_path):
    path = long_sound(tmp_path, 25.0, 29.0, seconds=40.0)
    with Gallery.open(tmp_path / "gallery", ToyModel(), index=False) as gallery:
        gallery.add([Item(Modality.AUDIO, "a part", uri=str(path), span=Span(10.0, 35.0))])
        (hit,) = search(gallery, "high")
        assert hit.span is not None
        assert 22.0 <= hit.span.start <= 25.0 and 29.0 <= hit.span.end <= 32.0


def test_a_short_sound_is_a_hit_as_a_whole_and_a_short_stretch_keeps_its_own(tmp_path):
    path = long_sound(tmp_path, 0.0, 20.0)
    with Gallery.open(tmp_path / "gallery", ToyModel(), index=False) as gallery:
        gallery.add([write_tone(tmp_path / "short.wav", hz=300.0)])
        gallery.add([Item(Modality.AUDIO, "a part", uri=str(path), span=Span(3.0, 6.0))])
        spans = {hit.item.title: hit.span for hit in search(gallery, "high")}
        assert spans == {"short": None, "a part": Span(3.0, 6.0)}
