"""Manifests without a network, which is a property of the upload and already in its column."""

from collections.abc import Sequence

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.execute("UPDATE clips SET manifest = manifest - 'network' WHERE jsonb_exists(manifest, 'network')")
    # The bytes are canonical JSON, whose keys are sorted: cells, network, recording, size_bytes.
    op.execute(
        """UPDATE uploads SET manifest = convert_to(regexp_replace(convert_from(manifest, 'UTF8'),"""
        r""" '^(\{"cells":\[[^]]*\]),"network":"[a-z]+"', '\1'), 'UTF8')"""
    )


def downgrade() -> None:
    """Nothing to revert: earlier versions accept a manifest without a network too."""
