"""A bound on the values in a JSON document, counted in its bytes before any object is built from it."""

from __future__ import annotations

import re

from triggers.errors import TooLarge

MAX_NODES = 250_000
"""A value takes up to 100 bytes in memory, however short it is in the document."""
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+"|([,\[{])', re.DOTALL)
_SEPARATORS = (b",", b"[", b"{")


def require_few_nodes(document: bytes, *, limit: int = MAX_NODES) -> None:
    """TooLarge when a JSON document has more than `limit` values; members of objects count, their names do not."""
    if sum(map(document.count, _SEPARATORS)) <= limit:  # texts may have some of these, so there are fewer
        return
    nodes = sum(match.group(1) is not None for match in _TOKENS.finditer(document))
    if nodes > limit:
        raise TooLarge(f"the body has more than {limit} values", remedy="send less at once")
