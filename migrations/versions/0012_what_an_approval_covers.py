"""What an approval covers: the digest of the whole unsigned bundle, not of the program alone."""

import base64
import hashlib
import json
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ENVELOPE_BYTES = 76
"""Magic, key id and signature, before the payload of a sealed bundle."""


def upgrade() -> None:
    """Apply. What is approved has its digest from its sealed bundle, all others from the bundle that they would get."""
    op.add_column("campaign_versions", sa.Column("approval_digest", sa.Text(), nullable=True))
    connection = op.get_bind()
    key = sa.text("SELECT campaign, version FROM campaign_versions ORDER BY campaign, version")
    row_of = sa.text("""
        SELECT settings, program, program_digest, bundle FROM campaign_versions
        WHERE campaign = :campaign AND version = :version
    """)
    update = sa.text("""
        UPDATE campaign_versions SET approval_digest = :digest WHERE campaign = :campaign AND version = :version
    """)
    for campaign, version in connection.execute(key).all():
        names = {"campaign": campaign, "version": version}
        row = connection.execute(row_of, names).one()
        payload = bytes(row.bundle[_ENVELOPE_BYTES:]) if row.bundle else _unsigned(version, row)
        connection.execute(update, {**names, "digest": hashlib.sha256(payload).hexdigest()})
    op.alter_column("campaign_versions", "approval_digest", nullable=False)


def downgrade() -> None:
    """Revert."""
    op.drop_column("campaign_versions", "approval_digest")


def _unsigned(version: int, row: sa.Row) -> bytes:
    """The canonical bytes of a bundle, as they were when this migration was written."""
    bundle = {
        "format": 1,
        "settings": row.settings,
        "version": version,
        "program_digest": row.program_digest,
        "program_base64": base64.b64encode(row.program).decode(),
    }
    return json.dumps(bundle, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
