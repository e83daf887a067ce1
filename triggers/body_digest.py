"""The digest of an HTTP body (RFC 9530, Content-Digest), so that one altered on the way is not taken for a mistake."""

from __future__ import annotations

import base64
import hashlib
import re

from triggers.errors import BadHeader

HEADER = "Content-Digest"
_SHA_256 = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]*):")


def content_digest(body: bytes) -> str:
    """The header's value for a body.

    >>> content_digest(b'{"hello": "world"}')
    'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:'
    """
    return f"sha-256=:{_encoded(body)}:"


def check_content_digest(stated: str | None, body: bytes) -> None:
    """BadHeader unless the body has the SHA-256 that the header states; other algorithms are not compared."""
    found = _SHA_256.search(stated or "")
    if found and found[1] != _encoded(body):
        raise BadHeader(
            f"the body was altered on the way: it does not have the SHA-256 that {HEADER} states",
            remedy="send it again",
        )


def _encoded(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()
