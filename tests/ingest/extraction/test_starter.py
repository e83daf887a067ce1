"""Extractors of an ingest that has given up root are another user's, and end with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ingest.extraction.outputs import ExtractionRequest
from ingest.extraction.sandbox.limits import ChildLimits
from ingest.extraction.sandbox.sandbox import Sandbox
from ingest.extraction.sandbox.starter import Starter
from tests.ingest.extraction import footage
from tests.support.processes import started_with
from tests.support.readable_copy import interpreter_for_everybody, python_path_for_everybody
from tests.support.waiting import wait_for
from triggers.processes.jail.privileges import Account

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="about what root does; these tests do not run as root"),
]
EXTRACTOR = Account(61000, 61000)
LIMITS = ChildLimits(memory_bytes=2 * 1024**3, timeout_s=120)
RECORDING = footage.recording()
REQUEST = ExtractionRequest(recording=RECORDING, latitude=None, longitude=None, derived_bytes=10**7)


@pytest.fixture
def starter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Starter]:
    python = interpreter_for_everybody()
    monkeypatch.setenv("PYTHONPATH", python_path_for_everybody(python))
    monkeypatch.setattr(sys, "executable", python)
    starter = Starter(EXTRACTOR)
    yield starter
    starter.close()


def fork_server() -> psutil.Process | None:
    return next(iter(started_with("ingest.extraction.sandbox.fork_server")), None)


def test_a_clip_is_extracted_by_another_user(tmp_path: Path, starter: Starter) -> None:
    footage.write(tmp_path, RECORDING, footage.footage())
    sandbox = Sandbox(tmp_path, starter=starter)
    try:
        result = sandbox.run(tmp_path, REQUEST, LIMITS, go_on=lambda: True)
        server = fork_server()
        assert server is not None
        assert set(server.uids()) == {EXTRACTOR.uid}
        assert [output.asset for output in result.files] == ["signals", "thumbnail", "preview"]
        for output in result.files:
            written = next(path for path in tmp_path.iterdir() if path.name.startswith(output.asset))
            assert (written.stat().st_uid, written.stat().st_gid) == EXTRACTOR
            assert written.stat().st_mode & 0o077 == 0o040
    finally:
        sandbox.close()
    assert fork_server() is None


def test_a_server_ends_with_the_starter_and_the_starter_with_its_owner(tmp_path: Path, starter: Starter) -> None:
    footage.write(tmp_path, RECORDING, footage.footage())
    sandbox = Sandbox(tmp_path, starter=starter)
    sandbox.run(tmp_path, REQUEST, LIMITS, go_on=lambda: True)
    starter.close()
    sandbox.close()
    wait_for(lambda: fork_server() is None, within_s=20, what="the end of the fork server")
