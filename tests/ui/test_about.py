"""The numbers and terms of the about tab."""

from unimma.settings import Limits
from unimma.ui.about import measure_name, numbers, terms


def test_numbers_come_with_their_interval_and_count():
    measured = {"value": 0.523, "low": 0.5, "high": 0.546, "n": 2000}
    rank = {"value": 3.0, "low": 2.0, "high": 4.0, "n": 2000}
    shown = str(numbers({"split": "val", "sets": {"tiny-imagenet": {"zeroshot_top1": measured, "median_rank": rank}}}))
    for part in ("tiny imagenet", "zero-shot top-1", "52.3%", "50.0% – 54.6%", "2,000", "median rank", "<td>3</td>"):
        assert part in shown


def test_a_model_without_numbers_says_so():
    assert "No measurements" in str(numbers({"sets": {}}))
    assert "No measurements" in str(numbers({}))


def test_a_measure_is_named_in_words():
    assert measure_name("text_to_image_r5") == "text → image recall@5"


def test_the_limits_shown_are_those_in_force():
    shown = str(terms(Limits(max_file_bytes=7_000_000, max_audio_seconds=120.0), on_space=True))
    assert "up to 7 MB" in shown and "up to 2 minutes" in shown and "Space" in shown
