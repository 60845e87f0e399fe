import math
from pathlib import Path

import numpy as np
import pytest

from tests.toy import DIM, ToyModel
from unimma import settings
from unimma.errors import ConfigError, MediaError, ModelError
from unimma.gallery import Gallery
from unimma.media import decode
from unimma.ranking import PRIOR_WEIGHT
from unimma.retrieval import search
from unimma.types import Item, Modality


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
