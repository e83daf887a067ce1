"""Trust documents and signatures of bundles in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from triggers.contracts.base import Contract
from triggers.contracts.trust import MAX_TRUST_BYTES

Base64 = Annotated[str, Field(min_length=1, max_length=4 * MAX_TRUST_BYTES // 3 + 4, pattern=r"^[A-Za-z0-9+/]+={0,2}$")]


class TrustView(BaseModel):
    """The newest trust document: its version (0: none is published) and its envelope in base64."""

    version: int
    envelope: str | None


class PublishRequest(Contract):
    """The envelope of the next trust document, in base64."""

    envelope: Base64


class UnsignedView(BaseModel):
    """A campaign version whose bundle vehicles refuse until more bundle keys have signed it."""

    campaign: str
    version: int
    signatures: int
    needed: int


class PublishedView(BaseModel):
    """What publishing did: the version that vehicles follow now, and the bundles that lack signatures under it."""

    version: int
    sealed_again: int
    unsigned: list[UnsignedView]


class SignRequest(Contract):
    """A person's signature over a version's unsigned bundle: the key's id in hex, the signature in base64."""

    key_id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{86}==$")]


class SignedView(BaseModel):
    """How many bundle keys that vehicles trust have signed a version, the deployment's included, and how many must."""

    campaign: str
    version: int
    signatures: int
    needed: int
