"""The extraction loop: claims a job, extracts in a child process, uploads the results, and concludes the job.

A damaged clip concludes its job at once. When a child gives no answer, the job is retried a few times. An outage of
store or database costs no attempt. Objects have deterministic names, so the next attempt overwrites an unfinished one.
The job of a clip that is erased meanwhile is gone, and what was stored for it is deleted again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import threading
from pathlib import Path
from typing import BinaryIO

from ingest.extraction.job_loop import LEASE_S, OUTAGE_S, RETRY_S, JobLoop
from ingest.extraction.outputs import ExtractionResult, assets_of
from ingest.extraction.requests import request_for
from ingest.extraction.sandbox.answers import ChildFailed, LimitReached, open_output
from ingest.extraction.sandbox.starter import Starter
from ingest.extractor_version import EXTRACTOR_VERSION
from ingest.readiness import Part, Readiness
from storage.clips import extraction_jobs, extraction_results
from storage.clips.catalogs import parsed
from storage.clips.extraction_jobs import ExtractionJob
from storage.clips.extraction_results import Asset, Findings, SignalStatistics
from storage.database import Connection, Database
from storage.erasure import clips as erased_clips
from storage.objects.contract import ObjectNotFound, ObjectStore
from storage.settings import Settings
from triggers.clips.damage import MAX_DETAIL_CHARACTERS, Damaged, Remark
from triggers.clips.magic import require_magic
from triggers.contracts.api.clips import RECORDING_ASSET

LOGGER = logging.getLogger(__name__)
MAX_CLAIMS = 30
"""A clip is given up after this many claims without a result, for whatever reason."""
PART_BYTES = 8 * 1024**2


class ExtractionLoop(JobLoop[ExtractionJob]):
    """One extraction worker; `worker` names it in the jobs that it holds."""

    idle_s = 0.3
    what = "the extraction"

    def __init__(
        self,
        settings: Settings,
        database: Database,
        store: ObjectStore,
        *,
        worker: str,
        part: Part | None = None,
        starter: Starter | None = None,
        extractor_version: int = EXTRACTOR_VERSION,
        retry_s: float = RETRY_S,
        outage_s: float = OUTAGE_S,
    ) -> None:
        """Pauses are as in `JobLoop`."""
        super().__init__(
            settings,
            database,
            worker=worker,
            part=part or Readiness().part(worker),
            starter=starter,
            retry_s=retry_s,
            outage_s=outage_s,
        )
        self._store = store
        self._version = extractor_version
        self._attempts = settings.extraction_attempts
        self._derived_share = settings.derived_share
        self._quarantine_after = settings.junk_before_quarantine or None
        self._served = ""

    def _claim(self, connection: Connection) -> ExtractionJob | None:
        job = extraction_jobs.claim(
            connection,
            worker=self._worker,
            extractor_version=self._version,
            lease_s=LEASE_S,
            after_vehicle=self._served,
        )
        if job is not None:
            self._served = job.vehicle_id
        return job

    def _do(self, job: ExtractionJob, stop: threading.Event) -> None:
        self._write(job, self._findings(job, stop))

    def _renew(self, connection: Connection, job: ExtractionJob) -> None:
        extraction_jobs.renew(connection, job, lease_s=LEASE_S)

    def _return(self, connection: Connection, job: ExtractionJob, reason: str, *, delay_s: float, counts: bool) -> None:
        extraction_jobs.give_back(connection, job, reason=reason, delay_s=delay_s, counts=counts)

    def _free_own(self, connection: Connection) -> None:
        extraction_jobs.free_those_of(connection, self._worker)

    def _erased(self, job: ExtractionJob) -> None:
        for info in self._store.list(erased_clips.derived_prefix(job.extractor_version, job.clip_id)):
            self._store.delete(info.key)

    def _findings(self, job: ExtractionJob, stop: threading.Event) -> Findings:
        if job.attempts > MAX_CLAIMS:
            return _nothing("extraction_abandoned", f"{job.attempts - 1} attempts ended without an answer")
        with tempfile.TemporaryDirectory(dir=self._private_folder()) as name:
            folder = Path(name)
            try:
                self._download(job, folder / RECORDING_ASSET)
            except ObjectNotFound as error:
                return _nothing("object_missing", error.message)
            except Damaged as damage:  # so that junk costs no child
                return Findings(remarks=[damage.remark])
            return self._extract(job, folder, stop)

    def _extract(self, job: ExtractionJob, folder: Path, stop: threading.Event) -> Findings:
        """Let a child read the clip in the folder, and store what it wrote."""
        with self._database.begin() as connection:
            catalogs = parsed(extraction_results.signal_catalogs(connection, job.clip_id))
        recording = job.manifest.recording
        request = request_for(
            recording, catalogs, clip_bytes=job.manifest.size_bytes, derived_share=self._derived_share
        )
        result = self._sandbox.run(folder, request, self._limits, go_on=self._keep(job, stop))
        return Findings(
            assets=self._upload(job, folder, result, request.derived_bytes),
            statistics=[
                SignalStatistics(row.signal, row.samples, row.minimum, row.maximum, row.mean, row.mean_over)
                for row in result.statistics
            ],
            track=result.track,
            box=result.box,
            remarks=[remark.remark() for remark in result.remarks],
        )

    def _download(self, job: ExtractionJob, path: Path) -> None:
        """Write the clip to a file. Damaged if it does not even begin as one."""
        with path.open("w+b") as file:
            for chunk in self._store.stream(job.object_key):
                file.write(chunk)
            file.seek(0)
            require_magic(file)

    def _upload(self, job: ExtractionJob, folder: Path, result: ExtractionResult, limit_bytes: int) -> list[Asset]:
        """Store the child's files; ChildFailed if they are not what it may have written."""
        assets: list[Asset] = []
        files = assets_of(job.manifest.recording)
        for output in result.files:
            name, media_type = files[output.asset]
            key = f"{erased_clips.derived_prefix(job.extractor_version, job.clip_id)}{name}"
            left_bytes = limit_bytes - sum(asset.size_bytes for asset in assets)
            with open_output(folder / name, left_bytes) as file:
                size_bytes = os.fstat(file.fileno()).st_size
                digest = _digest_of(file)
                file.seek(0)
                if size_bytes <= PART_BYTES:
                    self._store.put(key, file.read())
                else:
                    self._store.put_parts(key, iter(lambda file=file: file.read(PART_BYTES), b""))  # type: ignore[misc]
            picture = {} if output.picture is None else output.picture.model_dump()
            assets.append(Asset(output.asset, key, media_type, size_bytes, digest, **picture))
        return assets

    def _write(self, job: ExtractionJob, findings: Findings) -> None:
        with self._database.begin() as connection:
            extraction_results.write(connection, job, findings, quarantine_after=self._quarantine_after)
        if findings.damage:
            LOGGER.warning("clip %s is damaged: %s", job.clip_id, findings.damage)

    def _fail(self, job: ExtractionJob, error: ChildFailed) -> None:
        if job.attempts < self._attempts and not isinstance(error, LimitReached):
            self._try_again(job, error)
            return
        self._write(job, _nothing(error.code, error.message))


def _nothing(reason: str, detail: str) -> Findings:
    """The findings of a clip of which nothing could be extracted."""
    return Findings(remarks=[Remark(reason, detail[:MAX_DETAIL_CHARACTERS])])


def _digest_of(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while part := file.read(PART_BYTES):
        digest.update(part)
    return digest.hexdigest()
