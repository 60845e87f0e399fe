import math

import pytest

from tests.toy import ToyModel
from unimma.errors import ConfigError
from unimma.gallery import Gallery
from unimma.gallery.where import checked_metadata, to_sql


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    with Gallery.open(tmp_path_factory.mktemp("gallery"), ToyModel()) as gallery:
        fill(gallery)
        yield gallery


def fill(gallery: Gallery) -> None:
    facts = [
        {"year": 1989, "label": "campfire", "kept": True},
        {"year": 1990.5, "label": "rain", "kept": False},
        {"year": "1991", "label": 'it\'s "quoted" $.path'},
        {"label": "campfire", "naïve key.with [signs]": "yes"},
        {},
    ]
    for number, metadata in enumerate(facts):
        gallery.add([f"sentence {number}"], metadata=metadata)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, [0, 1, 2, 3, 4]),
        ({}, [0, 1, 2, 3, 4]),
        ({"label": "campfire"}, [0, 3]),
        ({"label": ["campfire", "rain"]}, [0, 1, 3]),
        ({"label": 'it\'s "quoted" $.path'}, [2]),
        ({"naïve key.with [signs]": "yes"}, [3]),
        ({"year": 1989}, [0]),
        ({"year": {"gte": 1989}}, [0, 1]),
        ({"year": {"gte": 1990, "lte": 1999}}, [1]),
        ({"year": {"gte": "1990"}}, [2]),
        ({"kept": True}, [0]),
        ({"kept": False}, [1]),
        ({"label": "campfire", "year": {"lte": 2000}}, [0]),
        ({"label": "' OR 1 --"}, []),
        ({"' OR 1 --": 1}, []),
        ({"colour": "red"}, []),
    ],
)
def test_a_filter_finds_what_it_says(gallery, where, expected):
    assert [item.title for item in gallery.list(where=where)] == [f"sentence {number}" for number in expected]
    assert gallery.count(where=where) == len(expected)


@pytest.mark.parametrize(
    "where",
    [
        "label", {1: "a"}, {"a": None}, {"a": []}, {"a": {}}, {"a": {"above": 3}}, {"a": {"gte": [1]}},
        {"a": math.nan}, {"a": [math.inf]}, {"a": [["b"]]}, {"a": b"bytes"}, {"a": 2**63},
    ],
)  # fmt: skip
def test_a_filter_that_makes_no_sense_is_refused_with_examples(where):
    with pytest.raises(ConfigError, match="Examples"):
        to_sql(where)


@pytest.mark.parametrize(
    "metadata",
    [
        {"a": None},
        {"a": [1]},
        {"a": {"b": 1}},
        {1: "a"},
        {"": "a"},
        {"a": math.inf},
        {"a": "\ud800"},
        {"\ud800": 1},
        None,
        "a",
        {"a": "b" * 20_001},
        {str(number): number for number in range(101)},
    ],
)
def test_metadata_that_cannot_be_filtered_by_is_refused(metadata):
    with pytest.raises(ConfigError):
        checked_metadata(metadata)
