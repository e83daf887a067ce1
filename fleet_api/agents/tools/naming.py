"""Tools that tell what can be named: `signals` of a catalog, and the recorded `drives`."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field

from fleet_api.agents.compiling import catalog
from fleet_api.agents.protocol.calls import Call
from fleet_api.agents.tools.arguments import CatalogArguments
from fleet_api.agents.tools.tool import Answer, Tool
from fleet_api.agents.workspace import Workspace
from triggers.contracts.base import Contract
from triggers.schema.catalog import other_lines, signal_line
from triggers.signals.catalog import SignalCatalog

MAX_LISTED = 500
Limit = Annotated[int, Field(ge=1, le=MAX_LISTED, description="At most this many.")]


class SignalsArguments(CatalogArguments):
    """Which signals are looked for."""

    query: Annotated[
        str,
        Field(max_length=200, description="Words, all of which must be in a signal's name, unit or description."),
    ] = ""
    limit: Limit = 100


class DrivesArguments(Contract):
    """Which drives are looked for."""

    query: Annotated[str, Field(max_length=200, description="Words, all of which must be in a drive's name.")] = ""
    limit: Limit = 100


def _signals(workspace: Workspace, given: SignalsArguments, call: Call) -> Answer:
    known = catalog(given.catalog_text(workspace))
    call.check()
    words = given.query.lower().split()
    found = [name for name in known.signals if all(word in _said_of(known, name) for word in words)]
    shown = found[: given.limit]
    head = f"{len(found)} of {len(known.signals)} signals" + (f", the first {len(shown)}" if found != shown else "")
    lines = [f"{head}:", *(f"- {signal_line(name, known.signals[name])}" for name in shown)]
    lines += ["", *(f"- {line}" for line in other_lines(known))]
    # by way of JSON, which has no infinite limits and no tuples
    signals = {name: json.loads(known.signals[name].model_dump_json(exclude_defaults=True)) for name in shown}
    return Answer(
        "\n".join(lines), {"found": len(found), "signals": signals, "heads": sorted(known.heads)[:MAX_LISTED]}
    )


def _said_of(known: SignalCatalog, name: str) -> str:
    signal = known.signals[name]
    return " ".join((name, signal.type, signal.unit, signal.describe)).lower()


def _drives(workspace: Workspace, given: DrivesArguments, _call: Call) -> Answer:
    words = given.query.lower().split()
    offered = workspace.offered_drives()
    found = [drive for drive in offered if all(word in drive.name.lower() for word in words)]
    if not offered:
        return Answer("there are no drives: the server is started with --drives PATH to have some", {"drives": []})
    shown = found[: given.limit]
    lines = [f"{len(found)} of {len(offered)} drives, {len(shown)} shown:"]
    lines += [f"- {drive.name}: {drive.size_bytes:,} bytes" for drive in shown]
    return Answer(
        "\n".join(lines),
        {"found": len(found), "drives": [{"name": drive.name, "bytes": drive.size_bytes} for drive in shown]},
    )


TOOLS: tuple[Tool[Any], ...] = (
    Tool(
        "signals",
        "Find signals",
        "Signals of the catalog that a trigger can read, with type, unit, rate, ranges and values; and its heads, "
        "cameras, attributes of vehicles and limits.",
        SignalsArguments,
        _signals,
    ),
    Tool(
        "drives",
        "List recorded drives",
        "The recorded drives that `backtest` can run over, by name, with their sizes.",
        DrivesArguments,
        _drives,
    ),
)
