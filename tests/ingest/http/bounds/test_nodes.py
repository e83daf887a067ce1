"""The bound on a document's values: small documents of many values are refused, long texts are not."""

from __future__ import annotations

import pytest

from ingest.http.bounds.nodes import require_few_nodes
from triggers.errors import TooLarge


@pytest.mark.parametrize("document", [b"[" + b"{}," * 200 + b"{}]", b"[" * 200, b'{"a":[' + b"0," * 200 + b"1]}"])
def test_more_values_than_the_bound_are_refused(document: bytes) -> None:
    with pytest.raises(TooLarge, match="100 values"):
        require_few_nodes(document, limit=100)


@pytest.mark.parametrize("text", [b"," * 200, b'\\"[{,' * 100, b"\\\\"])
def test_a_text_is_one_value_whatever_is_in_it(text: bytes) -> None:
    require_few_nodes(b'{"a":"' + text + b'","b":[1,2]}', limit=10)


def test_a_text_that_never_ends_costs_little() -> None:
    with pytest.raises(TooLarge):
        require_few_nodes(b'"' + b"\\" * 200_001 + b"," * 1000 + b'"' + b"[" * 200, limit=100)
