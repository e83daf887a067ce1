"""The signing key: its file, and whether what vehicles run was signed with it."""

from __future__ import annotations

from fleet_api.deployment.doctor.findings import Finding, fail, ok, warn
from storage.database import Database
from storage.diagnosis.campaigns import running_bundle_starts
from storage.settings import Settings
from triggers.contracts.signing import HEADER_BYTES, key_id, load_private_key, signer_of

_RESTORE = "restore that key from its backup (`longtail restore` does, or copy it to LONGTAIL_SIGNING_KEY)"


def check_file(settings: Settings) -> Finding:
    """Whether the key is there and readable, by its owner alone."""
    path = settings.effective_signing_key()
    if not path.exists():
        remedy = "restore it from its backup; a new deployment makes one when it first starts"
        return fail("signing key", f"{path} does not exist", remedy)
    identity = key_id(load_private_key(path).public_key()).hex()
    if path.stat().st_mode & 0o077:
        return warn("signing key", f"{path} (public key {identity}) can be read by others", f"chmod 600 {path}")
    return ok("signing key", f"{path}, public key {identity}")


def check_signatures(settings: Settings, database: Database) -> Finding:
    """Whether the running campaigns' bundles were signed with this key."""
    with database.begin() as connection:
        bundles = running_bundle_starts(connection, HEADER_BYTES)
    path = settings.effective_signing_key()
    if not bundles or not path.exists():
        return ok("signatures", f"{len(bundles)} running campaigns")
    own = key_id(load_private_key(path).public_key())
    foreign = [
        (campaign, version, signer) for campaign, version, start in bundles if (signer := signer_of(start)) != own
    ]
    if not foreign:
        return ok("signatures", f"{len(bundles)} running campaigns are signed with the key of this deployment")
    campaign, version, signer = foreign[0]
    message = (
        f"{len(foreign)} of {len(bundles)} running campaigns are signed with another key than {own.hex()}, such as "
        f"{campaign} version {version} with {signer.hex() if signer else 'none'}: vehicles trust one of the two"
    )
    return fail("signatures", message, f"{_RESTORE}, or approve new versions and enrol every vehicle again")
