"""Lines of the log: one format, one line per event, and no control character in it."""

from __future__ import annotations

import json
import logging
import re
import sys

from fleet_api.deployment.logs import JsonFormatter, LineFormatter
from ingest.log_ids import about, ids, note


def fail() -> None:
    raise ValueError("two\nlines")


def record(message: str, *arguments: object, error: bool = False, form: type[logging.Formatter] = LineFormatter) -> str:
    trouble = None
    if error:
        try:
            fail()
        except ValueError:
            trouble = sys.exc_info()
    made = logging.LogRecord("ingest.loops", logging.WARNING, "x.py", 1, message, arguments, trouble)
    return form("ingest").format(made)  # type: ignore[arg-type]


def test_a_line_has_time_level_process_logger_and_message() -> None:
    line = record("outbox waits %d s", 2)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING ingest ingest\.loops: outbox waits 2 s", line
    ), line


def test_a_message_cannot_begin_a_line_of_its_own_or_command_a_terminal() -> None:
    line = record("bad manifest %s", "x\n2026-11-28T00:00:00.000Z INFO forged\x1b]0;PWNED\x07\x9b31m\u2028\u202e")
    assert line.isprintable()
    assert r"\n2026" in line and r"\x1b]0;PWNED\x07" in line


def test_a_traceback_follows_its_line_indented() -> None:
    first, *rest = record("it failed", error=True).splitlines()
    assert first.endswith("it failed")
    assert rest[-1].strip() == "lines" and all(line.startswith("    ") for line in rest)


def test_json_has_the_same_and_the_ids_of_what_is_at_work() -> None:
    with about(request="r-1"):
        note(vehicle="car-1")
        with about(clip="c-1"):
            line = record("bad %s", "\nforged \u202e\ud800", error=True, form=JsonFormatter)
        assert ids() == {"request": "r-1", "vehicle": "car-1"}
    assert ids() == {}
    assert line.isascii() and "\n" not in line
    found = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found.pop("time"))
    assert "ValueError: two\nlines" in found.pop("traceback")
    assert found == {
        "level": "WARNING",
        "process": "ingest",
        "logger": "ingest.loops",
        "message": "bad \nforged \u202e\ud800",
        "request": "r-1",
        "vehicle": "car-1",
        "clip": "c-1",
    }
