"""The header Upload-Metadata (tus, extension "creation"): pairs of a key and a value in base64, read strictly."""

from __future__ import annotations

import base64
import binascii
import re

from starlette.datastructures import Headers

from triggers.errors import BadHeader, TooLarge

HEADER = "Upload-Metadata"
MANIFEST = "manifest"
"""The key of the manifest's JSON."""
NETWORK = "network"
"""The key of the class of the network."""
MAX_METADATA_BYTES = 12 * 1024
"""The header is sent back with every HEAD, and common clients read no more than 16 KiB of headers (Node.js)."""
MAX_SHOWN = 60
_KEY = re.compile(r"[!-+\--~]+")  # printable ASCII without space and comma


def upload_metadata(headers: Headers) -> tuple[str | None, dict[str, bytes]]:
    """The header as it was sent (None without it), and its values by key.

    BadHeader for one that breaks the grammar, TooLarge beyond MAX_METADATA_BYTES.
    """
    sent = headers.get(HEADER.lower(), "").strip()
    if not sent:
        return None, {}
    if len(sent) > MAX_METADATA_BYTES:
        raise TooLarge(
            f"{HEADER} has {len(sent)} bytes, more than {MAX_METADATA_BYTES}",
            remedy="send the manifest as the JSON body of the creation request, then upload to its Location",
        )
    values: dict[str, bytes] = {}
    for pair in sent.split(","):
        key, value = _pair(pair.strip())
        if key in values:
            raise BadHeader(f"{HEADER} has the key {key[:MAX_SHOWN]!r} twice", remedy="send each key once")
        values[key] = value
    return sent, values


def _pair(pair: str) -> tuple[str, bytes]:
    key, _, text = pair.partition(" ")
    if not _KEY.fullmatch(key):
        raise BadHeader(
            f"{HEADER} has the key {key[:MAX_SHOWN]!r}", remedy="send `key base64`, and commas between such pairs"
        )
    try:
        return key, base64.b64decode(text.strip().encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadHeader(
            f"the value of {key[:MAX_SHOWN]!r} in {HEADER} is not base64", remedy="send `key base64`"
        ) from error
