import threading

import numpy as np
import pytest

from unimma.gallery.exact import ExactIndex


def unit_rows(rng: np.random.Generator, count: int, dim: int = 12) -> np.ndarray:
    rows = rng.standard_normal((count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_it_follows_a_dict_through_additions_and_removals():
    rng = np.random.default_rng(0)
    index, plain = ExactIndex(12), {}
    for step in range(60):
        if plain and rng.random() < 0.4:
            gone = list(rng.choice(list(plain), size=min(len(plain), 5), replace=False))
            index.remove([*gone, "never there"])
            for item_id in gone:
                del plain[item_id]
        else:
            ids = [f"{step}-{i}" for i in range(rng.integers(1, 40))]
            vectors = unit_rows(rng, len(ids))
            index.extend(ids, vectors)
            plain.update(zip(ids, vectors, strict=True))
        query, k = unit_rows(rng, 1)[0], int(rng.integers(1, 12))
        cosines = {item_id: float(vector.astype(float) @ query.astype(float)) for item_id, vector in plain.items()}
        expected = sorted(cosines.items(), key=lambda pair: -pair[1])[:k]
        found = index.nearest(query, k)
        assert [item_id for item_id, _ in found] == [item_id for item_id, _ in expected]
        assert [c for _, c in found] == pytest.approx([c for _, c in expected], abs=1e-6)
        spread, values = index.background(query), list(cosines.values())
        assert spread.num_items == len(index) == len(plain)
        assert spread.mean == pytest.approx(np.mean(values) if values else 0.0, abs=1e-9)
        assert spread.std == pytest.approx(np.std(values) if values else 0.0, abs=1e-6)


def test_among_looks_at_these_alone():
    rng = np.random.default_rng(1)
    index, vectors = ExactIndex(12), unit_rows(rng, 50)
    index.extend([str(i) for i in range(50)], vectors)
    some = {"3", "17", "40", "unknown"}
    found = index.nearest(vectors[17], 10, among=some)
    assert found[0][0] == "17"
    assert {item_id for item_id, _ in found} == {"3", "17", "40"}
    assert index.nearest(vectors[17], 10, among=[]) == []


def test_equal_vectors_come_in_the_order_of_addition():
    rng = np.random.default_rng(2)
    for count in (7, 64, 129, 1000):
        index, vectors = ExactIndex(12), unit_rows(rng, count)
        vectors[::3] = vectors[0]
        index.extend([str(i) for i in range(count)], vectors)
        same = [int(item_id) for item_id, _ in index.nearest(vectors[0], (count + 2) // 3)]
        assert same == list(range(0, count, 3))


def test_an_empty_one_has_no_answer_and_an_emptied_one_forgets_its_rounding():
    index, vectors = ExactIndex(12), unit_rows(np.random.default_rng(3), 9)
    assert index.nearest(vectors[0], 5) == []
    index.extend([str(i) for i in range(9)], vectors)
    index.remove([str(i) for i in range(9)])
    assert index.nearest(vectors[0], 5) == []
    index.extend(["a"], vectors[:1])
    assert index.background(vectors[0]).std < 1e-3


def test_searches_see_whole_states_while_others_add_and_remove():
    rng = np.random.default_rng(4)
    index, vectors = ExactIndex(12), unit_rows(rng, 4000)
    vector_of = {str(i): vector for i, vector in enumerate(vectors)}
    index.extend([str(i) for i in range(100)], vectors[:100])
    errors: list[object] = []

    def change() -> None:
        for start in range(100, 4000, 50):
            ids = [str(i) for i in range(start, start + 50)]
            index.extend(ids, vectors[start : start + 50])
            index.remove(ids[::2])

    def look() -> None:
        while changing.is_alive():
            for item_id, cosine in index.nearest(vectors[0], 20):
                if abs(cosine - float(vector_of[item_id] @ vectors[0])) > 1e-5:
                    errors.append(item_id)

    changing = threading.Thread(target=change)
    looking = [threading.Thread(target=look) for _ in range(3)]
    changing.start()
    for thread in looking:
        thread.start()
    for thread in [changing, *looking]:
        thread.join()
    assert not errors
    assert len(index) == 100 + 3900 // 2
