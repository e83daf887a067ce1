"""Sources of metrics are read side by side: one that hangs or fails costs its own metrics, and no others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from ingest.metrics import names, reading
from ingest.metrics.names import Family
from ingest.metrics.reading import Readers
from tests.support.waiting import wait_for
from triggers.errors import Unreachable

LONG_S = 60.0


@dataclass
class Works:
    """A source that is always there."""

    name: str = "works"

    def families(self) -> Iterator[Family]:
        yield names.UNSENT_EVENTS.family([((), 7)])


@dataclass
class Hangs:
    """A source that answers when it may; before that it gives up after a minute, so that a test cannot hang."""

    name: str = "hangs"
    may: threading.Event = field(default_factory=threading.Event)
    began: int = 0

    def families(self) -> Iterator[Family]:
        self.began += 1
        assert self.may.wait(LONG_S)
        yield names.EXTRACTIONS.family([((), 1)])


@dataclass
class Fails:
    """A source that fails so, in the middle of it."""

    error: Exception
    name: str = "fails"

    def families(self) -> Iterator[Family]:
        yield names.EXTRACTIONS.family([((), 1)])
        raise self.error


def shown(found: list[Family]) -> dict[str, dict[tuple[str, ...], float]]:
    """The values by metric and labels."""
    return {family.metric.name: dict(family.samples) for family in found}


def test_a_source_that_hangs_is_left_out_after_its_bound_and_the_others_are_served() -> None:
    hangs = Hangs()
    # Both begin, the first is asked when its time is over, and the second has all of its time on a busy machine, too.
    moments = iter([0.0, 0.0, LONG_S])
    readers = Readers([hangs, Works()], within_s=LONG_S, monotonic_s=lambda: next(moments, 0.0))
    found = shown(readers.families())
    assert found["longtail_metrics_collected"] == {("hangs",): 0, ("works",): 1}
    assert found["longtail_unsent_events"] == {(): 7} and "longtail_waiting_extractions" not in found
    hangs.may.set()
    readers.close()


@dataclass
class Counts:
    """A source that tells how often it was read."""

    name: str = "counts"
    reads: int = 0

    def families(self) -> Iterator[Family]:
        self.reads += 1
        yield names.UNSENT_EVENTS.family([((), self.reads)])


def test_who_asks_after_an_answer_gets_a_newer_one_while_the_thread_of_the_last_is_still_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_end = threading.Event()

    class EndsLate(threading.Thread):
        def run(self) -> None:
            super().run()
            assert may_end.wait(LONG_S)

    monkeypatch.setattr(threading, "Thread", EndsLate)
    readers = Readers([Counts()])
    found = [shown(readers.families())["longtail_unsent_events"][()] for _ in range(3)]
    may_end.set()
    readers.close()
    assert found == [1, 2, 3]


class Clock:
    """A monotonic clock that a test moves, and that says how often it was read."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.reads = 0

    def __call__(self) -> float:
        now_s = self.now_s
        self.reads += 1
        return now_s


def test_nobody_waits_again_for_a_source_that_is_beyond_its_bound_and_no_second_thread_begins() -> None:
    hangs, clock = Hangs(), Clock()
    readers = Readers([hangs], within_s=10 * LONG_S, monotonic_s=clock)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(readers.families)
        # One read when the reading began, one when its first reader computed how long it may wait.
        wait_for(lambda: hangs.began and clock.reads == 2, within_s=10, what="the reading and its first reader")
        clock.now_s += 10 * LONG_S
        for _ in range(3):
            found = threads.submit(readers.families).result(LONG_S / 2)
            assert shown(found)["longtail_metrics_collected"] == {("hangs",): 0}
        assert hangs.began == 1
        hangs.may.set()
        assert shown(first.result(LONG_S))["longtail_metrics_collected"] == {("hangs",): 1}

    def is_read_again() -> bool:
        found = shown(readers.families())["longtail_metrics_collected"]
        return found == {("hangs",): 1} and hangs.began == 2

    wait_for(is_read_again, within_s=10, what="the next reading")
    readers.close()


@pytest.mark.parametrize(
    ("error", "said"),
    [(Unreachable("the log is not open yet"), "the log is not open yet"), (KeyError("x"), "KeyError")],
)
def test_a_source_that_fails_is_left_out_whole_and_the_log_says_why(
    error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    readers = Readers([Fails(error), Works()])
    with caplog.at_level(logging.WARNING, reading.__name__):
        found = shown(readers.families())
    assert found["longtail_metrics_collected"] == {("fails",): 0, ("works",): 1}
    assert "longtail_waiting_extractions" not in found, "half of a source would be wrong numbers"
    assert f"metrics of fails are missing: {said}" in caplog.text
    readers.close()


def test_those_who_ask_at_once_share_one_reading() -> None:
    hangs = Hangs()
    readers = Readers([hangs], within_s=LONG_S)
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(readers.families) for _ in range(4)]
        wait_for(lambda: hangs.began, within_s=10, what="the reading")
        hangs.may.set()
        for each in asked:
            assert shown(each.result(LONG_S))["longtail_metrics_collected"] == {("hangs",): 1}
    readers.close()


def test_the_end_of_the_process_releases_who_waits_and_waits_no_longer_than_its_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "CLOSE_S", 0.2)
    hangs = Hangs()
    readers = Readers([hangs], within_s=LONG_S)
    with ThreadPoolExecutor(2) as threads:
        asked = threads.submit(readers.families)
        wait_for(lambda: hangs.began, within_s=10, what="the reading")
        closing = threads.submit(readers.close)
        closing.result(LONG_S / 2)
        assert shown(asked.result(LONG_S / 2))["longtail_metrics_collected"] == {("hangs",): 0}
    assert shown(readers.families())["longtail_metrics_collected"] == {("hangs",): 0}
    assert hangs.began == 1, "nothing is read any more"
    hangs.may.set()
