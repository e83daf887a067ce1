"""docs/stac.md: its commands and its program run against an API, and its names and limits are those of the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fleet_api.stac import names, usecases
from fleet_api.stac.collections import EXTENTS_TIMEOUT_S
from tests.fleet_api.conftest import settings
from tests.fleet_api.stac.conftest import Catalog, Stac, catalog, stac
from tests.support.paths import REPOSITORY

__all__ = ["catalog", "settings", "stac"]
PAGE = (REPOSITORY / "docs" / "stac.md").read_text("utf-8")
COMMANDS = re.findall(r"^\$ (stac-client .*)$", PAGE, re.MULTILINE)


@pytest.fixture
def environment(stac: Stac) -> dict[str, str]:
    """What the page sets, and the programs of this environment."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    access = {"LONGTAIL_API_URL": stac.url.removesuffix("/stac"), "LONGTAIL_TOKEN": stac.token}
    return {**os.environ, **access, "PATH": programs}


def test_the_page_has_commands() -> None:
    assert len(COMMANDS) > 2


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_runs(
    environment: dict[str, str], catalog: Catalog, tmp_path: Path, command: str
) -> None:
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=environment, text=True, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    shown = done.stdout or (tmp_path / "clips.json").read_text("utf-8")
    assert catalog.braking[0] in shown or '"braking"' in shown


def test_the_program_of_the_page_finds_clips(environment: dict[str, str], catalog: Catalog) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, text=True, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found = [line.split()[0] for line in done.stdout.splitlines()]
    assert found == catalog.braking[1:10:2]  # at night, and faster than 80 km/h


def test_the_table_of_names_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| (`.*?) \| `(\w+)` \|", PAGE, re.MULTILINE)
    assert {name: own for cell, own in rows for name in re.findall("`([^`]+)`", cell)} == dict(names.STANDARD)


def test_the_limits_of_the_page_are_those_of_the_code() -> None:
    assert f"up to {usecases.MAX_ITEMS} items" in PAGE
    assert f"{usecases.DEFAULT_ITEMS} by default" in PAGE
    assert f"more than {EXTENTS_TIMEOUT_S:g} s" in PAGE
