"""A body that is not what its Content-Digest says is refused; anything that cannot be compared passes."""

from __future__ import annotations

import pytest

from triggers.body_digest import check_content_digest, content_digest
from triggers.errors import BadHeader

BODY = b'{"hello": "world"}'


def test_the_example_of_rfc_9530_has_its_digest() -> None:
    assert content_digest(BODY) == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"


@pytest.mark.parametrize(
    "stated", [content_digest(BODY), f"sha-512=:AA==:, {content_digest(BODY)}", None, "", "md5=:AA==:"]
)
def test_what_has_its_digest_or_states_none_passes(stated: str | None) -> None:
    check_content_digest(stated, BODY)


@pytest.mark.parametrize("stated", [content_digest(BODY + b" "), "sha-256=::", f"md5=:AA==:,{content_digest(b'')}"])
def test_another_digest_is_refused(stated: str) -> None:
    with pytest.raises(BadHeader, match="altered on the way"):
        check_content_digest(stated, BODY)


def test_every_bit_counts() -> None:
    for bit in range(len(BODY) * 8):
        altered = bytearray(BODY)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadHeader):
            check_content_digest(content_digest(BODY), bytes(altered))
