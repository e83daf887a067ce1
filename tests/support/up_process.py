"""`longtail up` as a process of its own, as people run it: on free ports, and gone at the end with all its children."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from fleet_api.deployment.deployment import READY_TIMEOUT_S
from tests.support.paths import REPOSITORY
from tests.support.processes import descendants, wait_until_gone
from tests.support.waiting import wait_for

START_S = READY_TIMEOUT_S + 120
"""Longer than `longtail up` itself waits, which then says why."""
GONE_WITHIN_S = 60.0


@contextlib.contextmanager
def longtail_up(
    data_dir: Path,
    *,
    command: Sequence[str] = (sys.executable, "-m", "fleet_api.cli"),
    cwd: Path = REPOSITORY,
) -> Iterator[subprocess.Popen[str]]:
    """A ready `longtail up` on free ports; killed at the end if it still runs."""
    log = log_of(data_dir)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LONGTAIL_")}
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [*command, "up", "--data", str(data_dir), "--port", "0"],
            cwd=cwd,
            env=environment | {"PWD": str(cwd)},
            stderr=stderr,
            text=True,
        )
    try:
        try:
            wait_for(
                lambda: process.poll() is not None or "ready;" in log.read_text(), within_s=START_S, what="its start"
            )
        except AssertionError as error:
            error.add_note(log.read_text())
            raise
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        family = descendants(process.pid) if process.poll() is None else []
        process.kill()
        process.wait()
        wait_until_gone(family, within_s=GONE_WITHIN_S)


def log_of(data_dir: Path) -> Path:
    """The file of what `longtail up` says."""
    return data_dir.parent / f"{data_dir.name}.stderr"


def api_url(data_dir: Path) -> str:
    """Where its API is."""
    return str(json.loads((data_dir / "client.json").read_text())["api_url"])
