"""Signatures of people over the unsigned bundles of campaign versions, and bundles that are sealed again with them."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.campaigns.life import raise_revision
from storage.tables import bundle_signatures, campaign_versions
from triggers.contracts.campaign import CampaignState

_s = bundle_signatures.c
_c = campaign_versions.c
SEALED = (CampaignState.APPROVED, CampaignState.ACTIVE, CampaignState.PAUSED)
"""The states in which a version has a bundle that vehicles may get."""


def add_signature(
    connection: Connection, campaign: str, version: int, *, key_id: bytes, signature: bytes, user: str
) -> None:
    """Keep a verified signature; one of the same key is replaced."""
    values = {"signature": signature, "signed_by": user, "signed_at": func.now()}
    connection.execute(
        insert(bundle_signatures)
        .values(campaign=campaign, version=version, key_id=key_id, **values)
        .on_conflict_do_update(index_elements=["campaign", "version", "key_id"], set_=values)
    )


def signatures_of(connection: Connection, campaign: str, version: int) -> list[tuple[bytes, bytes]]:
    """The kept signatures of a version: key id and signature, by key id."""
    rows = connection.execute(
        select(_s.key_id, _s.signature).where(_s.campaign == campaign, _s.version == version).order_by(_s.key_id)
    )
    return [(bytes(row.key_id), bytes(row.signature)) for row in rows]


def sealed_versions(connection: Connection) -> list[tuple[str, int, bytes]]:
    """Campaign, version and bundle of every version whose bundle vehicles get or will get, by name."""
    rows = connection.execute(
        select(_c.campaign, _c.version, _c.bundle)
        .where(_c.state.in_(SEALED), _c.bundle.is_not(None))
        .order_by(_c.campaign, _c.version)
    )
    return [(row.campaign, row.version, bytes(row.bundle)) for row in rows]


def replace_bundle(connection: Connection, campaign: str, version: int, bundle: bytes) -> None:
    """Let vehicles fetch a version's bundle with other signatures around the same bytes."""
    connection.execute(
        update(campaign_versions)
        .where(_c.campaign == campaign, _c.version == version)
        .values(bundle=bundle, bundle_digest=hashlib.sha256(bundle).hexdigest())
    )
    raise_revision(connection)
