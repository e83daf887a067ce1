"""The whole loop: clips and bytes per second from the first request at the gateway to the last clip in the catalog.

Everything but the engines is the same: the processes that `longtail up` starts, on a new deployment each round, fed
by vehicles whose clips were recorded beforehand. What the catalog holds in the end, bytes included, has to be what the
vehicles recorded. The limit hashes the same bytes cell by cell and writes one synced file per clip.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg

from bench.cpu import CpuMeter
from bench.engines import Engines
from bench.loop.fleet import Fleet, RecordedClip, record
from bench.measure import WARM_UP, Comparison, Contender, Role, compare
from fleet_api.deployment.deployment import Deployment
from tests.support import whole_system
from tests.support.servers.postgres import libpq_url
from triggers.contracts.clip import CELL_BYTES

MB = 1e6
STORED_S = 300.0
_POLL_S = 0.02
_STORED = "SELECT count(*) FROM clips"
_READY = "SELECT count(*) FROM clips WHERE state = 'ready'"
_PARTS = ("api", "gateway", "ingest")

SettingsOf = Callable[[int], Mapping[str, object]]


def run(engines: Engines, *, quick: bool) -> Iterator[Comparison]:
    """The loop on embedded engines and on Kafka and S3."""
    vehicles, clips_each, rounds = (2, 2, 1) if quick else (4, 4, 3)
    with engines.scratch("vehicles") as folder:
        with whole_system.deployment() as running:
            clips = record(running, folder, vehicles=vehicles, clips_each=clips_each)
        embedded = MeasuredLoop("embedded engines", clips, lambda _: {})
        servers = {"Kafka": engines.kafka.pids()[1], "S3Proxy": engines.s3.pids()[1]}
        real = MeasuredLoop("Kafka and S3", clips, lambda number: real_settings(engines, number), servers=servers)
        yield compare_loops([embedded, real], clips, folder / "limit", rounds=rounds)


def real_settings(engines: Engines, number: int) -> dict[str, object]:
    """Settings of a deployment on Kafka and S3, with topics and objects of this round alone."""
    return {
        "log_url": f"kafka://{engines.kafka.bootstrap}/loop{number}",
        "objects_url": engines.s3.url(f"loop{number}"),
        "objects_access_key": engines.s3.access_key,
        "objects_secret_key": engines.s3.secret_key,
    }


def compare_loops(
    loops: Sequence[MeasuredLoop], clips: Sequence[RecordedClip], folder: Path, *, rounds: int
) -> Comparison:
    """All deployments, and the limit, with the same clips, in MB/s; the rest is in `extra`."""
    amount_mb = sum(clip.manifest.size_bytes for clip in clips) / MB
    vehicles = len({clip.vehicle_id for clip in clips})
    contenders = [*(loop.contender() for loop in loops), _limit(clips, folder)]
    name = f"loop: {len(clips)} clips of {amount_mb / len(clips):.2f} MB by {vehicles} vehicles, gateway to catalog"
    found = compare(name, contenders, amount=amount_mb, unit="MB", rounds=rounds)
    for loop, timing in zip(loops, found.timings, strict=False):
        found.extra[f"{loop.name}: clips/s until stored"] = len(clips) / timing.median_s
        found.extra.update(loop.figures(amount_mb))
    return found


class MeasuredLoop:
    """A new deployment each round, with the settings of that round."""

    def __init__(
        self,
        name: str,
        clips: Sequence[RecordedClip],
        settings: SettingsOf,
        *,
        servers: Mapping[str, int] | None = None,
    ) -> None:
        self.name = name
        self._clips = clips
        self._settings = settings
        self._servers = servers or {}
        self._stack = ExitStack()
        self._running: Deployment | None = None
        self._fleet: Fleet | None = None
        self._meter: CpuMeter | None = None
        self._started_s = 0.0
        self._observed: dict[str, list[float]] = {}

    def contender(self) -> Contender:
        """This loop as a contender."""
        return Contender(
            name=self.name,
            role=Role.OWN,
            prepare=self._start,
            run=self._run,
            result=lambda: catalog_digest(self._catalogued()),
            clean_up=self._stop,
        )

    def figures(self, amount_mb: float) -> dict[str, float]:
        """Medians of the other figures of the timed rounds."""
        medians = {what: statistics.median(values) for what, values in self._observed.items()}
        acknowledged_s, ready_s = medians.pop("acknowledged"), medians.pop("ready")
        return {
            f"{self.name}: MB/s until acknowledged by the gateway": amount_mb / acknowledged_s,
            f"{self.name}: clips/s until extracted": len(self._clips) / ready_s,
            **{f"{self.name}: CPU s of {part} until extracted": spent_s for part, spent_s in medians.items()},
        }

    def _start(self, number: int) -> None:
        self._running = self._stack.enter_context(whole_system.deployment(**self._settings(number)))
        self._fleet = Fleet(self._running, self._clips, self._running.data_dir / "vehicles")
        self._meter = CpuMeter(self._pids(self._running))

    def _run(self, number: int) -> None:
        assert self._fleet is not None
        self._started_s = time.perf_counter()
        self._fleet.upload()
        if number != WARM_UP:
            self._observe("acknowledged", time.perf_counter() - self._started_s)
        self._wait_for(_STORED)

    def _stop(self, number: int) -> None:
        """End the deployment; in timed rounds let extraction come to its end first, and note how long that took."""
        assert self._meter is not None
        if number != WARM_UP:
            self._wait_for(_READY)
            self._observe("ready", time.perf_counter() - self._started_s)
            for part, spent_s in self._meter.spent_s().items():
                self._observe(part, spent_s)
        self._stack.close()
        self._running = self._fleet = self._meter = None

    def _observe(self, what: str, value: float) -> None:
        self._observed.setdefault(what, []).append(value)

    def _pids(self, running: Deployment) -> dict[str, int]:
        (pid_file,) = (running.data_dir / "postgres").rglob("postmaster.pid")
        pids = {part: running.pid(part) for part in _PARTS}
        found = {part: pid for part, pid in pids.items() if pid is not None}
        return {**found, "PostgreSQL": int(pid_file.read_text().split()[0]), **self._servers}

    def _wait_for(self, count: str) -> None:
        """Poll the database until `count` is that of the clips."""
        assert self._running is not None
        deadline_s = time.monotonic() + STORED_S
        url = libpq_url(self._running.settings.database_url)
        with psycopg.connect(url, autocommit=True) as connection:
            while (reached := _number(connection, count)) < len(self._clips):
                if time.monotonic() > deadline_s:
                    raise TimeoutError(f"{self.name}: {reached} of {len(self._clips)} clips within {STORED_S} s")
                time.sleep(_POLL_S)

    def _catalogued(self) -> Iterator[tuple[str, bytes]]:
        assert self._running is not None
        with whole_system.admin(self._running) as api:
            for clip in api.clips.search():
                yield clip.id, whole_system.recording(api, clip.id)


def _number(connection: psycopg.Connection[tuple[Any, ...]], query: str) -> int:
    (row,) = connection.execute(query.encode())
    return int(row[0])


def _limit(clips: Sequence[RecordedClip], folder: Path) -> Contender:
    def path(clip: RecordedClip) -> Path:
        return folder / clip.manifest.clip_id

    def store(_: int) -> None:
        folder.mkdir(exist_ok=True)
        for clip in clips:
            data = clip.path.read_bytes()
            cells = (data[start : start + CELL_BYTES] for start in range(0, len(data), CELL_BYTES))
            if tuple(hashlib.sha256(cell).hexdigest() for cell in cells) != clip.manifest.cells:
                raise ValueError(f"{clip.path} is not what its manifest says")
            with path(clip).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())

    def stored() -> str:
        return catalog_digest((clip.manifest.clip_id, path(clip).read_bytes()) for clip in clips)

    return Contender(name="hash and synced files", role=Role.LIMIT, run=store, result=stored)


def catalog_digest(clips: Iterable[tuple[str, bytes]]) -> str:
    """How many clips, and SHA-256 over their ids and their bytes' hashes, in the order of ids."""
    lines = sorted(f"{clip_id} {hashlib.sha256(data).hexdigest()}" for clip_id, data in clips)
    return f"{len(lines)} clips {hashlib.sha256(chr(10).join(lines).encode()).hexdigest()}"
