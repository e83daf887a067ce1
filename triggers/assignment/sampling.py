"""Sampling of fires and admission of vehicles, by a uniform number that is hashed from their identity.

The number is the big-endian BLAKE2b-64 hash of the UTF-8 fields, joined by U+001F, divided by 2^64
(docs/vehicle-integration.md, Sampling and rollout). The same fields give the same answer everywhere, and a vehicle that
is admitted at 1 % stays admitted at 10 %.
"""

from __future__ import annotations

import hashlib
from fractions import Fraction

_SEPARATOR = "\x1f"


def uniform(*fields: str) -> Fraction:
    """The exact number in [0, 1) that belongs to these fields."""
    return Fraction(_hash(*fields), 1 << 64)


def _hash(*fields: str) -> int:
    digest = hashlib.blake2b(_SEPARATOR.join(fields).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def keep_fire(  # noqa: PLR0917 - the fields of the hash, in their order
    vehicle_id: str, campaign: str, version: int, trigger: str, fire_time_ns: int, one_in: int
) -> bool:
    """Whether `sample 1 in one_in` keeps this fire; its inclusion probability is 1 / one_in."""
    fields = (vehicle_id, campaign, str(version), trigger, str(fire_time_ns))
    return uniform(*fields) * one_in < 1


def admitted(vehicle_id: str, campaign: str, share: float) -> bool:
    """Whether a rollout stage with this share of the fleet (0 to 1) admits the vehicle."""
    if share >= 1:
        return True  # the number is below 1
    part, whole = share.as_integer_ratio()
    return _hash(vehicle_id, campaign) * whole < part << 64
