"""Clips of one size from gateway to catalog: rates, CPU time per clip and per MB of each process, and memory.

`python -m bench.loop.sizes --engines embedded --bytes 7000 --clips 1000 --held` prints one JSON document. With `--held`
ingest stands still until everything is uploaded, so that its own rate shows. With `--engines kafka` a bare pipe moves
the same bytes first: a producer, a consumer, SHA-256 of each cell, and multipart uploads. Extraction is off.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import psutil
import psycopg
from kafka import KafkaConsumer, KafkaProducer

from bench.cpu import CpuMeter
from bench.engines import Engines
from bench.loop.comparisons import real_settings
from fleet_api.deployment.deployment import Deployment
from storage.database import Database
from storage.objects.s3.store import S3Store, parse_location
from tests.support import whole_system
from tests.support.fleet import add_version, clip_manifest, enroll_vehicle
from tests.support.servers.postgres import libpq_url
from triggers.contracts.campaign import BudgetLimits, Network
from triggers.contracts.clip import CELL_BYTES, ClipManifest, CreationRequest

MB = 1e6
VEHICLES = 4
CHUNK_BYTES = 8 * 1024**2
_TUS = {"Tus-Resumable": "1.0.0"}


@dataclass(frozen=True)
class Load:
    """Clips of one size, all different in their first bytes."""

    size_bytes: int
    count: int

    def data(self, number: int) -> bytes:
        """The bytes of a clip."""
        return number.to_bytes(8, "big") + random.Random(0).randbytes(self.size_bytes - 8)

    def cells(self, number: int) -> list[bytes]:
        """The same, cell by cell."""
        data = self.data(number)
        return [data[start : start + CELL_BYTES] for start in range(0, len(data), CELL_BYTES)]


class Peak(threading.Thread):
    """The largest resident memory of processes, in MB, looked at ten times per second."""

    def __init__(self, pids: dict[str, int]) -> None:
        super().__init__(daemon=True)
        self.mb = dict.fromkeys(pids, 0.0)
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._stop_event = threading.Event()

    def run(self) -> None:
        """The thread's body."""
        while not self._stop_event.wait(0.1):
            for name, process in self._processes.items():
                self.mb[name] = max(self.mb[name], process.memory_info().rss / MB)

    def stop(self) -> None:
        """Look no more."""
        self._stop_event.set()


def bare_pipe(engines: Engines, load: Load) -> float:
    """Seconds that bare clients take for the same bytes: log, hashes, objects; each clip's cells in order."""
    topic, bootstrap = "bare.pipe", engines.kafka.bootstrap
    producer = KafkaProducer(bootstrap_servers=bootstrap, max_request_size=4 * 1024**2, allow_auto_create_topics=True)
    from kafka import KafkaAdminClient  # noqa: PLC0415 - needed once

    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    consumer = KafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", max_partition_fetch_bytes=8 * 1024**2
    )
    location = parse_location(engines.s3.url("pipe"))
    store = S3Store(location, access_key=engines.s3.access_key, secret_key=engines.s3.secret_key)
    cells_each = len(load.cells(0))

    def produce() -> None:
        for number in range(load.count):
            for future in [producer.send(topic, cell, partition=0) for cell in load.cells(number)]:
                future.get(60)

    def parts(records: Iterator[bytes]) -> Iterator[bytes]:
        for first in range(0, cells_each, 16):
            cells = [next(records) for _ in range(min(16, cells_each - first))]
            for cell in cells:
                hashlib.sha256(cell).digest()
            yield b"".join(cells)

    began_s = time.perf_counter()
    sending = threading.Thread(target=produce)
    sending.start()
    records = (record.value for record in consumer)
    for number in range(load.count):
        store.put_parts(f"clip-{number}", parts(records))
    sending.join()
    took_s = time.perf_counter() - began_s
    consumer.close(autocommit=False)
    producer.close()
    return took_s


def upload(running: Deployment, load: Load, tokens: list[str], manifests: list[ClipManifest]) -> None:
    """All vehicles upload their clips, one clip after the other each."""
    with ThreadPoolExecutor(VEHICLES) as threads:
        list(threads.map(lambda own: _upload_of(running, load, tokens[own], manifests, own), range(VEHICLES)))


def _upload_of(running: Deployment, load: Load, token: str, manifests: list[ClipManifest], own: int) -> None:
    headers = {**_TUS, "Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=running.gateway_url, headers=headers, trust_env=False, timeout=300) as http:
        for number in range(own, load.count, VEHICLES):
            data, request = load.data(number), CreationRequest(manifest=manifests[number], network=Network.WIFI)
            kind = {"Upload-Length": str(len(data)), "Content-Type": "application/json"}
            created = http.post("/v1/uploads", content=request.canonical_json(), headers=kind).raise_for_status()
            location, offset = str(created.url.join(created.headers["Location"])), 0
            while offset < len(data):
                chunk = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
                sent = http.patch(location, content=data[offset : offset + CHUNK_BYTES], headers=chunk)
                offset = int(sent.raise_for_status().headers["Upload-Offset"])


@contextmanager
def _measured(engines: Engines, kind: str) -> Iterator[tuple[Deployment, dict[str, int]]]:
    settings = real_settings(engines, 1) if kind == "kafka" else {}
    with whole_system.deployment(extraction_workers=0, **settings) as running:
        (pid_file,) = (running.data_dir / "postgres").rglob("postmaster.pid")
        own = {name: pid for name in ("gateway", "ingest") if (pid := running.pid(name)) is not None}
        servers = {"PostgreSQL": int(pid_file.read_text().split()[0])}
        if kind == "kafka":
            servers |= {"Kafka": engines.kafka.pids()[1], "S3Proxy": engines.s3.pids()[1]}
        yield running, own | servers


def measure(engines: Engines, kind: str, load: Load, *, held: bool) -> dict[str, object]:
    """The figures of one run."""
    pipe_s = bare_pipe(engines, load) if kind == "kafka" else None
    with _measured(engines, kind) as (running, pids):
        database = Database(running.settings.database_url, pool_size=1)
        with database.begin() as connection:
            add_version(connection, "wide", limits=BudgetLimits(total_bytes=10**13))
            tokens = [enroll_vehicle(connection, f"car-{number}") for number in range(VEHICLES)]
        database.close()
        numbers = range(load.count)
        manifests = [clip_manifest(load.data(n), "wide", vehicle_id=f"car-{n % VEHICLES}") for n in numbers]
        peak, meter = Peak({name: pids[name] for name in ("gateway", "ingest")}), CpuMeter(pids)
        peak.start()
        if held:
            os.kill(pids["ingest"], signal.SIGSTOP)
        began_s = time.perf_counter()
        upload(running, load, tokens, manifests)
        accepted_s = time.perf_counter() - began_s
        if held:
            os.kill(pids["ingest"], signal.SIGCONT)
            began_s = time.perf_counter()
        with psycopg.connect(libpq_url(running.settings.database_url), autocommit=True) as sql:
            while sql.execute("SELECT count(*) FROM clips").fetchall()[0][0] < load.count:
                time.sleep(0.02)
        stored_s = time.perf_counter() - began_s
        spent, total_mb = meter.spent_s(), load.size_bytes * load.count / MB
        peak.stop()
    return {
        "clips": load.count,
        "MB each": load.size_bytes / MB,
        "accepted: clips/s, MB/s": [load.count / accepted_s, total_mb / accepted_s],
        "stored: clips/s, MB/s": [load.count / stored_s, total_mb / stored_s],
        "bare pipe: MB/s": None if pipe_s is None else total_mb / pipe_s,
        "CPU ms per clip": {name: 1000 * value / load.count for name, value in spent.items()},
        "CPU ms per MB": {name: 1000 * value / total_mb for name, value in spent.items()},
        "peak MB": peak.mb,
        "load average": os.getloadavg()[0],
    }


def main(argv: list[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.loop.sizes")
    parser.add_argument("--engines", choices=["embedded", "kafka"], default="embedded")
    parser.add_argument("--bytes", type=int, default=7000)
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--held", action="store_true", help="ingest begins when everything is uploaded")
    options = parser.parse_args(argv)
    with Engines() as engines:
        found = measure(engines, options.engines, Load(options.bytes, options.clips), held=options.held)
    json.dump(found, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1:])
