"""Simulated vehicles: enrols them, lets them play drives and upload their clips, and sums up the results.

The plan (each vehicle's attributes, and which drives it plays when) is a pure function of drives, catalog and seed, so
the same seed against a fresh deployment gives the same clips, hash for hash. A drive's time is shifted by whole seconds
only, because heartbeats fall on multiples of 100 ms: a replayed trigger then fires where its backtest does.
"""

from __future__ import annotations

import base64
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fleet_api.client import Client
from triggers.assignment.targets import matches
from triggers.contracts.base import AttributeValue
from triggers.contracts.campaign import Comparison, Junction, Target
from triggers.contracts.checkin import FireCounts
from triggers.distance import SPEED_SIGNAL, SpeedSignal, speed_signal
from triggers.drives.drive import Drive
from triggers.errors import InvalidInput
from triggers.replay.replay import play
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.config import VehicleConfig

DEFAULT_START_NS = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * NS_PER_S
BREAK_NS = 3600 * NS_PER_S
UPLOAD_DEADLINE_S = 60.0
UPLOAD_SLICE_S = 3.0
UPLOAD_PAUSE_S = 0.5
THREADS = 2
ATTEMPTS = 200
SOFTWARE = {"agent": "longtail-simulate", "network.active": "demo-active-1", "network.shadow": "demo-shadow-2"}
_TEXTS: Mapping[str, tuple[str, ...]] = {
    "region": ("EU", "UK", "US"),
    "model": ("m3", "my", "kombi"),
    "country": ("DE", "FR", "SE", "US"),
}
_NUMBERS = (2, 3, 4)
_VERSIONS = ("1.9.2", "2.0.0", "2.1.0")
_NO_SIGNALS = SignalCatalog.parse("signals: {t: {rate: 1}}", name="no signals")


@dataclass(frozen=True)
class Trip:
    """One drive as a vehicle plays it; `offset_ns` is added to the drive's own time."""

    drive: Drive
    offset_ns: int


@dataclass(frozen=True)
class PlannedVehicle:
    """A simulated vehicle: its identity, and the trips it plays in chronological order."""

    id: str
    attributes: dict[str, AttributeValue]
    trips: tuple[Trip, ...]


@dataclass
class VehicleResult:
    """The result of one vehicle: its counts, what is still queued, and what went wrong."""

    id: str
    attributes: dict[str, AttributeValue]
    campaigns: list[str]
    drives: list[str] = field(default_factory=list)
    counts: list[FireCounts] = field(default_factory=list)
    queued: int = 0
    handed_over: int = 0
    uploaded_bytes: int = 0
    problems: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        own = {key: value for key, value in vars(self).items() if key != "counts"}
        return {**own, "counts": [count.model_dump(mode="json") for count in self.counts]}


VehicleProgress = Callable[[str, str], None]
"""Called with a vehicle's id and what it is doing."""


def _silent(vehicle: str, step: str) -> None:  # noqa: ARG001 - a VehicleProgress
    return None


def plan_fleet(
    drives: Sequence[Drive],
    attributes: Sequence[dict[str, AttributeValue]],
    *,
    prefix: str = "sim",
) -> list[PlannedVehicle]:
    """Assign drives so that every vehicle plays one and every drive is played: vehicle k plays k, k + vehicles, ..."""
    if not drives:
        raise InvalidInput("no drives to play", remedy="name some with --drives")
    vehicles = len(attributes)
    played: list[list[Drive]] = [[] for _ in range(vehicles)]
    for k in range(max(vehicles, len(drives))):
        played[k % vehicles].append(drives[k % len(drives)])
    return [
        PlannedVehicle(f"{prefix}-{number:03d}", dict(attributes[number]), _trips(played[number]))
        for number in range(vehicles)
    ]


def _trips(drives: Iterable[Drive]) -> tuple[Trip, ...]:
    """Trips at the times in the drives' metadata, else one after another; they never overlap."""
    trips: list[Trip] = []
    free_ns = 0
    for drive in sorted(drives, key=lambda drive: (drive.start_ns or DEFAULT_START_NS, drive.name)):
        start_ns = max(drive.start_ns or DEFAULT_START_NS, free_ns)
        offset_ns = -(-start_ns // NS_PER_S) * NS_PER_S
        trips.append(Trip(drive, offset_ns))
        free_ns = offset_ns + _length_ns(drive) + BREAK_NS
    return tuple(trips)


def _length_ns(drive: Drive) -> int:
    """The drive's latest time; an empty catalog is enough to read the column of times."""
    latest_ns = 0
    for batch in drive.batches(_NO_SIGNALS, ()):
        latest_ns = int(batch.t_ns[-1]) if batch.t_ns.size else latest_ns
    return latest_ns


def draw_attributes(
    catalog: SignalCatalog, targets: Sequence[Target | None], *, seed: int, number: int
) -> dict[str, AttributeValue]:
    """A vehicle's attributes, drawn with its own random stream from common values and those that targets name.

    The first vehicle is drawn again until a target matches it (up to 200 times), so that a fleet of one does not idle.
    """
    stream = random.Random(f"{seed}:{number}")  # noqa: S311 - a simulation, not a secret
    named: dict[str, list[AttributeValue]] = {}
    for target in targets:
        _collect_named(target, named)
    drawn = _draw(catalog, named, stream)
    for _ in range(ATTEMPTS if number == 0 and targets else 0):
        if any(matches(target, drawn) for target in targets):
            break
        drawn = _draw(catalog, named, stream)
    return drawn


def _collect_named(target: Target | None, named: dict[str, list[AttributeValue]]) -> None:
    if isinstance(target, Comparison):
        named.setdefault(target.attribute, []).extend(target.values)
    elif isinstance(target, Junction):
        for operand in target.operands:
            _collect_named(operand, named)


def _draw(
    catalog: SignalCatalog, named: Mapping[str, Sequence[AttributeValue]], stream: random.Random
) -> dict[str, AttributeValue]:
    drawn: dict[str, AttributeValue] = {}
    for name, kind in sorted(catalog.vehicle.items()):
        usual: Sequence[AttributeValue]
        if kind == "text":
            usual = _TEXTS.get(name, (f"{name}_a", f"{name}_b"))
        elif kind == "bool":
            usual = (False, True)
        elif kind == "version":
            usual = _VERSIONS
        else:
            usual = _NUMBERS if kind == "integer" else tuple(float(number) for number in _NUMBERS)
        choices = list(dict.fromkeys([*named.get(name, ()), *usual]))
        drawn[name] = stream.choice(choices)
    return drawn


def measured_speed(vehicle: PlannedVehicle, catalog: SignalCatalog, name: str | None = None) -> SpeedSignal | None:
    """The speed from which a vehicle can count the distance of all its drives: `name`, or the one that a backtest uses.

    None if the drives have no such speed; InvalidInput if they do not have `name`.
    """
    columns = [set(trip.drive.columns) for trip in vehicle.trips]
    speed = speed_signal(catalog, set.intersection(*columns) if columns else set(), name or SPEED_SIGNAL)
    if speed is None and name is not None:
        raise InvalidInput(f"`{name}` is not a speed that the signal catalog declares and every drive has")
    return speed


def upload_queued(
    agent: VehicleAgent,
    result: VehicleResult,
    stop: threading.Event,
    *,
    deadline_s: float = UPLOAD_DEADLINE_S,
    pause_s: float = UPLOAD_PAUSE_S,
) -> None:
    """Upload until nothing is queued, `deadline_s` has passed, or `stop` is set; adds what was done to `result`.

    Pauses for `pause_s` after an attempt that uploaded nothing.
    """
    ends_s = time.monotonic() + deadline_s
    while not stop.is_set() and time.monotonic() < ends_s:
        report = agent.upload_pending(UPLOAD_SLICE_S)
        result.handed_over += report.handed_over
        result.uploaded_bytes += report.bytes_acknowledged
        result.problems += report.problems
        if not agent.status().queued:
            return
        if not report.handed_over:  # every clip is waiting for its next attempt, which may be further away than a slice
            stop.wait(pause_s)


@dataclass(frozen=True)
class SimulatedFleet:
    """Runs simulated vehicles against a deployment; `client` needs the role operator. Vehicles trust the authority, and
    show the certificate, that it does.

    `speed_signal` names the speed signal from which vehicles count their distance; None: the one that a backtest of
    their drives uses. State directories are below `state_dir`, one per vehicle; with those of an earlier run the
    vehicles continue where they stopped.
    """

    client: Client
    catalog: SignalCatalog
    state_dir: Path
    speed_signal: str | None = None
    progress: VehicleProgress = _silent

    def run(self, vehicles: Sequence[PlannedVehicle], *, threads: int = THREADS) -> list[VehicleResult]:
        """Enrol the vehicles and let them play and upload, a few at a time; the first error ends the run."""
        stop = threading.Event()
        with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="vehicle") as pool:
            runs = [pool.submit(self._run, vehicle, stop) for vehicle in vehicles]
            try:
                return [run.result() for run in runs]
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _run(self, vehicle: PlannedVehicle, stop: threading.Event) -> VehicleResult:
        """One vehicle's run: check in, drive, upload, report."""
        with VehicleAgent(self._enroll(vehicle)) as agent:
            agent.check_in()
            campaigns = sorted(name for name, _ in agent.status().campaigns)
            result = VehicleResult(vehicle.id, vehicle.attributes, campaigns)
            for trip in vehicle.trips:
                if stop.is_set():
                    break
                self._drive(agent, trip, result, stop)
            agent.report()
            status = agent.status()
            result.counts, result.queued = list(status.counts), len(status.queued)
            self.progress(vehicle.id, f"is done; clips uploaded: {result.handed_over}")
            return result

    def _drive(self, agent: VehicleAgent, trip: Trip, result: VehicleResult, stop: threading.Event) -> None:
        self.progress(result.id, f"plays {trip.drive.name}")
        play(agent, trip.drive, self.catalog, offset_ns=trip.offset_ns)
        self.progress(result.id, f"uploads; clips queued: {len(agent.status().queued)}")
        result.drives.append(trip.drive.name)
        upload_queued(agent, result, stop)

    def _enroll(self, vehicle: PlannedVehicle) -> VehicleConfig:
        """Enrol a vehicle, and return the configuration of its agent."""
        speed = measured_speed(vehicle, self.catalog, self.speed_signal)
        enrolled = self.client.vehicles.enrol(vehicle.id, vehicle.attributes, replays=True, replace=True)
        state_dir = self.state_dir / vehicle.id
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return VehicleConfig(
            vehicle_id=vehicle.id,
            token=enrolled.token,
            token_renew_at_ns=int(enrolled.token_renew_at.timestamp()) * NS_PER_S,
            api_url=enrolled.api_url,
            gateway_url=enrolled.gateway_url,
            trusted_keys=tuple(base64.b64decode(key) for key in enrolled.public_keys),
            trust_threshold=enrolled.trust_threshold,
            trust_version=enrolled.trust_version,
            state_directory=state_dir,
            ca_file=self.client.ca_file,
            client_cert_file=self.client.client_cert_file,
            attributes=vehicle.attributes,
            software=SOFTWARE,
            speed_signal=speed.name if speed else None,
            speed_unit=speed.unit if speed else "m/s",
        )
