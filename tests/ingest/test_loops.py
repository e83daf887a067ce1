"""Loops are kept running, and end together."""

from __future__ import annotations

import threading

import pytest

from ingest.loops import keep_running
from ingest.readiness import Readiness
from triggers.errors import Misconfigured


def test_a_loop_that_fails_is_logged_and_started_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stop = threading.Event()
    lives: list[int] = []

    def fails_twice(ended: threading.Event) -> None:
        lives.append(len(lives))
        if len(lives) < 3:
            raise RuntimeError("a mistake")
        stop.set()
        ended.wait()

    keep_running({"shaky": fails_twice}, stop, first_restart_pause_s=0.01)
    assert lives == [0, 1, 2]
    assert caplog.text.count("RuntimeError: a mistake") == 2


def test_a_setting_that_cannot_work_ends_all_loops() -> None:
    ended = []

    def steady(stop: threading.Event) -> None:
        stop.wait()
        ended.append("steady")

    def misconfigured(_stop: threading.Event) -> None:
        raise Misconfigured("LONGTAIL_X")

    with pytest.raises(Misconfigured, match="LONGTAIL_X"):
        keep_running({"steady": steady, "misconfigured": misconfigured}, threading.Event())
    assert ended == ["steady"]


def test_a_loop_that_has_worked_goes_on_once_its_setting_works_again(caplog: pytest.LogCaptureFixture) -> None:
    stop, readiness = threading.Event(), Readiness()
    part = readiness.part("storing")
    problems: list[str | None] = []

    def refused_twice(ended: threading.Event) -> None:
        if 0 < len(problems) < 3:
            problems.append(part.problem())
            raise Misconfigured("the key was rotated")
        part.passed()
        problems.append(part.problem())
        if len(problems) > 3:
            stop.set()
            ended.wait()
        raise Misconfigured("the key was rotated")

    keep_running({"storing": refused_twice}, stop, readiness=readiness, first_restart_pause_s=0.01)
    assert problems == [None, "the key was rotated", "the key was rotated", None]
    assert "storing cannot go on and is restarted" in caplog.text
