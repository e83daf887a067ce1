"""Publishing a trust document: it is checked, added to the chain, and bundles get the signatures that it asks for."""

from __future__ import annotations

import time
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fleet_api.signing.bundles import trusted_signatures
from fleet_api.signing.chain import TrustChain, read_chain
from fleet_api.signing.list_keys import ListSigner
from fleet_api.trust import rules
from storage import audit
from storage.campaigns import life, signatures
from storage.database import Connection
from storage.vehicles import trust
from triggers.contracts.api.trust import PublishedView, UnsignedView
from triggers.contracts.checkin import AssignmentList
from triggers.contracts.signing import BUNDLE, Signature, envelope_of, parts_of
from triggers.contracts.trust import TrustDocument
from triggers.contracts.users import User
from triggers.errors import Conflict, Misconfigured
from triggers.times import NS_PER_S

_TRIAL_VEHICLE = "trial"


def publish(
    connection: Connection,
    envelope: bytes,
    *,
    by: User,
    signer: ListSigner,
    own_key: Ed25519PrivateKey | None,
    known_key: Ed25519PublicKey | None,
) -> PublishedView:
    """Publish the next document in this transaction; the errors of `rules.next_document`, Conflict if no list could be
    signed under it. `known_key` is what vehicles trust that were enrolled before there was a document.
    """
    life.lock_campaigns(connection)
    chain = read_chain(connection)
    now_ns = time.time_ns()
    document = rules.next_document(envelope, chain.newest, now_ns=now_ns, known_key=known_key)
    rules.check_can_sign(_trial_list(signer, document, now_ns), document)
    trust.add(connection, document.version, envelope, by=by.name)
    later = TrustChain((*chain.sealed, envelope), document)
    published = _seal_again(connection, later, document, own_key)
    before = None if chain.newest is None else _roles(chain.newest)
    audit.record(connection, by, "trust.publish", "trust", str(document.version), before=before, after=_roles(document))
    return published


def _roles(document: TrustDocument) -> dict[str, object]:
    """The roles of a document as the audit log has them: key ids and thresholds."""
    roles = {"root": document.root, "bundles": document.bundles, "lists": document.lists}
    return {
        name: {"keys": sorted(each.hex() for each in role.trusted), "of": role.threshold}
        for name, role in roles.items()
    }


def _trial_list(signer: ListSigner, document: TrustDocument, now_ns: int) -> bytes:
    listed = AssignmentList(
        vehicle_id=_TRIAL_VEHICLE,
        revision=0,
        issued_at_ns=now_ns,
        expires_at_ns=now_ns + NS_PER_S,
        assignments=(),
    )
    try:
        return signer.sign(listed.canonical_json(), tuple(document.lists.trusted))
    except Misconfigured as error:
        raise Conflict(error.message, remedy=error.remedy) from error


def _seal_again(
    connection: Connection, chain: TrustChain, document: TrustDocument, own_key: Ed25519PrivateKey | None
) -> PublishedView:
    """Give each bundle that vehicles get all signatures that they trust now."""
    unsigned, again, needed = [], 0, document.bundles.threshold
    for campaign, version, bundle in signatures.sealed_versions(connection):
        payload, before = parts_of(bundle, BUNDLE)
        kept = [*before, *kept_signatures(connection, campaign, version)]
        trusted = trusted_signatures(payload, kept, chain, own_key)
        if len(trusted) < needed:
            unsigned.append(UnsignedView(campaign=campaign, version=version, signatures=len(trusted), needed=needed))
        elif (sealed := envelope_of(payload, trusted)) != bundle:
            signatures.replace_bundle(connection, campaign, version, sealed)
            again += 1
    return PublishedView(version=document.version, sealed_again=again, unsigned=unsigned)


def kept_signatures(connection: Connection, campaign: str, version: int) -> Sequence[Signature]:
    """The signatures of people over a version's bundle."""
    return [Signature(*row) for row in signatures.signatures_of(connection, campaign, version)]
