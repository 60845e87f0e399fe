"""The way back and forth through what was asked."""

from dataclasses import replace

from unimma.ui.history import MAX_ENTRIES, History
from unimma.ui.queries import Query


def text(words: str) -> Query:
    return Query("text", words)


def asked(*words: str) -> History:
    history = History()
    for each in words:
        history = history.ask(text(each))
    return history


def test_nothing_asked_leads_nowhere():
    assert History().current is None
    assert not History().can_go_back and not History().can_go_forward
    assert History().go(3) == History()


def test_back_and_forth_by_number():
    history = asked("a", "b", "c")
    assert (history.number, history.can_go_back, history.can_go_forward) == (2, True, False)
    back = history.go(0)
    assert back.current == text("a") and not back.can_go_back and back.can_go_forward
    assert back.go(2) == history
    assert history.go(7) == history and history.go(-1) == history


def test_a_new_query_forgets_what_was_ahead_as_a_browser_does():
    history = asked("a", "b", "c").go(1).ask(text("d"))
    assert [query.value for query in history.entries] == ["a", "b", "d"]
    assert history.number == 2


def test_the_same_query_again_is_no_new_step():
    history = asked("a", "b")
    assert history.ask(text("b")) == history
    assert len(history.ask(text("a")).entries) == 3


def test_numbers_stay_when_the_oldest_are_forgotten():
    history = asked(*(str(number) for number in range(MAX_ENTRIES + 3)))
    assert len(history.entries) == MAX_ENTRIES
    assert history.number == MAX_ENTRIES + 2
    assert history.go(3).current == text("3")
    assert history.go(2) == history  # forgotten


def test_what_is_learnt_of_a_file_is_kept_with_it():
    history = asked("a").ask(Query("file", "/uploads/x/b.png", None))
    known = replace(history.current, preview=b"webp")
    assert history.learnt(known).current is known
    assert history.learnt(known).entries[0] == text("a")
