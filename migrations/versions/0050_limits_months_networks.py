"""The ledger has accounts of months and networks, limits that are set by command, and what came over the wire."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0050"
down_revision: str | None = "0049"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KINDS = (
    "kind IN ('fleet','campaign_bytes','campaign_clips','campaign_vehicle_day','campaign_vehicle_bytes',"
    "'campaign_vehicle_clips'{})"
)
_ADDED = "'fleet_month','cost_centre_month','network_month'"
_KEY_BEFORE = "uq_ledger_accounts_kind_campaign_vehicle_id_day"
_KEY = "uq_ledger_accounts_key"
_COLUMNS = ["kind", "campaign", "vehicle_id", "day"]
_MORE_COLUMNS = ["kind", "campaign", "vehicle_id", "cost_centre", "network", "day", "month"]


def upgrade() -> None:
    """Apply. Months begin empty: what came before counts for none of them."""
    for name in ("cost_centre", "network"):
        op.add_column("ledger_accounts", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("ledger_accounts", sa.Column("month", sa.Date(), nullable=True))
    _replace_key(_KEY_BEFORE, _KEY, _MORE_COLUMNS)
    _replace_check(_KINDS.format("," + _ADDED))
    op.create_index(
        "ix_ledger_entries_unfolded_reservations",
        "ledger_entries",
        ["account_id"],
        postgresql_where=sa.text("NOT folded AND kind = 'reserve'"),
    )
    op.add_column("uploads", sa.Column("received_bytes", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "ledger_receipts",
        sa.Column("upload_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), nullable=False),
        sa.Column("folded_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("folded_bytes BETWEEN 0 AND received_bytes", name=op.f("ck_ledger_receipts_folded")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["ledger_accounts.id"], name=op.f("fk_ledger_receipts_account_id_ledger_accounts")
        ),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f("fk_ledger_receipts_upload_id_uploads")),
        sa.PrimaryKeyConstraint("upload_id", "account_id", name=op.f("pk_ledger_receipts")),
    )
    op.create_index(
        "ix_ledger_receipts_unfolded",
        "ledger_receipts",
        ["account_id"],
        postgresql_where=sa.text("folded_bytes <> received_bytes"),
    )
    op.create_index("ix_ledger_receipts_account_id", "ledger_receipts", ["account_id"])
    op.create_table(
        "budget_limits",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_budget_limits_amount")),
        sa.CheckConstraint(
            "kind IN ('fleet','fleet_month','cost_centre_month','campaign_bytes','campaign_clips')",
            name=op.f("ck_budget_limits_kind"),
        ),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_budget_limits")),
    )


def downgrade() -> None:
    """Revert. Accounts of months and networks are lost, and limits that were set by command."""
    op.drop_table("budget_limits")
    op.drop_table("ledger_receipts")
    op.drop_column("uploads", "received_bytes")
    op.drop_index("ix_ledger_entries_unfolded_reservations", table_name="ledger_entries")
    # An older version expects that reservations are folded.
    op.execute(
        "WITH taken AS (UPDATE ledger_entries SET folded = true WHERE NOT folded"
        " RETURNING account_id, held_delta, settled_delta), sums AS (SELECT account_id, sum(held_delta) AS held,"
        " sum(settled_delta) AS settled FROM taken GROUP BY account_id) UPDATE ledger_accounts a"
        " SET held = a.held + sums.held, settled = a.settled + sums.settled FROM sums WHERE a.id = sums.account_id"
    )
    added = f"SELECT id FROM ledger_accounts WHERE kind IN ({_ADDED})"  # noqa: S608 - a constant
    op.execute(f"DELETE FROM ledger_entries WHERE account_id IN ({added})")  # noqa: S608 - a constant
    op.execute(f"DELETE FROM ledger_accounts WHERE kind IN ({_ADDED})")  # noqa: S608 - a constant
    _replace_check(_KINDS.format(""))
    _replace_key(_KEY, _KEY_BEFORE, _COLUMNS)
    op.drop_column("ledger_accounts", "month")
    op.drop_column("ledger_accounts", "network")
    op.drop_column("ledger_accounts", "cost_centre")


def _replace_check(condition: str) -> None:
    op.drop_constraint(op.f("ck_ledger_accounts_kind"), "ledger_accounts", type_="check")
    op.create_check_constraint(op.f("ck_ledger_accounts_kind"), "ledger_accounts", condition)


def _replace_key(before: str, after: str, columns: list[str]) -> None:
    op.drop_constraint(op.f(before), "ledger_accounts", type_="unique")
    op.create_unique_constraint(op.f(after), "ledger_accounts", columns, postgresql_nulls_not_distinct=True)
