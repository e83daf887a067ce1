"""A process that owns an embedded PostgreSQL and has work under way in it, for tests that kill it.

`python -m tests.support.servers.postgres_owner DATA_DIR [--fork]` prints `ready URL` when one row is committed and a
second one is not, then waits to be killed. With `--fork` a child made by a bare fork outlives it.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psycopg

from storage.embedded import EmbeddedPostgres
from tests.support.servers.postgres import libpq_url


def main(data_dir: Path, *, fork: bool) -> None:
    server = EmbeddedPostgres(data_dir)
    server.start()
    with psycopg.connect(libpq_url(server.url)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (what text)")
        connection.execute("INSERT INTO kept VALUES ('committed')")
        connection.commit()
        connection.execute("INSERT INTO kept VALUES ('not committed')")
        if fork and os.fork() == 0:
            signal.pause()
        sys.stdout.write(f"ready {server.url}\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]), fork="--fork" in sys.argv)
