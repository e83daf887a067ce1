"""Vehicles whose latest check-in this process answered: one that tells nothing new is answered without the database.

What was true then is true as long as four things stand still: the revision of the campaigns, the revision of the
vehicles (raised when one is enrolled again, revoked or erased), the day of a campaign or stage of a rollout that
changes assignments next, and what the vehicle says about itself. Both revisions are read at most `staleness_s` seconds
before an answer, so that is how late a revocation or a stop may take effect; a database that does not answer leaves
nothing to trust.

A vehicle that signs its requests is remembered with its key, which holds for as long as the two revisions stand still.
By its token nobody is remembered once half of that one's time is over, or while it has a former one: the first use of a
successor needs a transaction, and a usual rotation raises the revision, which all vehicles share, for nobody.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from storage.database import Connection, Database
from storage.vehicles.check_in import Revisions, read_revisions, write_seen
from triggers.contracts.checkin import CheckIn
from triggers.errors import LongtailError

MAX_VEHICLES = 200_000
"""How many vehicles are remembered, in about 0.5 KiB each; those that are not are answered by a transaction."""
WRITE_EVERY_S = 2.0
"""How often it is written when vehicles were seen; a process that is killed loses so much of it."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A vehicle as of its latest check-in with a transaction, and until when (Unix ns) its list cannot change.

    `told` is the digest of what it said about itself, `digest` that of its list. `key` is the one with which it signs
    its requests; None for a vehicle with a token.
    """

    vehicle_id: str
    told: bytes
    digest: str
    revisions: Revisions
    until_ns: int
    key: Ed25519PublicKey | None = None


def signer(vehicle_id: str) -> bytes:
    """What a vehicle is remembered by that signs its requests; no token has this hash."""
    return hashlib.sha256(b"vehicle\x1f" + vehicle_id.encode("utf-8", "backslashreplace")).digest()


def told(report: CheckIn) -> bytes:
    """A digest of what a vehicle says about itself, but for its time and its list."""
    parts = (report.attributes, report.software, report.problems, report.revision, report.trust)
    return hashlib.blake2b(repr(parts).encode("utf-8", "backslashreplace"), digest_size=16).digest()


class KnownVehicles:
    """What this process remembers of vehicles, by the SHA-256 of their tokens, or as signers. Thread-safe."""

    def __init__(self, *, staleness_s: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._staleness_s = staleness_s
        self._clock = clock
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()
        self._vehicles: OrderedDict[bytes, Remembered] = OrderedDict()
        self._revisions: Revisions | None = None
        self._read_at = 0.0
        self._seen: dict[str, tuple[int, int]] = {}
        self._written_at = clock()

    def remember(self, token_hash: bytes, vehicle: Remembered) -> None:
        """Remember a vehicle; the one that was longest ago is forgotten when there are too many."""
        with self._lock:
            self._vehicles[token_hash] = vehicle
            self._vehicles.move_to_end(token_hash)
            if len(self._vehicles) > MAX_VEHICLES:
                self._vehicles.popitem(last=False)

    def forget(self, token_hash: bytes) -> None:
        """Forget a vehicle, whose next check-in will need a transaction."""
        with self._lock:
            self._vehicles.pop(token_hash, None)

    def find(self, token_hash: bytes, vehicle_id: str) -> Remembered | None:
        """The vehicle with this token, or that signs, if it is this one."""
        vehicle = self._vehicles.get(token_hash)
        return vehicle if vehicle is not None and vehicle.vehicle_id == vehicle_id else None

    @property
    def is_fresh(self) -> bool:
        """Whether the revisions were read so recently that they need not be read again."""
        return self._revisions is not None and self._clock() - self._read_at <= self._staleness_s

    def refresh(self, database: Database) -> None:
        """Read the revisions, and write which vehicles were seen if it is time; the caller is in a thread."""
        with self._refreshing:
            began = self._clock()
            if self._staleness_s and self.is_fresh:  # another thread has just read them
                return
            with database.begin() as connection:
                revisions = read_revisions(connection)
                if began - self._written_at >= WRITE_EVERY_S:
                    self._write(connection)
            with self._lock:
                self._revisions, self._read_at = revisions, began

    def is_unchanged(self, vehicle: Remembered, report: CheckIn, *, now_ns: int) -> bool:
        """Whether the vehicle has the list that it should have, and says what it said."""
        if report.have != vehicle.digest or not self.is_current(vehicle) or now_ns >= vehicle.until_ns:
            return False
        return told(report) == vehicle.told

    def is_current(self, vehicle: Remembered) -> bool:
        """Whether no vehicle has changed, and nothing that runs on them, since this one was remembered."""
        return vehicle.revisions == self._revisions

    def seen(self, vehicle: Remembered, report: CheckIn, *, now_ns: int) -> None:
        """Note that a vehicle has checked in; it is written later, with others."""
        with self._lock:
            self._seen[vehicle.vehicle_id] = now_ns, report.vehicle_time_ns - now_ns

    def flush(self, database: Database) -> None:
        """Write which vehicles were seen, before the process ends."""
        try:
            with database.begin() as connection:
                self._write(connection)
        except LongtailError:
            return  # nobody is there to write to: the next check-ins tell it again

    def _write(self, connection: Connection) -> None:
        with self._lock:
            seen, self._seen = self._seen, {}
        self._written_at = self._clock()
        if seen:
            write_seen(connection, seen)
