"""Vehicles' counts divided by software and rollout, and what had been counted by each day."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0045"
down_revision: str | None = "0044"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_VERSION = ["campaign", "version"]
_VERSIONS = ["campaign_versions.campaign", "campaign_versions.version"]
_EMPTY = sa.text("'{}'")

# What was counted before is of no known software, and every vehicle stands for itself. The digest is that of no
# software: the first 16 bytes of the SHA-256 of `[]`.
_DIVIDE = """
    INSERT INTO count_parts
        (vehicle_id, campaign, version, software_digest, share, software, armed_ns, distance_m, fires, pairs)
    SELECT c.vehicle_id, c.campaign, c.version, substr(sha256('[]'), 1, 16), 1, '{}', c.armed_ns, c.distance_m,
        c.per_trigger, coalesce(h.heads, '{}')
    FROM fire_counts c
    LEFT JOIN (
        SELECT vehicle_id, campaign, version, jsonb_object_agg(
            head, jsonb_build_array(neither, only_shadow, only_active, "both", unknown)
        ) AS heads
        FROM compare_counts GROUP BY vehicle_id, campaign, version
    ) h ON h.vehicle_id = c.vehicle_id AND h.campaign = c.campaign AND h.version = c.version
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "count_parts",
        sa.Column("vehicle_id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("software_digest", sa.LargeBinary(), nullable=False),
        sa.Column("share", sa.Float(53), nullable=False),
        sa.Column("software", postgresql.JSONB(), nullable=False),
        sa.Column("armed_ns", sa.BigInteger(), nullable=False),
        sa.Column("distance_m", sa.BigInteger(), nullable=False),
        sa.Column("fires", postgresql.JSONB(), server_default=_EMPTY, nullable=False),
        sa.Column("pairs", postgresql.JSONB(), server_default=_EMPTY, nullable=False),
        sa.CheckConstraint("share > 0 AND share <= 1", name=op.f("ck_count_parts_share")),
        sa.ForeignKeyConstraint(_VERSION, _VERSIONS, name=op.f("fk_count_parts_campaign_version")),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name=op.f("fk_count_parts_vehicle_id")),
        sa.PrimaryKeyConstraint("vehicle_id", *_VERSION, "software_digest", "share", name=op.f("pk_count_parts")),
    )
    op.create_index("ix_count_parts_campaign_version", "count_parts", _VERSION)
    op.execute(_DIVIDE)
    op.create_table(
        "rate_days",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fires", sa.BigInteger(), nullable=False),
        sa.Column("armed_ns", sa.BigInteger(), nullable=False),
        sa.Column("distance_m", sa.BigInteger(), nullable=False),
        sa.Column("sums", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(_VERSION, _VERSIONS, name=op.f("fk_rate_days_campaign_version")),
        sa.PrimaryKeyConstraint(*_VERSION, "trigger", "day", name=op.f("pk_rate_days")),
    )


def downgrade() -> None:
    """Revert."""
    op.drop_table("rate_days")
    op.drop_table("count_parts")
