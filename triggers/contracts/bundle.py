"""The bundle: the program, digest and settings of one campaign version, signed for vehicles."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Annotated, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, model_validator

from triggers.contracts import signing
from triggers.contracts.base import Contract, Sha256Hex
from triggers.contracts.campaign import CampaignSettings

MAX_PROGRAM_BYTES = 8 * 1024**2
MAX_BUNDLE_BYTES = 16 * 1024**2


class Bundle(Contract):
    """One campaign version as vehicles get it. The program is base64-encoded and checked against its digest."""

    format: Annotated[int, Field(ge=1, le=1)] = 1
    settings: CampaignSettings
    version: Annotated[int, Field(ge=1)]
    program_digest: Sha256Hex
    program_base64: Annotated[str, Field(max_length=MAX_PROGRAM_BYTES * 4 // 3 + 4)]

    @model_validator(mode="after")
    def _digest_holds(self) -> Self:
        if hashlib.sha256(self.program).hexdigest() != self.program_digest:
            raise ValueError("the program does not have the digest that the bundle states")
        return self

    @property
    def approval_digest(self) -> str:
        """The SHA-256 that an approval names, of the canonical bytes: everything that the version sends to vehicles."""
        return hashlib.sha256(self.canonical_json()).hexdigest()

    @property
    def program(self) -> bytes:
        """The program's exact bytes: the ones that were backtested."""
        return base64.b64decode(self.program_base64, validate=True)


def make_bundle(settings: CampaignSettings, version: int, program: bytes) -> Bundle:
    """The bundle of one campaign version, as an approver looks at it and vehicles get it."""
    return Bundle(
        settings=settings,
        version=version,
        program_digest=hashlib.sha256(program).hexdigest(),
        program_base64=base64.b64encode(program).decode(),
    )


def seal_bundle(bundle: Bundle, key: Ed25519PrivateKey) -> bytes:
    """The signed bytes of a bundle; the same bundle and key give the same bytes."""
    return signing.seal(bundle.canonical_json(), purpose=signing.BUNDLE, key=key)


def open_bundle(data: bytes, trusted: Mapping[bytes, Ed25519PublicKey], *, threshold: int = 1) -> Bundle:
    """Verify and parse signed bundle bytes. Raises Untrusted or InvalidInput if the bundle must not be run."""
    payload = signing.unseal(data[: MAX_BUNDLE_BYTES + 1], purpose=signing.BUNDLE, trusted=trusted, threshold=threshold)
    return Bundle.from_json(payload, what="the bundle")
