"""The vehicle's durable state in one SQLite file: what is assigned, every fire and its outcome, and queued clips.

Why SQLite and these settings: a car loses power in mid-write as a rule, and counts that are reported must never fall
or stop adding up afterwards. Every change of state is one transaction; WAL with `synchronous=FULL` makes a commit
return only when it is on the disk (NORMAL could lose the last ones in a power cut, and with them ordinals that the
cloud has already seen). Fires are rare, so a flush each costs nothing. `locking_mode=EXCLUSIVE` lets one agent alone
use a state directory, and the lock dies with its process.

A fire is a row until it and its outcome are old; then it is folded into a count, in one transaction, so that the
file stays small and the sums stay the same.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path

from triggers.contracts.checkin import FireCounts
from triggers.contracts.compared import Compared
from triggers.contracts.fire import FireKey
from triggers.errors import Conflict, Misconfigured, Unreachable
from triggers.vehicle.recording.fires import FireOutcome, Reason, VehicleFire

KEPT_ROWS = 10_000
"""Settled fires that stay readable one by one; older ones are folded into counts."""

FOUNDING_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE bundles (digest TEXT PRIMARY KEY, sealed BLOB NOT NULL);
CREATE TABLE versions (
    campaign TEXT NOT NULL, version INTEGER NOT NULL,
    fired INTEGER NOT NULL DEFAULT 0, suppressed INTEGER NOT NULL DEFAULT 0,
    armed_ns INTEGER NOT NULL DEFAULT 0, distance_mm INTEGER NOT NULL DEFAULT 0,
    program_digest TEXT, state BLOB,
    PRIMARY KEY (campaign, version)
) WITHOUT ROWID;
CREATE TABLE clips (
    clip_id TEXT PRIMARY KEY, file TEXT NOT NULL UNIQUE, manifest BLOB NOT NULL, size_bytes INTEGER NOT NULL,
    priority INTEGER NOT NULL, queued_at_ns INTEGER NOT NULL, routes TEXT NOT NULL,
    upload_url TEXT, upload_network TEXT,
    attempts INTEGER NOT NULL DEFAULT 0, next_attempt_ns INTEGER NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT ''
);
CREATE TABLE fires (
    campaign TEXT NOT NULL, version INTEGER NOT NULL, ordinal INTEGER NOT NULL,
    trigger TEXT NOT NULL, t_ns INTEGER NOT NULL,
    outcome TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', captured BLOB,
    clip_id TEXT REFERENCES clips (clip_id),
    PRIMARY KEY (campaign, version, ordinal)
) WITHOUT ROWID;
CREATE INDEX fires_by_clip ON fires (clip_id) WHERE clip_id IS NOT NULL;
CREATE INDEX fires_by_outcome ON fires (outcome);
CREATE TABLE folded (
    campaign TEXT NOT NULL, version INTEGER NOT NULL, trigger TEXT NOT NULL,
    outcome TEXT NOT NULL, reason TEXT NOT NULL, fires INTEGER NOT NULL,
    PRIMARY KEY (campaign, version, trigger, outcome, reason)
) WITHOUT ROWID;
"""
TERMINATIONS = """
CREATE TABLE terminations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT NOT NULL UNIQUE, refusals INTEGER NOT NULL DEFAULT 0
)
"""
STATE_ORDER = """
ALTER TABLE versions ADD COLUMN state_number INTEGER NOT NULL DEFAULT 0
"""
COMPARED = """
CREATE TABLE compared (
    campaign TEXT NOT NULL, version INTEGER NOT NULL, head TEXT NOT NULL,
    neither INTEGER NOT NULL, only_shadow INTEGER NOT NULL, only_active INTEGER NOT NULL, both INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    PRIMARY KEY (campaign, version, head)
) WITHOUT ROWID
"""
NETWORK_OF_THE_UPLOAD = """
UPDATE clips SET manifest = CAST(json_remove(CAST(manifest AS TEXT), '$.network') AS BLOB)
"""
SCHEMAS = (FOUNDING_SCHEMA, TERMINATIONS, STATE_ORDER, COMPARED, NETWORK_OF_THE_UPLOAD)
"""Each is a step from one schema version to the next; a file of an older agent takes the steps that it lacks."""


@dataclass(frozen=True)
class NewFire:
    """A fire as it is written first, and whether it is to be recorded (else it is sampled out)."""

    fire: VehicleFire
    sampled_in: bool


@dataclass(frozen=True)
class RunIncrement:
    """What happened to one campaign version since the last time it was written; the counts are increments."""

    campaign: str
    version: int
    suppressed: int = 0
    armed_ns: int = 0
    distance_mm: int = 0
    fires: tuple[NewFire, ...] = field(default=())
    compared: Mapping[str, Compared] = field(default_factory=dict)
    """Pairs by head."""


class Journal:
    """The open journal. One thread at a time; `close` it, or let the process die: both are safe."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; fires whose recording an earlier process did not finish become `dropped: restart`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
            self._prepare()
        except (sqlite3.OperationalError, Unreachable) as error:
            raise Misconfigured(
                f"cannot open the vehicle's journal {path}: {error}",
                remedy="give each agent a writable state directory of its own",
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
        with self.transaction():
            (found,) = self._db.execute("PRAGMA user_version").fetchone()
            if not 0 <= found <= len(SCHEMAS):
                raise Misconfigured(f"the vehicle's journal has schema {found}, this agent knows {len(SCHEMAS)}")
            for step in SCHEMAS[found:]:
                for statement in step.split(";\n"):
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version={len(SCHEMAS)}")
            self._db.execute(
                "UPDATE fires SET outcome = ?, reason = ?, captured = NULL WHERE outcome = ? AND clip_id IS NULL",
                (FireOutcome.DROPPED, Reason.RESTART, FireOutcome.IN_FLIGHT),
            )

    def close(self) -> None:
        """Close the file and give up its lock."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One durable change. Nothing of it is kept when the body raises or it cannot be written (Unreachable)."""
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

    def read(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Rows of a query that changes nothing."""
        return self._db.execute(query, values).fetchall()

    # Facts and bundles.

    def fact(self, name: str) -> bytes | None:
        """A single value kept under a name."""
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row["value"])

    def set_facts(self, facts: Mapping[str, bytes]) -> None:
        """Write several values at once."""
        with self.transaction() as db:
            db.executemany("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", list(facts.items()))

    def bundle(self, digest: str) -> bytes | None:
        """The sealed bytes of a bundle, if they are here."""
        row = self._db.execute("SELECT sealed FROM bundles WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else bytes(row["sealed"])

    def add_bundle(self, digest: str, sealed: bytes) -> None:
        """Keep a bundle."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO bundles (digest, sealed) VALUES (?, ?)", (digest, sealed))

    def keep_bundles(self, digests: Iterable[str]) -> None:
        """Forget all other bundles."""
        wanted = set(digests)
        held = [row["digest"] for row in self._db.execute("SELECT digest FROM bundles")]
        with self.transaction() as db:
            db.executemany("DELETE FROM bundles WHERE digest = ?", [(d,) for d in held if d not in wanted])

    # Campaign versions and their evaluators' state.

    def fired(self, campaign: str, version: int) -> int:
        """The latest ordinal given to a fire of this campaign version."""
        row = self._db.execute(
            "SELECT fired FROM versions WHERE campaign = ? AND version = ?", (campaign, version)
        ).fetchone()
        return 0 if row is None else int(row["fired"])

    def take_state(self, campaign: str, version: int, program_digest: str) -> bytes | None:
        """The evaluator's state from when it last ended in order. It is given out once: after a crash it is stale."""
        with self.transaction() as db:
            row = db.execute(
                "SELECT state FROM versions WHERE campaign = ? AND version = ? AND program_digest = ?",
                (campaign, version, program_digest),
            ).fetchone()
            db.execute("UPDATE versions SET state = NULL WHERE campaign = ? AND version = ?", (campaign, version))
        return None if row is None or row["state"] is None else bytes(row["state"])

    def save_states(self, states: Mapping[tuple[str, int, str], bytes]) -> None:
        """Keep evaluators' states by campaign, version and program digest."""
        with self.transaction() as db:
            (number,) = db.execute("SELECT coalesce(max(state_number), 0) + 1 FROM versions").fetchone()
            for (campaign, version, program_digest), state in states.items():
                _ensure_version(db, campaign, version)
                db.execute(
                    "UPDATE versions SET state = ?, program_digest = ?, state_number = ?"
                    " WHERE campaign = ? AND version = ?",
                    (state, program_digest, number, campaign, version),
                )

    def keep_states(self, newest: int) -> None:
        """Forget all states but the `newest` that were saved last, so that they cannot fill the disk."""
        with self.transaction() as db:
            db.execute(
                "UPDATE versions SET state = NULL WHERE state IS NOT NULL AND (campaign, version) NOT IN"
                " (SELECT campaign, version FROM versions WHERE state IS NOT NULL"
                " ORDER BY state_number DESC, campaign, version LIMIT ?)",
                (newest,),
            )

    # Fires.

    def record(self, increments: Sequence[RunIncrement]) -> None:
        """Write new fires and increments. Conflict when an ordinal is not the next one."""
        with self.transaction() as db:
            for increment in increments:
                _ensure_version(db, increment.campaign, increment.version)
                for new in increment.fires:
                    _insert_fire(db, new)
                db.execute(
                    "UPDATE versions SET suppressed = suppressed + ?, armed_ns = armed_ns + ?,"
                    " distance_mm = distance_mm + ? WHERE campaign = ? AND version = ?",
                    (
                        increment.suppressed,
                        increment.armed_ns,
                        increment.distance_mm,
                        increment.campaign,
                        increment.version,
                    ),
                )
                _add_compared(db, increment)

    def settle(self, fires: Iterable[FireKey], outcome: FireOutcome, reason: Reason | None = None) -> None:
        """Give fires in flight their outcome; Conflict when one has an outcome already."""
        with self.transaction() as db:
            settle(db, fires, outcome, reason)

    def outcome(self, fire: FireKey) -> tuple[FireOutcome, str] | None:
        """A fire's outcome and reason; None when it is unknown or was folded."""
        row = self._db.execute(
            "SELECT outcome, reason FROM fires WHERE campaign = ? AND version = ? AND ordinal = ?", fire
        ).fetchone()
        return None if row is None else (FireOutcome(row["outcome"]), row["reason"])

    def fold(self, kept_rows: int = KEPT_ROWS) -> int:
        """Turn settled fires but the latest `kept_rows` into counts; how many rows went."""
        with self.transaction() as db:
            rows = db.execute(
                "SELECT campaign, version, ordinal, trigger, outcome, reason FROM fires WHERE outcome <> ?"
                " ORDER BY t_ns DESC, campaign, version, ordinal LIMIT -1 OFFSET ?",
                (FireOutcome.IN_FLIGHT, kept_rows),
            ).fetchall()
            for row in rows:
                db.execute(
                    "INSERT INTO folded VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET fires = fires + 1",
                    (row["campaign"], row["version"], row["trigger"], row["outcome"], row["reason"]),
                )
                db.execute(
                    "DELETE FROM fires WHERE campaign = ? AND version = ? AND ordinal = ?",
                    (row["campaign"], row["version"], row["ordinal"]),
                )
        return len(rows)

    def counts(self) -> tuple[FireCounts, ...]:
        """What became of every fire, by campaign version; each adds up over all ordinals up to its watermark."""
        outcomes: dict[tuple[str, int], dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
        triggers: dict[tuple[str, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for row in self._db.execute(
            "SELECT campaign, version, trigger, outcome, reason, count(*) AS n FROM fires GROUP BY 1, 2, 3, 4, 5"
            " UNION ALL SELECT campaign, version, trigger, outcome, reason, fires FROM folded"
        ):
            version = (row["campaign"], row["version"])
            outcomes[version][(row["outcome"], row["reason"])] += row["n"]
            triggers[version][row["trigger"]] += row["n"]
        compared: dict[tuple[str, int], dict[str, Compared]] = defaultdict(dict)
        for campaign, number, head, *pairs in self._db.execute(
            "SELECT campaign, version, head, neither, only_shadow, only_active, both, unknown FROM compared"
        ):
            compared[(campaign, number)][head] = Compared(*pairs)
        rows = self._db.execute("SELECT * FROM versions ORDER BY campaign, version").fetchall()
        keys = [(row["campaign"], row["version"]) for row in rows]
        return tuple(
            _counts(row, outcomes[key], triggers[key], compared[key]) for row, key in zip(rows, keys, strict=True)
        )


def settle(db: sqlite3.Connection, fires: Iterable[FireKey], outcome: FireOutcome, reason: Reason | None) -> None:
    """Give fires in flight their outcome, within a transaction of the caller's."""
    for fire in fires:
        changed = db.execute(
            "UPDATE fires SET outcome = ?, reason = ?, captured = NULL, clip_id = NULL"
            " WHERE campaign = ? AND version = ? AND ordinal = ? AND outcome = ?",
            (outcome, reason or "", *fire, FireOutcome.IN_FLIGHT),
        ).rowcount
        if changed != 1:
            raise Conflict(f"fire {fire.ordinal} of {fire.campaign} version {fire.version} is not in flight")


def _ensure_version(db: sqlite3.Connection, campaign: str, version: int) -> None:
    db.execute("INSERT OR IGNORE INTO versions (campaign, version) VALUES (?, ?)", (campaign, version))


def _insert_fire(db: sqlite3.Connection, new: NewFire) -> None:
    key = new.fire.key
    advanced = db.execute(
        "UPDATE versions SET fired = fired + 1 WHERE campaign = ? AND version = ? AND fired = ? - 1", key
    ).rowcount
    if advanced != 1:
        raise Conflict(f"{key.ordinal} is not the next ordinal of {key.campaign} {key.version}")
    outcome = FireOutcome.IN_FLIGHT if new.sampled_in else FireOutcome.SAMPLED_OUT
    captured = new.fire.canonical_json() if new.sampled_in else None
    db.execute(
        "INSERT INTO fires (campaign, version, ordinal, trigger, t_ns, outcome, captured) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*key, new.fire.trigger, new.fire.t_ns, outcome, captured),
    )


def _add_compared(db: sqlite3.Connection, increment: RunIncrement) -> None:
    db.executemany(
        "INSERT INTO compared (campaign, version, head, neither, only_shadow, only_active, both, unknown)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET neither = neither + excluded.neither,"
        " only_shadow = only_shadow + excluded.only_shadow, only_active = only_active + excluded.only_active,"
        " both = both + excluded.both, unknown = unknown + excluded.unknown",
        [(increment.campaign, increment.version, head, *astuple(pairs)) for head, pairs in increment.compared.items()],
    )


def _counts(
    row: sqlite3.Row,
    outcomes: Mapping[tuple[str, str], int],
    triggers: Mapping[str, int],
    compared: Mapping[str, Compared],
) -> FireCounts:
    def by_reason(wanted: FireOutcome) -> dict[str, int]:
        return {reason: n for (outcome, reason), n in sorted(outcomes.items()) if outcome == wanted}

    return FireCounts(
        campaign=row["campaign"],
        version=row["version"],
        watermark=row["fired"],
        suppressed=row["suppressed"],
        sampled_out=outcomes.get((FireOutcome.SAMPLED_OUT, ""), 0),
        refused=by_reason(FireOutcome.REFUSED),
        dropped=by_reason(FireOutcome.DROPPED),
        failed=by_reason(FireOutcome.FAILED),
        in_flight=outcomes.get((FireOutcome.IN_FLIGHT, ""), 0),
        handed_over=outcomes.get((FireOutcome.HANDED_OVER, ""), 0),
        per_trigger=dict(sorted(triggers.items())),
        armed_ns=row["armed_ns"],
        distance_m=row["distance_mm"] // 1000,
        compared=dict(compared),
    )
