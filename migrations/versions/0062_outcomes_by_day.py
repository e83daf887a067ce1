"""Fires that did not become clips are counted by hour and by day, like those that vehicles report.

What was reported before is counted in the hour in which each vehicle's latest report came: when it grew is not known.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0062"
down_revision: str | None = "0061"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MEASURES = ("sampled_out", "refused", "dropped", "failed")
TABLES = ("usage_increments", "usage_hours", "usage_days")


def upgrade() -> None:
    """Apply. Counts that are voided are in no sum until they are restored."""
    for table in TABLES:
        for name in MEASURES:
            op.add_column(table, sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    sums = ", ".join(
        f"(SELECT coalesce(sum(CAST(value AS bigint)), 0) FROM jsonb_each_text(c.{name})) AS {name}"  # noqa: S608
        for name in MEASURES[1:]
    )
    op.execute(f"""
        INSERT INTO usage_increments (hour, campaign, version, trigger, region, model, network, {", ".join(MEASURES)})
        SELECT date_trunc('hour', received_at, 'UTC'), campaign, version, '', coalesce(region, ''),
            coalesce(model, ''), '', {", ".join(f"sum({name})" for name in MEASURES)}
        FROM (
            SELECT c.received_at, c.campaign, c.version, c.region, c.model, c.sampled_out, {sums}
            FROM fire_counts c JOIN vehicles v ON v.id = c.vehicle_id
            WHERE v.counts_voided_at IS NULL
        ) counted
        WHERE {" + ".join(MEASURES)} > 0
        GROUP BY 1, 2, 3, 5, 6
    """)  # noqa: S608 - put together from the constants above


def downgrade() -> None:
    """Revert."""
    for table in TABLES:
        for name in MEASURES:
            op.drop_column(table, name)
