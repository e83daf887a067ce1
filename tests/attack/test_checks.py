"""The rules of the attack suite can fail: each finds the mistake that it is for, and nothing in what is right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.attack import checks
from tests.attack.checks import Books, Sizes
from tests.support.load.wire import Answer
from tests.support.load.witness import GATEWAY, PERSON, VEHICLE, Seen, percentile
from triggers.contracts.problem import Problem

MIB = 1024**2
BOOKS = Books({"ours": "active"}, fired=5, catalogued=4, unaccounted=0)


def refusal(
    status: int = 429,
    detail: str = "a token may send 5 requests per second; yours sent more",
    remedy: str = "send fewer",
    retry_after: str = "1",
) -> Answer:
    problem = Problem(status=status, detail=detail, code="x", remedy=remedy)
    return Answer(status, problem.model_dump_json().encode(), retry_after)


def seen(stream: str, *times_s: float) -> list[Seen]:
    return [Seen(stream, float(number), took_s) for number, took_s in enumerate(times_s)]


def test_a_percentile_is_of_the_slowest_share() -> None:
    hundred = seen(PERSON, *(number / 100 for number in range(1, 101)))
    assert percentile(hundred) == 0.99
    assert percentile(hundred[:1]) == 0.01
    assert percentile([]) == 0.0


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        (
            checks.kept_out([Seen(PERSON, 1.0, 0.1, "429 instead of 200"), *seen(VEHICLE, 0.1)]),
            "1 requests of the witness at 'person' failed, such as by 429 instead of 200",
        ),
        (
            checks.slower(seen(VEHICLE, 0.1), seen(VEHICLE, 0.31)),
            "the witness at 'vehicle' waited 310 ms (p99), 3.1 times the 100 ms of a quiet time",
        ),
        (checks.unhelpful([Answer(404, b"nothing")]), "the 404 is not a problem document: b'nothing'"),
        (
            checks.unhelpful([refusal(retry_after="")]),
            "the 429 ('a token may send 5 requests per second; yours sent more') does not say when to try again",
        ),
        (
            checks.unhelpful([refusal(detail="too many")]),
            "the 429 ('too many') does not say the limit nor what of it is the caller's",
        ),
        (
            checks.unhelpful([refusal(503, detail="all 5 places of one address are taken", remedy="")]),
            "the 503 ('all 5 places of one address are taken') does not say what to do",
        ),
        (checks.unhelpful([refusal(413, detail="too large")]), "the 413 ('too large') does not say the limit"),
        (
            checks.unhelpful([refusal(500, detail="oh")]),
            "the 500 ('oh') does not say what the caller did wrong: it is an error of the server",
        ),
        (
            checks.telling([refusal(detail="car-9 has it")], ["car-9"]),
            f"a 429 names 'car-9': {refusal(detail='car-9 has it').body[:200]!r}",
        ),
        (
            checks.uncharged_growth(Sizes({"logs": MIB, "spool": MIB}, 0), Sizes({"logs": 31 * MIB, "spool": 0}, MIB)),
            "the disks grew by 29.0 MiB, and 1.0 MiB were charged (logs 30.0 MiB)",
        ),
        (
            checks.wrong_books(replace(BOOKS, states={"ours": "completed"}), acknowledged=4),
            "the campaign ours is completed",
        ),
        (
            checks.wrong_books(BOOKS, acknowledged=3),
            "5 fires count, of which the witness had 4 at most",
        ),
        (
            checks.wrong_books(replace(BOOKS, fired=4), acknowledged=3),
            "4 fires count as catalogued, but the witness uploaded 3 clips",
        ),
        (
            checks.wrong_books(replace(BOOKS, unaccounted=2), acknowledged=4),
            "2 fires of the witness's campaign are unaccounted for",
        ),
        (
            checks.not_settled(BOOKS, acknowledged=5),
            "5 clips of the witness were acknowledged, and 4 are catalogued",
        ),
    ],
)
def test_a_mistake_is_found(found: Iterable[str], wrong: str) -> None:
    assert next(iter(found)) == wrong


def test_what_is_right_is_not_reported() -> None:
    quiet = [*seen(PERSON, 0.1), *seen(VEHICLE, 0.001), *seen(GATEWAY, 0.1)]
    during = [*seen(PERSON, 0.29), *seen(VEHICLE, 0.049), *seen(GATEWAY, 0.1)]
    assert list(checks.kept_out(during)) == []
    assert list(checks.slower(quiet, during)) == []
    assert list(checks.unhelpful([refusal(), Answer(429), Answer(200, b"no document"), refusal(401, "no token")])) == []
    assert list(checks.telling([refusal(), Answer(200, b"car-9")], ["car-9"])) == []
    assert list(checks.uncharged_growth(Sizes({"logs": 0}, 0), Sizes({"logs": 40 * MIB}, 8 * MIB))) == []
    assert list(checks.wrong_books(BOOKS, acknowledged=4)) == []
    assert list(checks.not_settled(BOOKS, acknowledged=4)) == []
