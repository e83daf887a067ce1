"""Whether sums of days of costs add up: computed anew from the rows that they are made of, to the byte."""

from __future__ import annotations

from sqlalchemy import Connection, text

from storage.costs.facts import EVER, FACTS

_DIFFERING = text(f"""
    WITH facts AS MATERIALIZED ({FACTS})
    SELECT coalesce(d.campaign, f.campaign) AS campaign, coalesce(d.day, f.day) AS day,
        coalesce(d.service, f.service) AS service, coalesce(d.item, f.item) AS item,
        coalesce(d.quantity, 0) AS kept, coalesce(f.quantity, 0) AS computed
    FROM (SELECT * FROM cost_days WHERE zone = :zone) d
    FULL JOIN facts f ON f.campaign = d.campaign AND f.day = d.day AND f.service = d.service AND f.item = d.item
    WHERE coalesce(d.quantity, 0) <> coalesce(f.quantity, 0)
    ORDER BY 2, 1, 3, 4 LIMIT :limit
""")  # noqa: S608 - put together from the constants above
_MONTHS_DIFFERING = text("""
    WITH days AS (
        SELECT campaign, CAST(date_trunc('month', day) AS date) AS month, service, item, sum(quantity) AS quantity,
            sum(quantity * (CAST(date_trunc('month', day) + interval '1 month' AS date) - day)) AS unit_days
        FROM cost_days WHERE zone = :zone AND day < :months_until GROUP BY 1, 2, 3, 4
    )
    SELECT coalesce(m.campaign, d.campaign) AS campaign, coalesce(m.month, d.month) AS month,
        coalesce(m.service, d.service) AS service, coalesce(m.item, d.item) AS item,
        m.quantity AS kept, d.quantity AS computed
    FROM (SELECT * FROM cost_months WHERE zone = :zone) m
    FULL JOIN days d ON d.campaign = m.campaign AND d.month = m.month AND d.service = m.service AND d.item = m.item
    WHERE (m.quantity, m.unit_days) IS DISTINCT FROM (d.quantity, d.unit_days)
    ORDER BY 2, 1, 3, 4 LIMIT :limit
""")
_ROLLUPS = text("SELECT zone, through + 1 AS until, months_until FROM cost_rollups ORDER BY zone")


def cost_days_that_differ(connection: Connection, *, limit: int = 10) -> list[str]:
    """Sentences on at most `limit` sums of days, and as many of months, that are not those of what they are made of."""
    found = []
    for zone, until, months_until in connection.execute(_ROLLUPS).all():
        asked = {"zone": zone, "limit": limit}
        found += [
            f"costs of {row.campaign} on {row.day} ({zone}): {row.service} {row.item or 'as stored'} is {row.kept}, "
            f"but {row.computed} follows from the ledger, uploads, moves and erasures"
            for row in connection.execute(_DIFFERING, {**asked, "first": EVER, "until": until})
        ]
        found += [
            f"costs of {row.campaign} in {row.month:%Y-%m} ({zone}): {row.service} {row.item or 'as stored'} is "
            f"{row.kept}, but {row.computed} follows from its days"
            for row in connection.execute(_MONTHS_DIFFERING, {**asked, "months_until": months_until})
        ]
    return found
