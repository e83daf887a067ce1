"""Numbers of budgets and queues for metrics: few statements, each bounded, for every few seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage.ledger.limits import LIMITS, WHOLE_LIMIT_OF_ACCOUNT, FleetTerms
from storage.statements.time_limit import time_limit
from storage.tables.base import is_one_of
from storage.uploads import dead_letters
from triggers.contracts.campaign import RUNNING

QUICK_S = 2.0
"""How long the statements of one look may take together with the lock waits that they should not have."""
COUNT_CAP = 100_000
"""Queues are counted up to this length: a longer one is as bad, and counting it would take as long as it is."""

# With those that have used up a limit lately, as whoever looks should see that.
_SHOWN_CAMPAIGNS = text(f"""
    SELECT campaign, bool_or({is_one_of("state", RUNNING)}) AS runs,
        (array_agg(ended_reason ORDER BY version DESC) FILTER (WHERE state = 'completed'))[1] AS reason
    FROM campaign_versions
    WHERE {is_one_of("state", RUNNING)} OR state = 'completed' AND ended_at > now() - interval '7 days'
    GROUP BY campaign
""")  # noqa: S608 - put together from constants

# Entries that are not folded yet are added to what their account already says, as in storage/ledger/usage.py.
_BUDGETS = text(f"""
    WITH {LIMITS},
    unfolded AS (
        SELECT account_id, sum(held_delta) AS held, sum(settled_delta) AS settled
        FROM ledger_entries WHERE NOT folded GROUP BY account_id
    ),
    amounts AS (
        SELECT a.kind, a.campaign, a.held + coalesce(u.held, 0) AS held, a.settled + coalesce(u.settled, 0) AS settled
        FROM ledger_accounts a LEFT JOIN unfolded u ON u.account_id = a.id
        WHERE a.kind IN ('fleet', 'campaign_bytes', 'campaign_clips') AND a.vehicle_id = '' AND a.day IS NULL
    )
    SELECT a.kind, a.campaign, {WHOLE_LIMIT_OF_ACCOUNT} AS limit_amount, a.held, a.settled
    FROM (
        SELECT k.kind, l.campaign, '' AS trigger, '' AS cost_centre,
            coalesce(m.held, 0) AS held, coalesce(m.settled, 0) AS settled
        FROM limits l
        CROSS JOIN (VALUES ('campaign_bytes'), ('campaign_clips')) AS k (kind)
        LEFT JOIN amounts m ON m.kind = k.kind AND m.campaign = l.campaign
        UNION ALL SELECT 'fleet', '', '', '', coalesce(sum(held), 0), coalesce(sum(settled), 0)
        FROM amounts WHERE kind = 'fleet'
    ) a
    LEFT JOIN limits l ON l.campaign = a.campaign
""")  # noqa: S608 - put together from constants

_QUEUES = {
    "open_uploads": "uploads WHERE state = 'open'",
    "received_uploads": "uploads WHERE state = 'received'",
    "unsent_events": "outbox WHERE sent_at IS NULL",
    "waiting_extractions": "extraction_jobs WHERE state IN ('ready','leased')",
}
_COUNTED = (
    f"(SELECT count(*) FROM (SELECT FROM {what} LIMIT :cap) q) AS {name}"  # noqa: S608 - put together from constants
    for name, what in _QUEUES.items()
)
_COUNTS = text(f"SELECT {', '.join(_COUNTED)}")


@dataclass(frozen=True, slots=True)
class Budget:
    """What a running campaign, or the fleet, may use and uses, in bytes or clips; `limit` is None without one."""

    limit: int | None
    held: int
    settled: int

    @property
    def reserved(self) -> int:
        """What is reserved and has not arrived."""
        return max(0, self.held - self.settled)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Budgets and queues, as of one moment."""

    fleet: Budget
    bytes: Mapping[str, Budget]
    """By campaign; those that run, or completed within a week."""
    clips: Mapping[str, Budget]
    completed: Mapping[str, str]
    """Of these campaigns those that do not run any more, with the reason for which they completed."""
    queues: Mapping[str, int]
    """Counted up to COUNT_CAP: open_uploads, received_uploads, unsent_events, waiting_extractions."""
    dead_letters: Mapping[str, int]
    """Open ones, by reason."""


def numbers(connection: Connection, fleet: FleetTerms) -> Numbers:
    """What is to be known at every look; Overloaded when it takes longer than QUICK_S."""
    with time_limit(connection, QUICK_S, what="reading the metrics", remedy="look at the database's load"):
        campaigns = connection.execute(_SHOWN_CAMPAIGNS).all()
        found: dict[str, dict[str, Budget]] = {"fleet": {}, "campaign_bytes": {}, "campaign_clips": {}}
        parameters = {"campaigns": [name for name, _, _ in campaigns], **fleet.parameters()}
        for kind, campaign, limit, held, settled in connection.execute(_BUDGETS, parameters):
            found[kind][campaign] = Budget(limit, int(held), int(settled))
        queues = connection.execute(_COUNTS, {"cap": COUNT_CAP}).one()._mapping
        letters = dead_letters.count_open(connection)
    return Numbers(
        fleet=found["fleet"][""],
        bytes=found["campaign_bytes"],
        clips=found["campaign_clips"],
        completed={name: reason or "" for name, runs, reason in campaigns if not runs},
        queues={name: int(queues[name]) for name in _QUEUES},
        dead_letters=letters,
    )
