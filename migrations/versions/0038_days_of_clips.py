"""For each day of recording: bounds of when its clips were stored, became ready, and expire."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0038"
down_revision: str | None = "0037"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ENDS = [f"{moment}_{end}_ns" for moment in ("stored", "ready", "expires") for end in ("first", "last")]
_DAY_NS = 86_400 * 10**9
_HOUR_NS = 3600 * 10**9


def _ns(column: str) -> str:
    """In ns since 1970, and not beyond what 64 bits hold with an hour before and after."""
    seconds = f"EXTRACT(epoch FROM ({column} AT TIME ZONE 'UTC'))"
    beyond = f"greatest({seconds} - 9223368436, 0)"  # 0 of null, which so stays null
    return f"CAST(({seconds} - {beyond}) * 1000000000 AS bigint)"


_BOUNDS = ", ".join(
    f"min({_ns(column)}) - {_HOUR_NS}, max({_ns(column)}) + {_HOUR_NS}"
    for column in ("stored_at", "ready_at", "expires_at")
)
_FILL = """
    INSERT INTO clip_days (day, {columns})
    SELECT CAST(recorded_ns / {day_ns} - CAST(recorded_ns % {day_ns} < 0 AS integer) AS integer), {bounds}
    FROM clips GROUP BY 1
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "clip_days",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in _ENDS),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_clip_days")),
    )
    op.execute(_FILL.format(columns=", ".join(_ENDS), day_ns=_DAY_NS, bounds=_BOUNDS))


def downgrade() -> None:
    """Revert."""
    op.drop_table("clip_days")
