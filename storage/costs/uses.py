"""What a campaign's cost was for: vehicle-days, distance and labels; and clips that somebody has used."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection, text

from storage.clips.marks.openings import USES

# A vehicle may have had versions of a campaign, or several campaigns, on the same day: it counts once.
_VEHICLE_DAYS = """
    SELECT {campaign} AS campaign, sum(upper(days) - lower(days)) AS vehicle_days
    FROM (
        SELECT {campaign} AS campaign, unnest(range_agg(daterange(
            CAST(assigned_from AT TIME ZONE CAST(:zone AS text) AS date),
            CAST(greatest(assigned_from, coalesce(assigned_until, now())) AT TIME ZONE CAST(:zone AS text) AS date),
            '[]'
        ))) AS days
        FROM assignments GROUP BY 1, vehicle_id
    ) had
    GROUP BY 1
"""
_OF_EACH = text(_VEHICLE_DAYS.format(campaign="campaign"))
_OF_ALL = text(_VEHICLE_DAYS.format(campaign="CAST(NULL AS text)"))

_DISTANCES = text("""
    SELECT c.campaign, sum(c.distance_m) AS distance_m
    FROM fire_counts c JOIN vehicles v ON v.id = c.vehicle_id
    WHERE v.counts_voided_at IS NULL
    GROUP BY 1
""")

_LABELS = text("""
    SELECT f.campaign, count(DISTINCT l.id) AS accepted_labels
    FROM labels l JOIN clip_fires f ON f.clip_id = l.clip_id
    GROUP BY GROUPING SETS ((f.campaign), ())
""")

_USED = text(f"""
    WITH used AS (
        {" UNION ".join(f"SELECT clip_id FROM {table.name}" for table in USES)}
        UNION SELECT clip_id FROM erased_clips WHERE was_used IS DISTINCT FROM false
    )
    SELECT a.campaign, count(DISTINCT u.clip_id) AS used_clips, sum(e.amount) AS used_bytes
    FROM used
    JOIN uploads u ON u.clip_id = used.clip_id AND u.state = 'stored'
    JOIN ledger_entries e ON e.upload_id = u.id AND e.kind = 'settle'
    JOIN ledger_accounts a ON a.id = e.account_id AND a.kind = 'campaign_bytes'
    GROUP BY GROUPING SETS ((a.campaign), ())
""")  # noqa: S608 - put together from names of tables


@dataclass(frozen=True, slots=True)
class Uses:
    """What a campaign's cost was for, since its beginning.

    The used clips are those of all that were ever in the catalog that somebody has opened, labelled or put into a
    dataset; one that was erased before that was noted is taken for used. `distance_m` is the armed distance, None for
    all campaigns together, which are armed at the same time.
    """

    vehicle_days: int = 0
    distance_m: int | None = 0
    used_clips: int = 0
    used_bytes: int = 0
    accepted_labels: int = 0


def uses(connection: Connection, zone: str) -> dict[str | None, Uses]:
    """The uses of each campaign by its name, and of all together under None; days are those of a time zone.

    A clip or label of several campaigns counts for each of them, and once in all.
    """
    found: dict[str | None, Uses] = {None: Uses(distance_m=None)}
    parameters = {"zone": zone}
    for statement in (_OF_EACH, _OF_ALL, _DISTANCES, _LABELS, _USED):
        for row in connection.execute(statement, parameters if ":zone" in statement.text else {}):
            numbers = {name: int(value or 0) for name, value in row._mapping.items() if name != "campaign"}
            found[row.campaign] = replace(found.get(row.campaign, Uses()), **numbers)
    return found
