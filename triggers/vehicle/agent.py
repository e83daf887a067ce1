"""The agent of a vehicle, which combines check-in, programs, ring buffer, recorder, queue and uploader.

It has no threads of its own: the caller passes in rows and frames, and decides when to check in, upload and report.
Rows are evaluated in slices of data time; what fires and what is recorded does not depend on where the slices end.
"""

from __future__ import annotations

import contextlib
import heapq
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from triggers.clips.footage import Footage, VideoFrame
from triggers.clips.size import estimated_clip_bytes
from triggers.contracts.checkin import FireCounts
from triggers.contracts.clip import ClipManifest, DriveSource
from triggers.errors import InvalidInput, LongtailError, Unauthenticated
from triggers.language.rows import MAX_T_NS, Row
from triggers.signals.raw import held_exactly
from triggers.times import NS_PER_S
from triggers.vehicle.checkin import CheckInClient
from triggers.vehicle.clock import Clock, SystemClock
from triggers.vehicle.config import VehicleConfig
from triggers.vehicle.http import make_client
from triggers.vehicle.journal.clips import QueuedClip
from triggers.vehicle.journal.journal import Journal, JournalFull, check_owner
from triggers.vehicle.journal.space import is_no_space
from triggers.vehicle.programs.caps import ProgramCaps
from triggers.vehicle.programs.host import Host
from triggers.vehicle.recording.clips import FinishedClip, RecordingContext, make_clip
from triggers.vehicle.recording.fires import FireOutcome, Reason, VehicleFire
from triggers.vehicle.recording.incoming import Incoming
from triggers.vehicle.recording.recorder import FinishedRecording, Recorder
from triggers.vehicle.recording.ring import RingBuffer, RingDrops
from triggers.vehicle.token import VehicleToken
from triggers.vehicle.turns import PatientClock, Turns
from triggers.vehicle.uploads.clip_queue import ClipQueue
from triggers.vehicle.uploads.terminations import Terminator
from triggers.vehicle.uploads.tus import TusClient
from triggers.vehicle.uploads.uploader import Uploader, UploadReport

LOGGER = logging.getLogger(__name__)
SLICE_NS = NS_PER_S
JOURNAL = "vehicle.sqlite"


@dataclass(frozen=True)
class AgentStatus:
    """The state of a vehicle's agent at one moment."""

    suspended: bool
    campaigns: tuple[tuple[str, int], ...]
    counts: tuple[FireCounts, ...]
    queued: tuple[QueuedClip, ...]
    ring_drops: RingDrops
    clock_offset_ns: int
    """Vehicle clock minus cloud clock, as measured at the latest check-in."""


class VehicleAgent:
    """One vehicle. `close` is a clean shutdown; counts add up even if it is killed.

    Several threads may use it, one at a time: while `check_in`, `upload_pending` or `report` waits for a server, others
    may `feed`. They should be different threads, since an exchange takes up to `exchange_s`, and an upload any number.
    """

    def __init__(
        self,
        config: VehicleConfig,
        *,
        clock: Clock | None = None,
        transport: httpx.BaseTransport | None = None,
        journal: Journal | None = None,
    ) -> None:
        """Open the state directory and continue with the campaigns of the latest check-in; needs no network.

        `journal` and `transport` replace those from the configuration; `close` closes them, too.
        """
        self.config = config
        self.network = config.network
        self.source: DriveSource | None = None
        """The origin of replayed data, for the manifests of its recordings."""
        self._turns = Turns()
        self._clock = PatientClock(clock or SystemClock(), self._turns)
        self._journal = journal or Journal(config.state_directory / JOURNAL)
        check_owner(self._journal, config.vehicle_id)
        self._http = make_client(config, transport, self._turns)
        self._token = VehicleToken(config, self._http, self._clock) if config.token else None
        self._ring = RingBuffer(max_span_ns=config.ring_ns, max_bytes=config.ring_bytes)
        self._incoming = Incoming(config.signals)
        self._recorder = Recorder(self._ring, max_span_ns=config.max_recording_ns)
        lists = {name: each.names for name, each in config.signals.objects.items()} if config.signals else {}
        caps = ProgramCaps.of(config)
        self._host = Host(config.vehicle_id, self._journal, speed=config.speed, caps=caps, lists=lists)
        self._queue = ClipQueue(
            self._journal, config.clips_directory, max_bytes=config.queue_bytes, max_age_ns=config.max_clip_age_ns
        )
        tus = TusClient(config.gateway_url, self._http, chunk_bytes=config.chunk_bytes)
        self._uploader = Uploader(config, self._queue, tus, Terminator(self._journal, tus), self._clock)
        self._cloud = CheckInClient(config, self._journal, self._http, self._clock)
        self._newest: Row | None = None
        self._slice: list[Row] = []
        self._assign_due = True
        self._run_assigned()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def signals(self) -> frozenset[str]:
        """The signals that `feed` needs: those that programs read and those that clips may hold."""
        return self._host.inputs | self._ring.signals

    @property
    def cameras(self) -> frozenset[str]:
        """The cameras that `feed` needs."""
        return self._ring.cameras

    def check_in(self) -> bool:
        """Get the list of campaigns and run it; True if it changed. Raises the errors of `CheckInClient.check_in`."""
        with self._turns.talking():
            try:
                changed = self._cloud.check_in()
                self._assign_due |= changed
                self._rotate_token()
            except Unauthenticated:
                if self._token is not None:
                    self._token.try_the_other()
                raise
            finally:  # keys may have been taken out although the list was refused
                self._assign_due |= self._cloud.take_moved()
                if self._assign_due:
                    self._process()
                    self._run_assigned()
            return changed

    def _rotate_token(self) -> None:
        """Ask for the next token when it is time. What prevents it is a problem, and the next check-in tries again."""
        if self._token is not None and self._token.is_due:
            try:
                self._token.rotate()
            except LongtailError as error:
                self._cloud.report_problem(f"the token could not be rotated: {error}")

    def feed(self, rows: Iterable[Row], frames: Iterable[tuple[str, VideoFrame]] = ()) -> None:
        """Take rows and frames (camera, frame), both in order of time; times are ns since the Unix epoch.

        Rows of equal time are merged, and the last sample wins; therefore the newest row is held back until a later one
        comes, or until `finish_drive`. If time runs backwards, open recordings end there. Samples are in their signals'
        units; with `signals` in the configuration, those that they cannot have are counted, and unknown in clips, too.
        Raises InvalidInput for a time, or a list of objects, that is none; the rows before it are taken.
        """
        self._feed(self._incoming.in_units(rows), frames)

    def feed_raw(self, rows: Iterable[Row], frames: Iterable[tuple[str, VideoFrame]] = ()) -> None:
        """Like `feed`, for raw samples, as the bus carries them.

        They are converted by the signal catalog of the configuration (`triggers.signals.raw`). Raises InvalidInput if
        it has none.
        """
        if self.config.signals is None:
            raise InvalidInput(
                "raw samples need the signal catalog that says how to read them",
                remedy="give `signals` in the vehicle's configuration, or feed samples in their signals' units",
            )
        self._feed(self._incoming.from_raw(rows), frames)

    def _feed(self, rows: Iterable[Row], frames: Iterable[tuple[str, VideoFrame]]) -> None:
        with self._turns.using():
            items: Iterable[Row | tuple[str, VideoFrame]] = heapq.merge(rows, frames, key=_time_ns)
            for item in items:
                if isinstance(item, Row):
                    self._take_row(item)
                else:
                    self._ring.push_frame(*item)
            self._process()

    def finish_drive(self) -> None:
        """End the drive: open recordings are finished with the data so far."""
        with self._turns.using():
            self._finish_drive()

    def upload_pending(self, deadline_s: float = 60.0) -> UploadReport:
        """Upload queued clips on the current network, for at most `deadline_s` seconds (plus the chunk being sent)."""
        with self._turns.talking():
            report = self._uploader.upload_pending(self.network, deadline_s)
            self._queue.refill_reserve()
            return report

    def report(self) -> None:
        """Report the counts of all fires to the cloud; on a full disk, those that are in the journal."""
        with self._turns.talking():
            self._flush()
            self._cloud.send_counts(self._journal.counts())

    def status(self) -> AgentStatus:
        """Campaigns, counts, queue and drops at this moment; on a full disk, the counts that are in the journal."""
        with self._turns.using():
            self._flush()
            return AgentStatus(
                suspended=self._cloud.suspended,
                campaigns=self._host.campaigns,
                counts=self._journal.counts(),
                queued=tuple(self._queue.all()),
                ring_drops=self._ring.drops,
                clock_offset_ns=self._cloud.clock_offset_ns,
            )

    def manifest(self, clip: QueuedClip) -> ClipManifest:
        """The manifest of a clip in `status().queued`."""
        with self._turns.using():
            return self._queue.manifest(clip)

    def close(self) -> None:
        """Clean shutdown: finish the drive, save the evaluators' states, close files and connections.

        On a full disk the states are left out: the programs then start afresh, as after a crash.
        """
        with self._turns.talking():
            try:
                self._finish_drive()
                self._host.save()
                self._cloud.keep_time()
            except JournalFull as error:
                LOGGER.warning("the drive's last counts and the programs' states are lost: %s", error)
            finally:
                self._journal.close()
                self._http.close()

    def _finish_drive(self) -> None:
        newest, self._newest = self._newest, None
        if newest is not None:
            self._complete(newest)
        self._process()
        self._store(self._recorder.finish())
        self._host.end_drive()
        self._report_problems()
        for signal, count in self._incoming.take_refused():
            self._cloud.report_problem(
                f"{count} samples of {signal} in this drive were values that it cannot have by the signal catalog"
            )
        self._keep()

    def _flush(self) -> None:
        """Write what is pending, if the disk has room for it; otherwise it stays pending."""
        self._host.flush_or_wait()
        self._report_problems()
        with contextlib.suppress(JournalFull):  # the problem is known by now
            self._journal.compact()

    def _run_assigned(self) -> None:
        for problem in self._host.assign(self._cloud.bundles()):
            self._cloud.report_problem(problem)
        self._assign_due = False
        self._keep()

    def _keep(self) -> None:
        """Let the ring hold what any campaign or open recording may ask for."""
        signals, cameras, before_ns = self._host.captures()
        open_signals, open_cameras = self._recorder.wanted()
        captured = self._recorder.wanted_lists() | self._host.captured_lists
        expected = captured | self._host.lists  # of a version that was replaced, a recording may be open still
        self._incoming.expect(expected)
        if self._newest is not None:
            self._newest = self._incoming.still(self._newest)
        self._recorder.before_ns = min(before_ns, self.config.max_recording_ns)
        held = {name: expected[name] for name in captured}
        self._ring.keep(signals | open_signals, cameras | open_cameras, before_ns, held)

    def _take_row(self, row: Row) -> None:
        if not 0 <= row.t_ns <= MAX_T_NS:
            raise InvalidInput(f"row at {row.t_ns} ns: a timestamp is an int64 of nanoseconds from 0 on")
        newest = self._newest
        if newest is not None and row.t_ns == newest.t_ns:
            self._newest = Row(row.t_ns, _merged(newest.samples, row.samples), {**newest.objects, **row.objects})
            return
        self._newest = row  # first: if the journal cannot be written, the caller may go on, and no row is taken twice
        if newest is not None:
            self._complete(newest)
            if row.t_ns < newest.t_ns:
                self._jump_back()

    def _jump_back(self) -> None:
        self._process()
        self._store(self._recorder.finish())
        self._ring.clear()

    def _complete(self, row: Row) -> None:
        """No more samples of this row's time will come."""
        self._ring.push_row(row.t_ns, row.samples, row.objects)
        self._slice.append(row)
        if row.t_ns - self._slice[0].t_ns >= SLICE_NS:
            self._process()

    def _process(self) -> None:
        """Evaluate the collected rows, record what fired, and store what is finished."""
        rows, self._slice = self._slice, []
        # Also without rows: fires of an earlier call may still wait for the journal.
        fires = self._host.run([] if self._cloud.suspended else rows)
        self._report_problems()
        for fire in fires:
            self._store(self._recorder.add(fire))
        if rows:
            self._store(self._recorder.advance(rows[-1].t_ns))

    def _report_problems(self) -> None:
        for problem in self._host.take_problems():
            self._cloud.report_problem(problem)

    def _store(self, recordings: list[FinishedRecording]) -> None:
        for recording in recordings:
            if recording.lost:
                lost = [fire.key for fire in recording.lost]
                self._journal.conclude(lost, FireOutcome.DROPPED, Reason.RING_OVERFLOW)
            if recording.footage is not None:
                self._store_clip(recording.fires, recording.footage)
        if recordings:
            self._keep()

    def _store_clip(self, fires: Sequence[VehicleFire], footage: Footage) -> None:
        """Write the clip and queue it; if the disk fails, that is the outcome of its fires."""
        self._queue.refill_reserve()
        try:
            self._queue.add(self._written(fires, footage), self._clock.now_ns())
            return
        except JournalFull as error:
            trouble: Exception = error
            outcome, reason = FireOutcome.DROPPED, Reason.DISK_FULL
        except OSError as error:
            trouble = error
            outcome, reason = FireOutcome.FAILED, Reason.WRITE_ERROR
            if is_no_space(error):
                outcome, reason = FireOutcome.DROPPED, Reason.DISK_FULL
        self._journal.conclude([fire.key for fire in fires], outcome, reason)
        self._cloud.report_problem(f"a clip could not be written: {trouble}")

    def _written(self, fires: Sequence[VehicleFire], footage: Footage) -> FinishedClip:
        """The clip's file. On a full disk, clips of less value make room for it; raises OSError if there are none."""
        priority = max(fire.priority for fire in fires)
        while True:
            try:
                return make_clip(self.config.clips_directory, fires, footage, self._context())
            except OSError as error:
                if not is_no_space(error) or not self._queue.make_room(estimated_clip_bytes(footage), priority):
                    raise

    def _context(self) -> RecordingContext:
        return RecordingContext(
            vehicle_id=self.config.vehicle_id,
            max_span_ns=self.config.max_recording_ns,
            attributes=self.config.attributes,
            software=self.config.software,
            calibration=self.config.calibration,
            clock_offset_ns=self._cloud.clock_offset_ns,
            source=self.source,
        )


def _time_ns(item: Row | tuple[str, VideoFrame]) -> int:
    return item.t_ns if isinstance(item, Row) else item[1].t_ns


def _merged(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    """Samples of one time: those of `second` win, but NaN is not a sample."""
    return {**first, **{name: value for name, value in second.items() if not math.isnan(held_exactly(value))}}
