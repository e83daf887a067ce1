"""A part of a process is ready when work has passed it since its last failure, and says so over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from ingest.health_app import create_app
from ingest.readiness import SILENT_S, Readiness
from tests.ingest.gateway.serving import serve
from triggers.errors import Unreachable


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def problem(readiness: Readiness) -> str:
    with pytest.raises(Unreachable) as caught:
        readiness.check()
    return caught.value.message


def test_a_part_is_not_ready_before_something_passed_through() -> None:
    readiness = Readiness()
    assert problem(readiness) == "the process is starting"
    part = readiness.part("reading")
    assert problem(readiness) == "reading: it has not begun"
    part.passed()
    readiness.check()


def test_a_part_that_failed_is_ready_again_when_work_has_passed() -> None:
    readiness = Readiness()
    part, other = readiness.part("reading"), readiness.part("writing")
    part.passed()
    other.passed()
    part.failed("the log is away")
    other.passed()
    assert problem(readiness) == "reading: the log is away"
    part.passed()
    readiness.check()


def test_a_part_that_works_only_now_and_then_is_ready_until_it_fails() -> None:
    readiness = Readiness()
    part = readiness.part("storing", silent_s=None)
    readiness.check()
    part.failed("full")
    assert problem(readiness) == "storing: full"


def test_a_probe_tells_whether_a_failed_part_works_again_although_it_has_nothing_to_do() -> None:
    readiness = Readiness()
    away = [True]

    def probe() -> None:
        if away[0]:
            raise Unreachable("still away")

    part = readiness.part("storing", silent_s=None, probe=probe)
    readiness.check()
    part.failed("away")
    assert problem(readiness) == "storing: still away"
    away[0] = False
    readiness.check()
    away[0] = True
    readiness.check()  # it has not failed since


def test_a_part_that_hangs_is_not_ready() -> None:
    clock = Clock()
    readiness = Readiness(monotonic_s=clock)
    part = readiness.part("reading")
    part.passed()
    clock.now_s = SILENT_S
    readiness.check()
    clock.now_s += 1
    assert "silent" in problem(readiness)
    part.passed()
    readiness.check()


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
def url(readiness: Readiness) -> Iterator[str]:
    with serve(create_app(readiness)) as url:
        yield url


def test_readiness_is_told_over_http_without_what_is_wrong(readiness: Readiness, url: str) -> None:
    part = readiness.part("reading")
    assert httpx.get(f"{url}/healthz", timeout=60).status_code == 200
    part.failed("postgresql://secret")
    answer = httpx.get(f"{url}/readyz", timeout=60)
    assert (answer.status_code, "secret" in answer.text) == (503, False)
    assert int(answer.headers["Retry-After"]) > 0
    part.passed()
    assert httpx.get(f"{url}/readyz", timeout=60).status_code == 200
