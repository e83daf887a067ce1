"""What is wrong with a value is said in Longtail's own words, for every kind of mistake that the library knows."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic_core.core_schema import ErrorType

from tests.support.foreign_words import FOREIGN_WORDS
from triggers.contracts.api.labels import ClaimRequest
from triggers.errors import InvalidInput
from triggers.remedies import mistake_of

CONTEXT = {
    "error": "expected value at line 1",
    "expected": "'a' or 'b'",
    "pattern": "^[a-z]+$",
    **dict.fromkeys(("min_length", "max_length", "gt", "ge", "lt", "le", "multiple_of"), 3),
}


@pytest.mark.parametrize("kind", get_args(ErrorType))
def test_every_kind_of_mistake_has_words_and_a_remedy(kind: str) -> None:
    found = {"type": kind, "loc": ("jobs", 0), "msg": "Value error, our own words", "ctx": CONTEXT}
    mistake = mistake_of(found)
    assert mistake.place == "jobs.0" and mistake.remedy
    assert not FOREIGN_WORDS.search(mistake.what) and "{" not in mistake.what
    assert (mistake.what == "our own words") is (kind in ("value_error", "assertion_error"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"task": "", "labeler": "x"}', "task: the text does not have the form"),
        (b'{"task": "a"}', "labeler: it is missing; add it"),
        (b'{"task": "a", "labeler": "x", "count": 0}', "count: it must be at least 1"),
        (b'{"task": "a", "labeler": "x", "count": "1"}', "count: it must be a whole number"),
        (b'{"task": "a", "labeler": "x", "y": 1}', "y: there is no such field; remove it"),
        (b"{", "the whole document: not JSON: EOF while parsing"),
    ],
)
def test_a_message_names_the_place_the_rule_and_what_to_do(body: bytes, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ClaimRequest.from_json(body, what="the body")
    assert words in str(refused.value)
