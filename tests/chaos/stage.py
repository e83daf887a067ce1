"""The stage: real Kafka and S3 behind wires, `longtail up` as a process, and vehicles, each a process of its own."""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from fleet_api.client import ApiClient
from tests.chaos import vehicle
from tests.chaos.disks import Disk, disk
from tests.chaos.wire import Wire
from tests.support.paths import REPOSITORY, server_folder
from tests.support.processes import descendants, is_gone
from tests.support.servers.java_server import free_ports
from tests.support.servers.kafka_server import KafkaServer
from tests.support.servers.s3_server import S3Server
from tests.support.waiting import wait_for
from tests.support.whole_system import run_campaign

START_S = 120.0
VEHICLES = 2
CELLS_TOPIC_PREFIX = "chaos"
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
    clock_file: Path | None
    """Holds the step of the cloud's clock in seconds; None where processes cannot be given another clock."""
    up: subprocess.Popen[bytes] = field(init=False)
    vehicles: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    restarts: int = 0

    @property
    def data_dir(self) -> Path:
        return self.disks["cloud"].folder / "data"

    def start(self) -> None:
        """Start the deployment, its campaign and its vehicles."""
        self.start_up()
        known = json.loads((self.data_dir / "client.json").read_text())
        self.wires["api"].target = httpx.URL(known["api_url"]).port or 0
        self.wires["gateway"].target = httpx.URL(known["gateway_url"]).port or 0
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
        log = self.folder / "up.log"
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
        assert self.up.poll() is None, said().decode(errors="replace")

    def start_vehicle(self, name: str) -> None:
        """Start a vehicle's process; it continues with the state that an earlier one left."""
        with (self.folder / f"{name}.log").open("ab") as log:
            command = [sys.executable, "-m", "tests.chaos.vehicle", str(self.vehicle_folder(name))]
            self.vehicles[name] = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=log)

    def watch(self) -> None:
        """What a service manager does: start again what has ended by itself."""
        if self.up.poll() is not None:
            self.restarts += 1
            self.start_up()
        for name, process in self.vehicles.items():
            if process.poll() not in (None, 0):
                self.restarts += 1
                self.start_vehicle(name)

    def api(self) -> ApiClient:
        """The API as the administrator uses it, past every wire."""
        known = json.loads((self.data_dir / "client.json").read_text())
        return ApiClient(known["api_url"], known["token"], timeout_s=10.0)

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
        """Whether `api` or `gateway` says that it can work."""
        try:
            known = json.loads((self.data_dir / "client.json").read_text())
            return httpx.get(f"{known[f'{name}_url']}/readyz", timeout=5.0, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def step_cloud_clock(self, seconds: int) -> None:
        """Let the cloud's processes believe that it is so many seconds later."""
        assert self.clock_file is not None
        self.clock_file.write_text(f"{seconds:+d}\n")

    def step_vehicle_clock(self, name: str, seconds: int) -> None:
        (self.vehicle_folder(name) / "clock").write_text(str(seconds))

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

    def _enrol(self, api: ApiClient, name: str) -> None:
        enrolled = api.vehicles.enrol(name)
        folder = self.vehicle_folder(name)
        folder.mkdir()
        told = {
            "vehicle_id": name,
            "token": enrolled.token,
            "api_url": self.wires["api"].url,
            "gateway_url": self.wires["gateway"].url,
            "public_keys": list(enrolled.public_keys),
        }
        assert all(base64.b64decode(key) for key in told["public_keys"])
        (folder / "config.json").write_text(json.dumps(told))

    def environment(self) -> dict[str, str]:
        """The environment of every command of the deployment."""
        settings = {
            "log_url": f"kafka://127.0.0.1:{self.wires['kafka'].port}/{CELLS_TOPIC_PREFIX}",
            "objects_url": f"s3://{self.s3.bucket}/chaos?endpoint={self.wires['s3'].url}",
            "objects_access_key": self.s3.access_key,
            "objects_secret_key": self.s3.secret_key,
            "api_port": self.wires["api"].target,
            "gateway_port": self.wires["gateway"].target,
            "ingest_port": 0,
            "allow_self_approval": True,
            "log_lease_s": LOG_LEASE_S,
            "park_after_s": 5.0,
            "single_put_bytes": 1024**2,
        }
        own = {f"LONGTAIL_{name.upper()}": str(value) for name, value in settings.items()}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LONGTAIL_")}
        return inherited | own | self._clock_environment()

    def _clock_environment(self) -> dict[str, str]:
        if self.clock_file is None:
            return {}
        return {
            "LD_PRELOAD": str(clock_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self.clock_file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


def clock_library() -> Path | None:
    """libfaketime, which gives processes another wall clock; None where there is none for this machine."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        return None
    try:
        import libfaketime
    except ImportError:
        return None
    library = Path(libfaketime.__file__).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    return library if library.exists() else None


@contextmanager
def stage(seed: int) -> Iterator[Stage]:
    """A stage on which everything runs; all of it is gone afterwards."""
    rng = random.Random(seed)
    with ExitStack() as stack:
        folder = stack.enter_context(server_folder())
        wires = {
            name: stack.enter_context(Wire(name, rng.randrange(1 << 30))) for name in ("kafka", "s3", "api", "gateway")
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
        clock_file = folder / "clock" if clock_library() else None
        if clock_file:
            clock_file.write_text("+0\n")
        playing = Stage(folder, rng, kafka, s3, wires, disks, clock_file)
        stack.callback(playing.stop)
        playing.start()
        yield playing


def _is(process: psutil.Process, name: str) -> bool:
    try:
        if name == "postgres":
            return process.name() == "postgres" and "-D" in process.cmdline()
        return _CHILD[name] in " ".join(process.cmdline())
    except psutil.Error:
        return False
