"""Campaigns have an owner and a cost centre; entries of the ledger have the network and the region of their upload."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0044"
down_revision: str | None = "0043"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ENTRIES = """
    UPDATE ledger_entries e SET network = u.network, region = coalesce(v.attributes ->> 'region', '')
    FROM uploads u JOIN vehicles v ON v.id = u.vehicle_id
    WHERE u.id = e.upload_id
"""


def upgrade() -> None:
    """Apply. Who applied a campaign first owns it; entries get the region that their vehicle has now."""
    op.create_table(
        "campaign_owners",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("cost_centre", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_campaign_owners_owner_id_users")),
        sa.PrimaryKeyConstraint("campaign", name=op.f("pk_campaign_owners")),
    )
    op.execute(
        "INSERT INTO campaign_owners (campaign, owner_id)"
        " SELECT DISTINCT ON (campaign) campaign, author_id FROM campaign_versions ORDER BY campaign, version"
    )
    op.create_foreign_key(
        op.f("fk_campaign_versions_campaign_campaign_owners"),
        "campaign_versions",
        "campaign_owners",
        ["campaign"],
        ["campaign"],
    )
    for name in ("network", "region"):
        op.add_column("ledger_entries", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.execute(_ENTRIES)
    for name in ("network", "region"):
        op.alter_column("ledger_entries", name, server_default=None)


def downgrade() -> None:
    """Revert. Owners and cost centres are lost."""
    op.drop_column("ledger_entries", "region")
    op.drop_column("ledger_entries", "network")
    op.drop_constraint(op.f("fk_campaign_versions_campaign_campaign_owners"), "campaign_versions", type_="foreignkey")
    op.drop_table("campaign_owners")
