"""The assembler's effects on database and object store: clips are stored, parked or given up, repeatably.

Objects are written before the rows that name them, and offsets advance only after the rows: a crash in between leaves
an object that the next attempt writes again under the same key, or that the steward removes.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext

from ingest.assembler.cells import CellReader, CellRejected, check_cell
from ingest.assembler.packed import CellSums
from ingest.assembler.phases import Parked
from ingest.assembler.spool import SpoolFile
from storage.clips import batch
from storage.clips import writer as clip_writer
from storage.clips.writer import Ending, PendingUpload
from storage.database import Database
from storage.objects.contract import ObjectExists, ObjectStore
from storage.uploads import dead_letters, parking
from storage.uploads.parking import ParkedPart
from triggers.contracts.clip import CELL_BYTES
from triggers.errors import LongtailError

WRITERS = 8
"""Small objects written at a time: most of a small write is waiting for a disk or a network."""
LOGGER = logging.getLogger(__name__)


class ClipStore:
    """The effects of one deployment's assemblers, on its database and its object store. Thread-safe."""

    def __init__(
        self, database: Database, store: ObjectStore, *, single_put_bytes: int, extractor_version: int
    ) -> None:
        self._database = database
        self._store = store
        self._single_put_bytes = single_put_bytes
        self._extractor_version = extractor_version
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="objects")

    def look_up(self, upload_id: str) -> tuple[PendingUpload | None, frozenset[int]]:
        """The upload, and the cells of it that are parked; InvalidInput when its manifest cannot be read."""
        with self._database.begin() as connection:
            upload = clip_writer.find_upload(connection, upload_id)
            parked = parking.parts(connection, upload_id) if upload is not None and upload.is_assembling else ()
        return upload, frozenset(cell for part in parked for cell in part.cells)

    def store_clip(self, upload: PendingUpload, spooled: SpoolFile) -> Ending:
        """Put a whole clip into the store and the catalog; StagingLost or SpoolDamaged when cells are gone.

        1. unless the upload was closed meanwhile: write the clip's object, unless it exists with exactly these bytes
        2. write clip, fires, settlement, closed upload, event and extraction job in one transaction
        3. remove the staging objects
        """
        with self._database.begin() as connection:
            parts = parking.parts(connection, upload.id)
            is_open = bool(parking.open_uploads(connection, [upload.id]))
        if is_open:
            self._write_spooled(upload, spooled, parts)
        with self._database.begin() as connection:
            ending = clip_writer.store_clip(connection, upload, extractor_version=self._extractor_version)
        self._remove(ending)
        return ending

    def look_up_many(self, upload_ids: Collection[str]) -> dict[str, tuple[PendingUpload, frozenset[int]]]:
        """What `look_up` finds for each; left out are those that it would not find, or not be able to read."""
        with self._database.begin() as connection:
            uploads = batch.find_uploads(connection, upload_ids)
            parked = parking.parts_of(connection, [key for key, upload in uploads.items() if upload.is_assembling])
        return {
            key: (upload, frozenset(cell for part in parked.get(key, ()) for cell in part.cells))
            for key, upload in uploads.items()
        }

    def store_clips(self, whole: Sequence[tuple[PendingUpload, SpoolFile]]) -> list[Ending]:
        """Do for small clips what `store_clip` does for one, with a few transactions for all of them together.

        When any of them cannot be stored, an error is raised and none is in the catalog: store each alone then.
        """
        ids = [upload.id for upload, _ in whole]
        with self._database.begin() as connection:
            parts = parking.parts_of(connection, ids)
            still_open = parking.open_uploads(connection, ids)
        writes = [
            self._writers.submit(self._write_spooled, upload, spooled, parts.get(upload.id, []))
            for upload, spooled in whole
            if upload.id in still_open
        ]
        wait(writes)  # all of them, before any error: nothing may still be written when the clips are tried alone
        for write in writes:
            write.result()
        with self._database.begin() as connection:
            endings = batch.store_clips(
                connection, [upload for upload, _ in whole], extractor_version=self._extractor_version
            )
        for ending in endings:
            self._remove(ending)
        return endings

    def fail(self, upload: PendingUpload, reason: str, detail: str, payload: bytes | None) -> Ending:
        """Give a clip up for good. `payload`, the cell that was wrong, is kept beside the dead letter."""
        key = None
        if payload is not None:
            key = dead_letters.payload_key(upload.id)
            self._store.put(key, payload)
        with self._database.begin() as connection:
            ending = clip_writer.fail_upload(connection, upload, reason=reason, detail=detail, object_key=key)
        if key is not None and not ending.won and ending.state != "failed":
            self._store.delete(key)
        self._remove(ending)
        return ending

    def fail_unread(self, upload_id: str, reason: str, detail: str) -> None:
        """Give up an upload whose row, with its manifest and its fires, this version cannot read."""
        with self._database.begin() as connection:
            clip_writer.fail_unread(connection, upload_id, reason=reason, detail=detail)

    def park(self, upload: PendingUpload, spooled: SpoolFile) -> Parked:
        """Move the spooled cells to a staging object; not `won` when the upload was closed meanwhile."""
        cells = sorted(spooled.sizes)
        key = parking.staging_key(upload.id, cells)
        with spooled.open() as file:
            reader = CellReader(self._store, CellSums.of(upload.manifest), file, frozenset(cells), ())
            size_bytes = self._store.put_parts(key, reader.parts(cells)).size_bytes
        with self._database.begin() as connection:
            parked = parking.park(connection, upload.id, cells, size_bytes=size_bytes)
        if not parked:
            self._store.delete(key)
        return Parked(won=parked)

    def bury_record(self, value: bytes, *, place: str, error: LongtailError) -> None:
        """Keep a record that is not a cell as an object and a dead letter, once, however often it is read."""
        key = f"dead-letters/records/{hashlib.sha256(value).hexdigest()}"
        self._store.put(key, value)
        with self._database.begin() as connection:
            dead_letters.record(
                connection,
                stage="assembler",
                reason="record_undecodable",
                detail=f"{place}: {error.message}",
                object_key=key,
            )

    def _write_spooled(self, upload: PendingUpload, spooled: SpoolFile, parts: Sequence[ParkedPart]) -> None:
        with self._reader(upload, spooled, parts) as cells:
            self._write_object(upload, cells)

    @contextmanager
    def _reader(self, upload: PendingUpload, spooled: SpoolFile, parts: Sequence[ParkedPart]) -> Iterator[CellReader]:
        here = frozenset(spooled.sizes)
        with spooled.open() if here else nullcontext() as file:
            yield CellReader(self._store, CellSums.of(upload.manifest), file, here, parts)

    def _write_object(self, upload: PendingUpload, cells: CellReader) -> None:
        key, size_bytes = upload.object_key, upload.manifest.size_bytes
        try:
            if size_bytes <= self._single_put_bytes:
                self._store.put(key, b"".join(cells.parts()), if_absent=True)
            else:
                self._store.put_parts(key, cells.parts(), if_absent=True)
        except ObjectExists:
            if not self._holds(upload):
                LOGGER.warning("the object %s did not hold the bytes of its clip and is written again", key)
                self._store.put_parts(key, cells.parts())

    def _holds(self, upload: PendingUpload) -> bool:
        """Whether the clip's object has the right size and every cell's hash."""
        sums = CellSums.of(upload.manifest)
        if self._store.stat(upload.object_key).size_bytes != sums.size_bytes:
            return False
        try:
            for index in range(len(sums)):
                data = self._store.get(upload.object_key, start=index * CELL_BYTES, length=CELL_BYTES)
                check_cell(sums, index, data)
        except CellRejected:
            return False
        return True

    def _remove(self, ending: Ending) -> None:
        for key in ending.staging_keys:
            self._store.delete(key)
