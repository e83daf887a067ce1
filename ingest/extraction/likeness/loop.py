"""The loop of the likeness stage: claims a vector job, computes the vector in a child, and writes it.

The vector and the mark of a near duplicate are one transaction under the job's fencing token, so a job that is done
twice, or by a worker that was presumed dead, changes nothing. An outage costs no attempt; a child without an answer
costs one, and after some the clip stays without a vector, with the reason in its job.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from pathlib import Path

from ingest.extraction.likeness.contract import (
    MAX_VECTOR_BYTES,
    SIGNALS_FILE,
    VECTOR_REQUEST_FILE,
    VECTOR_RESULT_FILE,
    VectorRequest,
    VectorResult,
)
from ingest.extraction.sandbox.answers import ChildFailed, LimitReached, open_output
from ingest.extraction.sandbox.isolation import extraction_user
from ingest.extraction.sandbox.limits import ChildLimits
from ingest.extraction.sandbox.sandbox import Interrupted, Sandbox
from ingest.extraction.sandbox.starter import Starter
from ingest.readiness import Part
from storage.clips.catalogs import parsed
from storage.clips.extraction_results import signal_catalogs
from storage.database import Database
from storage.likeness import duplicates, embeddings, jobs, vectors
from storage.likeness.jobs import VectorJob
from storage.objects.contract import ObjectNotFound, ObjectStore
from storage.settings import Settings
from triggers.errors import InvalidInput, LeaseLost, Misconfigured, NotFound, Overloaded, Unreachable
from triggers.likeness.channels import channels_of
from triggers.likeness.vector import DIMENSIONS, EMBEDDING_ID
from triggers.private_files import private_folder

LOGGER = logging.getLogger(__name__)
IDLE_S = 0.5
OUTAGE_S = 2.0
RETRY_S = 5.0
LEASE_S = 20.0
RENEW_S = 5.0


class LikenessLoop:
    """One worker of the stage; `worker` names it in the jobs that it holds."""

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
        """`retry_s` is the pause before a clip's next attempt, `outage_s` the pause after an outage."""
        self._database = database
        self._store = store
        self._worker = worker
        self._part = part
        self._retry_s = retry_s
        self._outage_s = outage_s
        self._distance = settings.duplicate_distance
        self._limits = ChildLimits(settings.extraction_memory_bytes, settings.extraction_timeout_s)
        self._folder = settings.require_data_dir() / "extraction" / f"likeness-{worker.replace('/', '-')}"
        self._sandbox = Sandbox(
            self._folder, isolation=settings.extraction_isolation, user=extraction_user(settings), starter=starter
        )

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a job in progress is then given back."""
        if self._folder.exists():
            shutil.rmtree(self._folder)  # what a killed process of this name left
        freed = False
        try:
            while not stop.is_set():
                try:
                    if not freed:
                        self._free_own_jobs()
                        freed = True
                    worked = self.work_once(stop)
                    self._part.passed()
                    if not worked:
                        stop.wait(IDLE_S)
                except (Unreachable, Overloaded) as error:
                    self._part.failed(error)
                    LOGGER.warning("%s waits %.0f s: %s", self._worker, self._outage_s, error)
                    stop.wait(self._outage_s)
        finally:
            self.close()

    def close(self) -> None:
        """End the process that the children are forked from."""
        self._sandbox.close()

    def work_once(self, stop: threading.Event) -> bool:
        """Claim and conclude one job; False when there was none."""
        with self._database.begin() as connection:
            job = jobs.claim(connection, worker=self._worker, embedding_id=EMBEDDING_ID, lease_s=LEASE_S)
        if job is None:
            return False
        try:
            self._conclude(job, stop)
        except LeaseLost as error:
            LOGGER.info("%s", error)
        except NotFound:
            LOGGER.info("clip %s was erased before it had a vector", job.clip_id)
        return True

    def _conclude(self, job: VectorJob, stop: threading.Event) -> None:
        """Do the job. LeaseLost when another worker has it, NotFound when its clip was erased."""
        try:
            vector, why = self._vector(job, stop)
            self._write(job, vector, why)
        except Interrupted:
            self._give_back(job, "the worker stopped", delay_s=0, counts=False)
        except (Unreachable, Overloaded, Misconfigured) as error:  # none of them is the clip's fault
            self._give_back(job, error.message, delay_s=self._outage_s, counts=False)
            raise
        except LimitReached as error:  # another attempt would meet it, too
            self._write(job, None, error.message)
        except ChildFailed as error:
            LOGGER.warning("attempt %d at the vector of clip %s: %s", job.attempts, job.clip_id, error.message)
            self._give_back(job, error.message, delay_s=self._retry_s, counts=True)

    def _vector(self, job: VectorJob, stop: threading.Event) -> tuple[tuple[float, ...] | None, str]:
        """The vector, or None and why there is none."""
        if job.signals_key is None or job.fire_ns is None:
            return None, "extraction gave no signals"
        with self._database.begin() as connection:
            catalogs = parsed(signal_catalogs(connection, job.clip_id))
        declared = channels_of(catalogs, job.signals)
        private_folder(self._folder.parent)
        private_folder(self._folder)
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            folder = Path(name)
            try:
                with (folder / SIGNALS_FILE).open("wb") as file:
                    for chunk in self._store.stream(job.signals_key):
                        file.write(chunk)
            except ObjectNotFound as error:  # it is being extracted again, which queues it again; or it was lost
                return None, error.message
            request = VectorRequest.of(declared, job.fire_ns)
            lease = _Lease(self._database, job, stop)
            self._sandbox.work(folder, VECTOR_REQUEST_FILE, request.canonical_json(), self._limits, go_on=lease.go_on)
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

    def _give_back(self, job: VectorJob, reason: str, *, delay_s: float, counts: bool) -> None:
        """Give a job back if possible; otherwise it becomes free when its lease ends."""
        try:
            with self._database.begin() as connection:
                jobs.give_back(connection, job, reason=reason, delay_s=delay_s, counts=counts)
        except (Unreachable, Overloaded) as error:
            LOGGER.warning("the vector of clip %s waits for its lease to end: %s", job.clip_id, error)

    def _free_own_jobs(self) -> None:
        with self._database.begin() as connection:
            jobs.free_those_of(connection, self._worker)


class _Lease:
    """Keeps a job's lease while its child runs."""

    def __init__(self, database: Database, job: VectorJob, stop: threading.Event) -> None:
        self._database = database
        self._job = job
        self._stop = stop
        self._renew_at_s = time.monotonic() + RENEW_S

    def go_on(self) -> bool:
        """Whether the child should go on; renews the lease from time to time. LeaseLost when it is not ours."""
        if time.monotonic() >= self._renew_at_s:
            with self._database.begin() as connection:
                jobs.renew(connection, self._job, lease_s=LEASE_S)
            self._renew_at_s = time.monotonic() + RENEW_S
        return not self._stop.is_set()


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
