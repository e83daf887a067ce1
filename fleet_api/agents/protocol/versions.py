"""Versions of the Model Context Protocol, and how results differ by them (https://modelcontextprotocol.io/specification).

Up to 2025-11-25 a session begins with `initialize`, which agrees on a version. Since 2026-07-28 each request says its
version itself, and results say of what type they are and how long they may be kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet_api.agents.protocol.messages import UNSUPPORTED_VERSION, ProtocolError, Request

WITH_HANDSHAKE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
WITHOUT_HANDSHAKE = ("2026-07-28",)
WITH_BATCHES = "2025-03-26"
"""The only one in which several messages may come in one array."""
FIRST_WITH_STRUCTURE = "2025-06-18"
"""The first one whose results of tools have structured content."""
_SAID_IN = "io.modelcontextprotocol/protocolVersion"
_SERVER_SAID_IN = "io.modelcontextprotocol/serverInfo"
_KEPT_BY_CLIENTS = ("tools/list", "resources/list", "resources/templates/list", "resources/read", "prompts/list")
DISCOVER = "server/discover"


def agreed(wanted: str) -> str:
    """The version of a session whose client wants this one: the same, or else the newest."""
    return wanted if wanted in WITH_HANDSHAKE else WITH_HANDSHAKE[-1]


def said_in(request: Request) -> str | None:
    """The version that a request says itself; None if it says none. ProtocolError for one that is not spoken here."""
    version = request.meta.get(_SAID_IN)
    if version is None:
        return None
    if version not in WITHOUT_HANDSHAKE:
        supported = [*WITHOUT_HANDSHAKE, *WITH_HANDSHAKE]
        data = {"supported": supported, "requested": version if isinstance(version, str) else ""}
        raise ProtocolError(UNSUPPORTED_VERSION, "this version of the protocol is not spoken here", data)
    return str(version)


def dressed(result: dict[str, Any], method: str, version: str, server: Mapping[str, str]) -> dict[str, Any]:
    """A result as a version of the protocol has it."""
    if version in WITH_HANDSHAKE:
        return result
    kept = {"ttlMs": 0, "cacheScope": "private"} if method in (*_KEPT_BY_CLIENTS, DISCOVER) else {}
    return {"resultType": "complete", **result, **kept, "_meta": {_SERVER_SAID_IN: dict(server)}}
