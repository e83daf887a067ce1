"""Nonces: each once for as long as its request would be accepted, and a bounded number of them."""

from __future__ import annotations

import pytest

from ingest.nonces import Nonces
from triggers.errors import Overloaded, TooMany, Unauthenticated
from triggers.request_signature import WINDOW_S


def test_a_nonce_is_accepted_once_per_vehicle_until_its_request_would_be_too_old() -> None:
    now = [0.0]
    nonces = Nonces(clock=lambda: now[0])
    for start in (0.0, 2 * WINDOW_S - 1.0):
        now[0] = start
        nonces.use("car-1", f"n{start}")
        nonces.use("car-2", f"n{start}")
        for later in (0, WINDOW_S, 2 * WINDOW_S):
            now[0] = start + later
            if start + later < 4 * WINDOW_S - 1:
                with pytest.raises(Unauthenticated, match="before"):
                    nonces.use("car-1", f"n{start}")


def test_too_many_nonces_are_refused_and_none_is_forgotten_early() -> None:
    now = [0.0]
    nonces = Nonces(limit=3, clock=lambda: now[0])
    for number in range(3):
        nonces.use(f"car-{number}", "n")
    with pytest.raises(Overloaded, match="3 signed requests are accepted"):
        nonces.use("car-3", "n")
    with pytest.raises(Unauthenticated):
        nonces.use("car-0", "n")
    now[0] = 2.0 * WINDOW_S
    nonces.use("car-3", "n")


def test_one_vehicle_uses_up_its_own_share_and_is_told_when_it_may_go_on() -> None:
    now = [100.0]
    nonces = Nonces(limit=80, clock=lambda: now[0])
    for number in range(10):
        nonces.use("car-1", str(number))
    now[0] += 50
    with pytest.raises(TooMany, match="one vehicle may sign 10 requests in 600 s") as refused:
        nonces.use("car-1", "one more")
    assert refused.value.retry_after_s == 550
    nonces.use("car-2", "0")
    now[0] += 550
    nonces.use("car-1", "one more")
