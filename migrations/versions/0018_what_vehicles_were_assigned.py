"""What each vehicle was assigned, and what was refused of it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A vehicle reports counts of every campaign that it runs, so what it reported is what it was given. Its next check-in
# ends what is in its list no longer.
_ASSIGN_WHAT_WAS_REPORTED = """
    INSERT INTO assignments (vehicle_id, campaign, version, assigned_from)
    SELECT c.vehicle_id, c.campaign, c.version, v.enrolled_at
    FROM fire_counts c JOIN vehicles v ON v.id = c.vehicle_id
"""


def upgrade() -> None:
    """Apply."""
    op.add_column("vehicles", sa.Column("replays", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("vehicles", sa.Column("assigned_digest", sa.Text(), nullable=True))
    op.add_column("vehicles", sa.Column("assigned_revision", sa.BigInteger(), server_default="-1", nullable=False))
    op.create_table(
        "assignments",
        sa.Column("vehicle_id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("assigned_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assigned_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name=op.f("fk_assignments_vehicle_id")),
        sa.ForeignKeyConstraint(
            ["campaign", "version"],
            ["campaign_versions.campaign", "campaign_versions.version"],
            name=op.f("fk_assignments_campaign_version"),
        ),
        sa.PrimaryKeyConstraint("vehicle_id", "campaign", "version", name=op.f("pk_assignments")),
    )
    op.create_index(
        "ix_assignments_open", "assignments", ["vehicle_id"], postgresql_where=sa.text("assigned_until IS NULL")
    )
    op.create_table(
        "vehicle_refusals",
        sa.Column("vehicle_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("refusals", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name=op.f("fk_vehicle_refusals_vehicle_id")),
        sa.PrimaryKeyConstraint("vehicle_id", "day", "reason", name=op.f("pk_vehicle_refusals")),
    )
    op.create_index("ix_vehicle_refusals_day", "vehicle_refusals", ["day"])
    op.execute(_ASSIGN_WHAT_WAS_REPORTED)


def downgrade() -> None:
    """Undo. What each vehicle was assigned is lost."""
    op.drop_table("vehicle_refusals")
    op.drop_table("assignments")
    for column in ("assigned_revision", "assigned_digest", "replays"):
        op.drop_column("vehicles", column)
