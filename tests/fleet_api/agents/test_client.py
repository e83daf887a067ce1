"""The server as a real client meets it: the official SDK over standard input and output of a real process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from tests.fleet_api.backtests.recorded import CATALOG, SOURCE
from triggers.schema.text import PARTS, text_for_models

pytestmark = pytest.mark.integration

WRONG = "trigger fast { when ego.speed > 40 }"
READ_ONLY = {"check", "explain", "format", "signals", "drives", "backtest", "search", "clip_properties"}
Talk = Callable[..., Any]


async def _call(client: Client, tool: str, **arguments: Any) -> tuple[str, Any, bool]:
    result = await client.call_tool(tool, arguments)
    (content,) = result.content
    return content.text, result.structured_content, bool(result.is_error)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("mode", "version"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")], ids=["no handshake", "handshake"]
)
def test_a_session_from_list_to_backtest(mode: str, version: str, talk: Talk) -> None:
    async def session(client: Client) -> None:
        assert client.protocol_version == version
        assert client.server_info is not None
        assert client.server_info.name == "longtail"
        assert "longtail://schema" in (client.instructions or "")
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == READ_ONLY
        assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools.values())
        assert all(tool.input_schema["additionalProperties"] is False for tool in tools.values())

        text, data, failed = await _call(client, "check", text=WRONG)
        assert not failed
        assert "error: `ego.speed` is a speed in m/s [LT301]" in text
        (found,) = data["diagnostics"]
        assert (found["code"], found["line"], found["column"]) == ("LT301", 1, 33)
        assert found["proposal"] == "write `40 km/h` or `40 m/s`"

        _, data, _ = await _call(client, "check", path="more/file.trigger")
        assert data["ok"]
        text, data, _ = await _call(client, "explain", path="more/file.trigger")
        assert "campaign c: " in text
        assert [program["campaign"] for program in data["programs"]] == ["c"]
        text, data, _ = await _call(client, "format", text="trigger a{when p}")
        assert text == data["formatted"] == "trigger a {\n    when p\n}\n"
        text, data, _ = await _call(client, "signals", query="SPEED")
        assert data["signals"] == {"ego.speed": {"unit": "m/s", "rate": 10.0}}
        assert "- ego.speed: number in m/s, 10 Hz" in text
        _, data, _ = await _call(client, "drives")
        assert [drive["name"] for drive in data["drives"]] == ["a", "b"]

        told: list[tuple[float, float | None]] = []

        async def progress(done: float, total: float | None, _message: str | None) -> None:
            told.append((done, total))

        result = await client.call_tool("backtest", {"text": SOURCE, "drives": ["a"]}, progress_callback=progress)
        data = result.structured_content
        assert data["fires"] == [
            {"trigger": "fast", "drive": "a", "t": 5.0},
            {"trigger": "missed", "drive": "a", "t": 5.9},
        ]
        assert data["report"]["drives"] == 1
        assert told
        assert all(0 <= done <= (total or 0) for done, total in told)
        assert "fast: 1 fire, 0 suppressed" in result.content[0].text  # type: ignore[union-attr]

    talk(session, mode)


def test_resources_and_prompts_can_be_read(talk: Talk) -> None:
    async def session(client: Client) -> None:
        listed = {str(each.uri): each for each in (await client.list_resources()).resources}
        texts = {}
        for uri, each in listed.items():
            (content,) = (await client.read_resource(uri)).contents
            assert content.mime_type == each.mime_type
            texts[uri] = content.text  # type: ignore[union-attr]
        assert texts["longtail://schema"] == text_for_models(None, [name for name in PARTS if name != "catalog"])
        assert texts["longtail://signals.yaml"] == CATALOG
        assert "- " not in texts["longtail://examples/heads.trigger"].split("\n")[0]
        assert "ego.speed: number in m/s, 10 Hz" in texts["longtail://signals"]
        (prompt,) = [each for each in (await client.list_prompts()).prompts if each.name == "write_trigger"]
        assert [argument.name for argument in prompt.arguments or []] == ["situation"]
        asked = await client.get_prompt("write_trigger", {"situation": "a {given} cat"})
        assert "\n\na {given} cat\n\n" in asked.messages[0].content.text  # type: ignore[union-attr]

    talk(session)


def test_a_backtest_that_is_cancelled_ends_and_others_go_on(talk: Talk) -> None:
    async def session(client: Client) -> None:
        with anyio.CancelScope() as scope:

            async def progress(_done: float, _total: float | None, _message: str | None) -> None:
                scope.cancel()

            await client.call_tool("backtest", {"text": SOURCE}, progress_callback=progress)
        assert scope.cancelled_caught
        _, data, failed = await _call(client, "backtest", text=SOURCE)
        assert not failed
        assert data["fires_in_all"] == 4

    talk(session)


def test_mistakes_are_answers_that_say_what_to_do(talk: Talk, folder: Path) -> None:
    (folder / "secret.trigger").write_text("trigger secret { when p }")
    (folder / "work" / "link.trigger").symlink_to(folder / "secret.trigger")

    async def session(client: Client) -> None:
        for path in ("../secret.trigger", str(folder / "secret.trigger"), "link.trigger", "signals.yaml", "\0"):
            text, data, failed = await _call(client, "check", path=path)
            assert failed
            assert text.endswith(
                "give the text itself, or a path below a folder that the server was started with (--root)"
            )
            assert "secret {" not in text
            assert str(folder / "work") not in text
        for arguments, problem in (
            ({}, "give either `text`"),
            ({"text": "a", "path": "b"}, "give either `text`"),
            ({"text": 3}, "text: it must be a text"),
            ({"text": "a", "more": 1}, "there is no such field"),
            ({"text": "a", "signals": "signals: {a: {units: m}}"}, "units"),
            ({"text": "param a = 1 s", "params": {"b": "2 s"}}, "LT230"),
        ):
            text, _, failed = await _call(client, "check", **arguments)
            assert problem in text
            assert failed or "LT230" in text
        text, data, failed = await _call(client, "backtest", text=WRONG)
        assert failed
        assert data["diagnostics"][0]["code"] == "LT301"
        text, _, failed = await _call(client, "backtest", text=SOURCE, drives=["c*"])
        assert failed
        assert text == "there is no drive 'c*'; the tool `drives` lists them"
        text, _, failed = await _call(client, "search")
        assert failed
        assert "this server knows no deployment" in text
        assert "client.json" not in text

    talk(session, "auto", "--data", str(folder / "nowhere"))


def test_a_deployment_that_does_not_answer_is_told(talk: Talk) -> None:
    async def session(client: Client) -> None:
        text, _, failed = await _call(client, "search", filter="state = 'ready'")
        assert failed
        assert "http://127.0.0.1:9" in text
        assert "t0ken-that-is-secret" not in text

    talk(session, "auto", "--url", "http://127.0.0.1:9", "--token", "t0ken-that-is-secret")


def test_the_tool_that_applies_is_there_only_if_it_is_allowed(talk: Talk) -> None:
    async def session(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == READ_ONLY | {"apply_campaign"}
        annotations = tools["apply_campaign"].annotations
        assert annotations is not None
        assert annotations.read_only_hint is False

    talk(session, "auto", "--allow-apply")
