"""The books: what is on the disks, what was charged, and what the API says of campaigns and fires."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.attack.checks import Books, Sizes
from tests.attack.target import EVERYBODYS, OURS, Target
from tests.support.paths import REPOSITORY
from tests.support.servers.postgres import libpq_url

FOLDERS = ("spool", "logs", "objects", "extraction")
DOCTOR_S = 300.0
_SETTLED_STATES = ("stored", "failed", "expired")
_CHARGED = """
    SELECT coalesce((SELECT sum(received_bytes) FROM vehicle_days), 0)
"""
_UNDER_WAY = """
    SELECT (SELECT count(*) FROM uploads WHERE state = 'received')
        + (SELECT count(*) FROM extraction_jobs WHERE state IN ('ready', 'leased'))
        + (SELECT count(*) FROM ledger_entries WHERE NOT folded)
"""


def sizes(target: Target) -> Sizes:
    """What is on the disks now. The write-ahead log of PostgreSQL has its own bound, and is not counted."""
    url = libpq_url(target.running.settings.require_database_url())
    with psycopg.connect(url, autocommit=True) as connection:
        database = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        charged = connection.execute(_CHARGED).fetchone()
    assert database is not None
    assert charged is not None
    folders = {name: _size_of(target.running.data_dir / name) for name in FOLDERS}
    return Sizes({"database": int(database[0]), **folders}, int(charged[0]))


def books(target: Target) -> Books:
    """What an administrator reads of campaigns and fires now."""
    states = {name: target.admin.campaigns.version(name).state for name in (OURS, EVERYBODYS)}
    (ours,) = target.admin.outcomes.count(OURS).outcomes
    return Books(states, ours.fired, ours.catalogued, ours.unaccounted)


def under_way(target: Target) -> int:
    """Uploads to assemble, clips to extract and entries of the ledger to fold."""
    url = libpq_url(target.running.settings.require_database_url())
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(_UNDER_WAY).fetchone()
    assert found is not None
    return int(found[0])


def complaints(target: Target) -> Iterator[str]:
    """What `longtail doctor --full` calls a failure, which knows ledger and counts from inside."""
    data_dir = target.running.data_dir
    command = [sys.executable, "-m", "fleet_api.cli", "doctor", "--data", str(data_dir), "--full", "--json"]
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=os.environ | target.running.settings.environment(),
        capture_output=True,
        text=True,
        timeout=DOCTOR_S,
        check=False,
    )
    try:
        document = json.loads(done.stdout)
    except ValueError:
        yield f"doctor did not answer: {done.stderr[-500:]}"
        return
    for finding in document["findings"]:
        if finding["status"] == "fail":
            yield f"doctor: {finding['check']}: {finding['message']}"


def log_text(target: Target) -> str:
    """Everything that the processes have logged and that is not rotated away."""
    return "".join(path.read_text(errors="replace") for path in sorted((target.running.data_dir / "logs").glob("*")))


def _size_of(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # a file of work under way
            continue
    return total
