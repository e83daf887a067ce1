"""The durable state of a vehicle in one SQLite file: what is assigned, every fire and its outcome, and queued clips.

Why SQLite with these settings: a car often loses power in the middle of a write, and reported counts must never
decrease or stop adding up afterwards. Every change of state is one transaction. WAL with `synchronous=FULL` makes a
commit return only when it is on disk (NORMAL could lose the latest ones in a power cut, and with them ordinals that the
cloud has already seen). Fires are rare, so one flush per fire costs little. `locking_mode=EXCLUSIVE` lets only one
agent use a state directory, and the lock ends with its process.

Each fire is a row until its outcome is old; then it is folded into a count, in one transaction, so that the file stays
small and the sums stay the same.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from triggers.contracts.checkin import FireCounts
from triggers.contracts.fire import FireKey
from triggers.errors import Misconfigured, Unreachable
from triggers.vehicle.journal import fires
from triggers.vehicle.journal.counts import counts
from triggers.vehicle.journal.fires import RunIncrement
from triggers.vehicle.journal.schema import upgrade
from triggers.vehicle.recording.fires import FireOutcome, Reason

KEPT_ROWS = 10_000
"""How many concluded fires are kept as rows; older ones are folded into counts."""


class Journal:
    """The open journal. Use it in one thread at a time. Both `close` and the death of the process are safe."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Fires that an earlier process did not finish recording become `dropped: restart`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # No isolation level: transactions are begun here, not by the driver. No timeout: a locked file belongs to
            # another agent for as long as that agent lives.
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
            self._prepare()
        except (sqlite3.OperationalError, Unreachable) as error:
            raise Misconfigured(
                f"cannot open the vehicle's journal {path}: {error}",
                remedy="give each agent its own writable state directory",
            ) from error
        except sqlite3.DatabaseError as error:
            raise Misconfigured(
                f"the vehicle's journal {path} is damaged: {error}",
                remedy="move the file away (its counts are lost) and start again",
            ) from error

    def _prepare(self) -> None:
        self._db.row_factory = sqlite3.Row
        for setting in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self._db.execute(f"PRAGMA {setting}")
        with self.transaction() as db:
            upgrade(db)
            fires.drop_unfinished(db)

    def close(self) -> None:
        """Close the file and release its lock."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One durable change. It is undone if the body raises; raises Unreachable if it cannot be written."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise Unreachable(
                f"the vehicle's journal cannot be written: {error}", remedy="free disk space and start the agent again"
            ) from error
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
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row["value"])

    def set_facts(self, facts: Mapping[str, bytes]) -> None:
        """Write several values at once."""
        with self.transaction() as db:
            db.executemany("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", list(facts.items()))

    def bundle(self, digest: str) -> bytes | None:
        """The sealed bytes of a bundle, if they are stored."""
        row = self._db.execute("SELECT sealed FROM bundles WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else bytes(row["sealed"])

    def add_bundle(self, digest: str, sealed: bytes) -> None:
        """Store a bundle."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO bundles (digest, sealed) VALUES (?, ?)", (digest, sealed))

    def keep_bundles(self, digests: Iterable[str]) -> None:
        """Delete all bundles but these."""
        kept = set(digests)
        held = {row["digest"] for row in self._db.execute("SELECT digest FROM bundles")}
        with self.transaction() as db:
            db.executemany("DELETE FROM bundles WHERE digest = ?", [(digest,) for digest in held - kept])

    # Campaign versions and their evaluators' state.

    def fired(self, campaign: str, version: int) -> int:
        """The latest ordinal of a fire of this campaign version; 0 if it has not fired."""
        row = self._db.execute(
            "SELECT fired FROM versions WHERE campaign = ? AND version = ?", (campaign, version)
        ).fetchone()
        return 0 if row is None else int(row["fired"])

    def take_state(self, campaign: str, version: int, program_digest: str) -> bytes | None:
        """The evaluator's state as of the last clean shutdown. It is returned only once: after a crash it is stale."""
        with self.transaction() as db:
            row = db.execute(
                "SELECT state FROM versions WHERE campaign = ? AND version = ? AND program_digest = ?",
                (campaign, version, program_digest),
            ).fetchone()
            db.execute("UPDATE versions SET state = NULL WHERE campaign = ? AND version = ?", (campaign, version))
        return None if row is None or row["state"] is None else bytes(row["state"])

    def save_states(self, states: Mapping[tuple[str, int, str], bytes]) -> None:
        """Store evaluators' states by campaign, version and program digest."""
        with self.transaction() as db:
            (number,) = db.execute("SELECT coalesce(max(state_number), 0) + 1 FROM versions").fetchone()
            for (campaign, version, program_digest), state in states.items():
                fires.ensure_version(db, campaign, version)
                db.execute(
                    "UPDATE versions SET state = ?, program_digest = ?, state_number = ?"
                    " WHERE campaign = ? AND version = ?",
                    (state, program_digest, number, campaign, version),
                )

    def keep_states(self, newest: int) -> None:
        """Delete all states but the `newest` ones, so that they cannot fill the disk."""
        with self.transaction() as db:
            db.execute(
                "UPDATE versions SET state = NULL WHERE state IS NOT NULL AND (campaign, version) NOT IN"
                " (SELECT campaign, version FROM versions WHERE state IS NOT NULL"
                " ORDER BY state_number DESC, campaign, version LIMIT ?)",
                (newest,),
            )

    # Fires.

    def record(self, increments: Sequence[RunIncrement]) -> None:
        """Write new fires and increments. Raises Conflict if an ordinal is not the next one."""
        with self.transaction() as db:
            for increment in increments:
                fires.record(db, increment)

    def conclude(self, keys: Iterable[FireKey], outcome: FireOutcome, reason: Reason | None = None) -> None:
        """Give fires in flight their outcome. Raises Conflict if one already has an outcome."""
        with self.transaction() as db:
            fires.conclude(db, keys, outcome, reason)

    def outcome(self, fire: FireKey) -> tuple[FireOutcome, str] | None:
        """A fire's outcome and reason; None if it is unknown or was folded into a count."""
        return fires.outcome_of(self._db, fire)

    def compact(self, kept_rows: int = KEPT_ROWS) -> int:
        """Fold concluded fires, except for the latest `kept_rows`, into counts; returns how many were folded."""
        with self.transaction() as db:
            return fires.compact(db, kept_rows)

    def counts(self) -> tuple[FireCounts, ...]:
        """What became of every fire, by campaign version; each adds up over all ordinals up to its watermark."""
        return counts(self._db)
