"""The server: tools, resources and prompts as methods of the protocol, over standard input and output."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Any

from fleet_api.agents.prompts import PROMPTS, messages
from fleet_api.agents.protocol.calls import Call
from fleet_api.agents.protocol.frames import Output
from fleet_api.agents.protocol.messages import INVALID_PARAMS, ProtocolError, object_in, text_in, unknown
from fleet_api.agents.protocol.session import Method, Server, Session
from fleet_api.agents.resources import contents, resources
from fleet_api.agents.tools import applying, backtesting, catalog, naming, writing
from fleet_api.agents.tools.tool import Tool
from fleet_api.agents.workspace import Workspace
from fleet_api.campaigns.compilation import begin

_INSTRUCTIONS = """\
Longtail is a fleet data engine: trigger files say what vehicles watch for, and what they record. Read the resource \
longtail://schema before you write one. Write, `check`, repair until it compiles, then `backtest` on recorded drives. \
{changes}"""
_READ_ONLY = "Nothing that you do here changes anything in a deployment."
_MAY_APPLY = "Only `apply_campaign` changes something: it makes a draft or a submission, which people approve or not."


def tools_of(workspace: Workspace) -> dict[str, Tool[Any]]:
    """The tools by name."""
    every = (*writing.TOOLS, *naming.TOOLS, *backtesting.TOOLS, *catalog.TOOLS)
    return {each.name: each for each in (*every, *(applying.TOOLS if workspace.may_apply else ()))}


def server_of(workspace: Workspace) -> Server:
    """What a session serves."""
    tools = tools_of(workspace)

    def call_tool(params: dict[str, Any], call: Call) -> dict[str, Any]:
        name = text_in(params, "name")
        if name not in tools:
            raise unknown("tool", name)
        return tools[name].called(workspace, object_in(params, "arguments"), call)

    methods: dict[str, Method] = {
        "tools/list": _listing("tools", lambda: [each.listed() for each in tools.values()]),
        "tools/call": call_tool,
        "resources/list": _listing("resources", lambda: [each.listed() for each in resources(workspace).values()]),
        "resources/templates/list": _listing("resourceTemplates", list),
        "resources/read": lambda params, _: contents(workspace, text_in(params, "uri")),
        "prompts/list": _listing("prompts", lambda: [each.listed() for each in PROMPTS]),
        "prompts/get": lambda params, _: messages(params),
    }
    return Server(
        info={"name": "longtail", "title": "Longtail", "version": version("longtail")},
        capabilities={"tools": {}, "resources": {}, "prompts": {}},
        instructions=_INSTRUCTIONS.format(changes=_MAY_APPLY if workspace.may_apply else _READ_ONLY),
        methods=methods,
        slow=frozenset({"tools/call", "resources/read"}),
    )


def _listing(name: str, entries: Any) -> Method:
    """A method that lists everything on its only page."""

    def listed(params: dict[str, Any], _call: Call) -> dict[str, Any]:
        if params.get("cursor") is not None:
            raise ProtocolError(INVALID_PARAMS, "there is no page with this `cursor`")
        return {name: entries()}

    return listed


def serve(workspace: Workspace) -> None:
    """Serve one client until standard input ends.

    From now on only messages of the protocol go to standard output: whatever else this process or one that it starts
    prints goes to standard error, and none of them reads standard input.
    """
    reading, writing_to = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    begin()
    with os.fdopen(reading, "rb") as stream, os.fdopen(writing_to, "wb") as output:
        sys.stderr.write("longtail mcp: serving; it ends with its standard input\n")
        Session(server_of(workspace), Output(output)).serve(stream)
