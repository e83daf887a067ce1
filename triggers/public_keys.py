"""Ed25519 public keys as Longtail accepts them: points of the curve in their only encoding, and none of small order.

A key of small order verifies signatures that nobody made: with the identity, one signature is right for every message.
RFC 8032 leaves it to the caller to refuse such keys, and the library reads any 32 bytes as a key.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY_BYTES = 32
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER = frozenset((0, 1, _P - 1, _ORDER_8, _P - _ORDER_8))
"""The y coordinates of the eight points whose order divides 8; the sign of x makes no difference."""


def checked_key(raw: bytes) -> Ed25519PublicKey:
    """The key that these 32 bytes encode (RFC 8032, 5.1.3). ValueError, with the reason, for what is not a safe key."""
    if len(raw) != KEY_BYTES:
        raise ValueError(f"a key has {len(raw)} bytes, not {KEY_BYTES}")
    y = int.from_bytes(raw, "little") & (1 << 255) - 1
    if y >= _P:
        raise ValueError("a key is not in its canonical form: make another one")
    if y in _SMALL_ORDER:
        raise ValueError("a key is a point of small order, with which anybody can sign: make another one")
    if not _is_on_curve(y):
        raise ValueError("a key is not a point of the curve Ed25519: make another one")
    return Ed25519PublicKey.from_public_bytes(raw)


def _is_on_curve(y: int) -> bool:
    """Whether x² = (y² - 1) / (d y² + 1) has a root, by Euler's criterion; a product has one exactly if a ratio has."""
    return pow((y * y - 1) * (_D * y * y + 1) % _P, (_P - 1) // 2, _P) == 1
