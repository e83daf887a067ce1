"""Memory and speed of `ingest` by how many clips are open at once: large clips of which only a part has come.

`python -m bench.loop.open_clips --engines kafka --open 10,100,1000` prints one JSON document, a new deployment for each
number, on a disk and not in memory. The clips have `--bytes` each, and so their manifests; `--spread` bytes in all are
spread evenly over them, while ingest stands still. Then ingest takes them in, and at last `--finished` of the clips are
sent to their ends and stored, while the others stay open. Nothing is parked. Extraction is off.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import httpx
import psutil
import psycopg

from bench.engines import Engines
from bench.loop.comparisons import real_settings
from bench.loop.sizes import CHUNK_BYTES, MB, VEHICLES, Peak
from fleet_api.deployment.deployment import Deployment
from storage.database import Database
from tests.support import whole_system
from tests.support.fleet import add_version, clip_manifest, enroll_vehicle
from tests.support.servers.postgres import libpq_url
from triggers.contracts.campaign import BudgetLimits, Network
from triggers.contracts.clip import CELL_BYTES, ClipManifest, CreationRequest

MIB = 1024**2
LONGEST_S = 900.0
_TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
_STORED = "SELECT count(*) FROM clips"


class Clips:
    """Clips of one size that differ in their first 8 bytes; their other cells are hashed once for all of them."""

    def __init__(self, size_bytes: int, count: int) -> None:
        self.size_bytes = size_bytes
        self.count = count
        self._rest = random.Random(0).randbytes(size_bytes - 8)
        self._cells = clip_manifest(self.bytes(0, 0, size_bytes), "wide").cells

    def bytes(self, number: int, start: int, end: int) -> bytes:
        """Bytes `[start, end)` of a clip; `start` is 0 or after the first 8."""
        return number.to_bytes(8, "big") + self._rest[: end - 8] if start == 0 else self._rest[start - 8 : end - 8]

    def manifest(self, number: int) -> ClipManifest:
        """A clip's manifest."""
        own = hashlib.sha256(self.bytes(number, 0, min(CELL_BYTES, self.size_bytes))).hexdigest()
        recording = clip_manifest(b"?", "wide", vehicle_id=f"car-{number % VEHICLES}").recording
        (fire,) = recording.fires
        charged = fire.model_copy(update={"charged_bytes": self.size_bytes})
        recording = recording.model_copy(update={"fires": (charged,)})
        return ClipManifest(recording=recording, size_bytes=self.size_bytes, cells=(own, *self._cells[1:]))


class Senders:
    """A vehicle each in a thread of its own, with the addresses of its uploads."""

    def __init__(self, running: Deployment, clips: Clips, tokens: list[str]) -> None:
        self._running = running
        self._clips = clips
        self._tokens = tokens
        self._uploads: dict[int, str] = {}

    def create(self) -> None:
        """Announce all clips."""
        self._each(range(self._clips.count), self._create)

    def send(self, numbers: range, start: int, end: int) -> None:
        """Send bytes `[start, end)` of these clips."""
        self._each(numbers, lambda http, number: self._send(http, number, start, end))

    def _each(self, numbers: range, work: Callable[[httpx.Client, int], None]) -> None:
        def of(own: int) -> None:
            headers = {**_TUS, "Authorization": f"Bearer {self._tokens[own]}"}
            with httpx.Client(
                base_url=self._running.gateway_url, headers=headers, trust_env=False, timeout=300
            ) as http:
                for number in numbers:
                    if number % VEHICLES == own:
                        work(http, number)

        with ThreadPoolExecutor(VEHICLES) as threads:
            list(threads.map(of, range(VEHICLES)))

    def _create(self, http: httpx.Client, number: int) -> None:
        request = CreationRequest(manifest=self._clips.manifest(number), network=Network.WIFI)
        kind = {"Upload-Length": str(self._clips.size_bytes), "Content-Type": "application/json"}
        created = http.post("/v1/uploads", content=request.canonical_json(), headers=kind).raise_for_status()
        self._uploads[number] = str(created.url.join(created.headers["Location"]))

    def _send(self, http: httpx.Client, number: int, start: int, end: int) -> None:
        for at in range(start, end, CHUNK_BYTES):
            content = self._clips.bytes(number, at, min(end, at + CHUNK_BYTES))
            http.patch(self._uploads[number], content=content, headers={"Upload-Offset": str(at)}).raise_for_status()


@dataclass
class Watched:
    """The process `ingest` of a deployment: its memory in MB by phase, and what it has spooled."""

    running: Deployment
    pid: int

    @property
    def memory_mb(self) -> float:
        """Its resident memory now."""
        return float(psutil.Process(self.pid).memory_info().rss / MB)

    @property
    def spooled_bytes(self) -> int:
        """Bytes of cells on its disk."""
        found = 0
        for file in (self.running.data_dir / "spool").glob("*/*"):
            with suppress(FileNotFoundError):  # the clip was stored meanwhile
                found += 512 * file.stat().st_blocks
        return found

    @contextmanager
    def peak(self) -> Iterator[dict[str, float]]:
        """The largest memory during the block, under `ingest`."""
        peak = Peak({"ingest": self.pid})
        peak.start()
        try:
            yield peak.mb
        finally:
            peak.stop()
            peak.join()


def measure(engines: Engines, kind: str, clips: Clips, *, number: int, spread: int, finished: int) -> dict[str, object]:
    """The figures for one number of open clips."""
    each = max(1, spread // clips.count // CELL_BYTES) * CELL_BYTES
    settings = real_settings(engines, number) if kind == "kafka" else {}
    room = {"spool_bytes": 64 * 1024 * MIB, "park_after_s": 86400.0, "extraction_workers": 0, "log_lease_s": 30.0}
    with (
        engines.scratch(f"deployment-{number}") as folder,
        whole_system.deployment(data_dir=folder, **room, **settings) as running,
    ):
        watched = Watched(running, running.pid("ingest") or 0)
        senders = Senders(running, clips, _vehicles(running))
        idle_mb = watched.memory_mb
        os.kill(watched.pid, signal.SIGSTOP)
        senders.create()
        began_s = time.perf_counter()
        senders.send(range(clips.count), 0, each)
        accepted_s = time.perf_counter() - began_s
        with watched.peak() as taking_in:
            os.kill(watched.pid, signal.SIGCONT)
            taken_mb, taken_s = _taken_in(watched, clips.count * each)
        open_mb = watched.memory_mb
        with watched.peak() as storing:
            began_s = time.perf_counter()
            senders.send(range(finished), each, clips.size_bytes)
            _wait_for(lambda: _stored(running) == finished, "the clips to be stored")
            stored_s = time.perf_counter() - began_s
        found_mb = {
            "idle": idle_mb,
            "taking in": taking_in["ingest"],
            "all open": open_mb,
            "storing": storing["ingest"],
        }
    return {
        "open clips": clips.count,
        "MB each": clips.size_bytes / MB,
        "MB spooled": clips.count * each / MB,
        "accepted MB/s": clips.count * each / MB / accepted_s,
        "taken in MB/s": taken_mb / taken_s,
        "sent and stored MB/s": finished * (clips.size_bytes - each) / MB / stored_s,
        "ingest MB": found_mb,
        "load average": os.getloadavg()[0],
    }


def _vehicles(running: Deployment) -> list[str]:
    """The tokens of all vehicles."""
    database = Database(running.settings.database_url, pool_size=1)
    try:
        with database.begin() as connection:
            add_version(connection, "wide", limits=BudgetLimits(total_bytes=10**13))
            return [enroll_vehicle(connection, f"car-{number}") for number in range(VEHICLES)]
    finally:
        database.close()


def _taken_in(watched: Watched, total_bytes: int) -> tuple[float, float]:
    """MB and seconds from the first spooled bytes to the last: how long it took to join the group does not count."""
    _wait_for(lambda: watched.spooled_bytes > 0, "the first cell")
    began_s, before = time.perf_counter(), watched.spooled_bytes
    _wait_for(lambda: watched.spooled_bytes >= total_bytes, "all cells")
    return (total_bytes - before) / MB, time.perf_counter() - began_s


def _stored(running: Deployment) -> int:
    with psycopg.connect(libpq_url(running.settings.database_url), autocommit=True) as sql:
        return int(sql.execute(_STORED).fetchall()[0][0])


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + LONGEST_S
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"waited {LONGEST_S:.0f} s for {what}")
        time.sleep(0.05)


def main(argv: list[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.loop.open_clips")
    parser.add_argument("--engines", choices=["embedded", "kafka"], default="embedded")
    parser.add_argument("--bytes", type=int, default=172_000_000, help="the size of a clip")
    parser.add_argument("--open", default="10,100,1000", help="numbers of open clips, each in a deployment of its own")
    parser.add_argument("--spread", type=int, default=1024 * MIB, help="bytes that all open clips have together")
    parser.add_argument("--finished", type=int, default=4, help="how many of them are stored")
    options = parser.parse_args(argv)
    found = []
    with Engines() as engines:
        for number, count in enumerate(map(int, options.open.split(","))):
            clips = Clips(options.bytes, count)
            found.append(
                measure(
                    engines, options.engines, clips, number=number, spread=options.spread, finished=options.finished
                )
            )
            print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    json.dump(found, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1:])
