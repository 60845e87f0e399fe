"""The card of what is being added, and the line that says where files go."""

import pytest

from unimma.ui.adding import MAX_ROWS, card, duration
from unimma.ui.engine import Status
from unimma.ui.jobs import Job, Line
from unimma.ui.status import Clock, forgotten


def job(state: str = "running", *, done: int = 0, total: int = 120, over: bool = False, **facts: object) -> Job:
    made = Job(lambda: None, [""] * total, line=Line(1))
    made.state, made.done = state, done
    for name, value in facts.items():
        setattr(made, name, value)
    if over:
        made._over.set()
    return made


def test_a_card_tells_how_many_how_fast_and_how_long():
    running = job(done=37)
    running._ticks.extend([(0.0, 1), (15.0, 37)])
    shown = str(card(running))
    assert "37 of 120 · 2.4 items/s · about 35 s left" in shown and "Adding…" in shown
    assert 'data-act="pause"' in shown and 'data-act="stop"' in shown


def test_a_paused_card_offers_to_go_on_and_promises_no_time():
    paused = job("paused", done=37)
    paused._ticks.extend([(0.0, 1), (15.0, 37)])
    shown = str(card(paused))
    assert "Paused" in shown and 'data-act="resume"' in shown and "left" not in shown


@pytest.mark.parametrize(("others", "told"), [(0, "Starting…"), (1, "1 other is"), (2, "2 others are")])
def test_a_waiting_card_tells_the_place_in_the_line(others, told):
    waiting = job("waiting")
    waiting._line._waiting.extend([*range(others), waiting])
    assert told in str(card(waiting))


@pytest.mark.parametrize(
    ("state", "added", "there", "refused", "told"),
    [
        ("done", 3, 0, 0, "3 added."),
        ("done", 2, 1, 1, "2 added, 1 already there, 1 refused."),
        ("done", 0, 0, 2, "Nothing was added, 2 refused."),
        ("stopped", 5, 0, 4, "Stopped: 5 added, 4 refused."),
        ("failed", 0, 0, 1, "Ended early: nothing was added, 1 refused."),
    ],
)
def test_the_outcome_is_told_in_one_sentence(state, added, there, refused, told):
    facts = {"added": ["a"] * added, "already_there": ["t"] * there, "refused": [("r", "why")] * refused}
    shown = str(card(job(state, over=True, **facts)))
    assert f">{told}</h2>" in shown and 'data-state="over"' in shown and 'data-act="close"' in shown


def test_an_adding_that_ended_early_says_why():
    assert "over this visit" in str(card(job("failed", over=True, failure="over this visit's 200 items")))


def test_the_refused_are_listed_while_it_runs_and_the_page_stays_bounded():
    names = [(f"{number}.html", f"{number}.html: a web page; expected a picture") for number in range(MAX_ROWS + 20)]
    shown = str(card(job(refused=names)))
    assert "120 refused, and why" in shown and "20 more are in the list" in shown
    assert shown.count("<tr>") == MAX_ROWS and "<td>a web page; expected a picture</td>" in shown


def test_names_of_strangers_are_text():
    assert "<b>" not in str(card(job(refused=[("<b>", "<b>: no")])))


def test_no_card_without_an_adding():
    assert not card(None)


def test_times_to_wait_are_told_as_people_say_them():
    assert [duration(seconds) for seconds in (0.2, 40.4, 300, 7_200)] == ["1 s", "40 s", "5 min", "2 h"]


def test_the_time_left_is_guessed_from_what_passed():
    clock = Clock()
    assert clock.left(Status("filling", "", 10, 110), 100.0) == ""
    assert clock.left(Status("filling", "", 20, 110), 110.0) == "about 2 min left"
    assert clock.left(Status("filling", "", 0, 50), 111.0) == ""  # something else has begun
    assert clock.left(Status("loading", "", 0, 0), 112.0) == ""


def test_what_was_deleted_is_counted():
    assert forgotten(1).startswith("Deleted: 1 item and") and forgotten(1_200).startswith("Deleted: 1,200 items")
    assert forgotten(0) == "Every file of yours is deleted."
