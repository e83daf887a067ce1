"""docs/agents.md: its example is what a model would see, its tables have every tool and option."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from typing import Any

from fleet_api.agents.protocol.calls import Call
from fleet_api.agents.protocol.frames import MAX_FRAME_BYTES, Output
from fleet_api.agents.protocol.session import MAX_CALLS, MAX_WORKING
from fleet_api.agents.protocol.versions import WITH_HANDSHAKE, WITHOUT_HANDSHAKE
from fleet_api.agents.resources import resources
from fleet_api.agents.server import tools_of
from fleet_api.agents.tools import backtesting, tool
from fleet_api.agents.workspace import Workspace
from fleet_api.cli.agents.mcp import mcp
from tests.support.paths import REPOSITORY

TEXT = (REPOSITORY / "docs/agents.md").read_text("utf-8")
SIGNALS = REPOSITORY / "examples/css_car/signals.yaml"


def check(workspace: Workspace, text: str) -> tuple[str, Any]:
    given = replace(workspace, signals=SIGNALS)
    result = tools_of(given)["check"].called(given, {"text": text}, Call(1, "2025-11-25", Output(io.BytesIO())))
    return result["content"][0]["text"], result["structuredContent"]


def test_the_example_is_what_check_answers(workspace: Workspace) -> None:
    wrong, right = re.findall(r"^```trigger\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    (answer,) = re.findall(r"^```text\n(.*?)\n```$", TEXT, re.MULTILINE | re.DOTALL)
    assert check(workspace, wrong)[0].startswith(answer)
    half = wrong.replace("sped", "speed").replace("> 50", "> 50 km/h").replace("10", "10 s")
    assert [found["code"] for found in check(workspace, half)[1]["diagnostics"]] == ["LT301"]
    text, data = check(workspace, right)
    assert (data["ok"], data["diagnostics"], data["is_formatted"]) == (True, [], True), text


def test_every_tool_and_option_has_its_row(workspace: Workspace) -> None:
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", TEXT, re.MULTILINE))
    assert set(tools_of(replace(workspace, may_apply=True))) <= rows
    told = set(re.findall(r"--[a-z-]+", TEXT))
    of_all_commands = {"--token", "--ca-file", "--client-cert-file"}
    assert {option for each in mcp.params for option in each.opts} - of_all_commands <= told
    uris = set(re.findall(r"longtail://[a-z./]+", TEXT))
    assert uris <= set(resources(workspace))


def test_the_configuration_is_json_with_options_that_exist() -> None:
    (text,) = re.findall(r"^```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    server = json.loads(text)["mcpServers"]["longtail"]
    context = mcp.make_context("mcp", server["args"][1:], resilient_parsing=True)
    assert context.params["roots"] and context.params["drive_paths"] and context.params["catalog_file"]
    known = {variable for each in mcp.params if isinstance(variable := each.envvar, str)}
    assert set(server["env"]) <= known


def test_limits_and_versions_are_those_of_the_server() -> None:
    assert f"{', '.join(WITH_HANDSHAKE)} and {WITHOUT_HANDSHAKE[-1]}" in TEXT
    assert (MAX_WORKING, MAX_CALLS - MAX_WORKING) == (4, 28)
    assert "Four calls are worked on at\n  a time, and 28 more may wait" in TEXT
    assert f"at most {MAX_FRAME_BYTES // 2**20} MiB, an answer {tool.MAX_ANSWER_CHARACTERS // 2**20} MiB" in TEXT
    assert f"at most {backtesting.MAX_DRIVES} drives with {backtesting.MAX_BYTES // 2**30} GiB" in TEXT
