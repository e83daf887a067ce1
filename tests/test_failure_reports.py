"""Failures are reported whatever happens around them."""

from __future__ import annotations

import ast
import gc
import subprocess
import sys
from pathlib import Path

from tests.support.paths import REPOSITORY

CONFTEST = """
import pytest
from tests.support.failure_reports import pytest_sessionfinish

def pytest_runtest_setup(item):
    assert item.name != "test_later"  # an error of the test

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart(nodeid):
    if nodeid.endswith("last"):
        raise ZeroDivisionError  # an error of pytest
"""
TESTS = """
def test_first(): assert 1 == 2
def test_later(): ...
def test_last(): ...
"""


class Parses:
    """Parses when it is collected, as a finaliser does that logs a traceback."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        ast.parse("1 + 1")


def test_a_syntax_tree_is_parsed_while_finalisers_parse() -> None:
    thresholds = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    try:
        for _ in range(50):
            Parses()
            assert ast.parse("x = (1 + 2, [3, {4: f(5)}])\n" * 50).body
    finally:
        gc.set_threshold(*thresholds)


def test_what_failed_before_an_error_of_pytest_is_told_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_some.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False, timeout=120)
    assert ran.returncode == 3, ran.stdout
    end = ran.stdout.partition("short test summary info")[2]
    assert "FAILED" in end
    assert "test_first" in end
    assert "ERROR" in end
    assert "test_later" in end
