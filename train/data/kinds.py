"""Coarse meanings that sounds and pictures share, so that a bark and the photo of any dog belong together."""


def kind_of(label: str | None, concept: str | None) -> str:
    """What a labelled row is, in a word that other modalities use too; "" where nothing is known.

    A kind counts only where both a sound and a picture have it, so that a label may stand for itself.

    Args:
        label: the row's, such as "golden retriever".
        concept: its class code, such as a WordNet id.
    """
    return label or ""
