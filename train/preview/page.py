"""One page that shows it all: no script, nothing from elsewhere, light and dark, wide and narrow."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """
:root { color-scheme: light dark; --ground: #fafaf9; --card: #fff; --ink: #1c1917; --faint: #57534e; --line: #e7e5e4;
  --accent: #0f766e; --wrong: #b91c1c }
@media (prefers-color-scheme: dark) { :root { --ground: #161412; --card: #211e1b; --ink: #f5f5f4; --faint: #a8a29e;
  --line: #3a3632; --accent: #5eead4; --wrong: #fca5a5 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 78rem; padding: 1.5rem 1rem 4rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.25rem; margin: 3rem 0 .75rem }
h3 { font-size: 1rem; margin: 0 } h3 small { font-weight: 400; color: var(--faint); margin-left: .4rem }
p { margin: .25rem 0 0; color: var(--faint); max-width: 46rem } a { color: var(--accent) }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin-top: .75rem } nav a { padding: .35rem 0 }
section.line { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: .75rem 1rem;
  margin-top: .75rem }
.cells { display: flex; gap: .75rem; overflow-x: auto; padding: .5rem 0 .25rem }
figure { margin: 0; flex: 0 0 auto; width: 15rem } figure.wide { width: min(30.5rem, 78vw) }
img, video { display: block; width: 100%; height: auto; border-radius: .4rem; background: var(--line) }
audio { width: 100%; height: 2.25rem; margin-top: .4rem }
.wide { display: grid; grid-template-columns: minmax(7rem, 13rem) 1fr; gap: .5rem .75rem; align-items: start }
.wide img { grid-column: 1 / -1 } .wide figcaption { margin: 0 }
figcaption { font-size: .8125rem; line-height: 1.4; color: var(--faint); margin-top: .35rem }
dl { margin: .5rem 0 .25rem; font-size: .9375rem } dt { color: var(--faint); margin-top: .5rem }
dd { margin: 0 } dd::before { content: "→ "; color: var(--accent) }
"""


@dataclass(frozen=True)
class Shown:
    """One example on the page; file names are relative to it.

    Attributes:
        picture: of the tile, `width` and `height` in pixels.
        media: the sound (.wav) or clip (.mp4) to play, or "".
    """

    picture: str
    width: int
    height: int
    media: str
    caption: str


Lines = Sequence[tuple[str, str, Sequence[Shown]]]
Sentences = Sequence[tuple[str, str, Sequence[tuple[str, str]]]]


def page(title: str, about: str, chapters: Sequence[tuple[str, Lines]], sentences: Sentences) -> str:
    """The page as HTML."""
    links = [*(name for name, _ in chapters), *(["Sentences"] if sentences else [])]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{_STYLE}</style></head><body>
<header><h1>{escape(title)}</h1><p>{escape(about)}</p>
<nav>{"".join(f'<a href="#{_anchor(name)}">{escape(name)}</a>' for name in links)}
<a href="contact-sheet.png">Contact sheet</a><a href="sentences.txt">Sentences as text</a></nav></header><main>
{"".join(f'<h2 id="{_anchor(name)}">{escape(name)}</h2>{"".join(map(_line, lines))}' for name, lines in chapters)}
{f'<h2 id="sentences">Sentences</h2>{"".join(map(_sentences, sentences))}' if sentences else ""}
</main></body></html>
"""


def _line(line: tuple[str, str, Sequence[Shown]]) -> str:
    name, parameters, cells = line
    return f"{_head(name, parameters)}<div class=cells tabindex=0>{''.join(map(_cell, cells))}</div></section>\n"


def _sentences(line: tuple[str, str, Sequence[tuple[str, str]]]) -> str:
    name, purpose, pairs = line
    told = "".join(f"<dt>{escape(before)}</dt><dd>{escape(after)}</dd>" for before, after in pairs)
    return f"{_head(name, purpose)}<dl>{told}</dl></section>\n"


def _head(name: str, parameters: str) -> str:
    return f"<section class=line><h3>{escape(name)} <small>{escape(parameters)}</small></h3>"


def _cell(cell: Shown) -> str:
    player = ""
    if cell.media.endswith(".wav"):
        player = f'<audio controls preload="none" src="{escape(cell.media)}"></audio>'
    elif cell.media:
        player = f'<video controls loop muted playsinline preload="metadata" src="{escape(cell.media)}"></video>'
    wide = " class=wide" if cell.width > 300 else ""
    size = f'width="{cell.width}" height="{cell.height}"'
    return (
        f'<figure{wide}><img src="{escape(cell.picture)}" {size} loading="lazy" alt="{escape(cell.caption)}">'
        f"{player}<figcaption>{escape(cell.caption)}</figcaption></figure>"
    )


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")
