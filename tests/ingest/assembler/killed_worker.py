"""A worker process for tests that kill it: only the assembler; a child of tests/support/fork_server.py."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from ingest.assembler.assembler import Assembler
from ingest.assembler.clip_store import ClipStore
from ingest.assembler.spool import Spool
from ingest.log import PostgresLog
from storage.database import Database
from storage.objects import DirectoryStore


def main(arguments: list[str], stop: threading.Event) -> None:
    """Say that it works, and work until `stop` is set."""
    url, folder, member, park_after_s, spool_bytes, lease_s = arguments
    database = Database(url, pool_size=4)
    store = DirectoryStore(Path(folder) / "objects", public_url="http://127.0.0.1")
    clip_store = ClipStore(database, store, single_put_bytes=1024**2, extractor_version=1)
    spool = Spool(Path(folder) / "spool" / member, limit_bytes=int(spool_bytes))
    log = PostgresLog(database, lease_s=float(lease_s))
    assembler = Assembler(
        log, clip_store, spool, member=member, park_after_s=float(park_after_s), revoke_within_s=float(lease_s) / 2
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    assembler.run(stop)
