"""The trust document: a chain of versions, each signed by enough root keys of the one before and of itself."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from tests.support.fleet import campaign_settings
from tests.support.keys import a_document, role, sealed_document
from triggers.contracts.bundle import make_bundle, open_bundle, seal_bundle
from triggers.contracts.campaign import BudgetLimits
from triggers.contracts.signing import (
    ASSIGNMENTS,
    BUNDLE,
    TRUST,
    envelope_of,
    key_id,
    parts_of,
    public_keys,
    seal,
    sign,
    signers_of,
    unseal,
)
from triggers.contracts.trust import (
    MAX_STEPS,
    MAX_TRUST_BYTES,
    RoleKeys,
    TrustDocument,
    encoded_key,
    open_first,
    open_own,
    open_step,
    require_in_force,
    steps_and_list,
    with_steps,
)
from triggers.errors import InvalidInput, Untrusted

A, B, C, D = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(1, 5))
SETTINGS = campaign_settings("braking", BudgetLimits())


def test_a_bundle_is_run_once_enough_keys_have_signed_exactly_it() -> None:
    payload = make_bundle(SETTINGS, 3, b"program").canonical_json()
    mine, yours, strange = (sign(payload, purpose=BUNDLE, key=key) for key in (A, B, C))
    trusted = public_keys(*role(A, B).raw)
    both = envelope_of(payload, [mine, yours, strange])
    assert open_bundle(both, trusted, threshold=2).version == 3
    assert set(signers_of(both)) == {key_id(key.public_key()) for key in (A, B, C)}
    for signatures in ([mine], [mine, strange], [mine, mine]):
        with pytest.raises(Untrusted, match="signed by 1 of the 2"):
            open_bundle(envelope_of(payload, signatures), trusted, threshold=2)
    with pytest.raises(Untrusted, match="was changed"):
        open_bundle(both.replace(b'"version":3', b'"version":4'), trusted, threshold=2)
    assert envelope_of(payload, [mine]) == seal_bundle(make_bundle(SETTINGS, 3, b"program"), A)


@pytest.mark.parametrize("weak", [1, 0, 2**255 - 20, 2**255 - 19 + 3, 2], ids=["1", "0", "-1", "3 again", "off"])
def test_a_document_with_a_key_that_is_not_safe_is_none(weak: int) -> None:
    """Keys of small order, written in another form, or that are no points: one of them would count as a signature."""
    key = encoded_key(weak.to_bytes(32, "little"))
    with pytest.raises(ValidationError, match="make another one"):
        RoleKeys(keys=(*role(A).keys, key), threshold=2)
    with pytest.raises(ValueError, match="make another one"):
        public_keys(weak.to_bytes(32, "little"))


def test_a_key_that_is_named_twice_does_not_count_twice() -> None:
    single = seal(b"payload", purpose=TRUST, key=A)
    entry = single[4:76]
    twice = b"LTS2\x02" + entry + entry + b"payload"
    with pytest.raises(Untrusted, match="signed it twice"):
        unseal(twice, purpose=TRUST, trusted=public_keys(*role(A).raw), threshold=2)


@pytest.mark.parametrize("cut", [0, 3, 4, 5, 60, 148])
def test_a_cut_envelope_of_several_signatures_is_refused(cut: int) -> None:
    both = envelope_of(b"", [sign(b"", purpose=TRUST, key=key) for key in (A, B)])
    with pytest.raises(Untrusted, match="header is damaged"):
        parts_of(both[:cut], TRUST)
    for count in (0, 17, 255):
        with pytest.raises(Untrusted, match="header is damaged"):
            parts_of(b"LTS2" + bytes([count]) + bytes(72 * 255), TRUST)


def test_root_keys_are_replaced_in_a_chain_that_old_and_new_keys_sign() -> None:
    first = sealed_document(a_document(1, root=role(A)), A)
    document = open_first(first, role(A))
    second = a_document(2, root=role(B, C, threshold=2))
    assert open_step(sealed_document(second, A, B, C), document) == second
    for signers in ([A], [A, B], [B, C], [A, B, D]):
        with pytest.raises(Untrusted):
            open_step(sealed_document(second, *signers), document)
    third = a_document(3, root=role(D))
    assert open_step(sealed_document(third, B, C, D), second) == third
    with pytest.raises(Untrusted):
        open_step(sealed_document(third, A, B, D), second)


@pytest.mark.parametrize("version", [1, 2, 4])
def test_a_chain_neither_goes_back_nor_leaves_out_a_step(version: int) -> None:
    with pytest.raises(Untrusted, match="a step is missing"):
        open_step(sealed_document(a_document(version, root=role(A)), A), a_document(2, root=role(A)))


def test_the_first_document_is_signed_by_the_keys_that_were_given_and_not_older_than_known() -> None:
    third = sealed_document(a_document(3, root=role(A, B)), A, B)
    assert open_first(third, role(A, B, threshold=2), lowest=3).version == 3
    with pytest.raises(Untrusted, match="older than 4"):
        open_first(third, role(A), lowest=4)
    with pytest.raises(Untrusted):
        open_first(third, role(C))


def test_a_signature_for_one_purpose_is_none_for_another() -> None:
    document = a_document(1, root=role(A), bundles=role(A), lists=role(A))
    payload = document.canonical_json()
    for purpose in (BUNDLE, ASSIGNMENTS):
        with pytest.raises(Untrusted):
            open_first(seal(payload, purpose=purpose, key=A), role(A))
    with pytest.raises(Untrusted):
        unseal(sealed_document(document, A), purpose=ASSIGNMENTS, trusted=role(A).trusted)


def test_an_expired_document_says_what_to_do() -> None:
    document = a_document(1, root=role(A), expires_at_ns=2_000)
    require_in_force(document, 1_999)
    with pytest.raises(Untrusted, match="root keys must publish a newer one"):
        require_in_force(document, 2_000)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"threshold": 3}, "3 signatures are asked for"),
        ({"keys": ("AAAA",)}, "3 bytes"),
        ({"keys": ("!",)}, "not base64"),
        ({"keys": ()}, "at least 1"),
        ({"keys": role(A).keys * 2}, "named twice"),
        ({"threshold": 0}, "greater than or equal to 1"),
    ],
)
def test_a_role_that_nobody_could_sign_for_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        RoleKeys.model_validate({"keys": role(A, B).keys, "threshold": 1, **changes})


def test_lists_need_one_signature_and_documents_a_life() -> None:
    with pytest.raises(ValidationError, match="threshold of `lists` is 1"):
        a_document(1, root=role(A), lists=role(A, B, threshold=2))
    with pytest.raises(ValidationError, match="expires before"):
        a_document(1, root=role(A), issued_at_ns=5, expires_at_ns=5)


def test_a_document_is_limited_in_size() -> None:
    padded = seal(b" " * MAX_TRUST_BYTES + a_document(1, root=role(A)).canonical_json(), purpose=TRUST, key=A)
    with pytest.raises(Untrusted, match="more than 16384"):
        open_own(padded)
    most = [Ed25519PrivateKey.from_private_bytes(bytes([number, 9]) * 16) for number in range(16)]
    keys = role(*most, threshold=16)
    full = a_document(1, root=keys, bundles=keys, lists=role(*most))
    assert isinstance(open_own(sealed_document(full, *most)), TrustDocument)


def test_steps_and_list_of_an_answer_are_told_apart() -> None:
    sealed = seal(b"list", purpose=ASSIGNMENTS, key=A)
    steps = [sealed_document(a_document(number, root=role(A)), A) for number in (1, 2)]
    assert steps_and_list(with_steps(steps, sealed)) == (steps, sealed)
    assert steps_and_list(with_steps([], sealed)) == ([], sealed)
    assert len(steps_and_list(with_steps(steps[:1] * MAX_STEPS, sealed))[0]) == MAX_STEPS


@pytest.mark.parametrize(
    "answer",
    [
        b"LTC1",
        b"LTC1\x01",
        b"LTC1\x01\x00\x00",
        b"LTC1\x01\x00\x00\x00\x05abcd",
        b"LTC1\x01\xff\xff\xff\xff" + bytes(99),
        b"LTC1\xff" + b"\x00\x00\x00\x01a" * 255,
    ],
)
def test_a_cut_or_endless_answer_is_refused(answer: bytes) -> None:
    with pytest.raises(InvalidInput, match="cut or too long"):
        steps_and_list(answer)


def test_what_is_not_a_document_is_refused() -> None:
    for payload in (b"{}", b"[]", b"\xff", b'{"format":2}'):
        with pytest.raises(InvalidInput, match="the trust document"):
            open_own(seal(payload, purpose=TRUST, key=A))
