"""Problem documents: what a server raises is what its client gets, and nothing in a refusal is trusted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from triggers import errors
from triggers.contracts.problem import (
    DEFAULT_RETRY_AFTER_S,
    MAX_RETRY_AFTER_S,
    STATUSES,
    error_of,
    headers_of,
    problem_of,
    status_of,
)
from triggers.errors import LongtailError

_ARGUMENTS: dict[type[LongtailError], dict[str, Any]] = {
    errors.DiagnosticsError: {"diagnostics": [{"code": "LT101", "line": 3}]},
    errors.WrongRange: {"size_bytes": 17},
    errors.ChecksumMismatch: {"offset": 524288},
    errors.WrongOffset: {"offset": 524288},
    errors.BudgetExhausted: {"accounts": ("fleet",), "campaigns": ("cut_in",), "retry_after_s": 3600},
    errors.Overloaded: {"retry_after_s": 77},
    errors.TooMany: {"retry_after_s": 77},
}


def _every_class(base: type[LongtailError] = LongtailError) -> list[type[LongtailError]]:
    below = [kind for kind in base.__subclasses__() if kind.__module__ == errors.__name__]
    return [base, *(found for kind in below for found in _every_class(kind))]


def _received(error: LongtailError) -> LongtailError:
    body = json.dumps(problem_of(error).to_json()).encode()
    return error_of(status_of(error), headers_of(error), body, what="GET /x")


@pytest.mark.parametrize("kind", _every_class(), ids=lambda kind: kind.__name__)
def test_every_error_arrives_as_the_one_that_was_raised(kind: type[LongtailError]) -> None:
    sent = kind("what was wrong", remedy="what to do", **_ARGUMENTS.get(kind, {}))
    received = _received(sent)
    assert type(received) is kind
    assert vars(received) == vars(sent)


def test_every_error_of_the_hierarchy_has_a_status_and_a_code_of_its_own() -> None:
    kinds = _every_class()
    assert set(STATUSES) == set(kinds)
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_a_document_has_the_members_of_rfc_9457() -> None:
    document = problem_of(errors.BudgetExhausted("spent", accounts=(), campaigns=(), retry_after_s=None)).to_json()
    assert document == {
        "type": "urn:longtail:problem:budget_exhausted",
        "title": "Budget exhausted",
        "status": 403,
        "detail": "spent",
        "code": "budget_exhausted",
        "remedy": "",
        "accounts": [],
        "campaigns": [],
    }


def test_an_error_that_never_travels_alone_arrives_as_its_base() -> None:
    class Special(errors.Conflict):
        code = "special"

    assert type(_received(Special("what was wrong"))) is errors.Conflict


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.Unauthenticated),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.InvalidInput),
        (410, errors.UploadGone),
        (413, errors.InvalidInput),
        (429, errors.TooMany),
        (500, errors.Unreachable),
        (502, errors.Unreachable),
        (503, errors.Overloaded),
    ],
)
@pytest.mark.parametrize("body", [b"<html>Bad Gateway</html>", b"[1]", b"", b"{}", b"\xff" * 10_000])
def test_a_refusal_without_a_problem_is_judged_by_its_status(
    status: int, kind: type[LongtailError], body: bytes
) -> None:
    error = error_of(status, {}, body, what="GET /x")
    assert type(error) is kind
    assert f"GET /x answered {status}" in error.message
    assert len(error.message) < 300


@pytest.mark.parametrize(
    ("header", "expected_s"), [("7", 7), ("soon", DEFAULT_RETRY_AFTER_S), ("9" * 8, MAX_RETRY_AFTER_S)]
)
def test_a_busy_server_without_a_problem_is_asked_again_when_its_header_says(header: str, expected_s: int) -> None:
    error = error_of(503, {"Retry-After": header}, b"", what="GET /x")
    assert isinstance(error, errors.Overloaded)
    assert error.retry_after_s == expected_s


def test_a_wait_is_bounded() -> None:
    error = _received(errors.Overloaded("busy", retry_after_s=10**12))
    assert isinstance(error, errors.Overloaded)
    assert error.retry_after_s == MAX_RETRY_AFTER_S


@pytest.mark.parametrize(
    "document",
    [
        {"status": 409, "code": "wrong_offset", "detail": "x"},
        {"status": 416, "code": "wrong_range", "detail": "x"},
        {"status": 503, "code": "overloaded", "detail": "x", "retry_after_s": "soon"},
        {"status": 403, "code": "budget_exhausted", "detail": "x", "accounts": "all"},
        {"status": 422, "code": "diagnostics", "detail": "x", "diagnostics": [1]},
    ],
)
def test_a_problem_that_lacks_what_it_must_carry_is_still_an_error(document: dict[str, Any]) -> None:
    assert isinstance(error_of(document["status"], {}, json.dumps(document).encode(), what="GET /x"), LongtailError)
