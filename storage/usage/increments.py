"""Increments of usage by uploads: the bytes that came, and the clips that were stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from storage.rows import rows_json
from storage.statements.prepared import Prepared
from storage.usage.shares import SHARES, STORED, share_of

_STORED = f"""
    INSERT INTO usage_increments (
        hour, campaign, version, trigger, region, model, network,
        clips, campaign_clips, version_clips, trigger_clips, kept_fires, clip_bytes
    )
    SELECT hour, campaign, version, trigger, coalesce(region, ''), coalesce(model, ''), network,
        sum(clips), sum(campaign_clips), sum(version_clips), sum(trigger_clips), sum(kept_fires), sum(clip_bytes)
    FROM ({STORED} WHERE u.id = ANY (CAST(:uploads AS text[]))) stored
    GROUP BY 1, 2, 3, 4, 5, 6, 7
"""  # noqa: S608 - put together from constants
_ADD_STORED = Prepared(text(_STORED))
# The plan for one upload is made once. That for several would be made every time: the server takes it for cheaper.
_ADD_ONE_STORED = Prepared(text(_STORED.replace("= ANY (CAST(:uploads AS text[]))", "= :upload")))

_ADD_RECEIVED = Prepared(
    text(f"""
    WITH given AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST(:came AS jsonb)) AS g (upload_id text, amount bigint)
    ),
    came AS (
        INSERT INTO upload_hours AS h (upload_id, hour, network, received_bytes)
        SELECT u.id, date_trunc('hour', now(), 'UTC'), u.network, g.amount
        FROM given g JOIN uploads u ON u.id = g.upload_id
        ORDER BY u.id
        ON CONFLICT (upload_id, hour, network) DO UPDATE SET received_bytes = h.received_bytes + excluded.received_bytes
        RETURNING *
    ),
    shared AS (
        SELECT came.hour, s.campaign, s.version, s.trigger, coalesce(u.region, '') AS region,
            coalesce(u.model, '') AS model, came.network,
            ({share_of("came.received_bytes")}) - ({share_of("(came.received_bytes - g.amount)")}) AS wire_bytes
        FROM came JOIN given g USING (upload_id) JOIN uploads u ON u.id = came.upload_id CROSS JOIN LATERAL {SHARES}
    )
    INSERT INTO usage_increments (hour, campaign, version, trigger, region, model, network, wire_bytes)
    SELECT hour, campaign, version, trigger, region, model, network, sum(wire_bytes) FROM shared WHERE wire_bytes > 0
    GROUP BY 1, 2, 3, 4, 5, 6, 7
""")  # noqa: S608 - put together from constants
)


def add_stored(connection: Connection, upload_ids: Sequence[str]) -> None:
    """Count the clips of uploads that this transaction has closed as stored."""
    if len(upload_ids) == 1:
        _ADD_ONE_STORED.rows(connection, upload=upload_ids[0])
    else:
        _ADD_STORED.rows(connection, uploads=list(upload_ids))


def add_received(connection: Connection, came: Mapping[str, int]) -> None:
    """Count bytes of uploads that came, good or not, in the hour and on the networks of this moment."""
    rows = [{"upload_id": upload_id, "amount": amount} for upload_id, amount in came.items() if amount > 0]
    if rows:
        _ADD_RECEIVED.rows(connection, came=rows_json(rows))
