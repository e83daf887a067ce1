"""Vectors of clips with pgvector: embeddings, jobs that write vectors, and clips that are duplicates of others."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from triggers.errors import Misconfigured

revision: str = "0037"
down_revision: str | None = "0036"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_HAS_VECTOR = sa.text("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector')")
_MAY_CREATE = sa.text("""
    SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
        OR coalesce((SELECT bool_or(trusted) FROM pg_available_extension_versions WHERE name = 'vector'), false)
            AND has_database_privilege(current_database(), 'CREATE')
""")
_IS_AVAILABLE = sa.text("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')")
_SCHEMAS = sa.text("""
    SELECT string_agg(DISTINCT quote_ident(name), ', ') FROM (
        SELECT current_schema() UNION
        SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'
    ) AS s (name)
""")
_BEGIN = """
    CREATE FUNCTION begin_embedding(named text, dimensions_of_new integer) RETURNS integer LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = {schemas}, pg_temp AS $$
    DECLARE
        begun integer;
        of_dimensions integer;
    BEGIN
        IF dimensions_of_new NOT BETWEEN 2 AND 2000 OR length(named) NOT BETWEEN 1 AND 100 THEN
            RAISE EXCEPTION 'an embedding has 2 to 2000 dimensions, and a name of at most 100 characters'
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        LOCK TABLE embeddings IN SHARE ROW EXCLUSIVE MODE;
        SELECT e.number, e.dimensions INTO begun, of_dimensions FROM embeddings e WHERE e.id = named;
        IF begun IS NULL THEN
            IF (SELECT count(*) FROM embeddings) >= 64 THEN
                RAISE EXCEPTION 'there are 64 embeddings already' USING ERRCODE = 'program_limit_exceeded';
            END IF;
            INSERT INTO embeddings (id, dimensions) VALUES (named, dimensions_of_new) RETURNING number INTO begun;
            of_dimensions := dimensions_of_new;
        END IF;
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON clip_vectors '
            'USING hnsw ((vector::vector(%s)) vector_cosine_ops) WHERE embedding = %s',
            format('ix_clip_vectors_of_%s', begun), of_dimensions, begun);
        RETURN begun;
    END $$
"""
_OPEN = sa.text("state IN ('ready','leased')")
_DUE = sa.text("coalesce(lease_until, created_at)")


def upgrade() -> None:
    """Apply."""
    _require_vector()
    op.create_table(
        "embeddings",
        sa.Column("number", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("dimensions", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_embeddings")),
        sa.UniqueConstraint("id", name=op.f("uq_embeddings_id")),
    )
    op.execute("""
        CREATE TABLE clip_vectors (
            clip_id text NOT NULL, embedding integer NOT NULL, vector vector NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk_clip_vectors PRIMARY KEY (clip_id, embedding),
            CONSTRAINT fk_clip_vectors_clip_id_clips FOREIGN KEY (clip_id) REFERENCES clips (id),
            CONSTRAINT fk_clip_vectors_embedding_embeddings FOREIGN KEY (embedding) REFERENCES embeddings (number)
        )
    """)
    op.create_table(
        "vector_jobs",
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("embedding_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="ready", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("worker", sa.Text()),
        sa.Column("vehicle_id", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('ready','leased','done','failed')", name=op.f("ck_vector_jobs_state")),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_vector_jobs_clip_id_clips")),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name=op.f("fk_vector_jobs_vehicle_id_vehicles")),
        sa.PrimaryKeyConstraint("clip_id", "embedding_id", name=op.f("pk_vector_jobs")),
    )
    op.create_index("ix_vector_jobs_open", "vector_jobs", ["created_at", "clip_id"], postgresql_where=_OPEN)
    op.add_column("clips", sa.Column("duplicate_of", sa.Text()))
    key = op.f("fk_clips_duplicate_of_clips")
    op.create_foreign_key(key, "clips", "clips", ["duplicate_of"], ["id"], ondelete="SET NULL")
    marked = sa.text("duplicate_of IS NOT NULL")
    op.create_index("ix_clips_duplicate_of", "clips", ["duplicate_of"], postgresql_where=marked)
    middle = sa.text("((min_latitude + max_latitude) / 2)")
    op.create_index("ix_clips_middle", "clips", [middle, "recorded_ns"])
    op.add_column("label_jobs", sa.Column("is_duplicate", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.drop_index("ix_label_jobs_open", table_name="label_jobs")
    op.create_index("ix_label_jobs_open", "label_jobs", ["task", "is_duplicate", _DUE, "id"], postgresql_where=_OPEN)
    schemas = op.get_bind().execute(_SCHEMAS).scalar_one()
    op.execute(_BEGIN.format(schemas=schemas))
    op.execute("REVOKE ALL ON FUNCTION begin_embedding(text, integer) FROM PUBLIC")


def _require_vector() -> None:
    """Create pgvector's extension, or say who has to: it is not trusted everywhere, so it can take a superuser."""
    connection = op.get_bind()
    if connection.execute(_HAS_VECTOR).scalar_one():
        return
    if not connection.execute(_IS_AVAILABLE).scalar_one():
        raise Misconfigured(
            "the database's server has no pgvector, which likeness of clips needs",
            remedy="install pgvector 0.8 or newer on it (Debian: postgresql-NN-pgvector), then run `longtail migrate`",
        )
    if not connection.execute(_MAY_CREATE).scalar_one():
        raise Misconfigured(
            "the extension `vector` (pgvector) is not in this database, and its owner may not create it",
            remedy="let a superuser run `CREATE EXTENSION vector` in it, or the SQL of `longtail database roles`; "
            "then run `longtail migrate`",
        )
    op.execute("CREATE EXTENSION vector")


def downgrade() -> None:
    """Revert. The extension stays: others may use it."""
    op.execute("DROP FUNCTION begin_embedding(text, integer)")
    op.drop_index("ix_label_jobs_open", table_name="label_jobs")
    op.drop_column("label_jobs", "is_duplicate")
    op.create_index("ix_label_jobs_open", "label_jobs", ["task", _DUE, "id"], postgresql_where=_OPEN)
    op.drop_index("ix_clips_middle", table_name="clips")
    op.drop_column("clips", "duplicate_of")
    op.drop_table("vector_jobs")
    op.drop_table("clip_vectors")
    op.drop_table("embeddings")
