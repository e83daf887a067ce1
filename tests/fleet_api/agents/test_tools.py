"""Tools called in this process: what needs a deployment, against the API under test; and calls that are cancelled."""

from __future__ import annotations

import io
import multiprocessing
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from fleet_api.agents.protocol.calls import Call, Cancelled
from fleet_api.agents.protocol.frames import Output
from fleet_api.agents.server import server_of, tools_of
from fleet_api.agents.tools.tool import MAX_ANSWER_CHARACTERS, Answer, Tool
from fleet_api.agents.workspace import Workspace
from fleet_api.client.campaigns import Campaigns
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.fleet_api.backtests.recorded import SOURCE
from tests.storage.clips.catalog_support import T_NS, add_clip
from triggers.contracts.api.campaigns import AppliedView
from triggers.contracts.base import Contract


def call(version: str = "2025-11-25", token: object = None) -> Call:
    return Call(1, version, Output(io.BytesIO()), token)


@pytest.fixture
def ask(workspace: Workspace, api: Api) -> Any:
    """Call a tool, for a user with a role, of a server that may apply."""

    def asked(tool: str, role: str = "author", **arguments: Any) -> tuple[str, Any, bool]:
        client = api.as_client(role)
        given = replace(workspace, open_api=lambda: nullcontext(client), may_apply=True)  # type: ignore[arg-type, return-value]
        result = tools_of(given)[tool].called(given, arguments, call())
        (content,) = result["content"]
        return content["text"], result.get("structuredContent"), result["isError"]

    return asked


def test_a_search_finds_clips_with_links_for_people(api: Api, ask: Any) -> None:
    with api.database.begin() as connection:
        made = add_clip(connection, start_ns=T_NS, duration_s=12.5, fired=[("braking", "hard_brake")], tags=["rain"])
        add_clip(connection)
    text, data, failed = ask(
        "search", "viewer", filter="trigger = 'hard_brake' AND start > TIMESTAMP('2026-01-05T00:00:00Z')"
    )
    assert not failed, text
    (clip,) = data["clips"]
    assert (clip["id"], clip["vehicle"], clip["triggers"]) == (made, "car-1", ["braking/hard_brake"])
    assert clip["link"] == f"{str(api.client.base_url).rstrip('/')}/console/clips/{made}"
    assert f"- {made}: 2026-01-05T12:00:00.000000000Z, 12.5 s, vehicle car-1" in text
    text, data, _ = ask("search", "viewer", limit=1)
    assert text.startswith("1 clip (there may be more)")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"filter": "speed is high"}, "filter"),
        ({"limit": 0}, "limit: it must be at least 1"),
        ({"limit": 10_000}, "limit: it must be at most 200"),
        ({"sortby": "nothing"}, "nothing"),
    ],
)
def test_a_search_that_is_wrong_says_what_is(ask: Any, arguments: dict[str, Any], problem: str) -> None:
    text, _, failed = ask("search", "viewer", **arguments)
    assert failed
    assert problem in text


def test_what_filters_can_name_is_told(ask: Any) -> None:
    text, data, failed = ask("clip_properties", "viewer")
    assert not failed
    assert "- duration_s (number in s): " in text
    assert {each["name"] for each in data["properties"]} >= {"trigger", "start", "vehicle"}


def test_a_campaign_becomes_a_draft_or_is_submitted_and_is_never_approved(api: Api, ask: Any) -> None:
    text, data, failed = ask("apply_campaign", text=campaign_text(), signals=SIGNALS)
    assert not failed, text
    assert (data["campaign"], data["version"], data["state"]) == ("braking", 1, "draft")
    text, data, _ = ask("apply_campaign", "admin", text=campaign_text("priority 7"), signals=SIGNALS, submit=True)
    assert (data["version"], data["state"]) == (2, "submitted")
    assert text == f"braking is version 2, submitted; people approve it: {data['link']}"
    assert data["link"].endswith("/console/campaigns/braking")
    text, _, failed = ask("apply_campaign", text=campaign_text("priority 8"), signals=SIGNALS, based_on=1)
    assert failed


@pytest.mark.parametrize("submit", [False, True])
def test_a_version_that_the_deployment_compiled_otherwise_is_named_and_not_to_be_applied_again(
    ask: Any, submit: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    applies = Campaigns.apply

    def otherwise(campaigns: Campaigns, *words: Any, **options: Any) -> AppliedView:
        return applies(campaigns, *words, **options).model_copy(update={"program_digest": "0" * 64})

    monkeypatch.setattr(Campaigns, "apply", otherwise)
    text, _, failed = ask("apply_campaign", text=campaign_text(), signals=SIGNALS, submit=submit)
    assert failed
    assert f"braking is version 1, {'submitted' if submit else 'draft'} now, but the API compiled it to 0000" in text
    assert "do not apply it again: version 1 stays" in text


def test_what_a_user_may_not_do_the_tool_cannot_do(ask: Any) -> None:
    text, _, failed = ask("apply_campaign", "viewer", text=campaign_text(), signals=SIGNALS)
    assert failed
    assert "author" in text


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"text": "trigger a { when ego.speed > 3 m/s }"}, "the file has none"),
        ({"text": campaign_text(), "campaign": "other"}, "the file has braking"),
        ({"text": campaign_text("priority 700")}, "LT407"),
    ],
)
def test_what_is_no_campaign_is_not_applied(ask: Any, arguments: dict[str, Any], problem: str) -> None:
    text, _, failed = ask("apply_campaign", signals=SIGNALS, **arguments)
    assert failed
    assert problem in text


def test_no_tool_approves_or_changes_anything_else(workspace: Workspace) -> None:
    changing = [tool.name for tool in tools_of(replace(workspace, may_apply=True)).values() if not tool.read_only]
    assert changing == ["apply_campaign"]
    assert not [tool.name for tool in tools_of(workspace).values() if not tool.read_only]


def test_a_backtest_ends_with_its_process_when_it_is_cancelled(workspace: Workspace) -> None:
    class CancelledAtFirstWord(io.BytesIO):
        def write(self, data: Any) -> int:
            asked.cancel()
            return super().write(data)

    asked = Call(1, "2025-11-25", Output(CancelledAtFirstWord()), "p")
    with pytest.raises(Cancelled):
        server_of(workspace).methods["tools/call"]({"name": "backtest", "arguments": {"text": SOURCE}}, asked)
    assert not multiprocessing.active_children()


def test_a_backtest_is_cancelled_before_its_patterns_are_looked_for(workspace: Workspace) -> None:
    asked = call()
    asked.cancel()
    with pytest.raises(Cancelled):
        tools_of(workspace)["backtest"].called(workspace, {"text": SOURCE, "drives": ["no such drive"]}, asked)


def test_an_answer_that_is_too_long_is_an_error(workspace: Workspace) -> None:
    class Nothing(Contract):
        pass

    tool = Tool("long", "", "", Nothing, lambda *_: Answer("x" * MAX_ANSWER_CHARACTERS, {"a": 1}))
    result = tool.called(workspace, {}, call())
    assert result["isError"]
    assert "ask for less" in result["content"][0]["text"]


@pytest.mark.parametrize("text", ["\ud800", "trigger a { when ego.speed > 1e999 }", "\0" * 100, "{" * 5000, "(" * 5000])
def test_odd_texts_are_answered(workspace: Workspace, text: str) -> None:
    result = tools_of(workspace)["check"].called(workspace, {"text": text}, call())
    assert result["isError"] or not result["structuredContent"]["ok"]


def test_control_characters_of_foreign_text_are_escaped(workspace: Workspace) -> None:
    text = "trigger a { when \x1b[2J\u202e > 3 }"
    result = tools_of(workspace)["check"].called(workspace, {"text": text}, call())
    assert "\x1b" not in result["content"][0]["text"]
    assert "\u202e" not in result["content"][0]["text"]
