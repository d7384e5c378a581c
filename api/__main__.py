"""Run one API process: `python -P -m api`, as `posync api` and `posync up` start it."""

import argparse
import sys

import uvicorn

from api.app import create_app
from api.http.server import BoundedProtocol
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
    uvicorn.run(app, host=chosen.host, port=chosen.port, access_log=not chosen.no_access_log, http=BoundedProtocol)


if __name__ == "__main__":
    main()
