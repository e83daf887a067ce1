"""The loop of the likeness stage: claims a vector job, computes the vector in a child, and writes it.

The vector and the mark of a near duplicate are one transaction under the job's fencing token, so a job that is done
twice, or by a worker that was presumed dead, changes nothing. An outage costs no attempt; a child without an answer
costs one, and after some the clip stays without a vector, with the reason in its job.
"""

from __future__ import annotations

import logging
import tempfile
import threading
from pathlib import Path

from ingest.extraction.job_loop import LEASE_S, OUTAGE_S, RETRY_S, JobLoop
from ingest.extraction.likeness.contract import (
    MAX_VECTOR_BYTES,
    SIGNALS_FILE,
    VECTOR_REQUEST_FILE,
    VECTOR_RESULT_FILE,
    VectorRequest,
    VectorResult,
)
from ingest.extraction.sandbox.answers import ChildFailed, LimitReached, open_output
from ingest.extraction.sandbox.starter import Starter
from ingest.readiness import Part
from storage.clips.catalogs import parsed
from storage.clips.extraction_results import signal_catalogs
from storage.database import Connection, Database
from storage.likeness import duplicates, embeddings, jobs, vectors
from storage.likeness.jobs import VectorJob
from storage.objects.contract import ObjectNotFound, ObjectStore
from storage.settings import Settings
from triggers.errors import InvalidInput
from triggers.likeness.channels import channels_of
from triggers.likeness.version import DIMENSIONS, EMBEDDING_ID

LOGGER = logging.getLogger(__name__)


class LikenessLoop(JobLoop[VectorJob]):
    """One worker of the stage; `worker` names it in the jobs that it holds."""

    idle_s = 0.5
    what = "the vector"
    folder_prefix = "likeness-"

    def __init__(
        self,
        settings: Settings,
        database: Database,
        store: ObjectStore,
        *,
        worker: str,
        part: Part,
        starter: Starter | None = None,
        retry_s: float = RETRY_S,
        outage_s: float = OUTAGE_S,
    ) -> None:
        """Pauses are as in `JobLoop`."""
        super().__init__(
            settings,
            database,
            worker=worker,
            part=part,
            starter=starter,
            retry_s=retry_s,
            outage_s=outage_s,
        )
        self._store = store
        self._distance = settings.duplicate_distance

    def _claim(self, connection: Connection) -> VectorJob | None:
        return jobs.claim(connection, worker=self._worker, embedding_id=EMBEDDING_ID, lease_s=LEASE_S)

    def _do(self, job: VectorJob, stop: threading.Event) -> None:
        vector, why = self._vector(job, stop)
        self._write(job, vector, why)

    def _fail(self, job: VectorJob, error: ChildFailed) -> None:
        if isinstance(error, LimitReached):  # another attempt would meet it, too
            self._write(job, None, error.message)
            return
        self._try_again(job, error)

    def _renew(self, connection: Connection, job: VectorJob) -> None:
        jobs.renew(connection, job, lease_s=LEASE_S)

    def _return(self, connection: Connection, job: VectorJob, reason: str, *, delay_s: float, counts: bool) -> None:
        jobs.give_back(connection, job, reason=reason, delay_s=delay_s, counts=counts)

    def _free_own(self, connection: Connection) -> None:
        jobs.free_those_of(connection, self._worker)

    def _erased(self, job: VectorJob) -> None:
        """Nothing of it is anywhere else."""

    def _vector(self, job: VectorJob, stop: threading.Event) -> tuple[tuple[float, ...] | None, str]:
        """The vector, or None and why there is none."""
        if job.signals_key is None or job.fire_ns is None:
            return None, "extraction gave no signals"
        with self._database.begin() as connection:
            catalogs = parsed(signal_catalogs(connection, job.clip_id))
        declared = channels_of(catalogs, job.signals)
        with tempfile.TemporaryDirectory(dir=self._private_folder()) as name:
            folder = Path(name)
            try:
                with (folder / SIGNALS_FILE).open("wb") as file:
                    for chunk in self._store.stream(job.signals_key):
                        file.write(chunk)
            except ObjectNotFound as error:  # it is being extracted again, which queues it again; or it was lost
                return None, error.message
            request = VectorRequest.of(declared, job.fire_ns)
            given = request.canonical_json()
            self._sandbox.work(folder, VECTOR_REQUEST_FILE, given, self._limits, go_on=self._keep(job, stop))
            return _read(folder).vector, "no signal has a value around the fire"

    def _write(self, job: VectorJob, vector: tuple[float, ...] | None, why: str) -> None:
        """Conclude the job; in its transaction, write the vector and decide whether the clip is a duplicate."""
        with self._database.begin() as connection:
            jobs.finish(connection, job, failure=None if vector is not None else why)
            if vector is None:
                LOGGER.info("clip %s has no vector: %s", job.clip_id, why)
                return
            embedding, _ = embeddings.begin(connection, EMBEDDING_ID, DIMENSIONS)
            vectors.put(connection, job.clip_id, embedding, vector)
            original = duplicates.mark(connection, job.clip_id, embedding, vector, distance=self._distance)
        if original is not None:
            LOGGER.info("clip %s is almost the same as clip %s", job.clip_id, original)


def _read(folder: Path) -> VectorResult:
    """The child's answer, as far as it can be true; ChildFailed without one."""
    with open_output(folder / VECTOR_RESULT_FILE, MAX_VECTOR_BYTES) as file:
        data = file.read()
    try:
        result = VectorResult.from_json(data, what="the child's answer")
        result.require_possible()
    except InvalidInput as error:
        raise ChildFailed(f"the child left no usable vector: {error}") from error
    return result
