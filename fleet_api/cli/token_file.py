"""Files that hold one token, readable only by their owner: no token has to stand on a command line."""

from __future__ import annotations

import os
from pathlib import Path

from triggers.errors import Misconfigured
from triggers.private_files import read_private

VARIABLE = "LONGTAIL_TOKEN_FILE"
_MAX_BYTES = 4096


def read_token_file(path: Path) -> str:
    """The token in a file; Misconfigured when it cannot be read, or others than its owner can read it."""
    try:
        token = read_private(path, what="the token", limit_bytes=_MAX_BYTES).decode("ascii").strip()
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"cannot read a token from {path}: {error}", remedy=f"name a file with one token (--token-file, {VARIABLE})"
        ) from error
    if not token or len(token.split()) != 1:
        raise Misconfigured(f"{path} does not hold one token", remedy="write it with `longtail token issue --out`")
    return token


def write_token_file(path: Path, token: str) -> None:
    """Write a token to a new file that only its owner can read; Misconfigured when it exists or cannot be written."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(token + "\n")
    except OSError as error:
        raise Misconfigured(
            f"cannot write the token to {path}: {error.strerror}", remedy="name a file that does not exist yet"
        ) from error
