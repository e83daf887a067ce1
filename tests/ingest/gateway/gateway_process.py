"""A gateway as a process of its own, to be killed: settings from the environment, prints its URL, serves until then."""

from __future__ import annotations

import socket
import sys

import uvicorn

from ingest.gateway.app import create_app
from storage.settings import Settings


def main() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    server = uvicorn.Server(uvicorn.Config(create_app(Settings.load()), log_level="warning"))
    server.run(sockets=[listening])


if __name__ == "__main__":
    main()
