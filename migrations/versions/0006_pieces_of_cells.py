"""Pieces of cells: what uploads have acknowledged of an incomplete cell, and the hashes that cells are checked with."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. Open uploads get the hashes of their manifests; closed ones need none."""
    op.add_column("uploads", sa.Column("cell_digests", sa.LargeBinary(), nullable=True))
    op.add_column("uploads", sa.Column("metadata", sa.Text(), nullable=True))
    op.add_column("uploads", sa.Column("mismatches", sa.Integer(), server_default="0", nullable=False))
    op.execute("""
        UPDATE uploads SET cell_digests = (
            SELECT decode(string_agg(digest, '' ORDER BY number), 'hex')
            FROM jsonb_array_elements_text(convert_from(manifest, 'UTF8')::jsonb -> 'cells')
                WITH ORDINALITY AS cells (digest, number)
        )
        WHERE state = 'open'
    """)
    op.create_table(
        "upload_pieces",
        sa.Column("upload_id", sa.Text(), nullable=False),
        sa.Column("start_bytes", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f("fk_upload_pieces_upload_id_uploads")),
        sa.PrimaryKeyConstraint("upload_id", "start_bytes", name=op.f("pk_upload_pieces")),
    )


def downgrade() -> None:
    """Revert. What was acknowledged of an incomplete cell is sent again: offsets go back to its beginning."""
    op.drop_table("upload_pieces")
    op.execute("UPDATE uploads SET offset_bytes = offset_bytes - offset_bytes % 524288 WHERE state = 'open'")
    op.drop_column("uploads", "mismatches")
    op.drop_column("uploads", "metadata")
    op.drop_column("uploads", "cell_digests")
