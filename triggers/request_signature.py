"""Requests that a vehicle signs with its own key: a subset of HTTP Message Signatures (RFC 9421) with Ed25519.

A signed request carries `Signature-Input` and `Signature`, both with the one label `vehicle`. What is covered follows
from the method: POST covers its body by `content-digest` (RFC 9530), PATCH its place by `upload-offset` (its bytes are
held to the manifest's hashes, which a POST has covered), every other method only itself and its path.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from triggers.errors import Unauthenticated

SIGNATURE_INPUT = "Signature-Input"
SIGNATURE = "Signature"
WINDOW_S = 300
"""How far `created` may be from the server's clock, and so how long a nonce has to be remembered."""
COVERED_HEADER = {"POST": "content-digest", "PATCH": "upload-offset"}
_INPUT = re.compile(
    r'vehicle=\(((?:"[a-z@-]{1,40}"(?: (?="))?){1,8})\);created=([0-9]{1,12});nonce="([A-Za-z0-9_-]{16,64})"'
    r';keyid="([A-Za-z0-9_.:-]{1,64})";alg="ed25519"'
)
_SIGNATURE = re.compile(r"vehicle=:([A-Za-z0-9+/]{86}==):")
_SHA_256 = re.compile(r"sha-256=:[A-Za-z0-9+/]{43}=:")
_REMEDY = "sign it as docs/vehicle-wire.md says"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What the signature of a request says, before anything of it is verified."""

    vehicle_id: str
    created_s: int
    nonce: str
    signature: bytes
    base: str
    """What has been signed, with `{path}` in the place of the path."""

    def verify(self, key: Ed25519PublicKey, *, paths: tuple[str, ...]) -> None:
        """Unauthenticated unless `key` has signed the request for one of `paths`: a proxy may have shortened it."""
        for path in paths:
            try:
                key.verify(self.signature, self.base.replace("{path}", path, 1).encode())
            except InvalidSignature:
                continue
            return
        raise Unauthenticated("the request's signature is not that of the vehicle's key", remedy=_REMEDY)

    def check_time(self, now_s: float) -> None:
        """Unauthenticated when it was made longer than WINDOW_S ago, or is that far in the future."""
        if abs(now_s - self.created_s) > WINDOW_S:
            raise Unauthenticated(
                f"the request was signed {abs(now_s - self.created_s):.0f} s "
                f"{'ago' if self.created_s < now_s else 'in the future'}; at most {WINDOW_S} s are accepted",
                remedy="take the time from the header Date of this answer, and sign again",
            )


def sign(
    key: Ed25519PrivateKey,
    vehicle_id: str,
    method: str,
    path: str,
    headers: Mapping[str, str],
    *,
    created_s: int,
    nonce: str | None = None,
) -> dict[str, str]:
    """The two headers that sign a request. `path` is as it is sent; `headers` have the one that is to be covered.

    KeyError when that header is missing. Names of `headers` are in lower case.
    """
    covered = _covered(method)
    stated = " ".join(f'"{name}"' for name in covered)
    shown = nonce or secrets.token_urlsafe(16)
    parameters = f'({stated});created={created_s};nonce="{shown}";keyid="{vehicle_id}";alg="ed25519"'
    base = _base(method, headers, parameters).replace("{path}", path, 1)
    signature = base64.b64encode(key.sign(base.encode())).decode()
    return {SIGNATURE_INPUT: f"vehicle={parameters}", SIGNATURE: f"vehicle=:{signature}:"}


def parse(method: str, headers: Mapping[str, str]) -> SignedRequest:
    """The signature of a request, or Unauthenticated when its headers are not exactly as they have to be."""
    stated = _INPUT.fullmatch(headers.get("signature-input", ""))
    signature = _SIGNATURE.fullmatch(headers.get("signature", ""))
    if stated is None or signature is None:
        raise Unauthenticated(f"{SIGNATURE_INPUT} or {SIGNATURE} is malformed", remedy=_REMEDY)
    covered = _covered(method)
    if stated[1] != " ".join(f'"{name}"' for name in covered):
        raise Unauthenticated(f"the signature of a {method} must cover {', '.join(covered)}", remedy=_REMEDY)
    missing = [name for name in covered if not name.startswith("@") and name not in headers]
    if missing or (method == "POST" and not _SHA_256.fullmatch(headers["content-digest"])):
        raise Unauthenticated(f"a signed {method} needs the header {covered[-1]}, by SHA-256 where it is a digest")
    try:
        raw = base64.b64decode(signature[1], validate=True)
    except binascii.Error as error:
        raise Unauthenticated(f"{SIGNATURE} is not base64", remedy=_REMEDY) from error
    base = _base(method, headers, headers["signature-input"].removeprefix("vehicle="))
    return SignedRequest(stated[4], int(stated[2]), stated[3], raw, base)


def _covered(method: str) -> tuple[str, ...]:
    header = COVERED_HEADER.get(method)
    return ("@method", "@path", *([header] if header else []))


def _base(method: str, headers: Mapping[str, str], parameters: str) -> str:
    """The signature base (RFC 9421, 2.5), with `{path}` in the place of the path."""
    header = COVERED_HEADER.get(method)
    lines = [f'"@method": {method}', '"@path": {path}']
    if header:
        lines.append(f'"{header}": {headers[header]}')
    return "\n".join([*lines, f'"@signature-params": {parameters}'])
