"""What costs are made of, as SQL: what each campaign caused on each day, from the rows that say it for ever.

The ledger's entries say what arrived and whose it was: an upload is charged to the campaigns of its fires when it ends,
whole or not. Uploads say what was stored, `tier_moves` where it was moved, and tombstones when it was erased; all of
these outlive clips and vehicles, so neither an erasure changes what a day cost. Each fact has campaign, day, service,
item and quantity:

- `transfer`, by network: bytes of uploads that ended
- `requests`, `write` and `transition`: objects that were stored, or moved. A request cannot be divided: the campaign
  that has most of the bytes pays it, the first by name among equals
- `storage`, by storage class: bytes that came into it, negative for those that left it
- `clips` and `clip_bytes`: clips that came into the catalog, and what they were charged; they have no price
"""

from __future__ import annotations

CLIPS, CLIP_BYTES = "clips", "clip_bytes"
DAY_OF = "CAST(({}) AT TIME ZONE CAST(:zone AS text) AS date)"

# An index finds the moments; which day they are on is decided once, by DAY_OF, as clocks are put forward and back.
_FIRST_AT = "(CAST(CAST(:first AS date) AS timestamp) AT TIME ZONE CAST(:zone AS text) - interval '3 hours')"
_UNTIL_AT = "(CAST(CAST(:until AS date) AS timestamp) AT TIME ZONE CAST(:zone AS text) + interval '3 hours')"


def _within(column: str) -> str:
    return f"{column} >= {_FIRST_AT} AND {column} < {_UNTIL_AT}"


FACTS = f"""
    SELECT campaign, day, service, item, sum(quantity) AS quantity
    FROM (
        SELECT a.campaign, {DAY_OF.format("e.created_at")} AS day, 'transfer' AS service, e.network AS item,
            CAST(e.amount AS numeric) AS quantity
        FROM ledger_accounts a JOIN ledger_entries e ON e.account_id = a.id
        WHERE a.kind = 'campaign_bytes' AND e.kind = 'settle' AND e.kind <> 'reserve'
            AND {_within("e.created_at")}
        UNION ALL
        SELECT c.campaign, {DAY_OF.format("c.at")}, f.service, f.item, f.quantity
        FROM (
            SELECT a.campaign, c.at, c.from_class, c.to_class, c.request, e.amount, row_number() OVER (
                PARTITION BY c.upload_id, c.request, c.number ORDER BY e.amount DESC, a.campaign COLLATE "C"
            ) = 1 AS pays
            FROM (
                SELECT u.id AS upload_id, u.closed_at AS at, NULL AS from_class, '' AS to_class, 'write' AS request,
                    0 AS number
                FROM uploads u WHERE u.state = 'stored' AND {_within("u.closed_at")}
                UNION ALL
                SELECT u.id, m.moved_at, m.from_class, m.to_class, 'transition', m.id
                FROM tier_moves m JOIN uploads u ON u.clip_id = m.clip_id AND u.state = 'stored'
                WHERE {_within("m.moved_at")}
                UNION ALL
                SELECT u.id, x.erased_at, coalesce((
                    SELECT m.to_class FROM tier_moves m WHERE m.clip_id = x.clip_id ORDER BY m.id DESC LIMIT 1
                ), ''), NULL, '', 0
                FROM erased_clips x JOIN uploads u ON u.clip_id = x.clip_id AND u.state = 'stored'
                WHERE {_within("x.erased_at")}
            ) c
            JOIN ledger_entries e ON e.upload_id = c.upload_id AND e.kind = 'settle'
            JOIN ledger_accounts a ON a.id = e.account_id AND a.kind = 'campaign_bytes'
        ) c
        CROSS JOIN LATERAL (
            VALUES ('storage', c.from_class, CAST(-c.amount AS numeric)),
                ('storage', c.to_class, c.amount),
                ('requests', nullif(c.request, ''), CAST(c.pays AS integer)),
                ('{CLIPS}', CASE WHEN c.request = 'write' THEN '' END, 1),
                ('{CLIP_BYTES}', CASE WHEN c.request = 'write' THEN '' END, c.amount)
        ) f (service, item, quantity)
        WHERE f.item IS NOT NULL
    ) facts
    WHERE day >= CAST(:first AS date) AND day < CAST(:until AS date)
    GROUP BY 1, 2, 3, 4
    HAVING sum(quantity) <> 0
"""  # noqa: S608 - put together from the constants above
"""The facts of the days of `:zone` from `:first` until before `:until`, each of which may be infinite."""

EVER = "-infinity"
FOR_EVER = "infinity"
