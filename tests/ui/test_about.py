"""The numbers and terms of the about tab."""

import pytest

from unimma.settings import Limits, Quotas
from unimma.ui.about import measure_name, numbers, terms
from unimma.ui.visit import Library

PROMISES = ("seen by you alone", "Everyone who opens this app finds it", "Nothing can be added here")


def test_numbers_come_with_their_interval_and_count():
    measured = {"value": 0.523, "low": 0.5, "high": 0.546, "n": 2000}
    rank = {"value": 3.0, "low": 2.0, "high": 4.0, "n": 2000}
    shown = str(numbers({"split": "val", "sets": {"tiny-imagenet": {"zeroshot_top1": measured, "median_rank": rank}}}))
    for part in ("tiny imagenet", "zero-shot top-1", "52.3%", "50.0 – 54.6%", "2,000", "median rank", "<td>3</td>"):
        assert part in shown


def test_the_few_numbers_that_say_most_stand_first_beside_both_baselines():
    measured = {"value": 0.523, "low": 0.5, "high": 0.546, "n": 2000}
    other = {"value": 0.407, "low": 0.39, "high": 0.42, "n": 2000}
    metrics = {
        "split": "val",
        "sets": {"tiny-imagenet": {"zeroshot_top1": measured}},
        "baselines": {"conse": {"sets": {"tiny-imagenet": {"zeroshot_top1": other}}}},
        "cost": {"audio_10s_ms": {"value": 1142.3, "low": 1059.0, "high": 1168.0, "n": 11}},
        "headline": [
            {"set": "tiny-imagenet", "measure": "zeroshot_top1", "title": "Tiny", "goal": 0.61, "seen": True},
            {"set": "cost", "measure": "audio_10s_ms", "title": "10 s of sound, ms", "goal": 200, "seen": False},
        ],
    }
    shown = str(numbers(metrics))
    first, _, every = shown.partition("<details>")
    assert "<td>52.3%</td><td>50.0 – 54.6%</td><td>40.7%</td><td></td>" in first and "Tiny *" in first
    assert "not unseen" in first and "<td>1,142</td><td>1,059 – 1,168</td>" in first
    assert "zero-shot top-1" in every and "audio of 10 s, ms" in every
    del metrics["headline"]  # a model measured before there was one
    assert "zero-shot top-1" in str(numbers(metrics))


def test_a_model_without_numbers_says_so():
    assert "No measurements" in str(numbers({"sets": {}}))
    assert "No measurements" in str(numbers({}))


def test_a_measure_is_named_in_words():
    assert measure_name("text_to_image_r5") == "text → image recall@5"


def test_the_limits_shown_are_those_in_force():
    limits = Limits(max_file_bytes=7_000_000, max_audio_seconds=120.0)
    shown = str(terms(limits, Library.SHARED, None, on_space=True))
    assert "up to 7 MB" in shown and "up to 2 minutes" in shown and "disk of this Space" in shown
    assert "Computing for you" not in shown


def test_what_one_visitor_may_cost_is_told_where_it_is_bounded():
    quotas = Quotas(max_visitor_items=12, max_visitor_bytes=34_000_000, max_visitor_seconds=300.0)
    shown = str(terms(Limits(), Library.PRIVATE, quotas, on_space=False))
    assert "up to 12 items, 34 MB" in shown and "up to 5 minutes an hour" in shown
    read_only = str(terms(Limits(), Library.READ_ONLY, quotas, on_space=False))
    assert "12 items" not in read_only and "up to 5 minutes an hour" in read_only


@pytest.mark.parametrize(
    ("library", "promised"),
    [
        (Library.PRIVATE, "seen by you alone"),
        (Library.SHARED, "Everyone who opens this app finds it"),
        (Library.READ_ONLY, "Nothing can be added here"),
    ],
)
def test_where_things_are_kept_is_told_as_it_is_here(library, promised):
    shown = str(terms(Limits(), library, None, on_space=False))
    assert "within 2 minutes of closing this page" in shown and "Nothing is sent anywhere else" in shown
    assert [words for words in PROMISES if words in shown] == [promised]
