"""Public keys: every one that a private key has is accepted; those with which anybody could sign are refused."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from triggers.public_keys import checked_key

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ORDER = 2**252 + 27742317777372353535851937790883648493
Point = tuple[int, int]


@given(st.binary(min_size=32, max_size=32))
def test_the_key_of_every_private_key_is_accepted(secret: bytes) -> None:
    raw = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    assert checked_key(raw).public_bytes_raw() == raw


def test_every_point_of_small_order_is_refused_in_every_encoding() -> None:
    """The points are computed here, from the curve itself."""
    small = small_order_points()
    assert len(small) == 8
    for x, y in small:
        for written in (y, y + P):
            for sign in (x & 1, 1 - (x & 1)):
                if written < 2**255:
                    raw = (written | sign << 255).to_bytes(32, "little")
                    with pytest.raises(ValueError, match=r"small order|canonical"):
                        checked_key(raw)


def test_what_is_refused_is_what_the_library_lets_anybody_sign_with() -> None:
    """The reason for all this: with the identity as the key, one signature fits every message."""
    identity = (1).to_bytes(32, "little")
    forged = identity + bytes(32)
    Ed25519PublicKey.from_public_bytes(identity).verify(forged, b"stop")
    Ed25519PublicKey.from_public_bytes(identity).verify(forged, b"go")
    with pytest.raises(ValueError, match="small order"):
        checked_key(identity)


def test_what_is_not_a_point_of_the_curve_is_refused() -> None:
    off = next(y for y in range(2, 100) if root(y) is None)
    with pytest.raises(ValueError, match="not a point"):
        checked_key(off.to_bytes(32, "little"))
    with pytest.raises(InvalidSignature):  # the library notices only when something is verified
        Ed25519PublicKey.from_public_bytes(off.to_bytes(32, "little")).verify(bytes(64), b"")
    with pytest.raises(ValueError, match="31 bytes"):
        checked_key(bytes(31))


def small_order_points() -> set[Point]:
    found: set[Point] = set()
    for y in range(2, 400):
        x = root(y)
        if x is not None:
            torsion = times(ORDER, (x, y))
            found |= {times(k, torsion) for k in range(8)}
    return found


def root(y: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    for x in (pow(square, (P + 3) // 8, P), pow(square, (P + 3) // 8, P) * pow(2, (P - 1) // 4, P) % P):
        if x * x % P == square:
            return x
    return None


def times(k: int, point: Point) -> Point:
    total = (0, 1)
    while k:
        total = added(total, point) if k & 1 else total
        point, k = added(point, point), k >> 1
    return total


def added(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    k = D * x1 * x2 * y1 * y2
    return (
        (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P,
    )
