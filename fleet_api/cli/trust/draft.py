"""The file of a trust document that is being made: root key holders pass it on and sign it, then it is published."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from triggers.atomic_file import replace_text
from triggers.contracts.signing import TRUST, Signature, SigningKey, envelope_of, key_id, sign, verifies
from triggers.contracts.trust import Role, RoleKeys, TrustDocument, encoded_key, open_own
from triggers.errors import Conflict, InvalidInput, Misconfigured
from triggers.public_keys import checked_key
from triggers.times import DAY_NS


@dataclass(frozen=True)
class Draft:
    """The document so far, the envelope of the one before it (None: it is the first), and its signatures."""

    document: TrustDocument
    previous: bytes | None = None
    signatures: tuple[Signature, ...] = ()

    @classmethod
    def after(cls, previous: bytes, *, days: int) -> Draft:
        """The next version, with the same keys so far."""
        document = open_own(previous)
        return cls(_changed(document, version=document.version + 1, days=days), previous)

    @classmethod
    def first(cls, *, root: RoleKeys, bundles: RoleKeys, lists: RoleKeys, days: int) -> Draft:
        """Version 1 with these keys."""
        now_ns, end_ns = time.time_ns(), time.time_ns() + days * DAY_NS
        return cls(
            TrustDocument(version=1, issued_at_ns=now_ns, expires_at_ns=end_ns, root=root, bundles=bundles, lists=lists)
        )

    @classmethod
    def load(cls, path: Path) -> Draft:
        """The draft in a file. Misconfigured if it cannot be read, InvalidInput if it is not one."""
        try:
            content = json.loads(path.read_bytes())
            document = TrustDocument.from_json(json.dumps(content["document"]).encode(), what=str(path))
            signatures = tuple(
                Signature(bytes.fromhex(each["key_id"]), base64.b64decode(each["signature"], validate=True))
                for each in content["signatures"]
            )
            previous = None if content["previous"] is None else base64.b64decode(content["previous"], validate=True)
        except OSError as error:
            raise Misconfigured(f"cannot read {path}: {error.strerror or error}") from error
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise InvalidInput(
                f"{path} is not the file of a trust document ({error!r})",
                remedy="`longtail trust draft` and `longtail trust init` make one",
            ) from error
        return cls(document, previous, signatures)

    def save(self, path: Path) -> None:
        """Write the draft to a file."""
        content = {
            "document": self.document.model_dump(mode="json"),
            "previous": None if self.previous is None else base64.b64encode(self.previous).decode(),
            "signatures": [
                {"key_id": each.key_id.hex(), "signature": base64.b64encode(each.signature).decode()}
                for each in self.signatures
            ],
        }
        replace_text(path, json.dumps(content, indent=1) + "\n")

    def with_role(self, role: Role, keys: RoleKeys) -> Draft:
        """The draft with other keys for a role; its signatures are void then."""
        try:
            document = TrustDocument.model_validate(
                {**{name: getattr(self.document, name) for name in TrustDocument.model_fields}, role: keys}
            )
        except ValidationError as error:
            raise InvalidInput(f"{role}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error
        return replace(self, document=document, signatures=())

    def signed(self, key: SigningKey) -> Draft:
        """The draft with the signature of a root key of this document or of the one before. Conflict for another."""
        mine = sign(self.document.canonical_json(), purpose=TRUST, key=key)
        if not any(mine.key_id in role.trusted for role in self._roots()):
            raise Conflict(
                f"key {mine.key_id.hex()} is no root key of this document or the one before",
                remedy="sign with a root key; `longtail trust check` lists them",
            )
        others = tuple(each for each in self.signatures if each.key_id != mine.key_id)
        return replace(self, signatures=(*others, mine))

    def missing(self) -> list[str]:
        """What signatures it still needs before it can be published, in sentences."""
        names = ["this document", "the document before"]
        return [
            f"{role.threshold - count} more of the root keys of {name}"
            for name, role in zip(names, self._roots(), strict=False)
            if (count := self._count(role)) < role.threshold
        ]

    def envelope(self) -> bytes:
        """The document as it is published. Conflict while signatures are missing."""
        if missing := self.missing():
            raise Conflict(
                f"version {self.document.version} lacks signatures: {' and '.join(missing)}",
                remedy="each holder signs the file: `longtail trust sign FILE --key KEY`",
            )
        return envelope_of(self.document.canonical_json(), self.signatures)

    def signed_by(self, identity: bytes) -> bool:
        """Whether the key of this id has signed what the document says now."""
        return any(each.key_id == identity and self._is_valid(each) for each in self.signatures)

    def _roots(self) -> list[RoleKeys]:
        before = [] if self.previous is None else [open_own(self.previous).root]
        return [self.document.root, *before]

    def _count(self, role: RoleKeys) -> int:
        return sum(1 for each in self.signatures if each.key_id in role.trusted and self._is_valid(each))

    def _is_valid(self, signature: Signature) -> bool:
        keys = {identity: key for role in self._roots() for identity, key in role.trusted.items()}
        key = keys.get(signature.key_id)
        return key is not None and verifies(signature, self.document.canonical_json(), purpose=TRUST, key=key)


def read_public_key(path: Path) -> str:
    """The public key in a PEM file, as the document has it. Misconfigured if there is none.

    The file of a private key will do, too.
    """
    try:
        content = path.read_bytes()
        if b"PRIVATE KEY" in content:
            private = serialization.load_pem_private_key(content, password=None)
            public: Any = private.public_key()
        else:
            public = serialization.load_pem_public_key(content)
    except (OSError, ValueError, TypeError) as error:
        raise Misconfigured(f"cannot read the key {path}: {error}") from error
    if not isinstance(public, Ed25519PublicKey):
        raise Misconfigured(f"{path} is not an Ed25519 key", remedy="make one: longtail trust new-key FILE")
    raw = public.public_bytes_raw()
    try:
        checked_key(raw)
    except ValueError as error:
        raise Misconfigured(f"{path}: {error}", remedy="make one: longtail trust new-key FILE") from error
    return encoded_key(raw)


def shown_keys(keys: RoleKeys) -> list[tuple[str, str]]:
    """Id (hex) and public key (base64) of each key of a role."""
    return [(key_id(checked_key(raw)).hex(), encoded_key(raw)) for raw in keys.raw]


def _changed(document: TrustDocument, *, version: int, days: int) -> TrustDocument:
    now_ns = time.time_ns()
    changes = {"version": version, "issued_at_ns": now_ns, "expires_at_ns": now_ns + days * DAY_NS}
    return document.model_copy(update=changes)
