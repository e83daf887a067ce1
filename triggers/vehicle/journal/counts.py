"""The counts of what became of every fire, taken from the journal and reported to the cloud."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping

from triggers.contracts.checkin import FireCounts
from triggers.contracts.compared import Compared, EventCounts, EventsBySides, Sides
from triggers.vehicle.recording.fires import FireOutcome

Version = tuple[str, int]
"""Campaign and version."""


def counts(db: sqlite3.Connection) -> tuple[FireCounts, ...]:
    """The counts of each campaign version, in order; each adds up over all ordinals up to its watermark."""
    outcomes, triggers = _outcomes(db)
    compared, events = _compared(db), _events(db)
    rows = db.execute("SELECT * FROM versions ORDER BY campaign, version").fetchall()
    keys = [(row["campaign"], row["version"]) for row in rows]
    return tuple(
        _counts(row, outcomes[key], triggers[key], compared[key], events[key])
        for row, key in zip(rows, keys, strict=True)
    )


def _outcomes(
    db: sqlite3.Connection,
) -> tuple[Mapping[Version, dict[tuple[str, str], int]], Mapping[Version, dict[str, int]]]:
    """The fires of each version by (outcome, reason) and by trigger, including those that were folded into counts."""
    outcomes: dict[Version, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    triggers: dict[Version, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in db.execute(
        "SELECT campaign, version, trigger, outcome, reason, count(*) AS n FROM fires GROUP BY 1, 2, 3, 4, 5"
        " UNION ALL SELECT campaign, version, trigger, outcome, reason, fires FROM folded"
    ):
        version = (row["campaign"], row["version"])
        outcomes[version][(row["outcome"], row["reason"])] += row["n"]
        triggers[version][row["trigger"]] += row["n"]
    return outcomes, triggers


def _compared(db: sqlite3.Connection) -> Mapping[Version, dict[str, Compared]]:
    compared: dict[Version, dict[str, Compared]] = defaultdict(dict)
    for campaign, number, head, *pairs in db.execute(
        "SELECT campaign, version, head, neither, only_shadow, only_active, both, unknown FROM compared"
    ):
        compared[(campaign, number)][head] = Compared(*pairs)
    return compared


def _events(db: sqlite3.Connection) -> Mapping[Version, dict[str, EventsBySides]]:
    events: dict[Version, dict[str, EventsBySides]] = defaultdict(lambda: defaultdict(dict))
    for campaign, number, head, sides, *counts in db.execute(
        "SELECT campaign, version, head, sides, matched, only_first, only_second, unresolved_first, unresolved_second"
        " FROM events"
    ):
        events[(campaign, number)][head][Sides(sides)] = EventCounts(*counts)
    return events


def _counts(
    row: sqlite3.Row,
    outcomes: Mapping[tuple[str, str], int],
    triggers: Mapping[str, int],
    compared: Mapping[str, Compared],
    events: Mapping[str, EventsBySides],
) -> FireCounts:
    def by_reason(kind: FireOutcome) -> dict[str, int]:
        return {reason: n for (outcome, reason), n in sorted(outcomes.items()) if outcome == kind}

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
        events=dict(events),
    )
