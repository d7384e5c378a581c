"""Run one API process: `python -P -m api`, as `posync api` and `posync up` start it."""

import argparse
import gc
import sys

import uvicorn

from api.app import create_app
from api.http.server import bounded
from settings import InvalidSettings


def main() -> None:
    """Serve the API until SIGTERM. Unusable settings end the process with one line of text and exit code 1."""
    arguments = argparse.ArgumentParser(prog="posync api")
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=8000)
    arguments.add_argument("--no-access-log", action="store_true")
    chosen = arguments.parse_args()
    try:
        app = create_app()
    except InvalidSettings as failure:
        sys.exit(f"posync api: {failure}")
    # What was built for the start stays: looking through it again and again takes a tenth of each request's CPU.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    server = uvicorn.Server(bounded(app, host=chosen.host, port=chosen.port, access_log=not chosen.no_access_log))
    server.run()
    if not server.started:
        sys.exit(3)  # uvicorn has said why


if __name__ == "__main__":
    main()
