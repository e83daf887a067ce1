"""Shares of vehicles in campaign-wide limits, and clips that turned out to be damaged, which use no limit on clips."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KINDS = "kind IN ('fleet','campaign_bytes','campaign_clips','campaign_vehicle_day'{})"
_SHARES = ",'campaign_vehicle_bytes','campaign_vehicle_clips'"


def upgrade() -> None:
    """Apply."""
    _replace_check("ledger_accounts", _KINDS.format(_SHARES))
    _replace_check("ledger_entries", "kind IN ('reserve','settle','release','void')")
    _replace_index("kind IN ('settle','release')")
    op.create_index("ix_assignments_campaign", "assignments", ["campaign"])
    op.create_index("ix_clips_stored", "clips", ["id"], postgresql_where=sa.text("state = 'stored'"))


def downgrade() -> None:
    """Undo. What vehicles have of their shares is lost, and damaged clips use limits on clips again."""
    op.drop_index("ix_clips_stored", table_name="clips")
    op.drop_index("ix_assignments_campaign", table_name="assignments")
    op.execute(
        "UPDATE ledger_accounts a SET held = a.held - v.held, settled = a.settled - v.settled FROM ("
        "SELECT account_id, sum(held_delta) AS held, sum(settled_delta) AS settled FROM ledger_entries"
        " WHERE kind = 'void' AND folded GROUP BY account_id) v WHERE v.account_id = a.id"
    )
    op.execute("DELETE FROM ledger_entries WHERE kind = 'void'")
    shares = "SELECT id FROM ledger_accounts WHERE kind IN ('campaign_vehicle_bytes','campaign_vehicle_clips')"
    op.execute(f"DELETE FROM ledger_entries WHERE account_id IN ({shares})")  # noqa: S608 - a constant
    op.execute("DELETE FROM ledger_accounts WHERE kind IN ('campaign_vehicle_bytes','campaign_vehicle_clips')")
    _replace_index("kind <> 'reserve'")
    _replace_check("ledger_entries", "kind IN ('reserve','settle','release')")
    _replace_check("ledger_accounts", _KINDS.format(""))


def _replace_check(table: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_kind"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_kind"), table, condition)


def _replace_index(condition: str) -> None:
    op.drop_index("uq_ledger_entries_closing", table_name="ledger_entries")
    op.create_index(
        "uq_ledger_entries_closing",
        "ledger_entries",
        ["account_id", "upload_id"],
        unique=True,
        postgresql_where=sa.text(condition),
    )
