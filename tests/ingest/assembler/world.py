"""An assembler's surroundings: a vehicle, a campaign, clips of random bytes, their uploads, and cells in the log."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select

from ingest.assembler.assembler import Assembler
from ingest.assembler.effects import Effects
from ingest.assembler.spool import Spool
from ingest.cell_record import CellRecord
from ingest.log import CELLS_TOPIC, PostgresLog
from storage.database import Database
from storage.objects import DirectoryStore
from storage.tables import campaign_versions, clips, fires, ledger_accounts, vehicles
from storage.tables import uploads as uploads_table
from storage.uploads import uploads
from tests.support.processes import wait_for
from triggers.contracts.campaign import BudgetLimits, CampaignSettings, CaptureWindow, Network, TriggerSettings
from triggers.contracts.clip import CELL_BYTES, ClipManifest, Fire, RecordingManifest

PROGRAM_DIGEST = hashlib.sha256(b"program").hexdigest()
START_NS = 1_700_000_000_000_000_000
LEASE_S = 2.0
PARTITIONS = 2
_ordinals = itertools.count(1)


def enrol(database: Database) -> None:
    """The vehicle `car-1` and the running campaign `braking`."""
    window = CaptureWindow(before_ns=0, after_ns=0, signals=("speed",))
    trigger = TriggerSettings(name="hard", cooldown_ns=0, capture=window, tags=("brake",))
    settings = CampaignSettings(name="braking", triggers=(trigger,), budget=BudgetLimits(total_bytes=10**12))
    with database.begin() as connection:
        connection.execute(insert(vehicles).values(id="car-1", token_hash=b"t"))
        connection.execute(
            insert(campaign_versions).values(
                campaign="braking",
                version=1,
                state="active",
                source="",
                signal_catalog="",
                settings=json.loads(settings.canonical_json()),
                program=b"program",
                program_digest=PROGRAM_DIGEST,
                bundle=b"sealed",
                bundle_digest="b",
                author="ann",
            )
        )


def random_bytes(size_bytes: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size_bytes)


def manifest_of(data: bytes, **changes: Any) -> ClipManifest:
    """The manifest of a clip with one fire; `changes` are of the manifest itself."""
    ordinal = next(_ordinals)
    fire = Fire(
        campaign="braking",
        version=1,
        program_digest=PROGRAM_DIGEST,
        trigger="hard",
        ordinal=ordinal,
        t_ns=START_NS,
        window_start_ns=START_NS,
        window_end_ns=START_NS,
        inclusion_probability=1.0,
        charged_bytes=len(data),
    )
    recording = RecordingManifest(
        vehicle_id="car-1",
        recording_id=f"rec-{ordinal}",
        start_ns=START_NS,
        end_ns=START_NS + 10**9,
        fires=(fire,),
        signals=("speed",),
    )
    cells = tuple(
        hashlib.sha256(data[start : start + CELL_BYTES]).hexdigest() for start in range(0, len(data), CELL_BYTES)
    )
    return ClipManifest(**{"recording": recording, "size_bytes": len(data), "cells": cells, **changes})


@dataclass
class Clip:
    """A clip on its way: its bytes, its manifest and its upload."""

    data: bytes
    manifest: ClipManifest
    upload_id: str
    partition: int

    def cell(self, index: int) -> bytes:
        return self.data[index * CELL_BYTES : (index + 1) * CELL_BYTES]

    @property
    def indices(self) -> range:
        return range(len(self.manifest.cells))


class World:
    """One deployment's database, log and store; assemblers are made and driven by the tests."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.store = DirectoryStore(folder / "objects", public_url="http://127.0.0.1")
        self.log = PostgresLog(database, lease_s=LEASE_S)
        self.log.ensure_topic(CELLS_TOPIC, partitions=PARTITIONS, retention_s=3600)
        enrol(database)

    def clip(self, size_bytes: int, *, seed: int = 0, manifest: ClipManifest | None = None) -> Clip:
        """Begin the upload of a clip."""
        data = random_bytes(size_bytes, seed)
        manifest = manifest or manifest_of(data)
        with self.database.begin() as connection:
            upload, _ = uploads.create(
                connection,
                manifest,
                network=Network.WIFI,
                now=datetime.now(UTC),
                expiry_s=3600,
                log_partitions=PARTITIONS,
                fleet_limit_bytes=None,
            )
        return Clip(data, manifest, upload.id, upload.log_partition)

    def send(self, clip: Clip, *indices: int, payload: bytes | None = None) -> None:
        """Append cells of a clip, one record each; `payload` replaces their bytes."""
        for index in indices:
            cell = CellRecord(clip.upload_id, index, 1, clip.cell(index) if payload is None else payload)
            self.log.append(CELLS_TOPIC, clip.partition, [cell.encode()])

    def assembler(self, member: str = "w-0", **changes: Any) -> Assembler:
        """An assembler that has joined nothing yet."""
        options = {"park_after_s": 60.0, "revoke_within_s": 5.0, "spool_bytes": 64 * 1024**2} | changes
        spool = Spool(self.folder / "spool" / member, limit_bytes=options.pop("spool_bytes"))
        effects = Effects(
            self.database,
            self.store,
            single_put_bytes=options.pop("single_put_bytes", 16 * 1024**2),
            extractor_version=1,
        )
        return Assembler(self.log, effects, spool, member=member, **options)

    def upload_state(self, clip: Clip) -> str:
        with self.database.begin() as connection:
            wanted = select(uploads_table.c.state).where(uploads_table.c.id == clip.upload_id)
            return str(connection.execute(wanted).scalar_one())

    def catalogued(self) -> dict[str, bytes]:
        """The bytes of every clip in the catalog."""
        with self.database.begin() as connection:
            rows = connection.execute(select(clips.c.id, clips.c.object_key)).all()
        return {row.id: self.store.get(row.object_key) for row in rows}

    def fire_outcomes(self) -> list[tuple[str, str | None]]:
        with self.database.begin() as connection:
            return [(row.outcome, row.reason) for row in connection.execute(select(fires.c.outcome, fires.c.reason))]

    def held_bytes(self) -> int:
        """What the campaign's budget holds, after folding."""
        from storage import ledger

        with self.database.begin() as connection:
            while ledger.fold(connection):
                pass
            held = select(func.sum(ledger_accounts.c.held)).where(ledger_accounts.c.kind == "campaign_bytes")
            return int(connection.execute(held).scalar() or 0)

    def lag(self) -> int:
        """Records of the log behind the committed offsets."""
        ends = self.log.end_offsets(CELLS_TOPIC)
        committed = self.log.committed_offsets(CELLS_TOPIC, "assembler")
        return sum(ends[partition] - committed[partition] for partition in ends)


def drive(assembler: Assembler, until: Any, *, within_s: float = 20.0, what: str = "the condition") -> None:
    """Step an assembler until a condition holds."""

    def stepped() -> bool:
        assembler.step(timeout_s=0.02)
        return bool(until())

    wait_for(stepped, within_s=within_s, what=what)
