"""Replay of a recorded drive into a vehicle's agent: rows and frames, merged in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from triggers.clips.footage import VideoFrame
from triggers.contracts.clip import DriveSource
from triggers.drives.drive import Drive
from triggers.errors import InvalidInput
from triggers.language.rows import HEARTBEAT_NS, Row
from triggers.replay.video import video_frames
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.clock import Clock, SystemClock

PROGRESS_NS = NS_PER_S


@dataclass(frozen=True)
class Played:
    """What was played; times in ns since the Unix epoch."""

    rows: int
    start_ns: int
    end_ns: int


def play(
    agent: VehicleAgent,
    drive: Drive,
    catalog: SignalCatalog,
    *,
    offset_ns: int,
    cameras: Mapping[str, Path] | None = None,
    speed: float | None = None,
    on_progress: Callable[[int], None] | None = None,
    clock: Clock | None = None,
) -> Played:
    """Play a whole drive; recordings that are open at its end are finished.

    `offset_ns` is added to the drive's own time to give Unix time. It must be a multiple of 100 ms, so that
    heartbeats fall where they do in a backtest of the same drive. `cameras` are videos by camera (default: the drive's
    own), whose first frame is at the drive's `t` = 0. `speed` 1 is real time; None is as fast as possible.
    `on_progress` is called with the data time, about once per second of data.
    """
    if offset_ns % HEARTBEAT_NS:
        raise InvalidInput(f"the offset {offset_ns} ns is not a multiple of 100 ms", remedy="round it to 0.1 s")
    if speed is not None and speed <= 0:
        raise InvalidInput(f"the speed {speed} is not greater than 0")
    pace = _Pace(speed, on_progress, clock or SystemClock())
    signals = sorted(agent.signals & catalog.carried)
    videos = drive.cameras if cameras is None else cameras
    frames = [
        _named(camera, video_frames(path, offset_ns))
        for camera, path in sorted(videos.items())
        if camera in agent.cameras
    ]
    agent.source = DriveSource(drive=drive.name, offset_ns=offset_ns)
    agent.feed(
        pace.paced(_shifted(drive.rows(catalog, signals), offset_ns)),
        heapq.merge(*frames, key=lambda named: named[1].t_ns),
    )
    agent.finish_drive()
    return Played(pace.rows, pace.start_ns, pace.latest_ns)


def _shifted(rows: Iterable[Row], offset_ns: int) -> Iterator[Row]:
    for row in rows:
        yield replace(row, t_ns=row.t_ns + offset_ns)


def _named(camera: str, frames: Iterable[VideoFrame]) -> Iterator[tuple[str, VideoFrame]]:
    for frame in frames:
        yield camera, frame


class _Pace:
    """Counts rows, holds them back to the requested speed, and reports progress."""

    def __init__(self, speed: float | None, on_progress: Callable[[int], None] | None, clock: Clock) -> None:
        self._speed = speed
        self._on_progress = on_progress
        self._clock = clock
        self.rows = self.start_ns = self.latest_ns = 0

    def paced(self, rows: Iterable[Row]) -> Iterator[Row]:
        began_ns = self._clock.now_ns()
        told_ns = 0
        for row in rows:
            if self.rows == 0:
                self.start_ns = row.t_ns
            self.rows += 1
            self.latest_ns = row.t_ns
            if self._speed is not None:
                due_ns = began_ns + int((row.t_ns - self.start_ns) / self._speed)
                early_ns = due_ns - self._clock.now_ns()
                if early_ns > 0:
                    self._clock.sleep(early_ns / NS_PER_S)
            if self._on_progress is not None and row.t_ns - told_ns >= PROGRESS_NS:
                told_ns = row.t_ns
                self._on_progress(row.t_ns)
            yield row
