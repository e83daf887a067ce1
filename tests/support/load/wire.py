"""HTTP/1.1 as it goes over the wire, for clients that must cost next to nothing beside the server that they measure."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_RETRY_AFTER = re.compile(rb"\r\nretry-after:[ \t]*([^\r\n]*)", re.IGNORECASE)
_LOCATION = re.compile(rb"\r\nlocation:[ \t]*([^\r\n]*)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"
_WITHOUT_BODY = (204, 304)


@dataclass(frozen=True)
class Answer:
    """An answer as it came; `retry_after` and `location` are empty without such a header."""

    status: int
    body: bytes = b""
    retry_after: str = ""
    location: str = ""


def request_of(method: str, url: str, *, token: str = "", body: bytes | None = None, **headers: str) -> bytes:
    """A request for an absolute address; underscores in names of headers stand for hyphens."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target or '/'} HTTP/1.1", f"Host: {parts.netloc}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + _HEAD_END + (body or b"")


async def read_answer(reader: asyncio.StreamReader, *, to_head: bool = False) -> Answer:
    """The next answer; an asyncio.IncompleteReadError or OSError when the connection ends instead.

    `to_head`: the request was a HEAD, and its answer has no body.
    """
    head = await reader.readuntil(_HEAD_END)
    status = int(head[9:12])
    length = _LENGTH.search(head)
    bodiless = to_head or status in _WITHOUT_BODY or length is None
    body = b"" if bodiless or length is None else await reader.readexactly(int(length[1]))
    retry_after, location = _RETRY_AFTER.search(head), _LOCATION.search(head)
    return Answer(
        status, body, retry_after[1].decode() if retry_after else "", location[1].decode() if location else ""
    )


async def connect(url: str, source: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to an address; from the address `source` of this machine, if one is given."""
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port, local_addr=(source, 0) if source else None)
