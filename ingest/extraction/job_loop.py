"""The loop of a stage whose jobs are done by a sandboxed child: claims one, keeps its lease, and concludes it.

An outage costs no attempt, an object that alone cannot be read costs one. A job that another worker holds meanwhile, or
whose clip was erased, is dropped.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from ingest.extraction.sandbox.answers import ChildFailed
from ingest.extraction.sandbox.isolation import extraction_user
from ingest.extraction.sandbox.limits import ChildLimits
from ingest.extraction.sandbox.sandbox import Interrupted, Sandbox
from ingest.extraction.sandbox.starter import Starter
from ingest.log_ids import about
from ingest.readiness import Part
from storage.database import Connection, Database
from storage.objects.contract import ObjectUnreadable
from storage.settings import Settings
from triggers.errors import LeaseLost, Misconfigured, NotFound, Overloaded, Unreachable
from triggers.private_files import private_folder

LOGGER = logging.getLogger(__name__)
OUTAGE_S = 2.0
RETRY_S = 5.0
UNREADABLE_S = 1800.0
"""The pause before another attempt at an object that cannot be read: an archived one may be readable hours later."""
LEASE_S = 20.0
RENEW_S = 5.0


class ClipJob(Protocol):
    """A job about one clip."""

    @property
    def clip_id(self) -> str: ...

    @property
    def attempts(self) -> int: ...


J = TypeVar("J", bound=ClipJob)


class JobLoop(ABC, Generic[J]):
    """One worker of a stage; `worker` names it in the jobs that it holds, `what` in the log what it makes of one."""

    idle_s: float
    what: str
    folder_prefix = ""
    """What tells the folders of a stage from those of another one's workers."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        worker: str,
        part: Part,
        starter: Starter | None,
        retry_s: float,
        outage_s: float,
    ) -> None:
        """`retry_s` is the pause before a clip's next attempt, `outage_s` the pause after an outage."""
        self._database = database
        self._worker = worker
        self._part = part
        self._retry_s = retry_s
        self._outage_s = outage_s
        self._limits = ChildLimits(settings.extraction_memory_bytes, settings.extraction_timeout_s)
        self._folder = settings.require_data_dir() / "extraction" / f"{self.folder_prefix}{worker.replace('/', '-')}"
        self._sandbox = Sandbox(
            self._folder, isolation=settings.extraction_isolation, user=extraction_user(settings), starter=starter
        )

    @abstractmethod
    def _claim(self, connection: Connection) -> J | None:
        """Lease a job for LEASE_S."""

    @abstractmethod
    def _do(self, job: J, stop: threading.Event) -> None:
        """Do the job, and write what it gave."""

    @abstractmethod
    def _fail(self, job: J, error: ChildFailed) -> None:
        """Conclude a job whose child gave no answer, or give it back."""

    @abstractmethod
    def _erased(self, job: J) -> None:
        """Forget a job whose clip was erased."""

    @abstractmethod
    def _renew(self, connection: Connection, job: J) -> None:
        """Lease the job for another LEASE_S; LeaseLost when it is not ours."""

    @abstractmethod
    def _return(self, connection: Connection, job: J, reason: str, *, delay_s: float, counts: bool) -> None:
        """Let the job be claimed again after `delay_s`; the attempt counts or does not."""

    @abstractmethod
    def _free_own(self, connection: Connection) -> None:
        """Free the jobs that an earlier process of this worker's name left leased."""

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a job in progress is then given back."""
        if self._folder.exists():
            shutil.rmtree(self._folder)  # what a killed process of this name left
        try:
            self._run(stop)
        finally:
            self.close()

    def close(self) -> None:
        """End the process that the children are forked from; it starts again with the next job."""
        self._sandbox.close()

    def _run(self, stop: threading.Event) -> None:
        freed = False
        while not stop.is_set():
            try:
                if not freed:
                    with self._database.begin() as connection:
                        self._free_own(connection)
                    freed = True
                worked = self.work_once(stop)
                self._part.passed()
                if not worked:
                    stop.wait(self.idle_s)
            except (Unreachable, Overloaded) as error:
                self._part.failed(error)
                LOGGER.warning("%s waits %.0f s: %s", self._worker, self._outage_s, error)
                stop.wait(self._outage_s)

    def work_once(self, stop: threading.Event) -> bool:
        """Claim and conclude one job; False when there was none."""
        with self._database.begin() as connection:
            job = self._claim(connection)
        if job is None:
            return False
        with about(clip=job.clip_id):
            try:
                self._conclude(job, stop)
            except LeaseLost as error:
                LOGGER.warning("%s", error)
            except NotFound:
                LOGGER.info("clip %s was erased during %s", job.clip_id, self.what)
                self._erased(job)
        return True

    def _conclude(self, job: J, stop: threading.Event) -> None:
        """Do the job. LeaseLost when another worker has it, NotFound when its clip was erased."""
        try:
            self._do(job, stop)
        except Interrupted:
            self._give_back(job, "the worker stopped", delay_s=0, counts=False)
        except ObjectUnreadable as error:  # the store works: a job that came back uncounted would be tried for ever
            LOGGER.warning("attempt %d at %s of clip %s: %s", job.attempts, self.what, job.clip_id, error)
            self._give_back(job, error.message, delay_s=UNREADABLE_S, counts=True)
        except (Unreachable, Overloaded, Misconfigured) as error:  # none of them is the clip's fault
            self._give_back(job, error.message, delay_s=self._outage_s, counts=False)
            raise
        except ChildFailed as error:
            self._fail(job, error)

    def _try_again(self, job: J, error: ChildFailed) -> None:
        """Give a job back whose child gave no answer: an attempt that counts."""
        LOGGER.warning("attempt %d at %s of clip %s: %s", job.attempts, self.what, job.clip_id, error.message)
        self._give_back(job, error.message, delay_s=self._retry_s, counts=True)

    def _give_back(self, job: J, reason: str, *, delay_s: float, counts: bool) -> None:
        """Give a job back if possible; otherwise it becomes free when its lease ends."""
        try:
            with self._database.begin() as connection:
                self._return(connection, job, reason, delay_s=delay_s, counts=counts)
        except (Unreachable, Overloaded) as error:
            LOGGER.warning("%s of clip %s waits for its lease to end: %s", self.what, job.clip_id, error)

    def _private_folder(self) -> Path:
        """The folder in which jobs have theirs."""
        private_folder(self._folder.parent)
        private_folder(self._folder)
        return self._folder

    def _keep(self, job: J, stop: threading.Event) -> Callable[[], bool]:
        """What keeps the job's lease while its child runs, and says whether the child should go on."""
        return Lease(partial(self._extend, job), stop).go_on

    def _extend(self, job: J) -> None:
        with self._database.begin() as connection:
            self._renew(connection, job)


class Lease:
    """Keeps a job's lease while its child runs: `renew` extends it, or raises LeaseLost when it is not ours."""

    def __init__(self, renew: Callable[[], None], stop: threading.Event) -> None:
        self._renew = renew
        self._stop = stop
        self._renew_at_s = time.monotonic() + RENEW_S

    def go_on(self) -> bool:
        """Whether the child should go on; renews the lease from time to time."""
        if time.monotonic() >= self._renew_at_s:
            self._renew()
            self._renew_at_s = time.monotonic() + RENEW_S
        return not self._stop.is_set()
