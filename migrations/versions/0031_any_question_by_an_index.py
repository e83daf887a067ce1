"""Every property of clips has an index, clips have what filters ask of their fires, and signals may be `indexed`."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0031"
down_revision: str | None = "0030"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_OF_A_FIRE = {
    "trigger": sa.Text(),
    "program_digest": sa.Text(),
    "t_ns": sa.BigInteger(),
    "inclusion_probability": sa.Float(),
    "recorded_ns": sa.BigInteger(),
}
_FILL_LINKS = """
    UPDATE clip_fires l
    SET trigger = f.trigger, program_digest = f.program_digest, t_ns = f.t_ns,
        inclusion_probability = f.inclusion_probability, recorded_ns = c.recorded_ns
    FROM fires f, clips c
    WHERE c.id = l.clip_id
        AND (f.campaign, f.version, f.vehicle_id, f.ordinal) = (l.campaign, l.version, l.vehicle_id, l.ordinal)
"""
_FILL_FIRED = """
    UPDATE clips c SET fired = terms.fired
    FROM (
        SELECT l.clip_id, array_agg(DISTINCT term ORDER BY term) AS fired
        FROM clip_fires l CROSS JOIN LATERAL unnest(ARRAY[
            'campaign ' || l.campaign, 'trigger ' || l.trigger, 'both ' || l.campaign || ' ' || l.trigger
        ]) AS term
        GROUP BY l.clip_id
    ) AS terms
    WHERE c.id = terms.clip_id
"""
_FILL_TERMS = """
    INSERT INTO clip_terms (term, first_ns, last_ns)
    SELECT md5('attribute ' || to_json(a.key)::text || ' ' || CASE WHEN jsonb_typeof(a.value) = 'number'
            THEN trim_scale(CAST((a.value #>> '{}') AS numeric))::text ELSE a.value::text END)::uuid,
        greatest(min(recorded_ns)::numeric - 3600e9, -9223372036854775808)::bigint,
        least(max(recorded_ns)::numeric + 3600e9, 9223372036854775807)::bigint
    FROM clips CROSS JOIN LATERAL jsonb_each(attributes) AS a GROUP BY 1
    UNION ALL
    SELECT md5('tag ' || tag)::uuid, greatest(min(recorded_ns)::numeric - 3600e9, -9223372036854775808)::bigint,
        least(max(recorded_ns)::numeric + 3600e9, 9223372036854775807)::bigint
    FROM clips CROSS JOIN LATERAL unnest(tags) AS tag GROUP BY 1
"""
_DURATION_S = "(CAST(end_ns - start_ns AS double precision) / CAST(1000000000 AS double precision))"
_BOX = """box(
    point(min_longitude, min_latitude),
    point(max_longitude + 360 * CAST(min_longitude > max_longitude AS integer), max_latitude)
)"""


def _ns(column: str) -> str:
    return f"(CAST(EXTRACT(epoch FROM ({column} AT TIME ZONE 'UTC')) * CAST(1000000000 AS numeric) AS bigint))"


_EXPIRES_S = "EXTRACT(epoch FROM (expires_at AT TIME ZONE 'UTC'))"
_EXPIRES_NS = f"""(CAST(
    ({_EXPIRES_S} - GREATEST({_EXPIRES_S} - CAST(9223372036 AS numeric), CAST(0 AS numeric)))
    * CAST(1000000000 AS numeric) AS bigint
))"""
_ORDERS = {
    "end_ns_id": ("end_ns", "id"),
    "vehicle_id_id": ("vehicle_id", "id"),
    "vehicle_id_recorded_ns_id": ("vehicle_id", "recorded_ns", "id"),
    "state_recorded_ns_id": ("state", "recorded_ns", "id"),
    "size_bytes_id": ("size_bytes", "id"),
    "recording_id": ("recording_id",),
    "digest": ("digest",),
    "duration_s_id": (_DURATION_S, "id"),
    "stored_at_id": (_ns("stored_at"), "id"),
    "ready_at_id": (_ns("ready_at"), "id"),
    "expires_at_id": (_EXPIRES_NS, "id"),
}
_OF_FIRES = ("campaign", "version", "trigger", "program_digest")
_STATISTICS = ("minimum", "maximum", "mean", "samples")


def upgrade() -> None:
    """Apply. Columns are filled before their indexes are made, so that each row is written into them once."""
    for name, kind in _OF_A_FIRE.items():
        op.add_column("clip_fires", sa.Column(name, kind, nullable=True))
    op.execute(_FILL_LINKS)
    for name in _OF_A_FIRE:
        op.alter_column("clip_fires", name, nullable=False)
    fired = sa.Column("fired", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)
    op.drop_index("ix_clips_vehicle_id_start_ns", table_name="clips")
    op.drop_index("ix_clips_attributes", table_name="clips")
    op.add_column("clips", fired)
    op.execute(_FILL_FIRED)
    op.create_table("indexed_signals", sa.Column("signal", sa.Text(), nullable=False), _flag("complete"),
                    sa.PrimaryKeyConstraint("signal", name=op.f("pk_indexed_signals")))  # fmt: skip
    op.create_table("known_attributes", sa.Column("attribute", sa.Text(), nullable=False),
                    sa.PrimaryKeyConstraint("attribute", name=op.f("pk_known_attributes")))  # fmt: skip
    op.execute("INSERT INTO known_attributes SELECT DISTINCT jsonb_object_keys(attributes) FROM clips")
    op.create_table(
        "clip_terms",
        sa.Column("term", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("first_ns", sa.BigInteger(), nullable=False),
        sa.Column("last_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("term", name=op.f("pk_clip_terms")),
    )
    op.execute(_FILL_TERMS)
    op.add_column("signal_statistics", _flag("indexed"))
    _index_clips()
    for column in _OF_FIRES:
        name = f"ix_clip_fires_{column}_recorded_ns_clip_id"
        op.create_index(name, "clip_fires", [column, "recorded_ns", "clip_id"])
    for column in ("t_ns", "inclusion_probability"):
        op.create_index(f"ix_clip_fires_{column}_clip_id", "clip_fires", [column, "clip_id"])
    op.create_index("ix_labels_labeler_clip_id", "labels", ["labeler", "clip_id"])
    for column in _STATISTICS:
        name, where = f"ix_signal_statistics_{column}", sa.text("indexed")
        op.create_index(name, "signal_statistics", ["signal", column, "clip_id"], postgresql_where=where)
    # Without statistics of an indexed expression PostgreSQL reads another index from end to end.
    op.execute("ANALYZE clips, clip_fires, signal_statistics, labels")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def _index_clips() -> None:
    for name, columns in _ORDERS.items():
        op.create_index(f"ix_clips_{name}", "clips", [sa.text(column) for column in columns])
    damaged, wrong_clock = sa.text("damage IS NOT NULL"), sa.text("recorded_ns <> start_ns")
    op.create_index("ix_clips_damage", "clips", [sa.text("left(damage, 100)")], postgresql_where=damaged)
    op.create_index("ix_clips_implausible", "clips", ["start_ns"], postgresql_where=wrong_clock)
    op.create_index(
        "ix_clips_terms",
        "clips",
        ["attributes", "tags", "fired"],
        postgresql_using="gin",
        postgresql_ops={"attributes": "jsonb_path_ops"},
        postgresql_with={"gin_pending_list_limit": 256},
    )
    placed = sa.text("min_latitude IS NOT NULL")
    op.create_index("ix_clips_box", "clips", [sa.text(_BOX)], postgresql_using="gist", postgresql_where=placed)


def downgrade() -> None:
    """Revert."""
    op.drop_index("ix_labels_labeler_clip_id", table_name="labels")
    for column in _STATISTICS:
        op.drop_index(f"ix_signal_statistics_{column}", table_name="signal_statistics")
    op.drop_column("signal_statistics", "indexed")
    op.drop_table("clip_terms")
    op.drop_table("known_attributes")
    op.drop_table("indexed_signals")
    for name in (*_ORDERS, "damage", "implausible", "terms", "box"):
        op.drop_index(f"ix_clips_{name}", table_name="clips")
    op.drop_column("clips", "fired")
    op.create_index("ix_clips_vehicle_id_start_ns", "clips", ["vehicle_id", "start_ns"])
    op.create_index("ix_clips_attributes", "clips", ["attributes"], postgresql_using="gin")
    for name in _OF_A_FIRE:
        op.drop_column("clip_fires", name)  # and the indexes on it
