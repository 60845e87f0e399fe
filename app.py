"""python app.py [--host HOST] [--port PORT] [--gallery FOLDER] [--add FOLDER] [--model NAME]
              [--library private|shared|read-only] [--agents read|write] [--share]

Opens the app; each option is also an environment variable (UNIMMA_HOST, UNIMMA_PORT, UNIMMA_GALLERY, UNIMMA_ADD,
UNIMMA_MODEL, UNIMMA_LIBRARY, UNIMMA_AGENTS, UNIMMA_SHARE). The page is there at once, model and gallery load behind it.
"""

import argparse
import logging
import os
from collections.abc import Sequence
from pathlib import Path

ON_SPACE = "SPACE_ID" in os.environ
LIBRARIES, AGENTS = ("private", "shared", "read-only"), ("read", "write")


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
    option("device", "where it computes: cpu, cuda, mps, or the best there is", "auto", metavar="NAME")
    kept = "what visitors add: seen by each alone until they leave, by everyone, or nothing can be added"
    option("library", kept, "private" if ON_SPACE else "shared", choices=LIBRARIES)
    option("agents", "what agents (MCP) may do with the library", "read", choices=AGENTS)
    shared = os.environ.get("UNIMMA_SHARE", "").lower() in ("1", "true", "yes")
    parser.add_argument("--share", action="store_true", default=shared, help="make a public link (UNIMMA_SHARE=1)")
    options = parser.parse_args(argv)
    for name, known in (("library", LIBRARIES), ("agents", AGENTS)):  # argparse does not check a default
        if getattr(options, name) not in known:
            parser.error(f"--{name} {getattr(options, name)}: choose one of {', '.join(known)}")
    if str(options.gallery or "").startswith(("http:", "https:")):
        parser.error("--gallery with an address: name a folder, or ask that app by python -m unimma")
    if options.add and not options.add.is_dir():
        parser.error(f"--add {options.add.name}: no such folder; name one that holds media")
    return options


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    options = parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)

    from unimma import remote  # --help need not wait for imports, of which Gradio's takes seconds

    if running := remote.find(options.gallery):
        return print(f"UniMMA is at {running.url} already")

    from unimma.settings import Quotas
    from unimma.ui.app import serve
    from unimma.ui.engine import Engine, filler, loader
    from unimma.ui.visit import Library

    is_open = ON_SPACE or options.share or options.library == Library.PRIVATE  # to people that the host does not know
    load, fill = loader(options.model, options.gallery, options.device), filler(options.add)
    engine = Engine(load, fill, library=Library(options.library), quotas=Quotas.from_env() if is_open else None)
    port = options.port or None
    demo = serve(engine, host=options.host, port=port, share=options.share, agents_may=options.agents)
    print(f"UniMMA is at {demo.share_url or demo.local_url}", flush=True)
    try:
        demo.block_thread()
    finally:
        engine.close()


if __name__ == "__main__":
    main()
