"""The trust document: which keys sign what, and how many of them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field, model_validator

from triggers.contracts import signing
from triggers.contracts.base import Contract
from triggers.contracts.fire import TimeNs
from triggers.contracts.limits import MAX_TRUST_VERSION
from triggers.public_keys import checked_key

Role = Literal["root", "bundles", "lists"]


class RoleKeys(Contract):
    """The keys of a role (raw Ed25519 public keys in base64), and how many of them must sign."""

    keys: Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(min_length=1, max_length=16)]
    threshold: Annotated[int, Field(ge=1, le=signing.MAX_SIGNATURES)] = 1

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if len(set(self.raw)) < len(self.keys):
            raise ValueError("a key is named twice")
        if self.threshold > len(self.keys):
            raise ValueError(f"{self.threshold} signatures are asked for, but there are {len(self.keys)} keys")
        return self

    @property
    def raw(self) -> tuple[bytes, ...]:
        """The keys as 32 bytes each."""
        return tuple(decoded_key(key) for key in self.keys)

    @cached_property
    def trusted(self) -> Mapping[bytes, Ed25519PublicKey]:
        """The keys by their ids."""
        return signing.public_keys(*self.raw)


class TrustDocument(Contract):
    """One version of the document. `lists` needs one signature only, since lists are made for each check-in."""

    format: Annotated[int, Field(ge=1, le=1)] = 1
    version: Annotated[int, Field(ge=1, le=MAX_TRUST_VERSION)]
    issued_at_ns: TimeNs
    expires_at_ns: TimeNs
    root: RoleKeys
    bundles: RoleKeys
    lists: RoleKeys

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.lists.threshold != 1:
            raise ValueError("a list has one signature: the threshold of `lists` is 1")
        if self.expires_at_ns <= self.issued_at_ns:
            raise ValueError("it expires before it is issued")
        return self

    def role(self, name: Role) -> RoleKeys:
        """The keys of a role by its name."""
        keys: RoleKeys = getattr(self, name)
        return keys

    def takes_away_list_key(self, later: TrustDocument) -> bool:
        """Whether a later version takes a list key out, after which no count that it may have raised is believed."""
        return bool(set(self.lists.raw) - set(later.lists.raw))


def encoded_key(raw: bytes) -> str:
    """A raw public key as the document has it."""
    return base64.b64encode(raw).decode()


def decoded_key(key: str) -> bytes:
    """The raw public key of its text; ValueError, with the reason, for what is none or not a safe one."""
    try:
        raw = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("a key is not base64") from error
    checked_key(raw)
    return raw
