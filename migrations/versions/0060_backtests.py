"""Backtests over HTTP are jobs, with what each of their programs gave."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0060"
down_revision: str | None = "0059"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TIME = sa.DateTime(timezone=True)
_OPEN = sa.text("state IN ('ready','leased')")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "backtests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("names", postgresql.JSONB(), nullable=False),
        sa.Column("over", postgresql.JSONB(), nullable=False),
        sa.Column("fleet", postgresql.JSONB(), nullable=False),
        sa.Column("programs", sa.LargeBinary(), nullable=False),
        sa.Column("sees_positions", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), server_default="ready", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", _TIME, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("remedy", sa.Text(), nullable=True),
        sa.Column("program", sa.Integer(), nullable=True),
        sa.Column("diagnostics", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", _TIME, nullable=True),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("step", sa.Text(), nullable=True),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("clip_ids", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("comparison", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("state IN ('ready','leased','done','failed')", name=op.f("ck_backtests_state")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_backtests_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backtests")),
    )
    op.create_index("uq_backtests_open", "backtests", ["user_id"], unique=True, postgresql_where=_OPEN)
    op.create_index("ix_backtests_open", "backtests", ["created_at"], postgresql_where=_OPEN)
    op.create_index("ix_backtests_user_id", "backtests", ["user_id", "created_at"])
    op.create_index("ix_backtests_expires_at", "backtests", ["expires_at"])
    op.create_index("ix_backtests_clip_ids", "backtests", ["clip_ids"], postgresql_using="gin")
    op.create_table(
        "backtest_results",
        sa.Column("backtest_id", sa.Text(), nullable=False),
        sa.Column("program", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=False),
        sa.Column("fires", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["backtest_id"], ["backtests.id"], name=op.f("fk_backtest_results_backtest_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("backtest_id", "program", name=op.f("pk_backtest_results")),
    )
    op.create_table(
        "backtest_fires",
        sa.Column("backtest_id", sa.Text(), nullable=False),
        sa.Column("program", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fires", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["backtest_id"], ["backtests.id"], name=op.f("fk_backtest_fires_backtest_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("backtest_id", "program", "part", name=op.f("pk_backtest_fires")),
    )


def downgrade() -> None:
    """Revert. Backtests are lost; they can be run again."""
    op.drop_table("backtest_fires")
    op.drop_table("backtest_results")
    op.drop_table("backtests")
