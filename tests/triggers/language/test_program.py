"""The program's bytes: a round trip without loss, and a decoder that takes nothing from outside on trust."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triggers.language.support import program
from triggers.errors import InvalidInput
from triggers.language.program import MAX_PROGRAM_BYTES, decode, digest, encode

CONDITION = (
    "rate(x over 1 s) < -2 1/s for 500 ms tolerating 1 s and ((p then q within 5 s) or count(p over 2 s) > 3) "
    'and mode == "high" and not flag and wrap(angle) > 5 deg and disagree(kind) and past(x, 1 s) > -0.0'
)
DOCUMENT: dict[str, Any] = json.loads(encode(program(CONDITION)))


def test_encoding_what_was_decoded_gives_the_same_bytes() -> None:
    data = encode(program(CONDITION, cooldown="5 s"))
    assert encode(decode(data)) == data
    assert digest(encode(decode(data))) == digest(data)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in children for place in _places(child, (*path, key)))]


def _replaced(path: tuple[Any, ...], value: Any) -> bytes:
    document = copy.deepcopy(DOCUMENT)
    if not path:
        return json.dumps(value).encode()
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return json.dumps(document).encode()


_JUNK = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([]), st.just({}))


@given(st.sampled_from(_places(DOCUMENT)), _JUNK)
def test_a_changed_document_is_refused_or_a_program(path: tuple[Any, ...], value: Any) -> None:
    try:
        decoded = decode(_replaced(path, value))
    except InvalidInput:
        return
    encode(decoded)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_program_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode(data)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("nodes", 1, "op"), "exec", r"nodes\[1\]"),
        (("nodes", 0, "input"), 99, r"nodes\[0\].input"),
        (("nodes", 1, "args"), [1], r"nodes\[1\].args"),
        (("triggers", 0, "root"), 0, r"triggers\[0\].root"),
        (("triggers", 0, "cooldown_ns"), -1, "cooldown_ns"),
        (("max_gap_ns",), 0, "max_gap_ns"),
        (("format",), "longtail-program/2", "format"),
        (("inputs", 0, "name"), "no name", r"inputs\[0\].name"),
        (("inputs", 0, "max_age_ns"), None, "on_change"),
    ],
)
def test_a_refusal_names_its_place(path: tuple[Any, ...], value: Any, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        decode(_replaced(path, value))


def test_a_ring_too_large_for_a_vehicle_is_refused() -> None:
    place = next(i for i, node in enumerate(DOCUMENT["nodes"]) if node["op"] == "rate")
    with pytest.raises(InvalidInput, match="capacity"):
        decode(_replaced(("nodes", place, "capacity"), 10**9))


def test_oversized_and_deeply_nested_documents_are_refused() -> None:
    for data in (b" " * (MAX_PROGRAM_BYTES + 1), b"[" * 1_000_000, b'{"max_gap_ns":' + b"9" * 5000 + b"}"):
        with pytest.raises(InvalidInput):
            decode(data)
