"""An assembler's surroundings: a vehicle, a campaign, clips of random bytes, their uploads, and cells in the log."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from ingest.assembler.assembler import Assembler
from ingest.assembler.clip_store import ClipStore
from ingest.assembler.spool import Spool
from ingest.cell_record import CellRecord
from ingest.cells_topic import GROUP
from ingest.extractor_version import EXTRACTOR_VERSION
from ingest.gateway.opening import OpeningTerms, open_upload
from ingest.log import CELLS_TOPIC, PostgresLog
from storage import ledger
from storage.database import Database
from storage.log import groups as log_groups
from storage.log.groups import GroupKey
from storage.objects import DirectoryStore
from storage.tables import clips, fires, ledger_accounts
from storage.tables import uploads as uploads_table
from tests.support.fleet import add_version, clip_manifest, enroll_vehicle
from tests.support.waiting import wait_for
from triggers.contracts.campaign import BudgetLimits, Network
from triggers.contracts.clip import CELL_BYTES, ClipManifest, CreationRequest

LEASE_S = 2.0
PARTITIONS = 2
TERMS = OpeningTerms(expiry_s=3600, log_partitions=PARTITIONS)


def random_bytes(size_bytes: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size_bytes)


@dataclass
class SentClip:
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
        with database.begin() as connection:
            enroll_vehicle(connection)
            add_version(connection, "braking", limits=BudgetLimits(total_bytes=10**12))

    def clip(self, size_bytes: int, *, seed: int = 0, manifest: ClipManifest | None = None) -> SentClip:
        """Begin the upload of a clip."""
        data = random_bytes(size_bytes, seed)
        manifest = manifest or clip_manifest(data)
        with self.database.begin() as connection:
            upload, _ = open_upload(
                connection, CreationRequest(manifest=manifest, network=Network.WIFI), TERMS, now=datetime.now(UTC)
            )
        return SentClip(data, manifest, upload.id, upload.log_partition)

    def send(self, clip: SentClip, *indices: int, payload: bytes | None = None) -> None:
        """Append cells of a clip, one record each; `payload` replaces their bytes."""
        for index in indices:
            cell = CellRecord(clip.upload_id, index, 1, clip.cell(index) if payload is None else payload)
            self.log.append(CELLS_TOPIC, clip.partition, [cell.encode()])

    def assembler(self, member: str = "w-0", **changes: Any) -> Assembler:
        """An assembler that has joined nothing yet."""
        options: dict[str, Any] = {"park_after_s": 60.0, "revoke_within_s": 5.0, "spool_bytes": 64 * 1024**2} | changes
        spool = Spool(self.folder / "spool" / member, limit_bytes=options.pop("spool_bytes"))
        single_put_bytes = options.pop("single_put_bytes", 16 * 1024**2)
        clip_store = options.pop("clip_store", None) or ClipStore(
            self.database, self.store, single_put_bytes=single_put_bytes, extractor_version=EXTRACTOR_VERSION
        )
        return Assembler(self.log, clip_store, spool, member=member, **options)

    def spool_file(self, upload_id: str, member: str = "w-0") -> Path:
        """The one file in which a member's spool has cells of the upload."""
        (path,) = (self.folder / "spool" / member).glob(f"{upload_id}.*")
        return path

    def upload_state(self, clip: SentClip) -> str:
        with self.database.begin() as connection:
            state = select(uploads_table.c.state).where(uploads_table.c.id == clip.upload_id)
            return str(connection.execute(state).scalar_one())

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
        with self.database.begin() as connection:
            while ledger.fold(connection):
                pass
            held = select(func.sum(ledger_accounts.c.held)).where(ledger_accounts.c.kind == "campaign_bytes")
            return int(connection.execute(held).scalar() or 0)

    def holders(self) -> set[str]:
        """The members of the assembler's group that hold a partition."""
        with self.database.begin() as connection:
            claims = log_groups.claims(connection, GroupKey(GROUP, CELLS_TOPIC))
        return {claim.member for claim in claims.values() if claim.member is not None}

    def lag(self) -> int:
        """Records of the log after the committed offsets."""
        ends = self.log.end_offsets(CELLS_TOPIC)
        committed = self.log.committed_offsets(CELLS_TOPIC, GROUP)
        return sum(ends[partition] - committed[partition] for partition in ends)


def drive(assembler: Assembler, until: Any, *, within_s: float = 20.0, what: str = "the condition") -> None:
    """Step an assembler until a condition holds."""

    def stepped() -> bool:
        assembler.step(timeout_s=0.02)
        return bool(until())

    wait_for(stepped, within_s=within_s, what=what)
