"""Sampling and rollout: exact, repeatable, and as the documentation says."""

from __future__ import annotations

import hashlib
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from triggers.assignment.sampling import admitted, keep_fire, uniform


def test_u_is_the_big_endian_blake2b_number_of_the_joined_fields() -> None:
    digest = hashlib.blake2b(b"car-1\x1fcampaign", digest_size=8).digest()
    assert uniform("car-1", "campaign") == Fraction(int.from_bytes(digest, "big"), 2**64)


def test_one_in_one_keeps_everything_and_one_in_n_about_every_nth() -> None:
    def kept(n: int) -> int:
        return sum(keep_fire("car-1", "c", 1, "t", t_ns, n) for t_ns in range(4000))

    assert kept(1) == 4000
    assert 900 < kept(4) < 1100


def test_each_field_matters() -> None:
    base = ("car-1", "c", 1, "t", 5, 2)
    others = [("car-2", "c", 1, "t", 5, 2), ("car-1", "d", 1, "t", 5, 2), ("car-1", "c", 2, "t", 5, 2)]
    draws = {uniform(*(str(field) for field in fields[:5])) for fields in (base, *others)}
    assert len(draws) == 4


def test_a_vehicle_admitted_at_a_share_stays_admitted_at_a_larger_one() -> None:
    shares = (0.0, 0.01, 0.1, 0.5, 1.0)
    for vehicle in (f"car-{n}" for n in range(300)):
        states = [admitted(vehicle, "c", share) for share in shares]
        assert states == sorted(states)
    assert not admitted("car-1", "c", 0.0)
    assert admitted("car-1", "c", 1.0)


@given(st.text(max_size=5), st.floats(0, 1))
def test_admission_is_exact_at_every_share(vehicle_id: str, share: float) -> None:
    assert admitted(vehicle_id, "c", share) == (uniform(vehicle_id, "c") < Fraction(share))
