"""The header Upload-Checksum (tus, extension "checksum"): the hash that the bytes of one request must have."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers

from triggers.errors import BadHeader, ChecksumMismatch

HEADER = "Upload-Checksum"
ALGORITHMS: dict[str, Callable[[], Any]] = {
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}
"""Against accidents on the way. What a clip holds is proven by its manifest's SHA-256 alone."""


class BodyChecksum:
    """The hash of a body that is still arriving, and the value that it must have at the end."""

    def __init__(self, algorithm: str, expected: bytes) -> None:
        self._algorithm = algorithm
        self._expected = expected
        self._hash = ALGORITHMS[algorithm]()

    @classmethod
    def announced(cls, headers: Headers) -> BodyChecksum | None:
        """What the header asks for, None without it; BadHeader for an unknown algorithm or a value that is not one."""
        value = headers.get(HEADER.lower())
        if value is None:
            return None
        algorithm, _, text = value.strip().partition(" ")
        if algorithm not in ALGORITHMS:
            raise BadHeader(
                f"{HEADER} names the algorithm {algorithm[:20]!r}", remedy=f"use one of {', '.join(ALGORITHMS)}"
            )
        try:
            expected = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            expected = b""
        size = ALGORITHMS[algorithm]().digest_size
        if len(expected) != size:
            raise BadHeader(
                f"{HEADER} has {text[:60]!r} as its {algorithm}", remedy=f"send the {size} bytes of the hash in base64"
            )
        return cls(algorithm, expected)

    def update(self, data: memoryview) -> None:
        """Take in the next bytes of the body."""
        self._hash.update(data)

    def check(self, offset: int) -> None:
        """ChecksumMismatch, to be sent again from `offset`, unless the whole body has the announced hash."""
        if not hmac.compare_digest(self._hash.digest(), self._expected):
            raise ChecksumMismatch(
                f"the bytes from offset {offset} have another {self._algorithm} than {HEADER} says", offset=offset
            )
