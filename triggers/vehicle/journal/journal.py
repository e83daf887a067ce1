"""The durable state of a vehicle in one SQLite file: what is assigned, every fire and its outcome, and queued clips.

Why SQLite with these settings: a car often loses power in the middle of a write, and reported counts must never
decrease or stop adding up afterwards. Every change of state is one transaction. WAL with `synchronous=FULL` makes a
commit return only when it is on disk (NORMAL could lose the latest ones in a power cut, and with them ordinals that the
cloud has already seen). Fires are rare, so one flush per fire costs little. `locking_mode=EXCLUSIVE` lets only one
agent use a state directory, and the lock ends with its process.

A full disk is met in this order: the reserve is released (`triggers.vehicle.journal.space`), then the files of clips of
the least value are deleted (`on_full`), and each time the write is repeated. Opening, reading and closing write nothing
that cannot wait. A write that can wait (`write_or_defer`) becomes part of the next one that succeeds.

Each fire is a row until its outcome is old; then it is folded into a count, in one transaction, so that the file stays
small and the sums stay the same.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from triggers.contracts.checkin import FireCounts
from triggers.contracts.fire import FireKey
from triggers.errors import LongtailError, Misconfigured, Unreachable
from triggers.private_files import private_file
from triggers.vehicle.journal import facts, fires, states
from triggers.vehicle.journal.counts import counts
from triggers.vehicle.journal.fires import RunIncrement
from triggers.vehicle.journal.schema import upgrade
from triggers.vehicle.journal.space import RESERVE_BYTES, Reserve
from triggers.vehicle.recording.fires import FireOutcome, Reason

T = TypeVar("T")
Step = Callable[[sqlite3.Connection], T]
"""A change of the journal, within a transaction; it is called again if the disk was full."""

KEPT_ROWS = 10_000
"""How many concluded fires are kept as rows; older ones are folded into counts."""
OWNER = "vehicle_id"
"""The fact that says whose journal it is."""
ROOM_BYTES = 64 * 1024
"""Space that an ordinary write needs at most."""
SETTINGS = (
    "locking_mode=EXCLUSIVE",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    # Nothing is written outside the state directory, and the write-ahead log stays small.
    "temp_store=MEMORY",
    "wal_autocheckpoint=32",
    "journal_size_limit=1048576",
)
_RESULT_BITS = 0xFF
"""The primary result code of SQLite is the lowest byte of an extended one."""


class JournalFull(Unreachable):
    """The disk is full, and nothing was left that could be deleted for the journal."""


class Journal:
    """The open journal. Use it in one thread at a time. Both `close` and the death of the process are safe."""

    def __init__(self, path: Path, *, reserve_bytes: int = RESERVE_BYTES) -> None:
        """Open or create the file. Fires that an earlier process did not finish recording become `dropped: restart`.

        Raises Misconfigured if the file cannot be used: it belongs to another agent that runs, to a newer agent, is
        damaged, or cannot be written.
        """
        self._path = path
        self._ready = False
        self._before: list[Step[None]] = []
        self._after: list[Step[None]] = []
        self._facts: dict[str, bytes] = {}
        """The facts that this process has set, written or not."""
        self.on_full: Callable[[int], bool] = _nothing_to_delete
        """Deletes something to make room for so many bytes; False if there is nothing to delete."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            private_file(path)  # SQLite gives its other files the mode of this one
            self.reserve = Reserve(path.with_name(f"{path.name}.reserve"), reserve_bytes)
            # No isolation level: transactions are begun here, not by the driver. No timeout: a locked file belongs to
            # another agent for as long as that agent lives.
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
        except (OSError, sqlite3.DatabaseError) as error:
            raise _unusable(path, error) from error
        try:
            self._prepare()
        except (OSError, sqlite3.DatabaseError, Unreachable) as error:
            raise _unusable(path, error) from error
        finally:
            if not self._ready:
                self._db.close()

    def _prepare(self) -> None:
        try:
            self._configure()
        except sqlite3.OperationalError as error:
            # A new file, or the log of an old one, is created here, and that needs space.
            if not _is_full(error) or not self.reserve.release():
                raise
            self._configure()
        self.write(upgrade)
        self.write_or_defer(fires.drop_unfinished)
        self.reserve.fill()
        self._ready = True

    def _configure(self) -> None:
        self._db.row_factory = sqlite3.Row
        for setting in SETTINGS:
            self._db.execute(f"PRAGMA {setting}")
        (found,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)

    def close(self) -> None:
        """Close the file and release its lock."""
        self._db.close()

    def write(self, step: Step[T], *, needed_bytes: int = ROOM_BYTES) -> T:
        """One durable change, in one transaction, for which room is made if the disk is full.

        Raises JournalFull if no room can be made, Unreachable if the file cannot be written for another reason, and
        whatever `step` raises; nothing is changed then. `needed_bytes` says how much the change may need.
        """
        while True:
            try:
                return self._write(step)
            except JournalFull:
                if not self.reserve.release() and not self.on_full(needed_bytes):
                    raise

    def write_or_defer(self, step: Step[None]) -> None:
        """The same for a change that can wait: on a full disk it is made at the beginning of the next write."""
        try:
            self.write(step)
        except JournalFull:
            self._before.append(step)

    def write_after(self, step: Step[None]) -> None:
        """Make a change as the last part of the next write."""
        self._after.append(step)

    def _write(self, step: Step[T]) -> T:
        before, after = list(self._before), list(self._after)
        with self.transaction() as db:
            for deferred in before:
                deferred(db)
            result = step(db)
            for deferred in after:
                deferred(db)
        del self._before[: len(before)], self._after[: len(after)]
        return result

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One attempt at a durable change, undone if the body raises; raises JournalFull or Unreachable."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise _unwritable(self._path, error) from error
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    @property
    def reading(self) -> sqlite3.Connection:
        """A connection for queries that change nothing."""
        return self._db

    # Facts and bundles.

    def fact(self, name: str) -> bytes | None:
        """The value stored under a name, if there is one."""
        if name in self._facts:
            return self._facts[name]
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row["value"])

    def set_facts(self, values: Mapping[str, bytes]) -> None:
        """Write several values at once; on a full disk they are remembered, and written with the next write."""
        self._facts.update(values)
        self.write_or_defer(partial(facts.set_facts, list(values.items())))

    def bundle(self, digest: str) -> bytes | None:
        """The sealed bytes of a bundle, if they are stored."""
        row = self._db.execute("SELECT sealed FROM bundles WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else bytes(row["sealed"])

    def add_bundle(self, digest: str, sealed: bytes) -> None:
        """Store a bundle."""
        # The bytes are written twice: to the write-ahead log, and from there to the file.
        self.write(partial(facts.add_bundle, digest, sealed), needed_bytes=ROOM_BYTES + 2 * len(sealed))

    def keep_bundles(self, digests: Iterable[str]) -> None:
        """Delete all bundles but these."""
        kept = set(digests)
        held = {row["digest"] for row in self._db.execute("SELECT digest FROM bundles")}
        if held - kept:
            self.write_or_defer(partial(facts.delete_bundles, held - kept))

    # Campaign versions and their evaluators' state.

    def fired(self, campaign: str, version: int) -> int:
        """The latest ordinal of a fire of this campaign version; 0 if it has not fired."""
        row = self._db.execute(
            "SELECT fired FROM versions WHERE campaign = ? AND version = ?", (campaign, version)
        ).fetchone()
        return 0 if row is None else int(row["fired"])

    def take_state(self, campaign: str, version: int, program_digest: str) -> bytes | None:
        """The evaluator's state as of the last clean shutdown. It is returned only once: after a crash it is stale."""
        row = self._db.execute(
            "SELECT state, program_digest FROM versions WHERE campaign = ? AND version = ? AND state IS NOT NULL",
            (campaign, version),
        ).fetchone()
        if row is None:
            return None
        self.write_or_defer(partial(states.forget, campaign, version))
        return bytes(row["state"]) if row["program_digest"] == program_digest else None

    def save_states(self, saved: Mapping[tuple[str, int, str], bytes]) -> None:
        """Store evaluators' states by campaign, version and program digest."""
        needed_bytes = ROOM_BYTES + 2 * sum(len(state) for state in saved.values())
        self.write(partial(states.save, saved), needed_bytes=needed_bytes)

    def keep_states(self, newest: int) -> None:
        """Delete all states but the `newest` ones, so that they cannot fill the disk."""
        self.write_or_defer(partial(states.keep, newest))

    # Fires.

    def record(self, increments: Sequence[RunIncrement]) -> None:
        """Write new fires and increments. Raises Conflict if an ordinal is not the next one."""
        self.write(partial(_record, increments))

    def conclude(self, keys: Sequence[FireKey], outcome: FireOutcome, reason: Reason | None = None) -> None:
        """Give fires in flight their outcome; on a full disk, with the next write.

        Raises Conflict if one already has an outcome.
        """
        self.write_or_defer(lambda db: fires.conclude(db, keys, outcome, reason))

    def outcome(self, fire: FireKey) -> tuple[FireOutcome, str] | None:
        """A fire's outcome and reason; None if it is unknown or was folded into a count."""
        return fires.outcome_of(self._db, fire)

    def compact(self, kept_rows: int = KEPT_ROWS) -> int:
        """Fold concluded fires, except for the latest `kept_rows`, into counts; returns how many were folded."""
        return self.write(lambda db: fires.compact(db, kept_rows))

    def counts(self) -> tuple[FireCounts, ...]:
        """What became of every fire, by campaign version; each adds up over all ordinals up to its watermark."""
        return counts(self._db)


def check_owner(journal: Journal, vehicle_id: str) -> None:
    """Misconfigured, with the journal closed, if it is another vehicle's: its ordinals and clips are not this one's."""
    owner = journal.fact(OWNER)
    if owner is None:
        journal.set_facts({OWNER: vehicle_id.encode()})
    elif owner.decode() != vehicle_id:
        journal.close()
        raise Misconfigured(
            f"the vehicle's journal belongs to vehicle {owner.decode()}, not to {vehicle_id}",
            remedy="give each vehicle a state directory of its own",
        )


def _nothing_to_delete(_needed_bytes: int) -> bool:
    return False


def _record(increments: Sequence[RunIncrement], db: sqlite3.Connection) -> None:
    for increment in increments:
        fires.record(db, increment)


def _is_full(error: sqlite3.Error) -> bool:
    """Whether SQLite found the disk full; a quota that is used up is only an error of writing to SQLite."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & _RESULT_BITS == sqlite3.SQLITE_FULL


def _unwritable(path: Path, error: sqlite3.DatabaseError) -> LongtailError:
    if isinstance(error, sqlite3.OperationalError):
        kind, remedy = Unreachable, "check the disk and the folder's permissions"
        if _is_full(error):
            kind, remedy = JournalFull, "free disk space; the agent then goes on by itself"
        return kind(f"the vehicle's journal {path} cannot be written: {error}", remedy=remedy)
    return _damaged(path, error)


def _unusable(path: Path, error: Exception) -> Misconfigured:
    """Why the journal cannot be opened."""
    if isinstance(error, JournalFull) or (isinstance(error, sqlite3.Error) and _is_full(error)):
        return Misconfigured(
            f"cannot open the vehicle's journal {path}: the disk is full", remedy="free some space and start again"
        )
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        return _damaged(path, error)
    if getattr(error, "sqlite_errorcode", 0) & _RESULT_BITS in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Misconfigured(
            f"the vehicle's journal {path} is locked by another agent that runs",
            remedy="stop that agent, or give each agent its own state directory",
        )
    return Misconfigured(
        f"cannot open the vehicle's journal {path}: {error}", remedy="give each agent its own writable state directory"
    )


def _damaged(path: Path, error: Exception) -> Misconfigured:
    return Misconfigured(
        f"the vehicle's journal {path} is damaged: {error}",
        remedy="move the file away (its counts are lost), enrol the vehicle under a new id, and start again",
    )
