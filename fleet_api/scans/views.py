"""The API's views of scans and of what they found."""

from __future__ import annotations

from storage.scans.hits import FoundClip
from storage.scans.jobs import Scan
from triggers.contracts.api.labels import JobState
from triggers.contracts.api.scans.answers import LeftOutView, ScanHitView, ScanState, ScanView

_STATES = {
    JobState.READY: ScanState.WAITING,
    JobState.LEASED: ScanState.RUNNING,
    JobState.DONE: ScanState.DONE,
    JobState.FAILED: ScanState.FAILED,
}


def scan_view(scan: Scan) -> ScanView:
    """A scan; the most frequent reasons of left-out clips come first."""
    state = _STATES[JobState(scan.state)]
    left_out = [
        LeftOutView(reason=reason, clips=clips, example=example) for reason, (clips, example) in scan.left_out.items()
    ]
    return ScanView(
        id=scan.id,
        state=state,
        when=scan.condition,
        filter=scan.filter,
        filter_lang=scan.filter_lang,
        limit=scan.wanted,
        clips=scan.clips,
        scanned=scan.scanned,
        found=scan.found,
        instants=scan.instants,
        read_bytes=scan.read_bytes,
        left_out=sorted(left_out, key=lambda each: (-each.clips, each.reason)),
        complete=state is ScanState.DONE and scan.stopped is None,
        stopped=scan.stopped,
        reason=scan.reason if state is ScanState.FAILED else None,
        warnings=scan.warnings,
        created_at=scan.created_at,
        finished_at=scan.finished_at,
        expires_at=scan.expires_at,
    )


def hit_view(found: FoundClip) -> ScanHitView:
    """A clip that was found."""
    return ScanHitView(
        clip=found.clip_id,
        vehicle=found.vehicle_id,
        start_ns=found.start_ns,
        instants=found.instants,
        t_ns=found.t_ns,
    )
