"""The configuration of a vehicle's agent: its identity, trusted keys, servers and limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, TypeAdapter, ValidationError

from triggers.addresses import is_loopback
from triggers.contracts.base import AttributeValue, VehicleId
from triggers.contracts.campaign import DEFAULT_RECORDING_NS, Network
from triggers.contracts.checkin import CheckIn
from triggers.contracts.clip import CELL_BYTES, MAX_CAMERAS, MAX_RECORDING_NS, MAX_SOFTWARE_TEXT
from triggers.contracts.limits import MAX_TRUST_VERSION
from triggers.distance import SpeedSignal, speed_scale
from triggers.errors import Misconfigured
from triggers.language.webassembly.host.fuel import OPERATIONS_PER_S
from triggers.public_keys import checked_key
from triggers.remedies import first_mistake
from triggers.signals.catalog import SignalCatalog
from triggers.times import DAY_NS, NS_PER_S
from triggers.vehicle.key import KEY_FILE

MIB = 1024**2
_CALIBRATION: TypeAdapter[dict[str, dict[str, float]]] = TypeAdapter(
    Annotated[dict[str, dict[str, Annotated[float, Field(allow_inf_nan=False)]]], Field(max_length=MAX_CAMERAS)]
)
_VEHICLE_ID: TypeAdapter[str] = TypeAdapter(VehicleId)


@dataclass(frozen=True, kw_only=True)
class VehicleConfig:
    """The settings of one agent. Raises Misconfigured, naming the setting, if one cannot work.

    `trusted_keys` are raw 32-byte Ed25519 public keys: the root keys of trust document `trust_version` (0: of the first
    that they signed), of which `trust_threshold` must sign. Without a document they sign bundles and lists.
    `network` is the class of the network at the start
    (None: offline). `attributes` are what campaign targets test; `software` holds digests or versions of what runs;
    `calibration` gives each camera's parameters (pixels; distortion dimensionless). `speed_signal` names the
    speed, in `speed_unit`, from which the armed distance is counted; without it the distance is reported as 0.
    """

    vehicle_id: str
    token: str = field(default="", repr=False)
    """Empty: the vehicle signs its requests with the key in its state directory (`triggers.vehicle.enrolment`)."""
    api_url: str
    gateway_url: str
    trusted_keys: tuple[bytes, ...]
    state_directory: Path
    trust_threshold: int = 1
    trust_version: int = 0
    network: Network | None = Network.WIFI
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)
    calibration: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    speed_signal: str | None = None
    speed_unit: str = "m/s"
    signals: SignalCatalog | None = None
    """The signal catalog by which raw samples are read (`feed_raw`), and those that signals cannot have are counted."""
    ca_file: Path | None = None
    """PEM file of the authorities that sign the servers' certificates; None: those that this machine trusts."""
    client_cert_file: Path | None = None
    """PEM file with the vehicle's own certificate and its key, for servers that ask for one."""
    token_renew_at_ns: int | None = None
    """When to ask for the next token, as enrolment said (ns since the Unix epoch). None: `token` is not rotated."""

    ring_ns: int = 120 * NS_PER_S
    """How far back a capture window can reach; a longer one is shortened."""
    ring_bytes: int = 256 * MIB
    """Bytes of samples and encoded frames held in memory; beyond that, the oldest are dropped and counted."""
    max_recording_ns: int = DEFAULT_RECORDING_NS
    """Longest span of a recording; if windows keep touching beyond it, a new recording begins."""
    queue_bytes: int = 2048 * MIB
    """Bytes of finished clips kept on disk; beyond that, the clip of lowest priority, then the oldest, is dropped."""
    max_program_state_bytes: int = 4 * MIB
    """State of a campaign's program beyond which it is not run, whoever has signed it."""
    max_program_operations: int = 200_000
    """Operations per tick, as the program states them, beyond which it is not run."""
    max_program_memory_bytes: int = 64 * MIB
    """Memory beyond which it is not run: its row buffers, tables, scratch columns and state."""
    max_program_operations_per_s: int = OPERATIONS_PER_S
    """Operations per second of data, as they are counted while it runs, beyond which it is suspended."""
    compile_cpu_s: int = 20
    """Seconds of processor time that compiling a program may take; a second attempt needs another limit."""
    compile_memory_bytes: int = 1024 * MIB
    """Address space of the process that compiles it, of which about 64 MiB are the process itself."""
    max_clip_age_ns: int = 14 * DAY_NS
    """A clip that is not uploaded within this time is dropped as expired, and counted."""

    chunk_bytes: int = 8 * MIB
    """Bytes of one PATCH request, rounded down to whole cells."""
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 60.0
    exchange_s: float = 300.0
    """The longest that one exchange with a server may take as a whole, a chunk's upload included."""
    backoff_first_s: float = 2.0
    backoff_max_s: float = 900.0

    def __post_init__(self) -> None:
        self._check_identity()
        self._check_urls()
        self._check_keys()
        self._check_limits()
        self._check_declarations()

    def _check_identity(self) -> None:
        try:
            _VEHICLE_ID.validate_python(self.vehicle_id)
        except ValidationError as error:
            raise Misconfigured(
                f"vehicle_id {self.vehicle_id!r} is not a valid vehicle id",
                remedy="use 1 to 64 letters, digits, '_', '.', ':' or '-', beginning with a letter or digit",
            ) from error

        if not self.token and not self.key_file.exists():
            raise Misconfigured(
                f"there is no token, and no key in {self.key_file}",
                remedy="enrol the vehicle with a one-time code (triggers.vehicle.enrolment), or give its token",
            )

    def _check_urls(self) -> None:
        for name in ("api_url", "gateway_url"):
            url = getattr(self, name)
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise Misconfigured(f"{name} {url!r} is not a URL", remedy="write it as https://host[:port]")
            if parts.scheme == "http" and not is_loopback(parts.hostname):
                raise Misconfigured(
                    f"{name} {url!r} is plain HTTP to another machine: the token could be read on the way",
                    remedy="write it as https://host[:port]",
                )

    def _check_keys(self) -> None:
        if not self.trusted_keys:
            raise Misconfigured("trusted_keys is empty: the vehicle could run nothing", remedy="give a public key")
        for key in self.trusted_keys:
            try:
                checked_key(key)
            except ValueError as error:
                raise Misconfigured(f"trusted_keys: {error}", remedy="give the raw Ed25519 public keys") from error
        if not 1 <= self.trust_threshold <= len(set(self.trusted_keys)):
            raise Misconfigured(
                f"trust_threshold is {self.trust_threshold}, of {len(set(self.trusted_keys))} trusted_keys",
                remedy="give at least 1, and at most as many as there are keys",
            )
        if not 0 <= self.trust_version <= MAX_TRUST_VERSION:
            raise Misconfigured(f"trust_version is {self.trust_version}", remedy="give what the enrolment says")

    def _check_limits(self) -> None:
        lowest = {
            "ring_ns": NS_PER_S,
            "ring_bytes": 64 * 1024,
            "max_recording_ns": NS_PER_S,
            "queue_bytes": 1,
            "max_program_state_bytes": 1,
            "max_program_operations": 1,
            "max_program_memory_bytes": 1,
            "max_program_operations_per_s": 1,
            "compile_cpu_s": 1,
            "compile_memory_bytes": 64 * MIB,
            "max_clip_age_ns": NS_PER_S,
            "chunk_bytes": CELL_BYTES,
        }
        for name, low in lowest.items():
            if getattr(self, name) < low:
                raise Misconfigured(f"{name} is {getattr(self, name)}", remedy=f"give at least {low}")
        if speed_scale(self.speed_unit) is None:
            raise Misconfigured(
                f"speed_unit `{self.speed_unit}` is not a unit of speed", remedy="write it as m/s or km/h"
            )
        if self.max_recording_ns > MAX_RECORDING_NS:
            raise Misconfigured(
                f"max_recording_ns is {self.max_recording_ns}", remedy=f"give at most {MAX_RECORDING_NS}"
            )
        for name in ("connect_timeout_s", "read_timeout_s", "exchange_s"):
            if not 0 < getattr(self, name) < math.inf:
                raise Misconfigured(f"{name} is {getattr(self, name)}", remedy="give seconds, more than 0")
        if not 0 < self.backoff_first_s <= self.backoff_max_s:
            raise Misconfigured("backoff_first_s must be greater than 0 and at most backoff_max_s")

    def _check_declarations(self) -> None:
        """Check early that what manifests and check-ins say about the vehicle fits the contract types."""
        try:
            CheckIn(attributes=dict(self.attributes), software=dict(self.software), vehicle_time_ns=0)
            _CALIBRATION.validate_python({name: dict(values) for name, values in self.calibration.items()})
        except ValidationError as error:
            place, wrong, remedy = first_mistake(error)
            what = f"attributes, software or calibration: {place or 'calibration'}: {wrong}"
            raise Misconfigured(what, remedy=remedy) from error
        for name, value in self.software.items():
            if max(len(name), len(value)) > MAX_SOFTWARE_TEXT:
                raise Misconfigured(
                    f"software {name[:MAX_SOFTWARE_TEXT]!r} has more than {MAX_SOFTWARE_TEXT} characters",
                    remedy="give a digest or a version",
                )

    @property
    def speed(self) -> SpeedSignal | None:
        """The signal from which the armed distance is computed."""
        return SpeedSignal(self.speed_signal, self.speed_unit) if self.speed_signal else None

    @property
    def key_file(self) -> Path:
        """The vehicle's own key, with which it signs its requests if it has no token."""
        return self.state_directory / KEY_FILE

    @property
    def clips_directory(self) -> Path:
        """Where finished clips wait for their upload."""
        return self.state_directory / "clips"
