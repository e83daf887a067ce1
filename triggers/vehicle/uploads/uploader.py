"""The uploader, which sends queued clips to the gateway and turns its answers into outcomes of fires.

Only these answers are final:

- The whole size is acknowledged: the fires are handed over.
- A budget refuses for good: the fires of the campaigns that it names are refused (raising the budget later only helps
  later fires), and the clip is cut again for the others. If it refuses only for today, they wait for the next
  day, unless their campaign says otherwise.
- The manifest is invalid, the clip is too large, or it failed in the cloud before: the fires failed (if the cloud
  counts them too, its outcome overrules the vehicle's).
- A cell keeps arriving with other bytes than were sent, although the file is as it was hashed: the fires failed.

Nothing else is an outcome. A cut connection, a busy or misconfigured server or proxy, an expired upload or a wrong
token leave the clip queued, with the reason, until it succeeds or reaches the age limit, when it is dropped and
counted.

After a cut the upload continues at once as long as it makes progress. Without progress it waits, exponentially longer
and with jitter, so that a fleet does not come back all at once.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
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
from triggers.vehicle.journal.space import is_no_space
from triggers.vehicle.recording.clips import FinishedClip, recut
from triggers.vehicle.recording.fires import FireOutcome, Reason, VehicleFire
from triggers.vehicle.uploads.clip_queue import ClipQueue
from triggers.vehicle.uploads.clip_upload import ClipUpload
from triggers.vehicle.uploads.terminations import Terminator
from triggers.vehicle.uploads.tus import ChunkAltered, TusClient

MAX_DOUBLINGS = 30
"""A larger power of two could overflow a float; every wait has reached its maximum long before."""
JITTER_PART, MAX_JITTER_S = 0.1, 3600.0
MAX_ALTERED = 8
"""After this many attempts at which its bytes arrived altered, without any progress, a clip has failed."""


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


class Deadline:
    """A span of time that ends, whatever happens to the clock: setting it back adds nothing, and a wait is bounded."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._span_ns = int(seconds * NS_PER_S)
        self._spent_ns = 0
        self._seen_ns = clock.now_ns()

    @property
    def left_ns(self) -> int:
        """The time that is left; 0 or less once the deadline has passed."""
        now_ns = self._clock.now_ns()
        self._spent_ns += max(0, now_ns - self._seen_ns)
        self._seen_ns = now_ns
        return self._span_ns - self._spent_ns

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return self.left_ns <= 0


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
        self._altered: dict[str, int] = {}
        """How often in this process a clip arrived altered."""

    def upload_pending(self, network: Network | None, deadline_s: float) -> UploadReport:
        """Upload what may travel on this network, until nothing is left or `deadline_s` has passed.

        Waits for postponed clips if their time comes before the deadline. After the deadline the current chunk is
        finished, and its clip continues from there next time. Uploads of clips that were given up are terminated
        first, which frees budget for the others; those given up in the meantime are terminated at the end.
        """
        report, deadline = UploadReport(), Deadline(self._clock, deadline_s)
        if network is not None:
            self._terminator.run()
        self._upload_until(deadline, network, report)
        if network is not None and not deadline.passed:
            self._terminator.run()
        return report

    def _upload_until(self, deadline: Deadline, network: Network | None, report: UploadReport) -> None:
        while True:
            now_ns = self._clock.now_ns()
            report.expired += len(self._queue.expire(now_ns))
            waiting = [clip for clip in self._queue.all() if network is not None and clip.may_travel(network)]
            due = next((clip for clip in waiting if clip.next_attempt_ns <= now_ns), None)
            wait_ns = min((clip.next_attempt_ns - now_ns for clip in waiting), default=None)
            if network is not None and due is not None:
                self._attempt(due, network, report, deadline)
            elif wait_ns is not None and wait_ns <= deadline.left_ns:
                self._clock.sleep(wait_ns / NS_PER_S)
            else:
                return
            if deadline.passed:
                return

    def _attempt(self, clip: QueuedClip, network: Network, report: UploadReport, deadline: Deadline) -> None:
        """One attempt at one clip; it ends in an outcome, is postponed, or is interrupted by the deadline."""
        try:
            if self._send(clip, network, report, deadline):
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
            elif isinstance(error, ChunkAltered) and self._altered_too_often(clip):
                self._fail(clip, Reason.ALTERED, error, report)
            else:
                self._postpone(clip, error, report)

    def _send(self, clip: QueuedClip, network: Network, report: UploadReport, deadline: Deadline) -> bool:
        """Send the clip; True once the gateway has acknowledged all of it, False at the deadline."""
        with self._queue.in_flight(clip):
            upload = ClipUpload.begin(self._queue, self._tus, clip, network)
            while not upload.whole:
                report.bytes_acknowledged += upload.send_next()
                if deadline.passed and not upload.whole:
                    return False
        return True

    def _refuse(self, clip: QueuedClip, error: BudgetExhausted, report: UploadReport) -> None:
        """Cut the clip again for the campaigns and triggers that the budget does not refuse.

        The fires of the others are refused, or wait, if the budget refuses them only for today and their campaign, or
        their trigger, keeps them. A refusal that names none of the clip's fires applies to all of them.
        """
        fires, triggers = self._queue.fires(clip), error.triggers or ()
        named = [fire for fire in fires if fire.campaign in error.campaigns or fire.name_of_trigger in triggers]
        named = named or fires
        kept = [fire for fire in named if error.retry_after_s is not None and fire.waits(error.campaigns, triggers)]
        if len(kept) == len(fires):
            self._postpone(clip, error, report)
            return
        try:
            clips = self._recut(clip, [fire for fire in fires if fire not in named])
            waiting = self._recut(clip, kept)
        except InvalidInput as damage:
            self._fail(clip, Reason.FILE_DAMAGED, damage, report)
            return
        except OSError as trouble:
            self._postpone(clip, trouble, report)
            return
        self._queue.replace(
            clip,
            clips,
            refused=[fire.key for fire in named if fire not in kept],
            waiting=waiting,
            wait_until_ns=self._clock.now_ns() + int(self._wait_s(clip, error) * NS_PER_S),
            problem=str(error),
        )
        report.refused += len(kept) < len(named)
        report.postponed += bool(kept)
        report.problems.append(error.message)

    def _recut(self, clip: QueuedClip, fires: Sequence[VehicleFire]) -> list[FinishedClip]:
        """Clips for some of a clip's fires. On a full disk, other clips of at most its priority make room for them."""
        while fires:
            try:
                return recut(clip.path, fires, self._config.max_recording_ns)
            except OSError as error:
                room = is_no_space(error) and self._queue.make_room(clip.size_bytes, clip.priority, spare=clip.clip_id)
                if not room:
                    raise
        return []

    def _fail(self, clip: QueuedClip, reason: Reason, error: Exception, report: UploadReport) -> None:
        self._queue.give_up(clip, FireOutcome.FAILED, reason)
        report.failed += 1
        report.problems.append(str(error))

    def _postpone(self, clip: QueuedClip, error: Exception, report: UploadReport) -> None:
        wait_ns = int(self._wait_s(clip, error) * NS_PER_S)
        self._queue.postpone(clip, self._clock.now_ns() + wait_ns, str(error))
        report.postponed += 1
        report.problems.append(str(error))

    def _wait_s(self, clip: QueuedClip, error: Exception) -> float:
        """How long to wait after a failure: as the server asks, otherwise longer each time."""
        asked_s = error.retry_after_s if isinstance(error, Overloaded | BudgetExhausted) else None
        if asked_s is not None:
            # Never earlier than the server asks, with some jitter: a fleet told 30 s must not return all at once.
            return asked_s + min(asked_s * JITTER_PART, MAX_JITTER_S) * self._jitter()
        doubled_s = self._config.backoff_first_s * 2.0 ** min(clip.attempts, MAX_DOUBLINGS)
        return min(self._config.backoff_max_s, doubled_s) * (1 + self._jitter()) / 2

    def _altered_too_often(self, clip: QueuedClip) -> bool:
        self._altered[clip.clip_id] = times = self._altered.get(clip.clip_id, 0) + 1
        return times >= MAX_ALTERED

    @staticmethod
    def _is_damaged(clip: QueuedClip, cells: tuple[str, ...], error: Exception) -> bool:
        """Whether the file has changed since it was hashed; it is only read if the error gives a reason to."""
        if clip.path.stat().st_size != clip.size_bytes:
            return True
        return isinstance(error, InvalidInput) and hash_cells(clip.path).cells != cells
