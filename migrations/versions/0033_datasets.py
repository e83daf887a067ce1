"""Datasets, whose versions and members are added and never changed; saved searches; digests of derived files."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0033"
down_revision: str | None = "0032"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_IMMUTABLE = ("dataset_versions", "dataset_members")


def _user(column: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(column, sa.BigInteger(), nullable=nullable)


def _created_at(name: str = "created_at") -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def upgrade() -> None:
    """Apply."""
    op.add_column("clip_assets", sa.Column("digest", sa.Text(), nullable=True))
    _create_datasets()
    _create_versions()
    op.create_table(
        "saved_searches",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("filter", sa.Text(), nullable=False),
        sa.Column("sortby", sa.Text(), nullable=False),
        _user("saved_by_id"),
        _created_at("saved_at"),
        sa.ForeignKeyConstraint(["saved_by_id"], ["users.id"], name=op.f("fk_saved_searches_saved_by_id")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_saved_searches")),
    )
    op.execute("""
        CREATE FUNCTION refuse_dataset_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'versions of datasets are added and never changed: % is refused', TG_OP
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
    """)
    for table in _IMMUTABLE:
        op.execute(f"""
            CREATE TRIGGER {table}_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_dataset_change()
        """)


def _create_datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("lets_expire", sa.Boolean(), nullable=False),
        _user("created_by_id"),
        _created_at(),
        _user("changed_by_id", nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("change_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_datasets_created_by_id")),
        sa.ForeignKeyConstraint(["changed_by_id"], ["users.id"], name=op.f("fk_datasets_changed_by_id")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_datasets")),
        sa.CheckConstraint(
            "(changed_by_id IS NULL) = (changed_at IS NULL) AND (changed_at IS NULL) = (change_reason IS NULL)",
            name=op.f("ck_datasets_change"),
        ),
    )


def _create_versions() -> None:
    op.create_table(
        "dataset_versions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("clips", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("recipe", JSONB(), nullable=False),
        _user("created_by_id"),
        _created_at(),
        sa.ForeignKeyConstraint(["name"], ["datasets.name"], name=op.f("fk_dataset_versions_name")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_dataset_versions_created_by_id")),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_dataset_versions")),
    )
    op.create_table(
        "dataset_members",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("split", sa.Text(), nullable=True),
        sa.Column("assets", JSONB(), nullable=False),
        sa.Column("labels", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["name", "version"],
            ["dataset_versions.name", "dataset_versions.version"],
            name=op.f("fk_dataset_members_name_version"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("name", "version", "clip_id", name=op.f("pk_dataset_members")),
        sa.CheckConstraint("split IS NULL OR split IN ('train','val','test')", name=op.f("ck_dataset_members_split")),
    )
    op.create_index("ix_dataset_members_clip_id", "dataset_members", ["clip_id"])


def downgrade() -> None:
    """Revert. Datasets and saved searches are lost; their clips stay, for as long as their campaigns retain them."""
    op.drop_table("saved_searches")
    op.drop_table("dataset_members")
    op.drop_table("dataset_versions")
    op.drop_table("datasets")
    op.execute("DROP FUNCTION refuse_dataset_change()")
    op.drop_column("clip_assets", "digest")
