"""Increments of usage by uploads: the bytes that came, and the clips that were stored."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

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
_ADD_STORED = text(_STORED)
# The plan for one upload is made once. That for several would be made every time: the server takes it for cheaper.
_ADD_ONE_STORED = text(_STORED.replace("= ANY (CAST(:uploads AS text[]))", "= :upload"))

_ADD_RECEIVED = text(f"""
    WITH came AS (
        INSERT INTO upload_hours AS h (upload_id, hour, network, received_bytes)
        SELECT id, date_trunc('hour', now(), 'UTC'), network, :amount FROM uploads WHERE id = :upload
        ON CONFLICT (upload_id, hour, network) DO UPDATE SET received_bytes = h.received_bytes + excluded.received_bytes
        RETURNING *
    ),
    shared AS (
        SELECT came.hour, s.campaign, s.version, s.trigger, coalesce(u.region, ''), coalesce(u.model, ''), came.network,
            ({share_of("came.received_bytes")}) - ({share_of("(came.received_bytes - :amount)")}) AS wire_bytes
        FROM came JOIN uploads u ON u.id = came.upload_id CROSS JOIN LATERAL {SHARES}
    )
    INSERT INTO usage_increments (hour, campaign, version, trigger, region, model, network, wire_bytes)
    SELECT * FROM shared WHERE wire_bytes > 0
""")  # noqa: S608 - put together from constants


def add_stored(connection: Connection, upload_ids: Sequence[str]) -> None:
    """Count the clips of uploads that this transaction has closed as stored."""
    if len(upload_ids) == 1:
        connection.execute(_ADD_ONE_STORED, {"upload": upload_ids[0]})
    else:
        connection.execute(_ADD_STORED, {"uploads": list(upload_ids)})


def add_received(connection: Connection, upload_id: str, amount: int) -> None:
    """Count bytes of an upload that came, good or not, in the hour and on the network of this moment."""
    if amount > 0:
        connection.execute(_ADD_RECEIVED, {"upload": upload_id, "amount": amount})
