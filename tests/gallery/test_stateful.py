"""A gallery against a plain dict, through whatever people may do to it in whatever order."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from tests.gallery.victim import Turned
from tests.toy import ToyModel
from unimma import settings as unimma_settings
from unimma.errors import GalleryError
from unimma.gallery import Gallery

WORDS = st.lists(st.sampled_from(["red", "green", "blue", "low", "high", "cat"]), min_size=1, max_size=3).map(" ".join)
MODELS = (ToyModel(), Turned())


class GalleryMachine(RuleBasedStateMachine):
    """`items`: what is there, in the order of addition: id → words, title. `thrown`: the same, of the trash."""

    ids = Bundle("ids")

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.model = MODELS[0]
        self.gallery = Gallery.open(self.folder, self.model)
        self.items: dict[str, tuple[str, str]] = {}
        self.thrown: dict[str, tuple[int, tuple[str, str]]] = {}
        self.place: dict[str, int] = {}  # positions as they were given out
        self.embedded: dict[str, set[str]] = {}  # id → models that it has a vector of

    def teardown(self) -> None:
        self.gallery.close()
        shutil.rmtree(self.folder)

    @rule(target=ids, words=st.lists(WORDS, min_size=1, max_size=4))
    def add(self, words: list[str]):
        report = self.gallery.add(words)
        for item_id in report.added:
            if item_id not in self.items:
                text = next(w for w in words if self.gallery.get(item_id).text == w)
                self.items[item_id] = (text, text)
                self.place[item_id] = max(self.place.values(), default=0) + 1
                self.embedded[item_id] = set()
            assert self.model.name not in self.embedded[item_id]
            self.embedded[item_id].add(self.model.name)
        assert set(report.already_there) <= set(self.items) and not report.refused
        return multiple(*report.added)

    @rule(some=st.lists(ids, max_size=3, unique=True))
    def delete(self, some: list[str]) -> None:
        there = {i for i in some if i in self.items or i in self.thrown}
        assert self.gallery.delete(some) == len(there)
        for item_id in there:
            self.items.pop(item_id, None)
            self.thrown.pop(item_id, None)

    @rule(some=st.lists(ids, max_size=3, unique=True))
    def trash(self, some: list[str]) -> None:
        there = [i for i in some if i in self.items]
        assert self.gallery.trash(some) == len(there)
        for item_id in there:
            self.thrown[item_id] = (self.place[item_id], self.items.pop(item_id))

    @rule(some=st.lists(ids, max_size=3, unique=True))
    def restore(self, some: list[str]) -> None:
        back = [i for i in some if i in self.thrown and i not in self.items]
        assert self.gallery.restore(some) == len(back)
        for item_id in some:
            if item_id in self.thrown:
                place, facts = self.thrown.pop(item_id)
                if item_id in back:
                    self.items[item_id], self.place[item_id] = facts, place

    @rule()
    def purge(self) -> None:
        assert self.gallery.purge() == len(self.thrown)
        self.thrown.clear()

    @rule(item_id=ids, title=WORDS)
    def update(self, item_id: str, title: str) -> None:
        if item_id in self.items:
            assert self.gallery.update(item_id, title=title).title == title
            self.items[item_id] = (self.items[item_id][0], title)
        else:
            with pytest.raises(GalleryError):
                self.gallery.update(item_id, title=title)

    @rule()
    def reembed(self) -> None:
        missing = [i for i in self.items if self.model.name not in self.embedded[i]]
        assert sorted(self.gallery.reembed().added) == sorted(missing)
        for item_id in self.items:
            self.embedded[item_id] = {self.model.name}
        for item_id in self.thrown:
            self.embedded[item_id] &= {self.model.name}

    @rule(model=st.sampled_from(MODELS), index=st.booleans())
    def reopen(self, model: ToyModel, index: bool) -> None:
        self.gallery.close()
        self.model = model
        self.gallery = Gallery.open(self.folder, model, index=index)
        self.thrown.clear()

    @rule()
    def compact(self) -> None:
        self.gallery.compact()

    @rule()
    def rebuild(self) -> None:
        self.gallery.rebuild()

    @rule(item_id=consumes(ids))
    def forget(self, item_id: str) -> None:
        """So that fewer of the rules above are tried on what has long been gone."""

    @invariant()
    def it_lists_what_the_dict_holds(self) -> None:
        order = sorted(self.items, key=self.place.__getitem__)
        listed = self.gallery.list(limit=1000)
        assert [item.id for item in listed] == order
        assert [(item.text, item.title) for item in listed] == [self.items[item_id] for item_id in order]
        assert self.gallery.count() == len(order)
        assert self.gallery.missing() == sum(self.model.name not in self.embedded[i] for i in order)

    @invariant()
    def it_finds_what_the_dict_would(self) -> None:
        query = self.model.embed(["red"])[0]
        there = [i for i in self.items if self.model.name in self.embedded[i]]
        expected = {
            i: float(self.model.embed([self.items[i][0]])[0].astype(float) @ query.astype(float)) for i in there
        }
        for limit in (0, 1000):
            before, unimma_settings.EXACT_SEARCH_UP_TO = unimma_settings.EXACT_SEARCH_UP_TO, limit
            found = self.gallery.nearest(query, 1000, "text")
            unimma_settings.EXACT_SEARCH_UP_TO = before
            assert {i: round(cosine, 6) for i, cosine in found} == {i: round(c, 6) for i, c in expected.items()}
            cosines = [cosine for _, cosine in found]
            assert cosines == sorted(cosines, reverse=True)
        usual = self.gallery.background(query, "text")
        assert usual.num_items == len(expected)
        assert np.isclose(usual.mean, np.mean([*expected.values()] or [0.0]), atol=1e-6)

    @invariant()
    def it_keeps_the_media_of_what_is_there_and_of_what_can_come_back(self) -> None:
        kept = {path.stem for path in (self.folder / "media").iterdir()}
        assert kept == {*self.items, *self.thrown}
        assert not list((self.folder / "staging").iterdir())


TestGallery = GalleryMachine.TestCase
TestGallery.settings = settings(
    max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
