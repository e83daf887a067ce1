"""The uploader, which sends queued clips to the gateway and turns its answers into outcomes of fires.

Only these answers are final:

- The whole size is acknowledged: the fires are handed over.
- A budget refuses: the fires of the campaigns that it names are refused for good (raising the budget later only helps
  later fires), and the clip is cut again for the others.
- The manifest is invalid, the clip is too large, or it failed in the cloud before: the fires failed (if the cloud
  counts them too, its outcome overrules the vehicle's).

Nothing else is an outcome. A cut connection, a busy or misconfigured server or proxy, an expired upload or a wrong
token leave the clip queued, with the reason, until it succeeds or reaches the age limit, when it is dropped and
counted.

After a cut the upload continues at once as long as it makes progress. Without progress it waits, exponentially longer
and with jitter, so that a fleet does not come back all at once.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from triggers.clips.cells import hash_cells
from triggers.contracts.campaign import Network
from triggers.errors import (
    BudgetExhausted,
    ClipFailed,
    InvalidInput,
    LongtailError,
    ManifestInvalid,
    Overloaded,
    TooLarge,
)
from triggers.times import NS_PER_S
from triggers.vehicle.clock import Clock
from triggers.vehicle.config import VehicleConfig
from triggers.vehicle.journal.clips import QueuedClip
from triggers.vehicle.recording.clips import recut
from triggers.vehicle.recording.fires import FireOutcome, Reason
from triggers.vehicle.uploads.clip_queue import ClipQueue
from triggers.vehicle.uploads.clip_upload import ClipUpload
from triggers.vehicle.uploads.terminations import Terminator
from triggers.vehicle.uploads.tus import TusClient

MAX_DOUBLINGS = 30
"""A larger power of two could overflow a float; every wait has reached its maximum long before."""


@dataclass
class UploadReport:
    """What a call of `upload_pending` did, in clips and bytes; `problems` are for people to read."""

    handed_over: int = 0
    refused: int = 0
    failed: int = 0
    expired: int = 0
    postponed: int = 0
    bytes_acknowledged: int = 0
    problems: list[str] = field(default_factory=list)


class Uploader:
    """Uploads clips one after the other: highest priority first, then oldest first."""

    def __init__(
        self,
        config: VehicleConfig,
        queue: ClipQueue,
        tus: TusClient,
        terminator: Terminator,
        clock: Clock,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`jitter` returns numbers in [0, 1); a wait takes between half and all of its exponential length."""
        self._config = config
        self._queue = queue
        self._tus = tus
        self._terminator = terminator
        self._clock = clock
        self._jitter = jitter

    def upload_pending(self, network: Network | None, deadline_s: float) -> UploadReport:
        """Upload what may travel on this network, until nothing is left or `deadline_s` has passed.

        Waits for postponed clips if their time comes before the deadline. After the deadline the current chunk is
        finished, and its clip continues from there next time. Uploads of clips that were given up are terminated
        first, which frees budget for the others; those given up in the meantime are terminated at the end.
        """
        report = UploadReport()
        deadline_ns = self._clock.now_ns() + int(deadline_s * NS_PER_S)
        if network is not None:
            self._terminator.run()
        self._upload_until(deadline_ns, network, report)
        if network is not None and self._clock.now_ns() < deadline_ns:
            self._terminator.run()
        return report

    def _upload_until(self, deadline_ns: int, network: Network | None, report: UploadReport) -> None:
        while True:
            now_ns = self._clock.now_ns()
            report.expired += len(self._queue.expire(now_ns))
            waiting = [clip for clip in self._queue.all() if network is not None and clip.may_travel(network)]
            due = next((clip for clip in waiting if clip.next_attempt_ns <= now_ns), None)
            soonest_ns = min((clip.next_attempt_ns for clip in waiting), default=deadline_ns + 1)
            if network is not None and due is not None:
                self._attempt(due, network, report, deadline_ns)
            elif soonest_ns <= deadline_ns:
                self._clock.sleep((soonest_ns - now_ns) / NS_PER_S)
            else:
                return
            if self._clock.now_ns() >= deadline_ns:
                return

    def _attempt(self, clip: QueuedClip, network: Network, report: UploadReport, deadline_ns: int) -> None:
        """One attempt at one clip; it ends in an outcome, is postponed, or is interrupted by the deadline."""
        try:
            if self._send(clip, network, report, deadline_ns):
                self._queue.hand_over(clip)
                report.handed_over += 1
        except BudgetExhausted as error:
            self._refuse(clip, error, report)
        except ManifestInvalid as error:
            self._fail(clip, Reason.MANIFEST_REJECTED, error, report)
        except TooLarge as error:
            self._fail(clip, Reason.TOO_LARGE, error, report)
        except ClipFailed as error:
            self._fail(clip, Reason.CLIP_FAILED, error, report)
        except FileNotFoundError as error:
            self._fail(clip, Reason.FILE_LOST, error, report)
        except (LongtailError, OSError) as error:
            if self._is_damaged(clip, self._queue.manifest(clip).cells, error):
                self._fail(clip, Reason.FILE_DAMAGED, error, report)
            else:
                self._postpone(clip, error, report)

    def _send(self, clip: QueuedClip, network: Network, report: UploadReport, deadline_ns: int) -> bool:
        """Send the clip; True once the gateway has acknowledged all of it, False at the deadline."""
        upload = ClipUpload.begin(self._queue, self._tus, clip, network)
        while not upload.whole:
            report.bytes_acknowledged += upload.send_next()
            if self._clock.now_ns() >= deadline_ns and not upload.whole:
                return False
        return True

    def _refuse(self, clip: QueuedClip, error: BudgetExhausted, report: UploadReport) -> None:
        """Conclude the fires of the campaigns that the budget refuses; cut the clip again for the rest.

        A refusal that names none of the clip's campaigns applies to all its fires.
        """
        fires = self._queue.fires(clip)
        refused = [fire for fire in fires if fire.campaign in error.campaigns] or fires
        remaining = [fire for fire in fires if fire not in refused]
        try:
            clips = recut(clip.path, remaining, self._config.max_recording_ns) if remaining else []
        except InvalidInput as damage:
            self._fail(clip, Reason.FILE_DAMAGED, damage, report)
            return
        except OSError as trouble:
            self._postpone(clip, trouble, report)
            return
        self._queue.replace(clip, clips, [fire.key for fire in refused], Reason.BUDGET)
        report.refused += 1
        report.problems.append(error.message)

    def _fail(self, clip: QueuedClip, reason: Reason, error: Exception, report: UploadReport) -> None:
        self._queue.give_up(clip, FireOutcome.FAILED, reason)
        report.failed += 1
        report.problems.append(str(error))

    def _postpone(self, clip: QueuedClip, error: Exception, report: UploadReport) -> None:
        wait_s = min(
            self._config.backoff_max_s, self._config.backoff_first_s * 2.0 ** min(clip.attempts, MAX_DOUBLINGS)
        )
        wait_s *= (1 + self._jitter()) / 2
        if isinstance(error, Overloaded):
            # Never earlier than the server asks, with some jitter: a fleet told 30 s must not return all at once.
            wait_s = error.retry_after_s * (1 + self._jitter() / 10)
        self._queue.postpone(clip, self._clock.now_ns() + int(wait_s * NS_PER_S), str(error))
        report.postponed += 1
        report.problems.append(str(error))

    @staticmethod
    def _is_damaged(clip: QueuedClip, cells: tuple[str, ...], error: Exception) -> bool:
        """Whether the file has changed since it was hashed; it is only read if the error gives a reason to."""
        if clip.path.stat().st_size != clip.size_bytes:
            return True
        return isinstance(error, InvalidInput) and hash_cells(clip.path).cells != cells
