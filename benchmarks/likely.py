"""How well the line between likely and weaker matches separates what is in a gallery from what is not.

    python -m benchmarks.likely [--gallery FOLDER] [--crowd 2000]

Asks the starter gallery with the bundled model: sentences in other words than the gallery's, its pictures mirrored and
the second half of its sounds, things that are not in it, and nonsense. An item is right when it has the label that was
asked for. The starter gallery is made in FOLDER where it is not there yet (a minute). Then the same again with a crowd
of sentences about other things among its texts: the first lines of the standard library's docstrings.

Columns, for each rule: of the questions whose answer is there (in words, by picture, by sound), the share with a right
hit among the likely ones of their first ten in each modality, and the share of the likely ones that are right; of
things that are not there and of nonsense, the share of questions with any likely hit, and how many they have.
"""

import argparse
import ast
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unimma.gallery import Gallery
from unimma.gallery.starter import seed
from unimma.loading import load_model
from unimma.media import decode
from unimma.ranking import deviation, is_likely
from unimma.types import Audio, Decoded, Image, Modality

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
FIRST = 10  # hits of each modality that are looked at

SENSIBLE: Mapping[str, Sequence[str]] = {
    "rain on a window": ("wet weather seen from indoors", "water running down the glass pane"),
    "thunderstorm": ("lightning", "a storm with loud thunderclaps"),
    "wind in the trees": ("a gale shaking the branches", "blustery autumn weather in the woods"),
    "footsteps in snow": ("walking in winter", "crunching boots on a snowy path"),
    "sea waves on a beach": ("the ocean shore", "surf"),
    "frog pond": ("croaking amphibians", "a small green animal sitting in the water"),
    "campfire": ("flames", "burning logs at a camp"),
    "church bell": ("a belfry ringing for mass", "tolling"),
    "fireworks": ("New Year's Eve celebration", "pyrotechnics exploding in colour"),
    "crickets at night": ("chirping insects on a summer evening", "a grasshopper"),
    "birds singing at dawn": ("birdsong", "songbirds in the morning"),
    "dog barking": ("a puppy", "an angry hound"),
    "cat meowing": ("a kitten", "a hungry pet that mews"),
    "crying baby": ("an upset infant", "a toddler in tears"),
    "cow mooing": ("cattle", "farm animal that gives milk"),
    "sheep bleating": ("a flock of lambs", "animals with wool"),
    "rooster crowing": ("a cock on the farm", "poultry at sunrise"),
    "car traffic on a city street": ("rush hour", "vehicles honking downtown"),
    "ambulance with siren": ("an emergency vehicle", "paramedics on their way to hospital"),
    "train passing": ("a locomotive on rails", "railway"),
    "motorbike engine": ("a motorcycle", "a biker revving"),
    "helicopter in the sky": ("a chopper", "rotor blades"),
    "airplane overhead": ("a jet taking off", "flying aircraft"),
    "ticking clock": ("time passing in a quiet room", "tick tock"),
    "door bell": ("somebody is at the door", "ding dong"),
    "alarm clock ringing": ("waking up in the morning", "time to get out of bed"),
    "washing machine": ("doing the laundry", "dirty clothes"),
    "dripping tap": ("a leak in the bathroom", "a broken faucet"),
    "typing on a keyboard": ("working at a computer", "an office desk"),
    "vacuum cleaner": ("cleaning the floor", "hoovering"),
    "cheetah": ("the fastest land animal", "a spotted predator"),
    "lion": ("king of the beasts", "a big cat with a mane"),
    "iron tower": ("Paris", "a French landmark"),
    "bus": ("public transport", "double decker"),
    "saxophone": ("jazz", "a brass instrument solo"),
    "cantina band": ("a lively tune", "musicians playing in a pub"),
    "turning globe": ("planet earth from space", "the world"),
    "pagoda": ("a temple in Asia", "Chinese architecture"),
    "flower": ("a blossom", "petals"),
}
ABSENT = (
    "a submarine", "wedding cake", "an elephant in the zoo", "a violin concerto", "tax return form",
    "surgery in a hospital", "a football match", "skyscrapers of New York", "sushi on a plate", "an astronaut",
    "a knitted sweater", "a chess board", "applause in a theatre", "a penguin colony", "molten glass",
    "the stock market crashes", "a man plays the drums", "spaghetti with tomato sauce", "quantum mechanics lecture",
    "a dentist's drill", "camels in the desert", "a hot air balloon", "a judge in court", "a swimming pool",
    "an x-ray of a hand", "a bottle of wine", "ballet dancers", "a dinosaur skeleton", "an oil painting of a duchess",
    "a shopping trolley", "a giraffe", "bowling", "the president gives a speech", "a microscope", "sunglasses",
    "a medieval knight in armour", "volcano", "a bowl of rice", "tennis", "a wheelchair",
)  # fmt: skip
NONSENSE = (
    "qwpoeiruty", "asdf jkl", "the the the", "lorem ipsum dolor sit amet", "zzzzzz", "xkcd 9 qqq", "blah blah blah",
    "fnord grumble wibble", "1234567890", "!?!?!?", "a", "of and to in", "hjkl hjkl hjkl", "mxyzptlk",
    "consectetur adipiscing elit sed do", "aaaaaaaaaaaaaaaaaaaa", "foo bar baz qux", "8f3a91c0de77",
    "wug blick dax toma", "colourless green ideas sleep furiously", "kjsdhf ksjdhf ksjdf", "...", "ok",
    "twas brillig and the slithy toves", "vjbnm dfgh", "test", "abc def ghi", "ph'nglui mglw'nafh", "ytrewq",
    "und oder aber wenn", "että myös koska", "nijedan ali kao", "あのその", "лорем ипсум", "θωψ φχ", "\N{SNOWMAN}",
    "zq zq",    "nrrgh blpt", "if then else while", "0x0 0x1",
)  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """What one modality says to a question, best first.

    Attributes:
        cosines: float64 [n].
        right: bool [n].
        null: mean and standard deviation of unrelated pairs.
    """

    cosines: FloatArray
    right: BoolArray
    null: tuple[float, float]

    def deviations(self) -> FloatArray:
        """Of the first ones, as search computes them."""
        mean, std = float(self.cosines.mean()), float(self.cosines.std())
        return np.array([deviation(c, len(self.cosines), mean, std, self.null) for c in self.cosines[:FIRST]])

    def beyond_null(self) -> FloatArray:
        """Of the first ones: how many standard deviations of unrelated pairs the cosines lie above these."""
        return (self.cosines[:FIRST] - self.null[0]) / self.null[1]


@dataclass(frozen=True)
class Asked:
    """A question of some kind, and what each modality says to it."""

    kind: str
    answers: Sequence[Answers]


Rule = Callable[[Answers], BoolArray]


def chosen(answers: Answers) -> BoolArray:
    """The rule that search uses."""
    n = len(answers.cosines)
    pairs = zip(answers.cosines, answers.deviations(), strict=False)
    return np.array([is_likely(cosine, far, n, answers.null) for cosine, far in pairs])


RULES: Mapping[str, Rule] = {
    **{f"deviation {line}": lambda a, line=line: a.deviations() >= line for line in (2.5, 3.0, 3.5)},  # type: ignore[misc]
    **{f"null {line}": lambda a, line=line: a.beyond_null() >= line for line in (3.0, 4.0, 5.0)},  # type: ignore[misc]
    **{
        f"3 and null {line}": lambda a, line=line: (a.deviations() >= 3.0) & (a.beyond_null() >= line)
        for line in (2, 3)
    },  # type: ignore[misc]
    "is_likely": chosen,
}


def questions(gallery: Gallery) -> Iterator[tuple[str, str, str | Decoded]]:
    """Kind, label ("" where nothing is right) and query."""
    for label, sentences in SENSIBLE.items():
        yield from (("words", label, sentence) for sentence in sentences)
    for item in gallery.list(limit=1_000):
        label = str(item.metadata["label"])
        if item.modality in (Modality.IMAGE, Modality.AUDIO):
            media = decode(Path(item.uri))
            if isinstance(media, Image):
                yield "picture", label, replace(media, pixels=np.ascontiguousarray(media.pixels[:, ::-1]))
            if isinstance(media, Audio):
                yield "sound", label, replace(media, waveform=media.waveform[len(media.waveform) // 2 :])
    yield from (("absent", "", sentence) for sentence in ABSENT)
    yield from (("nonsense", "", sentence) for sentence in NONSENSE)


def ask(gallery: Gallery, crowd: npt.NDArray[np.float32]) -> tuple[list[Asked], list[Asked]]:
    """All questions to the gallery; and to its texts together with a crowd's, float32 [n, dim]."""
    label_of = {item.id: item.metadata["label"] for item in gallery.list(limit=1_000)}
    alone, among_crowd = [], []
    for kind, label, query in questions(gallery):
        (vector,) = gallery.model.embed([query])
        asked_as = Modality.TEXT if isinstance(query, str) else query.modality
        answers = {}
        for modality in Modality:
            found = gallery.nearest(vector, 1_000, modality)
            right = np.array([label_of[item_id] == label for item_id, _ in found])
            null = gallery.model.null_similarity(asked_as, modality)
            answers[modality] = Answers(np.array([cosine for _, cosine in found]), right, null)
        alone.append(Asked(kind, list(answers.values())))
        among_crowd.append(Asked(kind, [_with(answers[Modality.TEXT], crowd @ vector)]))
    return alone, among_crowd


def _with(answers: Answers, others: npt.NDArray[np.float32]) -> Answers:
    """Together with the cosines of items that are not right."""
    cosines = np.concatenate([answers.cosines, others])
    right = np.concatenate([answers.right, np.zeros(len(others), bool)])
    order = np.argsort(-cosines)
    return Answers(cosines[order], right[order], answers.null)


def docstrings(count: int) -> list[str]:
    """Different first lines of the standard library's docstrings, in the order of its files."""
    found: dict[str, None] = {}
    for path in sorted(Path(ast.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                line = (ast.get_docstring(node) or "").split("\n")[0].strip()
                if len(line.split()) > 3:
                    found[line] = None
    return list(found)[:count]


def show(asked: Sequence[Asked]) -> None:
    """One line a rule."""
    print(f"{'':<24} {'words':>11} {'picture':>11} {'sound':>11} {'absent':>11} {'nonsense':>11}")
    for name, rule in RULES.items():
        cells = []
        for kind in ("words", "picture", "sound", "absent", "nonsense"):
            some = [each for each in asked if each.kind == kind]
            likely = [[rule(answers) for answers in each.answers] for each in some]
            right = [
                [marked & answers.right[:FIRST] for marked, answers in zip(marks, each.answers, strict=True)]
                for marks, each in zip(likely, some, strict=True)
            ]
            num_likely = sum(int(marked.sum()) for marks in likely for marked in marks)
            num_right = sum(int(marked.sum()) for marks in right for marked in marks)
            if kind in ("absent", "nonsense"):
                share = np.mean([any(marked.any() for marked in marks) for marks in likely])
                cells.append(f"{share:>5.0%} {num_likely / len(some):>5.2f}")
            else:
                share = np.mean([any(marked.any() for marked in marks) for marks in right])
                cells.append(f"{share:>5.0%} {num_right / max(num_likely, 1):>5.0%}")
        print(f"{name:<24} " + " ".join(cells))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gallery", type=Path)
    parser.add_argument("--crowd", type=int, default=2_000)
    args = parser.parse_args()
    model = load_model("bundled")
    with tempfile.TemporaryDirectory() as folder, Gallery.open(args.gallery or folder, model) as gallery:
        seed(gallery)
        sentences = docstrings(args.crowd)
        print(f"{gallery.count()} items; {len(sentences)} sentences", file=sys.stderr)
        alone, among_crowd = ask(gallery, model.embed(sentences))
        print("All four modalities")
        show(alone)
        print(f"\nTexts alone, among {len(sentences):,} others")
        show(among_crowd)


if __name__ == "__main__":
    main()
