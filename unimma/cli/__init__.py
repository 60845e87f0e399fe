"""The command line: search, embed, models; add, list, update, delete, count; reembed, rebuild, compact, export, import.

The answer goes to standard output, everything else to standard error. Exit code 0; 2 for wrong usage or input that
cannot be used, with one line that says what to do; 1 for anything else.
"""

import logging
import sys
from collections.abc import Callable, Sequence

import typer

from unimma.cli import content, searching, upkeep
from unimma.cli.common import say, with_terms
from unimma.errors import GalleryError, UnimmaError

app = typer.Typer(
    help="Drop anything in, find anything: text, photos, sounds and clips in one space.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_ClickError: type[Exception] = typer.BadParameter.__mro__[2]  # Click's base of all; typer may carry a Click of its own

_COMMANDS: dict[str, Callable[..., None]] = {
    "search": searching.search,
    "add": content.add,
    "list": content.list_,
    "update": content.update,
    "delete": content.delete,
    "count": content.count,
    "embed": searching.embed,
    "models": searching.models,
    "reembed": upkeep.reembed,
    "rebuild": upkeep.rebuild,
    "compact": upkeep.compact,
    "export-gallery": upkeep.export_gallery,
    "import-gallery": upkeep.import_gallery,
}
for _name, _command in _COMMANDS.items():
    app.command(_name)(with_terms(_command))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command: its exit code."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(message)s")
    logging.getLogger("unimma").setLevel(logging.WARNING)
    logging.getLogger("unimma.bridge").setLevel(logging.INFO)  # tells how well two spaces were joined
    try:
        return app(args=argv, prog_name="python -m unimma", standalone_mode=False) or 0
    except typer.Exit as stop:
        return stop.exit_code
    except typer.Abort:
        return 1
    except _ClickError as error:
        return _fail(error.format_message(), 2)  # type: ignore[attr-defined]  # every Click error has it
    except GalleryError as error:
        return _fail(str(error), 1)
    except UnimmaError as error:
        return _fail(str(error), 2)
    except OSError as error:
        return _fail(error.strerror or str(error), 1)


def _fail(line: str, exit_code: int) -> int:
    say(line)
    return exit_code
