"""python app.py [--host HOST] [--port PORT] [--gallery FOLDER] [--add FOLDER] [--model NAME]
              [--library private|shared|read-only] [--share]

Opens the app; each option is also an environment variable (UNIMMA_HOST, UNIMMA_PORT, UNIMMA_GALLERY, UNIMMA_ADD,
UNIMMA_MODEL, UNIMMA_LIBRARY, UNIMMA_SHARE). The page is there at once, the model and the gallery load behind it.
"""

import argparse
import logging
import os
from collections.abc import Sequence
from pathlib import Path

ON_SPACE = "SPACE_ID" in os.environ
LIBRARIES = ("private", "shared", "read-only")


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The options, from the command line, else from the environment, else the defaults."""
    parser = argparse.ArgumentParser(description="Search anything with anything: opens the app in a browser.")

    def option(name: str, help_: str, default: object = None, **how: object) -> None:
        variable = f"UNIMMA_{name.upper()}"
        given = os.environ.get(variable) or default
        parser.add_argument(f"--{name}", default=given, help=f"{help_} ({variable})", **how)  # type: ignore[arg-type]

    option("host", "address to listen on; 127.0.0.1 is this machine alone", "0.0.0.0" if ON_SPACE else "127.0.0.1")
    option("port", "port to listen on; 0: a free one", 7860, type=int)
    option("gallery", "gallery folder; the user's own where it is left out", type=Path, metavar="FOLDER")
    option("add", "put all media of this folder into the gallery, once", type=Path, metavar="FOLDER")
    option("model", "model to search with", "bundled", metavar="NAME")
    kept = "what visitors add: seen by each alone until they leave, by everyone, or nothing can be added"
    option("library", kept, "private" if ON_SPACE else "shared", choices=LIBRARIES)
    shared = os.environ.get("UNIMMA_SHARE", "").lower() in ("1", "true", "yes")
    parser.add_argument("--share", action="store_true", default=shared, help="make a public link (UNIMMA_SHARE=1)")
    options = parser.parse_args(argv)
    if options.library not in LIBRARIES:  # argparse does not check a default
        parser.error(f"--library {options.library}: choose one of {', '.join(LIBRARIES)}")
    if options.add and not options.add.is_dir():
        parser.error(f"--add {options.add.name}: no such folder; name one that holds media")
    return options


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    options = parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)

    from unimma.settings import Quotas  # Gradio takes seconds to import: --help need not wait for it
    from unimma.ui.app import serve
    from unimma.ui.engine import Engine, filler, loader
    from unimma.ui.visits import Library

    is_open = ON_SPACE or options.share or options.library == Library.PRIVATE  # to people that the host does not know
    load, fill = loader(options.model, options.gallery), filler(options.add)
    engine = Engine(load, fill, library=Library(options.library), quotas=Quotas.from_env() if is_open else None)
    demo = serve(engine, host=options.host, port=options.port or None, share=options.share)
    print(f"UniMMA is at {demo.share_url or demo.local_url}", flush=True)
    try:
        demo.block_thread()
    finally:
        engine.close()


if __name__ == "__main__":
    main()
