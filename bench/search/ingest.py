"""How many clips a second the ingest path's own function stores in a catalog of any size, with every index."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, func, insert, select

from bench.search.timed import on_cpu_ns
from storage import ledger, usage
from storage.clips.batch import store_clips
from storage.clips.writer import PendingUpload
from storage.database import Database
from storage.tables import campaign_versions, uploads
from storage.vehicles.enrolment import enrol
from tests.support.fleet import add_version, fire, manifest_of

CLIPS = 4096
TOGETHER = 64
"""As many as an ingest worker stores in one transaction."""
VEHICLES = 64
"""So that the clips of a transaction are of as many vehicles."""
CAMPAIGN = "bench_ingest"


def ingest_rate(database: Database, workers: int) -> tuple[float, float]:
    """Clips per second of wall clock that so many workers store, and per second of CPU of theirs and their backends."""
    with database.begin() as connection:
        pending = sent_uploads(connection)
    batches = [pending[first : first + TOGETHER] for first in range(0, CLIPS, TOGETHER)]
    cpu_ns = time.process_time_ns()
    started_s = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        backends_ns = sum(pool.map(lambda batch: _store(database, batch), batches))
    wall_s = time.perf_counter() - started_s
    return CLIPS / wall_s, CLIPS / ((backends_ns + time.process_time_ns() - cpu_ns) / 1e9)


def _store(database: Database, batch: list[PendingUpload]) -> int:
    """Store clips in one transaction; the CPU time of its backend, in ns."""
    with database.begin() as connection:
        pid = connection.execute(select(func.pg_backend_pid())).scalar_one()
        before_ns = on_cpu_ns(pid)
        endings = store_clips(connection, batch, extractor_version=1)
        if not all(ending.won for ending in endings):
            raise RuntimeError("a clip was not stored")
        return on_cpu_ns(pid) - before_ns


def sent_uploads(connection: Connection) -> list[PendingUpload]:
    """Open uploads of CLIPS clips as vehicles send them, in turns: one fire, five attributes, and what was reserved.

    Their gateways have not recorded a byte of them, so that what came is counted with them, too.
    """
    known = select(campaign_versions.c.campaign).where(campaign_versions.c.campaign == CAMPAIGN)
    if connection.execute(known).one_or_none() is None:
        add_version(connection, CAMPAIGN)
    vehicles = [f"bench-{uuid4().hex}" for _ in range(VEHICLES)]
    for vehicle in vehicles:
        enrol(connection, vehicle, {"region": "EU"})
    chance = random.Random(1)
    pending = []
    for number in range(CLIPS):
        data, vehicle = uuid4().bytes, vehicles[number % VEHICLES]
        start_ns = time.time_ns() - number * 10**9
        of_fire = fire(CAMPAIGN, len(data), t_ns=start_ns, window_start_ns=start_ns, window_end_ns=start_ns + 10**9)
        attributes = {"model": f"m{chance.randrange(12)}", "region": "EU", "hardware": 3, "towing": False, "year": 2026}
        times = {"start_ns": start_ns, "end_ns": start_ns + 10**9}
        manifest = manifest_of(data, [of_fire], vehicle_id=vehicle, attributes=attributes, **times)
        pending.append(PendingUpload(uuid4().hex, uuid4().hex, vehicle, "open", manifest))
    now = datetime.now(UTC)
    plain: dict[str, Any] = {"log_partition": 0, "network": "wifi", "region": "EU", "state": "open"}
    rows = [
        {
            **plain,
            "id": upload.id,
            "manifest": upload.manifest.canonical_json(),
            "clip_id": upload.clip_id,
            "vehicle_id": upload.vehicle_id,
            "size_bytes": upload.manifest.size_bytes,
            "shares": usage.shares_of(upload.manifest),
            "expires_at": now + timedelta(days=1),
        }
        for upload in pending
    ]
    connection.execute(insert(uploads), rows)
    for upload in pending:
        ledger.reserve(connection, upload.id, upload.manifest, now=now)
    return pending
