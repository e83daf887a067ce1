"""Class paths of the real servers, and what a test run says when it has to leave them out."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from tests.support.chromium import ChromiumMissing
from tests.support.servers.java_server import JavaMissing
from tools.fetch_jars import JarsMissing

SERVERS_MISSING = (JavaMissing, JarsMissing, ChromiumMissing)
"""Why a real server or browser cannot be started here, though nothing is wrong with it."""
_LEFT_OUT = "left out, no real server or browser: "


def leave_out(why: Exception) -> NoReturn:
    """Skip the test that is running, to be named at the end of the run; under CI=true it fails."""
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(f"{why} (under CI=true no test may be left out)", pytrace=False)
    pytest.skip(_LEFT_OUT + str(why))


def report_left_out(terminal: pytest.TerminalReporter) -> None:
    """At the end of a run: which tests were left out for want of a server, why, and how to get them."""
    left_out: dict[str, list[str]] = {}
    for report in terminal.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _, marked, why = reason.partition(_LEFT_OUT)
        if marked:
            left_out.setdefault(why, []).append(report.nodeid)
    for why, tests in left_out.items():
        terminal.section("TESTS LEFT OUT", sep="!", red=True, bold=True)
        terminal.line(f"{len(tests)} tests need a real server or browser: {why}")
        for test in tests:
            terminal.line(f"    {test}")
