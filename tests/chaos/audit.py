"""The audit: what vehicles, catalog, objects, ledger and tables say, held against each other by `checks`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, func, select

from fleet_api.client import Client
from fleet_api.deployment.doctor import settings_of_deployment
from storage.database import Database
from storage.tables import (
    extraction_jobs,
    ledger_accounts,
    ledger_entries,
    ledger_receipts,
    outbox,
    parked_cells,
    upload_pieces,
    uploads,
)
from storage.tables.uploads import ASSEMBLING
from storage.uploads.parking import STAGING_PREFIX
from tests.chaos import checks
from tests.chaos.checks import Account, Amounts
from tests.chaos.parts.witness import Testimony
from tests.chaos.stage import OBJECTS_PREFIX, Stage
from tests.support.paths import REPOSITORY
from triggers.clips.cells import hash_cells
from triggers.contracts.api.clips import ClipView
from triggers.contracts.api.outcomes import CampaignOutcomesView
from triggers.contracts.clip import clip_digest

FINAL = frozenset({"ready", "damaged"})
DOCTOR_S = 300.0


def so_far(stage: Stage, newest: list[ClipView]) -> list[str]:
    """What contradicts a promise at any time: acknowledgements taken back, processes that gave up, clips twice."""
    seen = witnesses(stage)
    told = [f"{name}: {text}" for name, one in seen.items() for text in (*one.contradictions, *one.errors)]
    return [*told, *stage.deaths, *checks.twice(newest)]


def witnesses(stage: Stage) -> dict[str, Testimony]:
    """What each vehicle saw so far."""
    return {name: stage.testimony(name) for name in stage.vehicle_names}


def not_catalogued(stage: Stage, recorded_by_now: Collection[str]) -> set[str]:
    """Those of these clips that are not in the catalog."""
    with stage.api() as api:
        return set(recorded_by_now) - {clip.digest for clip in api.clips.search()}


def recorded(stage: Stage) -> set[str]:
    """All clips that vehicles recorded so far."""
    return {digest for one in witnesses(stage).values() for digest in one.recorded}


def under_way(stage: Stage) -> str:
    """What is still under way: fires that have not ended, clips to extract, events to send; empty when nothing is."""
    with stage.api() as api:
        rows = {"fires in flight": sum(counts.in_flight for counts in api.outcomes.count().outcomes)}
        rows["clips to extract"] = sum(clip.state not in FINAL for clip in api.clips.search())
    with _database(stage) as connection:
        rows |= _rows_under_way(connection)
    rows["staging objects"] = len(_keys(stage, STAGING_PREFIX))
    return ", ".join(f"{count} {kind}" for kind, count in rows.items() if count)


def findings(stage: Stage, *, at_risk: Collection[str]) -> list[str]:
    """Everything that does not hold, in sentences; empty when all is well."""
    with stage.api() as api:
        clips = list(api.clips.search())
        outcomes = api.outcomes.count().outcomes
        stored = {clip.id: _digest(api, clip, stage.folder / "fetched.mcap") for clip in clips}
    with _database(stage) as connection:
        accounts, under_way = _accounts(connection), _rows_under_way(connection)
        received = _received(connection)
    return [
        *so_far(stage, clips),
        *_clips_missing(stage, clips, outcomes, at_risk=at_risk),
        *checks.damaged(clips),
        *checks.other_bytes(clips, stored),
        *checks.wrong_counts({f"{counts.campaign} version {counts.version}": counts for counts in outcomes}),
        *checks.uncounted(outcomes, clips),
        *checks.wrong_ledger(accounts, clips, received),
        *checks.unfinished(under_way),
        *_books(stage),
        *_leftovers(stage, clips),
        *_doctor(stage),
    ]


def _clips_missing(
    stage: Stage, clips: list[ClipView], outcomes: list[CampaignOutcomesView], *, at_risk: Collection[str]
) -> Iterator[str]:
    catalogued = {clip.digest for clip in clips}
    seen = witnesses(stage).values()
    failed = sum(sum(counts.failed.values()) for counts in outcomes)
    others = failed + sum(sum(ends.values()) for counts in outcomes for ends in (counts.refused, counts.dropped))
    acknowledged = {digest for one in seen for digest in one.acknowledged}
    yield from checks.lost(acknowledged, catalogued, at_risk=at_risk, failed_fires=failed)
    yield from checks.vanished(recorded(stage), catalogued, other_ends=others)


def _digest(api: Client, clip: ClipView, target: Path) -> str:
    """The digest of the recording as a user downloads it."""
    links = {asset.name: asset.href for asset in api.clips.get(clip.id).assets}
    api.clips.download(links["clip.mcap"], target)
    return clip_digest(hash_cells(target).cells)


@contextmanager
def _database(stage: Stage) -> Iterator[Connection]:
    database = Database(settings_of_deployment(stage.data_dir).require_database_url(), pool_size=1)
    try:
        with database.begin() as connection:
            yield connection
    finally:
        database.close()


def _accounts(connection: Connection) -> dict[Account, Amounts]:
    """Every account of the ledger, those of vehicle-days summed up."""
    table, sums = ledger_accounts.c, dict[Account, Amounts]()
    rows = select(table.kind, table.campaign, table.vehicle_id, table.held, table.settled)
    for row in connection.execute(rows.where(table.kind != "network_month")):  # the audit has what came over the wire
        key = (row.kind, row.campaign, row.vehicle_id)
        sums[key] = sums.get(key, Amounts()) + Amounts(row.held, row.settled)
    return sums


def _received(connection: Connection) -> dict[Account, int]:
    """What was settled for uploads that gave no clip, by account."""
    table, upload = ledger_accounts.c, uploads.c
    rows = connection.execute(
        select(table.kind, table.campaign, table.vehicle_id, func.sum(ledger_entries.c.settled_delta))
        .join(ledger_entries, ledger_entries.c.account_id == table.id)
        .join(uploads, upload.id == ledger_entries.c.upload_id)
        .where(upload.state != "stored")
        .group_by(table.kind, table.campaign, table.vehicle_id)
    )
    return {(kind, campaign, vehicle_id): int(total) for kind, campaign, vehicle_id, total in rows}


def _rows_under_way(connection: Connection) -> dict[str, int]:
    counted = {
        "uploads under way": select(func.count()).where(uploads.c.state.in_(ASSEMBLING)),
        "pieces of cells": select(func.count()).select_from(upload_pieces),
        "parked cells": select(func.count()).select_from(parked_cells),
        "extractions to do": select(func.count()).where(extraction_jobs.c.state.in_(("ready", "leased"))),
        "events to send": select(func.count()).where(outbox.c.sent_at.is_(None)),
        "entries of the ledger to fold": select(func.count()).where(~ledger_entries.c.folded),
        "receipts of the ledger to fold": select(func.count()).where(
            ledger_receipts.c.folded_bytes != ledger_receipts.c.received_bytes
        ),
    }
    return {kind: int(connection.execute(query).scalar_one()) for kind, query in counted.items()}


def _leftovers(stage: Stage, clips: list[ClipView]) -> Iterator[str]:
    # The steward removes them when they are a day old; its own function does so now, when no write is under way.
    stage.store().remove_leftovers(older_than_s=0)
    multipart = stage.s3.client().list_multipart_uploads(Bucket=stage.s3.bucket).get("Uploads", [])
    yield from checks.left_over("unfinished object writes", [upload["Key"] for upload in multipart])
    spooled = [path for path in (stage.data_dir / "spool").rglob("*") if path.is_file() and path.stat().st_size]
    yield from checks.left_over("files in the spool", [str(path) for path in spooled])
    yield from checks.left_over("staging objects", _keys(stage, STAGING_PREFIX))
    recordings = [key for key in _keys(stage, "") if key.endswith(".mcap")]
    if len(recordings) != len(clips):
        yield f"the bucket holds {len(recordings)} recordings, the catalog {len(clips)} clips"


def _keys(stage: Stage, prefix: str) -> list[str]:
    pages = stage.s3.client().get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=stage.s3.bucket, Prefix=f"{OBJECTS_PREFIX}/{prefix}")
    return [entry["Key"] for page in found for entry in page.get("Contents", [])]


def _books(stage: Stage) -> Iterator[str]:
    """What `longtail budget audit` finds: accounts, entries, uploads, clips and objects, compared to the byte."""
    with stage.api() as api:
        for page in api.budget.audit():
            yield from page.differences


def _doctor(stage: Stage) -> Iterator[str]:
    """What `longtail doctor --full` finds, which knows the tables from inside."""
    command = [sys.executable, "-m", "fleet_api.cli", "doctor", "--data", str(stage.data_dir), "--full", "--json"]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=stage.environment(), capture_output=True, text=True, timeout=DOCTOR_S, check=False
    )
    try:
        document = json.loads(done.stdout)
    except ValueError:
        yield f"doctor did not answer: {done.stderr[-500:]}"
        return
    yield from checks.complaints(document["findings"])
