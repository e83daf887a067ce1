"""Usage by hour and day, filled from the uploads and counts that are there."""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0049"
down_revision: str | None = "0048"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_DIMENSIONS = ("campaign", "version", "trigger", "region", "model", "network")
_MEASURES = (
    "clips",
    "campaign_clips",
    "version_clips",
    "trigger_clips",
    "kept_fires",
    "clip_bytes",
    "wire_bytes",
    "fires",
    "suppressed",
    "armed_ns",
    "distance_m",
)
_KEY = ", ".join(("hour", *_DIMENSIONS))
_BATCH = 500

_PLACES = """
    UPDATE {table} t SET
        region = CASE WHEN v.erasure = 'done' THEN NULL ELSE coalesce(v.attributes ->> 'region', '') END,
        model = CASE WHEN v.erasure = 'done' THEN NULL ELSE coalesce(v.attributes ->> 'model', '') END
    FROM vehicles v WHERE v.id = t.vehicle_id
"""
_SHARES_OF_CLIPS = """
    UPDATE uploads u SET shares = s.shares
    FROM (
        SELECT c.upload_id, jsonb_agg(
            jsonb_build_object(
                'campaign', f.campaign, 'version', f.version, 'trigger', f.trigger, 'fires', f.fires, 'bytes', f.bytes,
                'end', f.end_bytes, 'first', f.first
            ) ORDER BY f.place
        ) AS shares
        FROM (
            SELECT *, sum(bytes) OVER (PARTITION BY clip_id ORDER BY place) AS end_bytes,
                CASE WHEN place = 1 THEN 3
                    WHEN row_number() OVER (PARTITION BY clip_id, campaign ORDER BY place) = 1 THEN 2
                    WHEN row_number() OVER (PARTITION BY clip_id, campaign, version ORDER BY place) = 1 THEN 1
                    ELSE 0 END AS first
            FROM (
                SELECT clip_id, campaign, version, trigger, count(*) AS fires, sum(charged_bytes) AS bytes,
                    row_number() OVER (
                        PARTITION BY clip_id ORDER BY campaign COLLATE "C", version, trigger COLLATE "C"
                    ) AS place
                FROM clip_fires GROUP BY 1, 2, 3, 4
            ) by_trigger
        ) f
        JOIN clips c ON c.id = f.clip_id
        GROUP BY c.upload_id
    ) s
    WHERE u.id = s.upload_id
"""
# Of clips that were erased the ledger knows the campaigns, but neither versions nor triggers.
_SHARES_OF_ERASED = """
    UPDATE uploads u SET shares = s.shares
    FROM (
        SELECT e.upload_id, jsonb_agg(
            jsonb_build_object(
                'campaign', e.campaign, 'version', 0, 'trigger', '', 'fires', 0, 'bytes', e.bytes,
                'end', e.end_bytes, 'first', CASE WHEN e.place = 1 THEN 3 ELSE 2 END
            ) ORDER BY e.place
        ) AS shares
        FROM (
            SELECT e.upload_id, a.campaign, e.settled_delta AS bytes,
                row_number() OVER by_campaign AS place, sum(e.settled_delta) OVER by_campaign AS end_bytes
            FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
            WHERE e.kind = 'settle' AND a.kind = 'campaign_bytes'
            WINDOW by_campaign AS (PARTITION BY e.upload_id ORDER BY a.campaign COLLATE "C")
        ) e
        GROUP BY e.upload_id
    ) s
    WHERE u.id = s.upload_id AND u.state = 'stored' AND u.shares = '[]'
"""
_SHARES = """
    jsonb_to_recordset(u.shares) AS s (
        campaign text, version integer, trigger text, fires bigint, bytes bigint, "end" bigint, first integer
    )
"""
_STORED = f"""
    INSERT INTO usage_increments
        ({_KEY}, clips, campaign_clips, version_clips, trigger_clips, kept_fires, clip_bytes)
    SELECT date_trunc('hour', coalesce(u.closed_at, u.created_at), 'UTC'), s.campaign, s.version, s.trigger,
        coalesce(u.region, ''), coalesce(u.model, ''), u.network,
        count(*) FILTER (WHERE first = 3), count(*) FILTER (WHERE first >= 2), count(*) FILTER (WHERE first >= 1),
        count(*), sum(s.fires), sum(s.bytes)
    FROM uploads u CROSS JOIN LATERAL {_SHARES}
    WHERE u.state = 'stored'
    GROUP BY 1, 2, 3, 4, 5, 6, 7
"""  # noqa: S608 - put together from the constants above
# What came, as far as it is known: every byte up to the offset once.
_HOURS = """
    INSERT INTO upload_hours (upload_id, hour, network, received_bytes)
    SELECT id, date_trunc('hour', coalesce(closed_at, created_at), 'UTC'), network, offset_bytes
    FROM uploads WHERE offset_bytes > 0
"""
_RECEIVED = f"""
    INSERT INTO usage_increments ({_KEY}, wire_bytes)
    SELECT h.hour, s.campaign, s.version, s.trigger, coalesce(u.region, ''), coalesce(u.model, ''), h.network, sum(
        div(CAST(h.received_bytes AS numeric) * s."end", u.size_bytes)
        - div(CAST(h.received_bytes AS numeric) * (s."end" - s.bytes), u.size_bytes)
    )
    FROM upload_hours h JOIN uploads u ON u.id = h.upload_id CROSS JOIN LATERAL {_SHARES}
    GROUP BY 1, 2, 3, 4, 5, 6, 7
"""  # noqa: S608 - put together from the constants above
_REPORTED = f"""
    INSERT INTO usage_increments ({_KEY}, fires, suppressed, armed_ns, distance_m)
    SELECT date_trunc('hour', c.received_at, 'UTC'), c.campaign, c.version, t.trigger,
        coalesce(c.region, ''), coalesce(c.model, ''), '',
        sum(t.fires), sum(t.suppressed), sum(t.armed_ns), sum(t.distance_m)
    FROM fire_counts c
    JOIN vehicles v ON v.id = c.vehicle_id AND v.counts_voided_at IS NULL
    CROSS JOIN LATERAL (
        SELECT '' AS trigger, 0 AS fires, c.suppressed, c.armed_ns, c.distance_m
        UNION ALL
        SELECT key, CAST(value AS bigint), 0, 0, 0 FROM jsonb_each_text(c.per_trigger)
    ) t
    GROUP BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608 - put together from the constants above


def upgrade() -> None:
    """Apply. Bytes on the wire are known as far as offsets tell, regions and models as they are now."""
    _make_tables()
    op.add_column("uploads", sa.Column("shares", JSONB(), server_default="[]", nullable=False))
    for table in ("uploads", "fire_counts"):
        for name in ("region", "model"):
            op.add_column(table, sa.Column(name, sa.Text(), server_default="", nullable=True))
        op.execute(_PLACES.format(table=table))
    op.add_column("fire_counts", sa.Column("elsewhere", JSONB(), server_default="[]", nullable=False))
    op.execute(_SHARES_OF_CLIPS)
    op.execute(_SHARES_OF_ERASED)
    _share_by_manifests()
    for statement in (_STORED, _HOURS, _RECEIVED, _REPORTED):
        op.execute(statement)


def downgrade() -> None:
    """Revert. Usage is lost."""
    op.drop_column("fire_counts", "elsewhere")
    for table in ("fire_counts", "uploads"):
        for name in ("model", "region"):
            op.drop_column(table, name)
    op.drop_column("uploads", "shares")
    for table in ("upload_hours", "usage_days", "usage_hours", "usage_series", "usage_increments"):
        op.drop_table(table)


def _dimensions() -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Integer() if name == "version" else sa.Text(), nullable=False) for name in _DIMENSIONS]


def _measures() -> list[sa.Column[Any]]:
    wide = ("suppressed", "armed_ns")
    return [
        sa.Column(name, sa.Numeric(40, 0) if name in wide else sa.BigInteger(), server_default="0", nullable=False)
        for name in _MEASURES
    ]


def _make_tables() -> None:
    op.create_table(
        "usage_increments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        *_dimensions(),
        *_measures(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_increments")),
    )
    op.create_table(
        "usage_series",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        *_dimensions(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_series")),
        sa.UniqueConstraint(*_DIMENSIONS, name=op.f("uq_usage_series_" + "_".join(_DIMENSIONS))),
    )
    for table, moment in (("usage_hours", "hour"), ("usage_days", "day")):
        op.create_table(
            table,
            sa.Column("series_id", sa.Integer(), nullable=False),
            sa.Column(moment, sa.DateTime(timezone=True), nullable=False),
            *_measures(),
            sa.ForeignKeyConstraint(
                ["series_id"], ["usage_series.id"], name=op.f(f"fk_{table}_series_id_usage_series")
            ),
            sa.PrimaryKeyConstraint("series_id", moment, name=op.f(f"pk_{table}")),
        )
        op.create_index(f"ix_{table}_{moment}", table, [moment])
    op.create_table(
        "upload_hours",
        sa.Column("upload_id", sa.Text(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f("fk_upload_hours_upload_id_uploads")),
        sa.PrimaryKeyConstraint("upload_id", "hour", "network", name=op.f("pk_upload_hours")),
    )


def _share_by_manifests() -> None:
    """Uploads without a clip have their manifests, as long as their cells may come again."""
    connection, after = op.get_bind(), ""
    page = sa.text(
        "SELECT id, manifest FROM uploads WHERE id > :after AND shares = '[]' AND manifest <> ''"
        " ORDER BY id LIMIT :limit"
    )
    share = sa.text("UPDATE uploads SET shares = CAST(:shares AS jsonb) WHERE id = :id")
    while rows := connection.execute(page, {"after": after, "limit": _BATCH}).all():
        shared = [{"id": row.id, "shares": json.dumps(shares)} for row in rows if (shares := _shares(row.manifest))]
        if shared:
            connection.execute(share, shared)
        after = rows[-1].id


def _shares(manifest: bytes) -> list[dict[str, Any]]:
    """The shares of a manifest's triggers; none of one that cannot be read, whose upload will fail."""
    try:
        fires = json.loads(manifest)["recording"]["fires"]
        keys = sorted({(fire["campaign"], fire["version"], fire["trigger"]) for fire in fires})
        shares: list[dict[str, Any]] = []
        for number, key in enumerate(keys):
            before = keys[number - 1]
            first = 3 if not number else 2 if key[0] != before[0] else 1 if key[:2] != before[:2] else 0
            share = _share(key, fires)
            end = share["bytes"] + (shares[-1]["end"] if shares else 0)
            shares.append({**share, "end": end, "first": first})
        return shares
    except (ValueError, KeyError, TypeError):
        return []


def _share(key: tuple[str, int, str], fires: Sequence[dict[str, Any]]) -> dict[str, Any]:
    own = [fire["charged_bytes"] for fire in fires if (fire["campaign"], fire["version"], fire["trigger"]) == key]
    return {"campaign": key[0], "version": key[1], "trigger": key[2], "fires": len(own), "bytes": sum(own)}
