"""People have ids: spellings of one name are one user, and campaigns and tokens refer to it by its id."""

import unicodedata
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PEOPLE = ("author", "submitted_by", "approved_by")
_NAMES = sa.text("""
    SELECT name FROM (
        SELECT user_name AS name, created_at FROM api_tokens
        UNION ALL SELECT author, created_at FROM campaign_versions
        UNION ALL SELECT submitted_by, created_at FROM campaign_versions WHERE submitted_by IS NOT NULL
        UNION ALL SELECT approved_by, created_at FROM campaign_versions WHERE approved_by IS NOT NULL
    ) named GROUP BY name ORDER BY min(created_at), name
""")


def upgrade() -> None:
    """Apply. The oldest spelling of a name is kept."""
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name_key", name=op.f("uq_users_name_key")),
    )
    connection = op.get_bind()
    op.execute("CREATE TEMPORARY TABLE spellings (spelling text PRIMARY KEY, user_id bigint) ON COMMIT DROP")
    ids: dict[str, int] = {}
    for name in connection.execute(_NAMES).scalars().all():
        key = _key(name)
        if key not in ids:
            added = sa.text("INSERT INTO users (name, name_key) VALUES (:name, :key) RETURNING id")
            ids[key] = connection.execute(added, {"name": name, "key": key}).scalar_one()
        spelling = sa.text("INSERT INTO spellings VALUES (:name, :id)")
        connection.execute(spelling, {"name": name, "id": ids[key]})
    op.add_column("api_tokens", sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False))
    op.create_unique_constraint(op.f("uq_api_tokens_id"), "api_tokens", ["id"])
    _refer("api_tokens", "user_name", "user_id", nullable=False)
    op.create_index(op.f("ix_api_tokens_user_id"), "api_tokens", ["user_id"])
    for person in _PEOPLE:
        _refer("campaign_versions", person, f"{person}_id", nullable=person != "author")
    _rename_claims()
    op.execute("DROP TABLE spellings")


def downgrade() -> None:
    """Revert. Names stay as they are spelled now."""
    for person in _PEOPLE:
        _name("campaign_versions", f"{person}_id", person, nullable=person != "author")
    op.drop_index(op.f("ix_api_tokens_user_id"), table_name="api_tokens")
    _name("api_tokens", "user_id", "user_name", nullable=False)
    op.drop_constraint(op.f("uq_api_tokens_id"), "api_tokens", type_="unique")
    op.drop_column("api_tokens", "id")
    op.drop_table("users")


def _refer(table: str, old: str, new: str, *, nullable: bool) -> None:
    op.add_column(table, sa.Column(new, sa.BigInteger(), nullable=True))
    op.execute(f"UPDATE {table} t SET {new} = s.user_id FROM spellings s WHERE s.spelling = t.{old}")  # noqa: S608 - names from the code
    op.alter_column(table, new, nullable=nullable)
    op.create_foreign_key(op.f(f"fk_{table}_{new}"), table, "users", [new], ["id"])
    op.drop_column(table, old)


def _name(table: str, old: str, new: str, *, nullable: bool) -> None:
    op.add_column(table, sa.Column(new, sa.Text(), nullable=True))
    op.execute(f"UPDATE {table} t SET {new} = u.name FROM users u WHERE u.id = t.{old}")  # noqa: S608 - names from the code
    op.alter_column(table, new, nullable=nullable)
    op.drop_constraint(op.f(f"fk_{table}_{old}"), table, type_="foreignkey")
    op.drop_column(table, old)


def _rename_claims() -> None:
    """Claims of label jobs are compared with the name as it is spelled now."""
    op.execute("""
        UPDATE label_jobs j SET claimed_by = u.name FROM spellings s JOIN users u ON u.id = s.user_id
        WHERE s.spelling = j.claimed_by AND u.name <> j.claimed_by
    """)


def _key(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded).casefold()
