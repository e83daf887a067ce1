"""Tokens of pages: where the next one begins. Opaque to clients, and checked like any other input."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from triggers.errors import InvalidInput

MAX_TOKEN_CHARACTERS = 500
_BIGINT = range(-(2**63), 2**63)


def fingerprint(filter_source: str | None, language: str, sortby: str) -> str:
    """Ties a token to its search: behind another filter or order its position means nothing."""
    searched = json.dumps([filter_source, language, sortby.lstrip("+")])
    return hashlib.sha256(searched.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def token_at(made_for: str, key: int, clip_id: str) -> str:
    """The token of the page behind a clip with this sort key and id."""
    return base64.urlsafe_b64encode(json.dumps([made_for, key, clip_id]).encode()).decode().rstrip("=")


def opened(token: str, made_for: str) -> tuple[int, str]:
    """Sort key and id behind which the page begins; InvalidInput for anything but a token of this search."""
    wrong = InvalidInput("the page token is damaged", remedy="start again without a token")
    if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
        raise wrong
    try:
        fields = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise wrong from error
    if not isinstance(fields, list) or len(fields) != 3:
        raise wrong
    named, key, clip_id = fields
    sound = type(key) is int and key in _BIGINT and isinstance(clip_id, str) and clip_id.isalnum()
    if not sound or not isinstance(named, str):
        raise wrong
    if named != made_for:
        raise InvalidInput(
            "the page token belongs to another search", remedy="send the same filter and sortby as for its first page"
        )
    return key, clip_id
