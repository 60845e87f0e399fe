"""Coarse meanings that sounds and pictures share, so that a bark and the photo of any dog belong together."""

# Pictures that carry a WordNet 3.0 id ("n02085620"): its numbers run along the tree, so a kind is a stretch or two.
_STRETCHES: dict[str, tuple[tuple[int, int], ...]] = {
    "fish": ((1440764, 1498041), (2514041, 2655020)),
    "chicken": ((1514668, 1514859),),
    "bird": ((1530575, 1622779), (1795545, 1860187), (2002556, 2058221)),
    "frog": ((1641577, 1644900),),
    "turtle": ((1664065, 1669191),),
    "lizard": ((1675722, 1695060),),
    "crocodile": ((1697457, 1698640),),
    "snake": ((1728572, 1756291),),
    "spider": ((1773157, 1775062),),
    "elephant": ((1871265, 1871265), (2504013, 2504458)),
    "dog": ((2085620, 2113978),),
    "wolf": ((2114367, 2114855),),
    "fox": ((2119022, 2120505),),
    "cat": ((2123045, 2124075),),
    "lion": ((2129165, 2129165),),
    "bear": ((2132136, 2134418),),
    "insect": ((2165105, 2281787),),
    "rabbit": ((2325366, 2328150),),
    "horse": ((2389026, 2389026),),
    "pig": ((2395406, 2397096),),
    "cow": ((2403003, 2403003),),
    "sheep": ((2412080, 2415577),),
    "monkey": ((2480495, 2493793),),
    "train": ((2917067, 2917067), (3272562, 3272562), (4310018, 4310018)),
    "computer keyboard": ((3085013, 3085013),),
    "sea": ((9428293, 9428293),),
}
# Labels that say a kind in another word; any other label is a kind of its own.
_WORDS = {
    "rooster": "chicken",
    "hen": "chicken",
    "crow": "bird",
    "chirping birds": "bird",
    "pigeon": "bird",
    "flamingo": "bird",
    "emu": "bird",
    "ibis": "bird",
    "dalmatian": "dog",
    "crickets": "insect",
    "insects": "insect",
    "butterfly": "insect",
    "dragonfly": "insect",
    "wild cat": "cat",
    "sea waves": "sea",
    "keyboard typing": "computer keyboard",
}


def kind_of(label: str | None, concept: str | None) -> str:
    """What a labelled row is, in a word that other modalities use too; "" where nothing is known.

    Args:
        label: the row's, such as "golden retriever".
        concept: its class code, such as a WordNet id.
    """
    code = concept[1:] if concept and concept.startswith("n") and concept[1:].isdigit() else ""
    for kind, stretches in _STRETCHES.items():
        if code and any(first <= int(code) <= last for first, last in stretches):
            return kind
    return _WORDS.get(label or "", label or "")
