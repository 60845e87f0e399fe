"""python app.py [--host HOST] [--port PORT] [--gallery FOLDER] [--add FOLDER] [--model NAME] [--share]

Opens the app; each option is also an environment variable (UNIMMA_HOST, UNIMMA_PORT, UNIMMA_GALLERY, UNIMMA_ADD,
UNIMMA_MODEL, UNIMMA_SHARE). The page is there at once, the model and the gallery load behind it.
"""

import argparse
import logging
import os
from collections.abc import Sequence
from pathlib import Path

ON_SPACE = "SPACE_ID" in os.environ


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The options, from the command line, else from the environment, else the defaults."""
    env = os.environ.get
    parser = argparse.ArgumentParser(description="Search anything with anything: opens the app in a browser.")
    parser.add_argument(
        "--host",
        default=env("UNIMMA_HOST") or ("0.0.0.0" if ON_SPACE else "127.0.0.1"),
        help="address to listen on (UNIMMA_HOST; 127.0.0.1: this machine alone)",
    )
    parser.add_argument(
        "--port", type=int, default=env("UNIMMA_PORT") or 7860, help="port to listen on (UNIMMA_PORT; 0: a free one)"
    )
    parser.add_argument(
        "--gallery",
        type=Path,
        default=env("UNIMMA_GALLERY") or None,
        help="gallery folder (UNIMMA_GALLERY; the user's own)",
    )
    parser.add_argument(
        "--add",
        type=Path,
        default=env("UNIMMA_ADD") or None,
        metavar="FOLDER",
        help="put all media of this folder into the gallery (UNIMMA_ADD); what is there already stays as it is",
    )
    parser.add_argument("--model", default=env("UNIMMA_MODEL") or "bundled", help="model to search with (UNIMMA_MODEL)")
    parser.add_argument(
        "--share",
        action="store_true",
        default=env("UNIMMA_SHARE", "").lower() in ("1", "true", "yes"),
        help="make a public link that tunnels to this machine (UNIMMA_SHARE=1)",
    )
    options = parser.parse_args(argv)
    if options.add and not options.add.is_dir():
        parser.error(f"--add {options.add.name}: no such folder; name one that holds media")
    return options


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    options = parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)

    from unimma.ui.app import serve  # Gradio takes seconds to import: --help need not wait for it
    from unimma.ui.engine import Engine, filler, loader

    engine = Engine(loader(options.model, options.gallery), filler(options.add))
    demo = serve(engine, host=options.host, port=options.port or None, share=options.share)
    print(f"UniMMA is at {demo.share_url or demo.local_url}", flush=True)
    try:
        demo.block_thread()
    finally:
        engine.close()


if __name__ == "__main__":
    main()
