"""A folder with trigger files, a signal catalog and drives, and the server of tools over it: in process, or as one."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn

import anyio
import pytest
from mcp import Client, StdioServerParameters

from fleet_api.agents.workspace import Workspace
from tests.fleet_api.backtests.recorded import CATALOG, SOURCE, add_drives
from tests.support.paths import REPOSITORY
from triggers.errors import Misconfigured

TIMEOUT_S = 120.0
Talk = Callable[[Client], Awaitable[Any]]


def no_deployment() -> NoReturn:
    raise Misconfigured("no deployment found: there is no /secret/client.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`work` with a catalog and a trigger file, and `drives` with two drives."""
    (tmp_path / "work" / "more").mkdir(parents=True)
    (tmp_path / "work" / "signals.yaml").write_text(CATALOG)
    (tmp_path / "work" / "more" / "file.trigger").write_text(SOURCE)
    add_drives(tmp_path, "a", "b")
    return tmp_path.resolve()


@pytest.fixture
def workspace(folder: Path) -> Workspace:
    return Workspace(
        roots=(folder / "work",),
        drives=(folder / "drives",),
        signals=folder / "work" / "signals.yaml",
        open_api=no_deployment,
        may_apply=False,
        backtest_cpu_s=60,
    )


@pytest.fixture
def command(folder: Path) -> list[str]:
    """The command line of the server over the folder."""
    words = [sys.executable, "-m", "fleet_api.cli", "mcp", "--root", f"{folder}/work"]
    return [*words, "--signals", f"{folder}/work/signals.yaml", "--drives", f"{folder}/drives"]


@pytest.fixture
def talk(command: list[str]) -> Callable[..., Any]:
    """Let a client of the official SDK talk with a server process: `talk(what, mode, more words of the command)`."""

    def talked(what: Talk, mode: str = "auto", *words: str) -> Any:
        parameters = StdioServerParameters(command=command[0], args=[*command[1:], *words], cwd=REPOSITORY)

        async def session() -> Any:
            with anyio.fail_after(TIMEOUT_S):
                async with Client(parameters, mode=mode) as client:
                    return await what(client)

        return anyio.run(session)

    return talked
