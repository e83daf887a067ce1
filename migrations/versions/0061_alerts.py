"""Alerts that the API evaluates: what was found last, and what is remembered for the next time."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0061"
down_revision: str | None = "0060"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. The first evaluation makes the row."""
    op.create_table(
        "alert_evaluation",
        sa.Column("single", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=True),
        *(sa.Column(name, postgresql.JSONB(), nullable=False) for name in ("held", "samples", "alerts", "missing")),
        sa.CheckConstraint("single", name=op.f("ck_alert_evaluation_single")),
        sa.PrimaryKeyConstraint("single", name=op.f("pk_alert_evaluation")),
    )


def downgrade() -> None:
    """Revert."""
    op.drop_table("alert_evaluation")
