"""What campaigns settle is summed by day, and forecasts are judged once, up to where a limit ended them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0053"
down_revision: str | None = "0052"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_SUM = """
    INSERT INTO ledger_days (account_id, day, settled, squares)
    SELECT e.account_id, CAST(e.created_at AT TIME ZONE 'UTC' AS date), sum(e.settled_delta),
        coalesce(sum(CAST(e.settled_delta AS numeric) * e.settled_delta) FILTER (WHERE e.kind = 'settle'), 0)
    FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
    WHERE e.folded AND a.kind IN ('campaign_bytes', 'campaign_clips') AND e.settled_delta <> 0
    GROUP BY 1, 2
"""
_JUDGED = "UPDATE forecasts SET is_judged = true, compared_until = until WHERE actual IS NOT NULL"
_COUNTED = """
    UPDATE forecasts f SET counts = true
    FROM (
        SELECT DISTINCT ON (campaign, version, unit, stage) campaign, version, unit, day
        FROM (
            SELECT *, CASE WHEN progress <= 0 THEN 0 WHEN progress < 0.5 THEN 1 ELSE 2 END AS stage
            FROM forecasts WHERE actual IS NOT NULL
        ) scored
        ORDER BY campaign, version, unit, stage, made_at
    ) first
    WHERE (f.campaign, f.version, f.unit, f.day) = (first.campaign, first.version, first.unit, first.day)
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "ledger_days",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("squares", sa.Numeric(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["ledger_accounts.id"], name=op.f("fk_ledger_days_account_id_ledger_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "day", name=op.f("pk_ledger_days")),
    )
    op.execute(_SUM)
    op.create_index(
        "ix_ledger_entries_account_id_created_at",
        "ledger_entries",
        ["account_id", "created_at"],
        postgresql_where=sa.text("kind <> 'reserve'"),
    )
    for name in ("held_up", "is_judged", "counts"):
        op.add_column("forecasts", sa.Column(name, sa.Boolean(), server_default="false", nullable=False))
    op.add_column("forecasts", sa.Column("compared_until", sa.DateTime(timezone=True), nullable=True))
    op.execute(_JUDGED)
    op.execute(_COUNTED)
    op.create_index("ix_forecasts_open", "forecasts", ["until"], postgresql_where=sa.text("NOT is_judged"))
    op.create_index("ix_forecasts_counted", "forecasts", ["unit", "made_at"], postgresql_where=sa.text("counts"))
    op.create_index(
        "ix_forecasts_held_up", "forecasts", ["campaign", "version", "day"], postgresql_where=sa.text("held_up")
    )


def downgrade() -> None:
    """Revert."""
    for name in ("ix_forecasts_held_up", "ix_forecasts_counted", "ix_forecasts_open"):
        op.drop_index(name, table_name="forecasts")
    for name in ("compared_until", "counts", "is_judged", "held_up"):
        op.drop_column("forecasts", name)
    op.drop_index("ix_ledger_entries_account_id_created_at", table_name="ledger_entries")
    op.drop_table("ledger_days")
