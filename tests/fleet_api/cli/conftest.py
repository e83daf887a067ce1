"""Commands in this process, against the application in this process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

import pytest

from fleet_api.cli import connection
from fleet_api.cli.main import main
from tests.fleet_api.api_server import Api
from tests.support.paths import REPOSITORY


class Shown(NamedTuple):
    """What a command ended with: exit status, standard output, standard error."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


Longtail = Callable[..., Shown]


@pytest.fixture
def longtail(api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Longtail:
    """Call a command as an administrator, or as another `role`."""

    def call(*arguments: str, role: str = "admin") -> Shown:
        client = api.as_client(role)
        monkeypatch.setattr(connection, "connect", lambda *_: nullcontext(client))
        status = main(arguments)
        shown = capsys.readouterr()
        return Shown(status, shown.out, shown.err)

    return call


@pytest.fixture
def run_longtail() -> Callable[..., tuple[int, str]]:
    """Run a command in a process of its own, into a file or (None) a pipe that nobody reads; status and errors."""

    def run(*arguments: str, stdout: str | None) -> tuple[int, str]:
        if stdout is None:
            reading, writing = os.pipe()
            os.close(reading)
        else:
            writing = os.open(stdout, os.O_WRONLY)
        try:
            command = [sys.executable, "-m", "fleet_api.cli", *arguments]
            process = subprocess.run(
                command, cwd=REPOSITORY, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False
            )
        finally:
            os.close(writing)
        return process.returncode, process.stderr

    return run
