"""The bundled model searches the starter gallery: each scene by sentence, picture and sound, as a printed table."""

from collections import defaultdict
from pathlib import Path

import pytest

import unimma
from unimma.gallery.starter import seed
from unimma.types import Item, Modality

FIRST = 5
ROUTES = (
    (Modality.TEXT, Modality.IMAGE),
    (Modality.TEXT, Modality.AUDIO),
    (Modality.IMAGE, Modality.AUDIO),
    (Modality.AUDIO, Modality.VIDEO),
)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> unimma.Gallery:
    with unimma.Gallery.open(tmp_path_factory.mktemp("starter"), unimma.load_model("bundled")) as opened:
        seed(opened)
        yield opened


def drawn(gallery: unimma.Gallery) -> dict[str, dict[Modality, list[Item]]]:
    """The items of each drawn scene, by modality: those that come in all four."""
    scenes: dict[str, dict[Modality, list[Item]]] = defaultdict(lambda: defaultdict(list))
    for item in gallery.list(limit=10_000):
        scenes[str(item.metadata.get("label"))][item.modality].append(item)
    return {name: items for name, items in scenes.items() if set(items) == set(Modality)}


def test_each_scene_is_found_by_sentence_picture_and_sound(gallery: unimma.Gallery) -> None:
    scenes = drawn(gallery)
    rows = {name: [found(gallery, name, items, *route) for route in ROUTES] for name, items in sorted(scenes.items())}
    print(f"\n{'scene':32} " + "  ".join(f"{a} → {b}" for a, b in ROUTES))
    for name, row in rows.items():
        print(f"{name:32} " + "  ".join(f"{'yes' if ok else '-':^13}" for ok in row))
    shares = [sum(row[i] for row in rows.values()) / len(rows) for i in range(len(ROUTES))]
    print(f"{'share of ' + str(len(rows)) + ' scenes':32} " + "  ".join(f"{share:^13.0%}" for share in shares))
    whole = sum(all(row) for row in rows.values()) / len(rows)
    print(f"found by all four: {whole:.0%}")
    assert len(scenes) >= 24
    assert min(shares) >= 0.8


def found(
    gallery: unimma.Gallery, name: str, items: dict[Modality, list[Item]], query: Modality, wanted: Modality
) -> bool:
    """Whether every item of the scene in the one modality finds the scene among the first hits in the other."""
    return all(
        any(
            hit.item.metadata.get("label") == name
            for hit in unimma.search(gallery, item.text or Path(item.uri), k=FIRST, modalities=[wanted])
        )
        for item in items[query]
    )
