"""The demonstration as a process of its own, as people run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.paths import REPOSITORY


@dataclass(frozen=True)
class Run:
    """A run that has ended: what it printed, its summary, and the folders of its results and its data."""

    process: subprocess.CompletedProcess[str]
    summary: dict[str, Any]
    out: Path
    data: Path


def run_demo(out: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LONGTAIL_")}
    process = subprocess.run(
        [sys.executable, "-m", "fleet_api.cli", "demo", "--json", "--out", str(out), *arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert process.stdout, process.stderr
    return process, json.loads(process.stdout)
