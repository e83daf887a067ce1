"""Signed links of the directory store: a link lets its holder read one object until it expires, and nothing else.

The signature is HMAC-SHA256 over expiry and key, with a secret that lies in the store's directory, so that every
process of the deployment signs and verifies alike.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from urllib.parse import quote

from storage.objects.contract import check_link_life, checked_key
from triggers.errors import Untrusted

SECRET_BYTES = 32
_CONTEXT = b"longtail object link v1"


def signature(secret: bytes, key: str, expires_unix_s: int) -> str:
    """The signature (hex) of a link to `key` that is valid until `expires_unix_s`."""
    message = b"\0".join((_CONTEXT, str(expires_unix_s).encode(), key.encode()))
    return hmac.new(secret, message, hashlib.sha256).hexdigest()


def signed_link(secret: bytes, base_url: str, key: str, expires_s: int) -> str:
    """The URL `{base_url}/objects/{key}?expires=...&signature=...`, valid for `expires_s` seconds from now."""
    check_link_life(expires_s)
    expires_unix_s = int(time.time()) + expires_s
    signed = signature(secret, checked_key(key), expires_unix_s)
    return f"{base_url.rstrip('/')}/objects/{quote(key, safe='/=')}?expires={expires_unix_s}&signature={signed}"


def verify(secret: bytes, key: str, expires_unix_s: int, given: str) -> None:
    """Raises Untrusted unless `given` is the signature of this key and expiry, and the link has not expired."""
    expected = signature(secret, key, expires_unix_s)
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise Untrusted("the link's signature does not match", remedy="ask for a new link")
    if time.time() >= expires_unix_s:
        raise Untrusted("the link has expired", remedy="ask for a new link")
