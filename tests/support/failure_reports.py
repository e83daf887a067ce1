"""Reports of failures, for tests/conftest.py: they are made whatever threads do, and shown whatever ends the run."""

from __future__ import annotations

import ast
import gc
import sys
import threading
from functools import wraps
from typing import Any

import pytest

_ALONE = threading.RLock()


def parse_alone() -> None:
    """Let one syntax tree be parsed at a time, where Python cannot do it with two (fixed in 3.11.8 and 3.12.2).

    pytest parses to report a failure, `logging` to write a traceback, and either may happen in another thread or in a
    finaliser while the first is at it. When a server dies they do; the SystemError that comes of it ("AST constructor
    recursion depth mismatch") would end the worker, reports and all.
    """
    if (3, 11, 8) <= sys.version_info < (3, 12) or sys.version_info >= (3, 12, 2):
        return
    parse = ast.parse

    @wraps(parse)
    def parse_undisturbed(*args: Any, **kwargs: Any) -> ast.AST:
        with _ALONE:
            collects = gc.isenabled()
            gc.disable()  # a collection would call finalisers
            try:
                return parse(*args, **kwargs)
            finally:
                if collects:
                    gc.enable()

    ast.parse = parse_undisturbed  # type: ignore[assignment]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Say what failed before an error of pytest's own ended the run, which pytest leaves out then."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == pytest.ExitCode.INTERNAL_ERROR and reporter is not None:
        reporter.summary_errors()
        reporter.summary_failures()
        reporter.short_test_summary()
