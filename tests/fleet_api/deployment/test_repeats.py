"""An outage does not fill the log: of each kind of warning a few are written, and the rest are counted."""

from __future__ import annotations

import logging

from fleet_api.deployment.repeats import KINDS, WINDOW_S, WRITTEN, FewRepeats


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def record(
    message: str, *values: object, level: int = logging.WARNING, name: str = "ingest.loops"
) -> logging.LogRecord:
    return logging.LogRecord(name, level, __file__, 1, message, values, None)


def written(few: FewRepeats, *records: logging.LogRecord) -> list[str]:
    return [each.getMessage() for each in records if few.filter(each)]


def test_the_first_of_a_kind_are_written_and_the_next_window_says_how_many_were_not() -> None:
    clock = Clock()
    few = FewRepeats(monotonic_s=clock)
    lines = written(few, *(record("the log is away for %d s", number) for number in range(WRITTEN + 7)))
    assert lines == [f"the log is away for {number} s" for number in range(WRITTEN)]
    clock.now_s = WINDOW_S
    assert written(few, record("the log is away for %d s", 99)) == [
        "the log is away for 99 s (and 7 more like the earlier ones, left out)"
    ]
    clock.now_s = 2 * WINDOW_S
    assert written(few, record("the log is away for %d s", 100)) == ["the log is away for 100 s"]


def test_other_kinds_and_lower_levels_are_not_affected() -> None:
    few = FewRepeats(monotonic_s=Clock())
    written(few, *(record("away") for _ in range(WRITTEN)))
    assert written(few, record("away")) == []
    assert written(few, record("full"), record("away", level=logging.ERROR), record("away", name="storage")) == [
        "full",
        "away",
        "away",
    ]
    infos = [record("upload created", level=logging.INFO) for _ in range(3 * WRITTEN)]
    assert len(written(few, *infos)) == 3 * WRITTEN


def test_a_message_that_is_only_a_value_counts_as_that_value_whatever_its_numbers() -> None:
    few = FewRepeats(monotonic_s=Clock())
    errors = [record("%s", f"the log at port 9092 has not answered for {number} s") for number in range(2 * WRITTEN)]
    assert len(written(few, *errors)) == WRITTEN
    assert written(few, record("%s", "the database is full")) == ["the database is full"]


def test_memory_is_bounded_whatever_the_messages_are() -> None:
    few = FewRepeats(monotonic_s=Clock())
    assert all(few.filter(record(f"message {number}")) for number in range(3 * KINDS))
    assert few.kinds <= KINDS
