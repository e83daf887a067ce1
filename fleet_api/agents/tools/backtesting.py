"""The tool `backtest`: a trigger file over recorded drives, in a process with limits that can be cancelled."""

from __future__ import annotations

import fnmatch
import re
from typing import Annotated, Any

from pydantic import Field

from fleet_api.agents.compiling import compiled
from fleet_api.agents.protocol.calls import Call
from fleet_api.agents.tools.arguments import ProgramArguments
from fleet_api.agents.tools.report_text import report_text
from fleet_api.agents.tools.tool import Answer, Tool, counted
from fleet_api.agents.tools.writing import refusal
from fleet_api.agents.workspace import OfferedDrive, Workspace
from fleet_api.backtest_processes.start import Aside
from fleet_api.backtest_processes.tasks import (
    Advanced,
    Fleet,
    GivenDrive,
    Limits,
    Program,
    RunAnswer,
    RunTask,
)
from triggers.errors import InvalidInput
from triggers.foreign_text import foreign_name
from triggers.processes.jail.isolation import Isolation

MAX_DRIVES = 500
MAX_BYTES = 20 * 1024**3
MEMORY_BYTES = 2 * 1024**3
MAX_FIRES_SHOWN = 200
_Pattern = Annotated[str, Field(min_length=1, max_length=1000)]


class BacktestArguments(ProgramArguments):
    """What is run over what, and the fleet of the forecast."""

    drives: Annotated[
        list[_Pattern],
        Field(max_length=MAX_DRIVES, description="Names of drives, or patterns such as `2026-*`. Default: all."),
    ] = []
    vehicles: Annotated[int, Field(ge=1, le=100_000_000, description="Vehicles of the forecast's fleet.")] = 1000
    hours_per_day: Annotated[float, Field(gt=0, le=24, description="Hours that each drives per day.")] = 1.0
    sample: Annotated[
        int | None, Field(ge=1, le=2**31, description="Keep 1 in so many fires. Default: as the campaigns say.")
    ] = None


def _backtest(workspace: Workspace, given: BacktestArguments, call: Call) -> Answer:
    drives = _chosen(workspace, given.drives, call)
    asked = given.asked(workspace)
    found = compiled(asked)
    call.check()
    if not found["ok"]:
        return refusal(found)
    task = RunTask(
        Program(asked.filename, found["source"], asked.signals),
        tuple(GivenDrive(drive.name, drive.path) for drive in drives),
        None,
        Fleet(given.vehicles, given.hours_per_day, given.sample),
    )
    answer = _run(task, Limits(workspace.backtest_cpu_s, MEMORY_BYTES, Isolation.BEST_EFFORT), drives, call)
    report = answer.ran.report.model_dump(mode="json")
    shown = [{"trigger": fire.trigger, "drive": fire.drive, "t": fire.t_ns / 1e9} for fire in answer.fires]
    fires = len(answer.fires) + answer.ran.fires_left_out
    data = {"report": report, "fires": shown[:MAX_FIRES_SHOWN], "fires_in_all": fires}
    return Answer(report_text(report, shown, fires), {**data, "diagnostics": found["diagnostics"]})


def _chosen(workspace: Workspace, wanted: list[str], call: Call) -> list[OfferedDrive]:
    """The drives that are meant. InvalidInput for none, for an unknown name, and for too many or too large ones."""
    offered = workspace.offered_drives()
    chosen = _meant(offered, wanted, call) if wanted else offered
    if not chosen:
        raise InvalidInput("there are no drives", remedy="start the server with --drives PATH")
    size_bytes = sum(drive.size_bytes for drive in chosen)
    if len(chosen) > MAX_DRIVES or size_bytes > MAX_BYTES:
        raise InvalidInput(
            f"{len(chosen)} drives with {size_bytes:,} bytes are too many: at most {MAX_DRIVES} and {MAX_BYTES:,}",
            remedy="choose some of them in `drives`",
        )
    return chosen


def _meant(offered: list[OfferedDrive], patterns: list[str], call: Call) -> list[OfferedDrive]:
    """The drives of these names and patterns, in their order. InvalidInput for a pattern that none has.

    Many long patterns over many drives take a while, so the call can be cancelled between them.
    """
    meant: set[int] = set()
    for pattern in patterns:
        call.check()
        matches = re.compile(fnmatch.translate(pattern)).match
        found = {number for number, drive in enumerate(offered) if drive.name == pattern or matches(drive.name)}
        if not found:
            raise InvalidInput(f"there is no drive {foreign_name(pattern)}", remedy="the tool `drives` lists them")
        meant |= found
    return [drive for number, drive in enumerate(offered) if number in meant]


def _run(task: RunTask, limits: Limits, drives: list[OfferedDrive], call: Call) -> RunAnswer:
    total = max(1, sum(drive.size_bytes for drive in drives))
    with Aside(task, limits) as aside:
        while not isinstance(said := aside.said(), RunAnswer):
            call.check()
            if isinstance(said, Advanced):
                call.tell(
                    min(said.done, total), total, f"{said.done:,} of {total:,} bytes of {counted(len(drives), 'drive')}"
                )
    call.check()
    return said


TOOLS: tuple[Tool[Any], ...] = (
    Tool(
        "backtest",
        "Backtest a trigger file",
        "Run the triggers of a file over recorded drives: how often each fires, where, how long its condition and "
        "each part of it was true, false and unknown, why one never fired, and what a fleet would record per day, "
        "against the campaigns' budgets. It can take minutes, tells its progress and can be cancelled. Begin with few "
        "drives.",
        BacktestArguments,
        _backtest,
    ),
)
