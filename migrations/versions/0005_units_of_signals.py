"""Units of signals: the unit of each statistic, and every unit that a signal had."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. Units of earlier clips are not known until they are extracted again."""
    op.add_column("signal_statistics", sa.Column("unit", sa.Text(), nullable=True))
    op.create_table(
        "signal_units",
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("dimension", sa.Text(), nullable=True),
        sa.Column("scale", sa.Float(), nullable=True),
        sa.Column("zero", sa.Float(), nullable=True),
        sa.UniqueConstraint(
            "signal", "unit", name=op.f("uq_signal_units_signal_unit"), postgresql_nulls_not_distinct=True
        ),
    )
    op.execute("INSERT INTO signal_units (signal) SELECT DISTINCT signal FROM signal_statistics")


def downgrade() -> None:
    """Revert."""
    op.drop_table("signal_units")
    op.drop_column("signal_statistics", "unit")
