"""Signed requests: one vector byte for byte, and everything that a signature covers or that could be left out."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.paths import REPOSITORY
from triggers.body_digest import content_digest
from triggers.errors import Unauthenticated
from triggers.request_signature import WINDOW_S, parse, sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PATH = "/v1/vehicles/car-7/check-in"
BODY = b'{"vehicle_time_ns":1790000000000000000}'
NOW_S = 1_790_000_000
NONCE = "AAECAwQFBgcICQoLDA0ODw"


def signed(method: str = "POST", path: str = PATH, **headers: str) -> dict[str, str]:
    """The headers of a signed request, in lower case."""
    stated = headers or {"content-digest": content_digest(BODY)}
    made = sign(KEY, "car-7", method, path, stated, created_s=NOW_S, nonce=NONCE)
    return {**stated, **{name.lower(): value for name, value in made.items()}}


def test_the_vector_of_the_document() -> None:
    headers = signed()
    assert headers["signature-input"] == (
        'vehicle=("@method" "@path" "content-digest");created=1790000000;nonce="AAECAwQFBgcICQoLDA0ODw"'
        ';keyid="car-7";alg="ed25519"'
    )
    base = (
        '"@method": POST\n"@path": /v1/vehicles/car-7/check-in\n'
        f'"content-digest": {content_digest(BODY)}\n"@signature-params": '
        + headers["signature-input"].removeprefix("vehicle=")
    )
    document = (REPOSITORY / "docs/vehicle-wire.md").read_text()
    assert base in document
    for name in ("Content-Digest", "Signature-Input", "Signature"):
        assert f"{name}: {headers[name.lower()]}\n" in document
    request = parse("POST", headers)
    assert KEY.sign(base.encode()) == request.signature, "as RFC 9421 makes the base"
    request.verify(KEY.public_key(), paths=(PATH,))
    request.verify(KEY.public_key(), paths=("/elsewhere", PATH))
    assert (request.vehicle_id, request.created_s, request.nonce) == ("car-7", NOW_S, NONCE)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("DELETE", PATH, {}),
        ("POST", PATH + "x", {}),
        ("POST", PATH, {"content-digest": content_digest(b"{}")}),
        ("POST", PATH, {"content-digest": "sha-512=:AAAA:"}),
        ("POST", PATH, {"signature": "vehicle=:" + "A" * 86 + "==:"}),
        ("POST", PATH, {"signature": "vehicle=::"}),
        ("POST", PATH, {"signature-input": ""}),
    ],
)
def test_what_is_covered_cannot_be_changed(method: str, path: str, headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        parse(method, {**signed(), **headers}).verify(KEY.public_key(), paths=(path,))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (' "content-digest"', ""),
        ('"@method" ', ""),
        ("created=1790000000", "created=1790000001"),
        ("created=1790000000;", ""),
        ('keyid="car-7"', 'keyid="car-8"'),
        ('"ed25519"', '"hmac-sha256"'),
        (NONCE, NONCE[::-1]),
        ("vehicle=", "sig1="),
        (';alg="ed25519"', ';alg="ed25519";expires=1'),
    ],
)
def test_no_parameter_of_a_signature_can_be_changed_or_left_out(old: str, new: str) -> None:
    headers = signed()
    changed = headers["signature-input"].replace(old, new)
    assert changed != headers["signature-input"]
    with pytest.raises(Unauthenticated):
        parse("POST", {**headers, "signature-input": changed}).verify(KEY.public_key(), paths=(PATH,))


def test_a_patch_covers_its_offset_and_what_has_no_body_only_its_place() -> None:
    patch = signed("PATCH", "/v1/uploads/a", **{"upload-offset": "0"})
    parse("PATCH", patch).verify(KEY.public_key(), paths=("/v1/uploads/a",))
    with pytest.raises(Unauthenticated):
        parse("PATCH", {**patch, "upload-offset": "524288"}).verify(KEY.public_key(), paths=("/v1/uploads/a",))
    del patch["upload-offset"]
    with pytest.raises(Unauthenticated, match="upload-offset"):
        parse("PATCH", patch)
    parse("HEAD", signed("HEAD", "/v1/uploads/a")).verify(KEY.public_key(), paths=("/v1/uploads/a",))


def test_a_request_is_accepted_around_its_time_only() -> None:
    request = parse("POST", signed())
    for fitting in (-WINDOW_S, 0, WINDOW_S):
        request.check_time(NOW_S + fitting)
    for off, said in ((-WINDOW_S - 1, "in the future"), (WINDOW_S + 1, "ago")):
        with pytest.raises(Unauthenticated, match=said):
            request.check_time(NOW_S + off)
