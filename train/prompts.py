"""Sentences made from labels: what a class is called when it is seen, heard or filmed."""

from unimma.types import Modality

# "{}" is the bare name, "{a}" the name with its article. Training draws from all; zero-shot takes their mean.
TEMPLATES: dict[Modality, tuple[str, ...]] = {
    Modality.IMAGE: (
        "{}",
        "a photo of {a}",
        "a picture of {a}",
        "a close-up photo of {a}",
        "a small photo of the {}",
        "a photo that shows {a}",
        "there is {a} in this picture",
    ),
    Modality.AUDIO: (
        "{}",
        "the sound of {a}",
        "a recording of {a}",
        "you can hear {a}",
        "{} can be heard",
        "this is the sound of {}",
    ),
    Modality.VIDEO: ("{}", "a video of {a}", "a clip that shows {a}", "a film of {}"),
    Modality.TEXT: ("{}", "a text about {}"),
}
_NO_ARTICLE_ENDINGS = ("s", "ing", "speech", "rain", "wind", "fog", "sunshine", "water", "forest", "sea", "thunder")


def sentences(name: str, modality: Modality) -> list[str]:
    """Every template of the modality filled with a class name."""
    return [template.format(name, a=with_article(name)) for template in TEMPLATES[modality]]


def with_article(name: str) -> str:
    """ "dog" → "a dog", "engine" → "an engine"; plurals, actions and what cannot be counted stay as they are."""
    if name.endswith(_NO_ARTICLE_ENDINGS) or name.startswith(("a ", "an ", "the ")):
        return name
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
