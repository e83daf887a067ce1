"""Envelopes: what a trusted key signed opens; everything else is refused, whichever bit differs."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from triggers.contracts.bundle import make_bundle, open_bundle, seal_bundle
from triggers.contracts.campaign import BudgetLimits, CampaignSettings
from triggers.contracts.signing import ASSIGNMENTS, BUNDLE, key_id, public_keys, seal, unseal
from triggers.errors import LongtailError, Untrusted

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUSTED = public_keys(KEY.public_key().public_bytes_raw())
SETTINGS = CampaignSettings(name="cut_in", triggers=(), budget=BudgetLimits(clips=10))
SEALED = seal_bundle(make_bundle(SETTINGS, 3, b"program bytes"), KEY)


@given(payload=st.binary(max_size=200))
def test_a_sealed_payload_opens_unchanged(payload: bytes) -> None:
    assert unseal(seal(payload, purpose=BUNDLE, key=KEY), purpose=BUNDLE, trusted=TRUSTED) == payload


def test_an_envelope_for_one_purpose_does_not_pass_for_another() -> None:
    with pytest.raises(Untrusted, match="changed after"):
        unseal(seal(b"x", purpose=ASSIGNMENTS, key=KEY), purpose=BUNDLE, trusted=TRUSTED)


def test_a_key_that_is_not_trusted_is_named() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    with pytest.raises(Untrusted, match=key_id(other.public_key()).hex()):
        unseal(seal(b"x", purpose=BUNDLE, key=other), purpose=BUNDLE, trusted=TRUSTED)


def test_a_bundle_opens_to_what_was_sealed() -> None:
    bundle = open_bundle(SEALED, TRUSTED)
    assert (bundle.settings, bundle.version, bundle.program) == (SETTINGS, 3, b"program bytes")


def test_sealing_the_same_bundle_again_gives_the_same_bytes() -> None:
    assert seal_bundle(make_bundle(SETTINGS, 3, b"program bytes"), KEY) == SEALED


@pytest.mark.parametrize("position", range(len(SEALED)))
def test_a_bundle_with_one_flipped_byte_is_refused_wherever_it_is(position: int) -> None:
    damaged = bytearray(SEALED)
    damaged[position] ^= 0x01
    with pytest.raises(Untrusted):
        open_bundle(bytes(damaged), TRUSTED)


@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_with_one_of_our_errors(data: bytes) -> None:
    with pytest.raises(LongtailError):
        open_bundle(data, TRUSTED)
