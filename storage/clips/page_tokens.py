"""Page tokens: where the next page begins. They are opaque to clients, and checked like any other input."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from storage.clips.order import Order, PagePosition
from storage.jsonb import storable
from triggers.errors import InvalidInput

MAX_TOKEN_CHARACTERS = 4000
"""Room for a text as the sort key (`order.MAX_KEY_CHARACTERS`), if JSON writes twelve for each of its characters."""


def fingerprint(filter_source: str | None, language: str, order: Order) -> str:
    """Ties a token to its query: with another filter or order its position means nothing."""
    query = json.dumps([filter_source, language, str(order)])
    return hashlib.sha256(query.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def write_token(query: str, position: PagePosition) -> str:
    """The token of the page that begins at a position; `query` is the fingerprint."""
    fields = json.dumps([query, position.key, position.clip_id])
    return base64.urlsafe_b64encode(fields.encode()).decode().rstrip("=")


def read_token(token: str, query: str, order: Order) -> PagePosition:
    """The position at which the page begins; InvalidInput for anything but a token of this query."""
    damaged = InvalidInput("the page token is damaged", remedy="start again without a token")
    if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
        raise damaged
    try:
        fields = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
        written_for, key, clip_id = storable(fields, what="the page token")
    except (binascii.Error, ValueError, TypeError, RecursionError, InvalidInput) as error:
        raise damaged from error
    if not isinstance(written_for, str) or not isinstance(clip_id, str) or not clip_id.isalnum():
        raise damaged
    if written_for != query:
        raise InvalidInput(
            "the page token belongs to another search", remedy="send the same filter and sortby as for its first page"
        )
    if not order.takes(key):
        raise damaged
    return PagePosition(key, clip_id)
