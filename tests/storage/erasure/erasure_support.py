"""Clips to erase: stored as the assembler stores them, with everything that can belong to a clip."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select, text, update

from ingest.gateway.opening import OpeningTerms, open_upload
from storage import ledger
from storage.clips import extraction_jobs, extraction_results
from storage.clips import writer as clip_writer
from storage.clips.extraction_jobs import ExtractionJob
from storage.clips.extraction_results import Asset, Findings, SignalStatistics
from storage.clips.marks import notes, openings, tags
from storage.clips.writer import PendingUpload
from storage.counts.outcomes import OutcomeCounts, outcomes
from storage.database import Database
from storage.datasets import freezing
from storage.datasets.freezing import NewVersion
from storage.labels import jobs as label_jobs
from storage.likeness import jobs as vector_jobs
from storage.objects import ObjectStore
from storage.scans import jobs as scan_jobs
from storage.scans.jobs import Hit, NewScan, PageDone
from storage.tables import campaign_versions, ledger_accounts
from tests.storage.likeness.likeness_support import EMBEDDING, add_vector
from tests.support.fleet import a_user, clip_manifest
from triggers.contracts.campaign import Network
from triggers.contracts.clip import ClipManifest, CreationRequest

TERMS = OpeningTerms(expiry_s=3600, log_partitions=1)
EXTRACTOR = 1
REST = (
    "clips",
    "clip_fires",
    "signal_statistics",
    "clip_assets",
    "extraction_jobs",
    "label_jobs",
    "labels",
    "clip_tags",
    "clip_notes",
    "clip_openings",
    "clip_texts",
    "clip_vectors",
    "vector_jobs",
    "scan_hits",
)
"""The tables in which nothing of an erased clip may be left."""


def retain(connection: Connection, campaign: str, version: int, retain_ns: int | None) -> None:
    """Give a campaign version another `retain`."""
    settings = campaign_versions.c.settings
    changed = settings.concat(func.jsonb_build_object("retain_ns", retain_ns))
    of_version = campaign_versions.c.campaign == campaign, campaign_versions.c.version == version
    connection.execute(update(campaign_versions).where(*of_version).values(settings=changed))


def begin(connection: Connection, manifest: ClipManifest) -> PendingUpload:
    """Open the upload of a clip; its bytes are reserved."""
    request = CreationRequest(manifest=manifest, network=Network.WIFI)
    upload, _ = open_upload(connection, request, TERMS, now=datetime.now(UTC))
    pending = clip_writer.find_upload(connection, upload.id)
    assert pending is not None
    return pending


def store(database: Database, manifest: ClipManifest | None = None, **changes: Any) -> str:
    """Store a clip; returns its id."""
    manifest = manifest or clip_manifest(b"a clip", **changes)
    with database.begin() as connection:
        upload = begin(connection, manifest)
    with database.begin() as connection:
        assert clip_writer.store_clip(connection, upload, extractor_version=EXTRACTOR).won
    return upload.clip_id


def claim(database: Database) -> ExtractionJob:
    """Claim the next extraction."""
    with database.begin() as connection:
        job = extraction_jobs.claim(connection, worker="w", extractor_version=EXTRACTOR, lease_s=60)
    assert job is not None
    return job


def findings_of(clip_id: str) -> Findings:
    """What an extraction may find: an asset, and a signal's statistics."""
    asset = Asset("signals.parquet", f"derived/v{EXTRACTOR}/{clip_id}/signals.parquet", "application/x", 7)
    return Findings(assets=[asset], statistics=[SignalStatistics("speed", 5, 1.0, 2.0, 1.5)])


def complete(database: Database, job: ExtractionJob) -> None:
    """Conclude an extraction, and label its clip."""
    with database.begin() as connection:
        extraction_results.write(connection, job, findings_of(job.clip_id))
        label_jobs.ensure(connection, job.clip_id, "auto")
        claimed = label_jobs.claim(connection, user="ann", task="auto", labeler="x", count=1, lease_s=60)
        for each in claimed:
            label_jobs.complete(connection, each.id, token=each.token, types=["car"], openlabel={}, provenance={})


def use(database: Database, *clip_ids: str, dataset: str = "cuts") -> None:
    """What people and stages make of clips: tags, notes, vectors, a scan, a dataset; and somebody opens them."""
    with database.begin() as connection:
        ann = a_user(connection)
        for clip_id in clip_ids:
            tags.add(connection, clip_id, ["wet"], user_id=ann.id)
            notes.add(connection, clip_id, "a note", user_id=ann.id)
            openings.note(connection, clip_id)
            vector_jobs.queue(connection, clip_id, EMBEDDING)
            add_vector(connection, clip_id, [1.0, 2.0])
        freezing.create(connection, dataset, description="", lets_expire=True, user=ann)
        freezing.add_version(connection, dataset, NewVersion(clip_ids, {}, {}), user=ann)
        scan_jobs.create(connection, NewScan(None, "cql2-text", "TRUE", None), user_id=ann.id, keep_s=3600)
        scan = scan_jobs.claim(connection, worker="w", lease_s=60)
        assert scan is not None
        hits = [Hit(clip_id, (1,), 1) for clip_id in clip_ids]
        scan = scan_jobs.take_page(connection, scan, PageDone(len(hits), hits, [], 0, 0.0, None), lease_s=60)
        scan_jobs.finish(connection, scan)


def rows_left(database: Database, *tables: str) -> dict[str, int]:
    """How many rows tables have, those without any left out."""
    with database.begin() as connection:
        counts = {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}
    return {name: count for name, count in counts.items() if count}


def keys_in(store: ObjectStore) -> list[str]:
    """The keys of all objects that there are."""
    return [info.key for info in store.list()]


def keys_to_delete(database: Database) -> list[str]:
    """The keys that are to be deleted, each once."""
    with database.begin() as connection:
        return sorted(connection.execute(text("SELECT DISTINCT object_key FROM object_deletions")).scalars())


def counted(database: Database) -> dict[tuple[str, int], OutcomeCounts]:
    """The outcomes of all campaigns."""
    with database.begin() as connection:
        return outcomes(connection)


def balances(database: Database) -> dict[tuple[str, str], tuple[int, int]]:
    """Held and settled by kind and campaign, after folding."""
    table = ledger_accounts.c
    sums = select(table.kind, table.campaign, func.sum(table.held), func.sum(table.settled))
    with database.begin() as connection:
        while ledger.fold(connection):
            pass
        rows = connection.execute(sums.group_by(table.kind, table.campaign))
        return {(row[0], row[1]): (int(row[2]), int(row[3])) for row in rows}
