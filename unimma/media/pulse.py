"""How decoding shows whoever watches over it that it is not stuck.

Nobody watches unless it runs in a child process (`unimma.media.child`).
"""

from collections.abc import Callable

_on_alive: Callable[[], None] | None = None


def listen(on_alive: Callable[[], None]) -> None:
    """From now on `on_alive` is called between packets and frames."""
    global _on_alive
    _on_alive = on_alive


def alive() -> None:
    """Work goes on."""
    if _on_alive:
        _on_alive()
