"""Ed25519 keys in hardware by PKCS #11: a signature is made where the key is, and checked before it is used.

The library of the token's maker is loaded into this process, so its path is trusted like a program's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fleet_api.cli.trust.pkcs11_uri import Pkcs11Uri
from triggers.errors import Conflict, Misconfigured, NotFound
from triggers.private_files import read_private

RAW_BYTES = 32
MAX_PIN_BYTES = 256
_OCTET_STRING = b"\x04\x20"
"""DER around the 32 bytes of a public key, as PKCS #11 has CKA_EC_POINT."""
_EDWARDS25519 = bytes.fromhex("06032b6570")
"""The object identifier of Ed25519 (RFC 8410), as CKA_EC_PARAMS has it."""


class HardwareKey:
    """The key that a URI names. `ask` asks for the PIN of a token, which is not kept."""

    def __init__(self, uri: Pkcs11Uri, *, ask: Callable[[str], str]) -> None:
        self._uri = uri
        self._ask = ask

    def public_key(self) -> Ed25519PublicKey:
        """The public half, which the token shows without a PIN."""
        with self._session() as session:
            return self._public(session)

    def sign(self, data: bytes, /) -> bytes:
        """The signature of the token, verified. Misconfigured if the token makes a wrong one."""
        pkcs11 = _library()
        with self._session(pin=self._pin()) as session:
            public, private = self._public(session), self._one(session, pkcs11.ObjectClass.PRIVATE_KEY)
            signature = bytes(private.sign(data, mechanism=pkcs11.Mechanism.EDDSA))
        try:
            public.verify(signature, data)
        except InvalidSignature as error:
            raise Misconfigured(
                f"{self._uri} made a signature that its public key does not verify",
                remedy="see that the private and the public key of this name belong together",
            ) from error
        return signature

    def generate(self) -> Ed25519PublicKey:
        """Make the key on the token, from which it cannot be read. Conflict if there is one of this name."""
        pkcs11 = _library()
        with self._session(pin=self._pin(), writable=True) as session:
            if next(iter(session.get_objects(self._template(pkcs11.ObjectClass.PRIVATE_KEY))), None) is not None:
                raise Conflict(f"there is a key {self._uri} already", remedy="choose another object or id")
            kind, curve = pkcs11.KeyType.EC_EDWARDS, {pkcs11.Attribute.EC_PARAMS: _EDWARDS25519}
            parameters = session.create_domain_parameters(kind, curve, local=True)
            public, _ = parameters.generate_keypair(
                mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
                store=True,
                label=self._uri.label,
                id=self._uri.id,
                private_template={pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False},
            )
            return self._decoded(bytes(public[pkcs11.Attribute.EC_POINT]))

    @contextmanager
    def _session(self, *, pin: str | None = None, writable: bool = False) -> Iterator[Any]:
        """A session on the one token that fits; errors of the library become Misconfigured."""
        pkcs11 = _library()
        try:
            tokens = [token for token in pkcs11.lib(str(self._uri.module_path)).get_tokens() if self._fits(token)]
            if len(tokens) != 1:
                raise NotFound(
                    f"{len(tokens)} tokens fit {self._uri}", remedy="plug it in; else name token, serial or model"
                )
            with tokens[0].open(rw=writable, user_pin=pin) as session:
                yield session
        except pkcs11.PKCS11Error as error:
            reason = str(error) or type(error).__name__
            raise Misconfigured(
                f"{self._uri} cannot be used: {reason}", remedy="check the PIN, the token, and module-path"
            ) from error

    def _fits(self, token: Any) -> bool:
        known = {
            "token": token.label,
            "serial": token.serial.decode("utf-8", "replace").strip(),
            "manufacturer": token.manufacturer_id,
            "model": token.model,
        }
        return all(known[name] == wanted for name, wanted in self._uri.token.items())

    def _public(self, session: Any) -> Ed25519PublicKey:
        pkcs11 = _library()
        found = self._one(session, pkcs11.ObjectClass.PUBLIC_KEY)
        return self._decoded(bytes(found[pkcs11.Attribute.EC_POINT]))

    def _one(self, session: Any, kind: Any) -> Any:
        """The one object that fits."""
        found = list(session.get_objects(self._template(kind)))
        if len(found) != 1:
            half = "private" if kind == _library().ObjectClass.PRIVATE_KEY else "public"
            raise NotFound(
                f"{len(found)} {half} Ed25519 keys fit {self._uri}",
                remedy=f"make one: longtail trust new-key {str(self._uri)!r}; where there are several, add the id",
            )
        return found[0]

    def _template(self, kind: Any) -> dict[Any, Any]:
        pkcs11 = _library()
        template = {pkcs11.Attribute.CLASS: kind, pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.EC_EDWARDS}
        if self._uri.label is not None:
            template[pkcs11.Attribute.LABEL] = self._uri.label
        if self._uri.id is not None:
            template[pkcs11.Attribute.ID] = self._uri.id
        return template

    def _decoded(self, point: bytes) -> Ed25519PublicKey:
        """A public key from CKA_EC_POINT: the bytes in DER, or, from older libraries, the bytes alone."""
        raw = point.removeprefix(_OCTET_STRING) if len(point) > RAW_BYTES else point
        if len(raw) != RAW_BYTES:
            raise Misconfigured(f"{self._uri} is not an Ed25519 key", remedy="make one: longtail trust new-key URI")
        return Ed25519PublicKey.from_public_bytes(raw)

    def _pin(self) -> str:
        source: Path | None = self._uri.pin_source
        return self._ask(str(self._uri)) if source is None else _read_pin(source)


def _read_pin(file: Path) -> str:
    """The PIN in a file that only its owner can read; Misconfigured for any other."""
    try:
        pin = read_private(file, what="the PIN", limit_bytes=MAX_PIN_BYTES).decode("utf-8").strip()
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"cannot read a PIN from {file}: {error}",
            remedy="correct pin-source, or leave it out and type the PIN",
        ) from error
    return pin


def _library() -> Any:
    try:
        import pkcs11
    except ImportError as error:
        raise Misconfigured(
            "keys in hardware need the package python-pkcs11", remedy="pip install 'longtail[pkcs11]'"
        ) from error
    return pkcs11
