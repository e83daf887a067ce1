"""What each campaign caused: bytes that arrived, and clips in storage, by day in the account's time zone.

The ledger's entries say what arrived and whose it was: an upload is charged to the campaigns of its fires when it ends,
whole or not, and these entries are kept for ever. So neither an erased clip nor an erased vehicle changes what a day
cost.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, text

from triggers.contracts.campaign import Network
from triggers.costs.charges import Requested, Transferred
from triggers.costs.prices import RequestKind
from triggers.costs.storage import Stored

_DAY = "CAST({} AT TIME ZONE CAST(:zone AS text) AS date)"
_SHARES = """
    ledger_entries e
    JOIN ledger_accounts a ON a.id = e.account_id AND a.kind = 'campaign_bytes' AND e.kind = 'settle' AND e.amount > 0
"""

_RECEIVED = text(f"""
    SELECT a.campaign, {_DAY.format("e.created_at")} AS day, e.network, sum(e.amount) AS size_bytes
    FROM {_SHARES}
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
""")  # noqa: S608 - put together from the constants above

# One object may be several campaigns'. Requests cannot be divided: the one that has the most of its bytes pays them.
# A clip is not gone before it came, whichever way the server's clock was set in between.
_STORED = text(f"""
    WITH shares AS (
        SELECT a.campaign, e.amount, u.clip_id, u.closed_at,
            row_number() OVER (PARTITION BY e.upload_id ORDER BY e.amount DESC, a.campaign COLLATE "C") = 1 AS pays
        FROM {_SHARES} JOIN uploads u ON u.id = e.upload_id AND u.state = 'stored'
    )
    SELECT s.campaign, {_DAY.format("s.closed_at")} AS arrived, {
    _DAY.format("CASE WHEN x.erased_at IS NOT NULL THEN greatest(x.erased_at, s.closed_at) END")
} AS gone,
        sum(s.amount) AS size_bytes, count(*) FILTER (WHERE s.pays) AS objects
    FROM shares s
    LEFT JOIN erased_clips x ON x.clip_id = s.clip_id
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
""")  # noqa: S608 - put together from the constants above


@dataclass(frozen=True, slots=True)
class Caused:
    """What one campaign caused: bytes by day and network, requests by day, clips by the days they came and went."""

    transferred: list[Transferred] = field(default_factory=list)
    requested: list[Requested] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)


def caused(connection: Connection, zone: str) -> dict[str, Caused]:
    """What each campaign has caused so far, by the campaign's name; days are those of a time zone.

    A clip's bytes are divided among the campaigns of its fires as these are charged for it. Each clip is written by one
    request.
    """
    campaigns: defaultdict[str, Caused] = defaultdict(Caused)
    for row in connection.execute(_RECEIVED, {"zone": zone}):
        campaigns[row.campaign].transferred.append(Transferred(row.day, Network(row.network), int(row.size_bytes)))
    for row in connection.execute(_STORED, {"zone": zone}):
        of_campaign = campaigns[row.campaign]
        of_campaign.stored.append(Stored(row.arrived, row.gone, int(row.size_bytes), row.objects))
        if row.objects:
            of_campaign.requested.append(Requested(row.arrived, RequestKind.WRITE, row.objects))
    return dict(campaigns)


def today(connection: Connection, zone: str) -> date:
    """The day that it is in a time zone, by the database's clock, which also dates what arrives."""
    day: date = connection.execute(text(f"SELECT {_DAY.format('now()')}"), {"zone": zone}).scalar_one()
    return day
