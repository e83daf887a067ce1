"""The sections of a module's bytes: reading, adding and removing custom ones (WebAssembly core 1.0, section 5.5)."""

from __future__ import annotations

from collections.abc import Iterator

from triggers.errors import InvalidInput

HEADER = b"\0asm\x01\0\0\0"
_CUSTOM = 0


def sections(module: bytes) -> Iterator[tuple[int, bytes]]:
    """The id and contents of each section. Raises InvalidInput for bytes that are not a module."""
    if module[:8] != HEADER:
        raise InvalidInput("program: not a WebAssembly module of version 1")
    at = 8
    while at < len(module):
        size, begin = _number(module, at + 1)
        if begin + size > len(module):
            raise InvalidInput("program: the module is truncated")
        yield module[at], module[begin : begin + size]
        at = begin + size


def custom_section(module: bytes, name: str) -> bytes | None:
    """The contents of the custom section with that name; None if there is none. Raises InvalidInput for several."""
    bodies = [body for section, body in map(_named, sections(module)) if section == name]
    if len(bodies) > 1:
        raise InvalidInput(f"program: has {len(bodies)} sections `{name}`")
    return bodies[0] if bodies else None


def with_custom_section(module: bytes, name: str, contents: bytes) -> bytes:
    """The module with this custom section at its end, and without any others (such as names for debugging)."""
    parts = [HEADER]
    for identity, body in sections(module):
        if identity != _CUSTOM:
            parts.append(bytes([identity]) + _encoded(len(body)) + body)
    named = _encoded(len(name.encode())) + name.encode() + contents
    parts.append(bytes([_CUSTOM]) + _encoded(len(named)) + named)
    return b"".join(parts)


def _named(section: tuple[int, bytes]) -> tuple[str | None, bytes]:
    identity, body = section
    if identity != _CUSTOM:
        return None, body
    size, begin = _number(body, 0)
    return body[begin : begin + size].decode("utf-8", "replace"), body[begin + size :]


def _number(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 number of at most 32 bits, and where it ends."""
    result = 0
    for index in range(5):
        if at + index >= len(data):
            break
        byte = data[at + index]
        result |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return result, at + index + 1
    raise InvalidInput("program: the module is truncated or has too long a number")


def _encoded(number: int) -> bytes:
    """An unsigned number as LEB128."""
    parts = bytearray()
    while True:
        byte, number = number & 0x7F, number >> 7
        parts.append(byte | (0x80 if number else 0))
        if not number:
            return bytes(parts)
