"""Vehicles may have keys of their own, and codes with which they enrol under them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.add_column("vehicles", sa.Column("public_key", sa.LargeBinary(), nullable=True))
    op.create_unique_constraint(op.f("uq_vehicles_public_key"), "vehicles", ["public_key"])
    op.create_table(
        "enrolment_codes",
        sa.Column("vehicle_id", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("attributes", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("vehicle_id", name=op.f("pk_enrolment_codes")),
    )


def downgrade() -> None:
    """Revert. Vehicles that have only a key must be enrolled again."""
    op.drop_table("enrolment_codes")
    op.drop_column("vehicles", "public_key")
