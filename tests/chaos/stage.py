"""The stage: real Kafka and S3 behind wires, `longtail up` as a process, and vehicles, each a process of its own."""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from fleet_api.client import Client
from fleet_api.client.data_dir import read_client_file
from storage.objects import ObjectStore, open_store
from tests.chaos import vehicle
from tests.chaos.parts.clocks import SharedClock, shared_clock
from tests.chaos.parts.disks import Disk, disk
from tests.chaos.parts.wire import Wire
from tests.chaos.parts.witness import Testimony, Witness
from tests.support.paths import REPOSITORY, server_folder
from tests.support.processes import descendants, is_gone
from tests.support.servers.java_server import free_ports
from tests.support.servers.kafka_server import KafkaServer
from tests.support.servers.s3_server import S3Server
from tests.support.waiting import wait_for
from tests.support.whole_system import run_campaign

START_S = 300.0
VEHICLES = 2
CELLS_TOPIC_PREFIX = OBJECTS_PREFIX = "chaos"
DISK_BYTES = {"cloud": 1536 * 1024**2, "s3": 6144 * 1024**2, "vehicle": 48 * 1024**2}
LOG_LEASE_S = 3.0
_CHILD = {
    "api": "fleet_api.cli api",
    "gateway": "fleet_api.cli gateway",
    "ingest": "fleet_api.cli ingest",
    "extraction": "ingest.extraction",
}


@dataclass
class Stage:
    """Everything that plays a part; `rng` is the seed's, so that a run can be repeated fault for fault."""

    folder: Path
    rng: random.Random
    kafka: KafkaServer
    s3: S3Server
    wires: dict[str, Wire]
    disks: dict[str, Disk]
    clock: SharedClock | None
    """The clock of the cloud's processes; None where they cannot be given one of their own."""
    up: subprocess.Popen[bytes] = field(init=False)
    ingest_port: int = 0
    vehicles: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    starting_s: float = 0.0
    """How long `longtail up` has taken to start, all starts together."""
    deaths: list[str] = field(default_factory=list)
    """Processes that ended by themselves though none may: a kill is not among them."""
    _witnesses: dict[str, Witness] = field(default_factory=dict)

    @property
    def data_dir(self) -> Path:
        return self.disks["cloud"].folder / "data"

    def start(self) -> None:
        """Start the deployment, its campaign and its vehicles."""
        self.start_up()
        with self.api() as api:
            run_campaign(api, vehicle.SOURCE, vehicle.CATALOG, "chaos")
            for number in range(VEHICLES):
                self._enrol(api, f"car-{number}")
        for name in self.vehicle_names:
            self.start_vehicle(name)

    @property
    def vehicle_names(self) -> list[str]:
        return [f"car-{number}" for number in range(VEHICLES)]

    def vehicle_folder(self, name: str) -> Path:
        return self.disks["vehicle"].folder / name

    def start_up(self) -> None:
        """`longtail up`, and wait until it says that it is ready."""
        log, began_s = self.folder / "up.log", _now_s()
        begin = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self.up = subprocess.Popen(
                [sys.executable, "-m", "fleet_api.cli", "up", "--data", str(self.data_dir)],
                cwd=REPOSITORY,
                env=self.environment(),
                stdout=output,
                stderr=output,
            )

        def said() -> bytes:
            with log.open("rb") as text:
                text.seek(begin)
                return text.read()

        wait_for(lambda: self.up.poll() is not None or b"ready;" in said(), within_s=START_S, what="`longtail up`")
        self.starting_s += _now_s() - began_s
        assert self.up.poll() is None, said().decode(errors="replace")

    def start_vehicle(self, name: str) -> None:
        """Start a vehicle's process; it continues with the state that an earlier one left."""
        with (self.folder / f"{name}.log").open("ab") as log:
            command = [sys.executable, "-m", "tests.chaos.vehicle", str(self.vehicle_folder(name))]
            self.vehicles[name] = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=log)

    def watch(self) -> None:
        """What a service manager does: start again what has ended by itself."""
        if self.up.poll() is not None:
            self._note_death("longtail up", self.up.returncode, "up.log")
            self.start_up()
        for name, process in self.vehicles.items():
            if process.poll() not in (None, 0):
                self._note_death(name, process.returncode, f"{name}.log")
                self.start_vehicle(name)

    def _note_death(self, name: str, status: int, log: str) -> None:
        if status != -signal.SIGKILL:
            said = (self.folder / log).read_text(errors="replace").strip().splitlines()
            self.deaths.append(f"{name} ended by itself with status {status}: {said[-1] if said else 'without a word'}")

    def testimony(self, name: str) -> Testimony:
        """What a vehicle saw so far."""
        return self._witnesses.setdefault(name, Witness(self.witness_file(name))).testimony()

    def witness_file(self, name: str) -> Path:
        """Where a vehicle's witness writes: on the machine's disk, which is never full."""
        return self.folder / f"{name}.witness.jsonl"

    def api(self) -> Client:
        """The API as the administrator uses it, past every wire."""
        known = read_client_file(self.data_dir)
        assert known is not None
        return Client(known.api_url, known.token, timeout_s=10.0)

    def store(self) -> ObjectStore:
        """The object store as the deployment uses it, past every wire."""
        return open_store(self.s3.settings(OBJECTS_PREFIX))

    def processes(self, name: str) -> list[psutil.Process]:
        """The processes of that name: a vehicle's, a server's, or parts of the deployment."""
        if name in self.vehicles:
            return [psutil.Process(self.vehicles[name].pid)]
        if name in ("kafka", "s3"):
            return [psutil.Process((self.kafka if name == "kafka" else self.s3).pids()[1])]
        if name == "up":
            return [psutil.Process(self.up.pid)]
        return [process for process in descendants(self.up.pid) if _is(process, name)]

    def signal(self, name: str, number: signal.Signals) -> int:
        """Send a signal to the processes of that name; how many there were."""
        count = 0
        for process in self.processes(name):
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue
            count += 1
        return count

    def is_ready(self, name: str) -> bool:
        """Whether `api`, `gateway` or `ingest` says that it can work."""
        port = self.ingest_port if name == "ingest" else self.wires[name].target
        try:
            return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5.0, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def step_vehicle_clock(self, name: str, seconds: int) -> None:
        (self.vehicle_folder(name) / "clock").write_text(str(seconds))

    def keep_logs(self, target: Path) -> None:
        """Copy what all processes and witnesses wrote."""
        target.mkdir(parents=True, exist_ok=True)
        for path in [*self.folder.glob("*.log"), *self.folder.glob("*.jsonl"), *self.data_dir.glob("logs/*")]:
            shutil.copy(path, target)

    def stop(self) -> None:
        """End every process that is still there."""
        for process in [*self.vehicles.values(), self.up]:
            family = [psutil.Process(process.pid), *descendants(process.pid)] if process.poll() is None else []
            for member in family:
                if not is_gone(member):
                    member.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
        for process in [*self.vehicles.values(), self.up]:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _enrol(self, api: Client, name: str) -> None:
        enrolled = api.vehicles.enrol(name, replays=True)
        folder = self.vehicle_folder(name)
        folder.mkdir()
        told = {
            "vehicle_id": name,
            "token": enrolled.token,
            "api_url": self.wires["api"].url,
            "gateway_url": self.wires["gateway"].url,
            "public_keys": list(enrolled.public_keys),
            "witness": str(self.witness_file(name)),
        }
        assert all(base64.b64decode(key) for key in told["public_keys"])
        (folder / "config.json").write_text(json.dumps(told))

    def environment(self) -> dict[str, str]:
        """The environment of every command of the deployment."""
        settings = {
            "log_url": f"kafka://127.0.0.1:{self.wires['kafka'].port}/{CELLS_TOPIC_PREFIX}",
            "objects_url": f"s3://{self.s3.bucket}/{OBJECTS_PREFIX}?endpoint={self.wires['s3'].url}",
            "objects_access_key": self.s3.access_key,
            "objects_secret_key": self.s3.secret_key,
            "api_port": self.wires["api"].target,
            "gateway_port": self.wires["gateway"].target,
            "ingest_port": self.ingest_port,
            "allow_self_approval": True,
            "log_lease_s": LOG_LEASE_S,
            "park_after_s": 5.0,
            "single_put_bytes": 1024**2,
        }
        own = {f"LONGTAIL_{name.upper()}": str(value) for name, value in settings.items()}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LONGTAIL_")}
        return inherited | own | (self.clock.environment() if self.clock else {})


@contextmanager
def stage(seed: int) -> Iterator[Stage]:
    """A stage on which everything runs; all of it is gone afterwards."""
    rng = random.Random(seed)
    with ExitStack() as stack:
        folder = stack.enter_context(server_folder())
        wires = {
            name: stack.enter_context(Wire(name, rng.randrange(1 << 30), answers_flip=name in ("kafka", "s3")))
            for name in ("kafka", "s3", "api", "gateway")
        }
        disks = {
            name: stack.enter_context(disk(folder / name, size_bytes=size_bytes))
            for name, size_bytes in DISK_BYTES.items()
        }
        kafka = stack.enter_context(KafkaServer(folder / "kafka", advertised=f"127.0.0.1:{wires['kafka'].port}"))
        s3 = stack.enter_context(S3Server(disks["s3"].folder / "server"))
        wires["kafka"].target, wires["s3"].target = kafka.port, s3.port
        for name in ("api", "gateway"):
            (wires[name].target,) = free_ports(1)
        clock = stack.enter_context(shared_clock(folder / "clock"))
        (ingest_port,) = free_ports(1)
        playing = Stage(folder, rng, kafka, s3, wires, disks, clock, ingest_port)
        stack.callback(playing.stop)
        playing.start()
        yield playing


def _now_s() -> float:
    return time.monotonic()


def _is(process: psutil.Process, name: str) -> bool:
    try:
        if name == "postgres":
            return process.name() == "postgres" and "-D" in process.cmdline()
        return _CHILD[name] in " ".join(process.cmdline())
    except psutil.Error:
        return False
