"""The keys: the signing key's file, the trust document, its list key, and the signatures of what vehicles run."""

from __future__ import annotations

import time

from fleet_api.deployment.doctor.findings import Finding, fail, ok, warn
from fleet_api.deployment.trust import root_key_of
from fleet_api.signing.bundle_key import read_bundle_key
from fleet_api.signing.bundles import trusted_signatures
from fleet_api.signing.chain import TrustChain, read_chain
from fleet_api.signing.list_keys import ListKeys, list_key_files
from fleet_api.trust.publishing import kept_signatures
from storage.campaigns.signatures import sealed_versions
from storage.database import Database
from storage.settings import Settings
from triggers.contracts.signing import BUNDLE, key_id, load_private_key, parts_of, signers_of
from triggers.times import NS_PER_S, format_time

WARNED_BEFORE_NS = 90 * 86_400 * NS_PER_S
_PUBLISH = "have the holders of the root keys sign and publish a newer one (docs/keys.md)"
_RESTORE = "restore that key from its backup (`longtail restore` does, or copy it to LONGTAIL_SIGNING_KEY)"


def check_file(settings: Settings) -> Finding:
    """Whether the signing key is there and readable, by its owner alone."""
    path = settings.effective_signing_key()
    if not path.exists():
        remedy = (
            "restore it from its backup, unless only people sign bundles; a new deployment makes one when it starts"
        )
        return fail("signing key", f"{path} does not exist", remedy)
    identity = key_id(load_private_key(path).public_key()).hex()
    if path.stat().st_mode & 0o077:
        return warn("signing key", f"{path} (public key {identity}) is open to others", f"chmod 600 {path}")
    return ok("signing key", f"{path}, public key {identity}")


def is_missing(settings: Settings) -> bool:
    """Whether there is no signing key; what is wrong with one that there is, or with its place, `check_file` says."""
    return bool(settings.signing_key or settings.data_dir) and not settings.effective_signing_key().exists()


def check_missing(settings: Settings, database: Database) -> Finding:
    """Whether it is right that there is no signing key: people have signed everything that vehicles get."""
    with database.begin() as connection:
        chain = read_chain(connection)
        peoples = [
            len(trusted_signatures(parts_of(bundle, BUNDLE)[0], kept_signatures(connection, name, number), chain, None))
            for name, number, bundle in sealed_versions(connection)
        ]
    if chain.newest is not None and peoples and min(peoples) >= chain.newest.bundles.threshold:
        return ok("signing key", "none; people sign bundles")
    return check_file(settings)


def check_trust(settings: Settings, database: Database) -> Finding:
    """Whether there is a trust document, and for how long."""
    with database.begin() as connection:
        chain = read_chain(connection)
    document = chain.newest
    if document is None:
        remedy = "`longtail up` makes one; elsewhere `longtail trust init` and `longtail trust publish` (docs/keys.md)"
        return warn("trust", "no trust document: keys cannot be replaced without enrolling every vehicle", remedy)
    left_ns = document.expires_at_ns - time.time_ns()
    said = f"document {document.version} is valid until {format_time(document.expires_at_ns)[:10]}"
    if left_ns <= 0:
        return fail("trust", f"{said}: vehicles accept nothing new", _PUBLISH)
    if left_ns < WARNED_BEFORE_NS:
        return warn("trust", said, _PUBLISH)
    root = root_key_of(settings) if settings.data_dir else None
    here = f"; its root key {root} is still on this machine, move it offline" if root and root.exists() else ""
    return ok("trust", f"{said}, {document.bundles.threshold} signatures for a bundle{here}")


def check_list_key(settings: Settings, database: Database) -> Finding:
    """Whether this machine has a list key that vehicles trust; the signer may hold it elsewhere."""
    with database.begin() as connection:
        ids = read_chain(connection).list_key_ids
    held = ListKeys(settings).ids()
    found = [each for each in ids if each in held]
    if ids and not found:
        named = ", ".join(each.hex() for each in ids)
        return warn(
            "list key",
            f"none of the keys {named} that vehicles trust for lists is on this machine",
            "if the signer does not hold it elsewhere, restore it, or `longtail trust rotate-list-key` (docs/keys.md)",
        )
    open_to_others = [path for path in list_key_files(settings) if path.stat().st_mode & 0o007]
    if open_to_others:
        return warn("list key", f"{open_to_others[0]} is open to others", f"chmod o= {open_to_others[0]}")
    return ok("list key", ", ".join(each.hex() for each in found) or "the signing key, as there is no document")


def check_signatures(settings: Settings, database: Database) -> Finding:
    """Whether vehicles trust the bundles that they get."""
    with database.begin() as connection:
        chain = read_chain(connection)
        bundles = sealed_versions(connection)
    own = None if chain.newest else read_bundle_key(settings)
    if chain.newest is None and own is None:
        return ok("signatures", f"{len(bundles)} bundles, and no key to compare them with")
    known = None if own is None else key_id(own.public_key())
    needed = chain.newest.bundles.threshold if chain.newest else 1
    refused = []
    for campaign, version, bundle in bundles:
        payload, signatures = parts_of(bundle, BUNDLE)
        trusted = len(trusted_signatures(payload, signatures, chain, None)) if chain.newest else 0
        if known in signers_of(bundle) or trusted >= needed:
            continue
        refused.append((campaign, version, ", ".join(each.key_id.hex() for each in signatures)))
    if not refused:
        return _own_key_is_trusted(settings, chain, len(bundles))
    campaign, version, signers = refused[0]
    message = (
        f"{len(refused)} of {len(bundles)} bundles lack signatures that vehicles trust, such as {campaign} version "
        f"{version}, signed by {signers}"
    )
    return fail("signatures", message, f"`longtail campaign sign` adds one; if the key was lost, {_RESTORE}")


def _own_key_is_trusted(settings: Settings, chain: TrustChain, bundles: int) -> Finding:
    own = read_bundle_key(settings)
    identity = None if own is None else key_id(own.public_key())
    if identity is None or chain.newest is None or identity in chain.newest.bundles.trusted:
        return ok("signatures", f"{bundles} bundles are signed as vehicles ask for")
    return fail(
        "signatures",
        f"{bundles} bundles are signed with another key than {identity.hex()}, which vehicles do not trust for bundles",
        f"if people sign bundles now, delete that file; else {_RESTORE}",
    )
