"""Events that vehicles have matched, and their part in counts divided by software and rollout."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0057"
down_revision: str | None = "0056"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_VERSION = ["vehicle_id", "campaign", "version"]
_COUNTS = ("matched", "only_first", "only_second", "unresolved_first", "unresolved_second")


def upgrade() -> None:
    """Apply. No vehicle has counted events before."""
    op.create_table(
        "event_counts",
        sa.Column("vehicle_id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("sides", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _COUNTS),
        sa.Column("reported_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("fell_to", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "sides IN ('active_shadow','active_driver','shadow_driver')", name=op.f("ck_event_counts_sides")
        ),
        sa.ForeignKeyConstraint(
            _VERSION,
            [f"fire_counts.{name}" for name in _VERSION],
            name=op.f("fk_event_counts_vehicle_id_campaign_version"),
        ),
        sa.PrimaryKeyConstraint(*_VERSION, "head", "sides", name=op.f("pk_event_counts")),
    )
    op.create_index("ix_event_counts_campaign_version", "event_counts", ["campaign", "version"], unique=False)
    op.add_column(
        "count_parts",
        sa.Column("events", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
    )


def downgrade() -> None:
    """Revert."""
    op.drop_column("count_parts", "events")
    op.drop_index("ix_event_counts_campaign_version", table_name="event_counts")
    op.drop_table("event_counts")
