"""Signed reports on erased vehicles: what the deployment's key says of them, and how anyone checks that."""

from __future__ import annotations

from collections.abc import Collection

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from triggers.contracts import signing
from triggers.contracts.erasure.report import MAX_REPORT_BYTES, PURPOSE, ErasureReport
from triggers.errors import InvalidInput

MAX_ENVELOPE_BYTES = MAX_REPORT_BYTES + 2048
"""A report with as many signatures as an envelope can have."""


def seal_report(payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """The envelope of a report, signed; InvalidInput for anything else, so that the key signs nothing else by this."""
    if len(payload) > MAX_REPORT_BYTES:
        raise InvalidInput(f"a report of {len(payload)} bytes is longer than {MAX_REPORT_BYTES}")
    if ErasureReport.from_json(payload, what="the report").canonical_json() != payload:
        raise InvalidInput("the report is not in its canonical form")
    return signing.seal(payload, purpose=PURPOSE, key=key)


def open_report(envelope: bytes, keys: Collection[bytes]) -> ErasureReport:
    """The report in an envelope that one of these raw public keys signed.

    Untrusted if none did, InvalidInput if it holds something else.
    """
    payload = signing.unseal(envelope, purpose=PURPOSE, trusted=signing.public_keys(*keys))
    return ErasureReport.from_json(payload, what="the report")
