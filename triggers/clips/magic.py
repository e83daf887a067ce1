"""The magic bytes with which an MCAP file begins and ends: what has others is refused before it is parsed."""

from __future__ import annotations

from typing import BinaryIO

from triggers.clips.damage import Damaged

MAGIC = b"\x89MCAP0\r\n"


def require_magic(file: BinaryIO) -> None:
    """Read the first bytes of a file; Damaged if they are not those of MCAP."""
    if file.read(len(MAGIC)) != MAGIC:
        raise Damaged("mcap_unreadable", "the file does not begin with the magic bytes of MCAP")
