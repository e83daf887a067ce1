"""`longtail campaign`: which version is meant when none is named, what lists say when empty, what `show` shows."""

from __future__ import annotations

import re
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from fleet_api.cli import connection
from fleet_api.cli.fleet.campaign import campaign
from fleet_api.cli.fleet.clips import clips
from tests.fleet_api.api_server import Api, campaign_text


class Administrator:
    """An ApiClient of the application in this process."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get(self, path: str) -> Any:
        return self._api.get(path, "admin").json()

    def post(self, path: str, body: Any) -> Any:
        return self._api.post(path, body, "admin").json()


@pytest.mark.parametrize(("verb", "state"), [("pause", "paused"), ("stop", "stopped")])
def test_a_version_that_waits_for_approval_does_not_hide_the_one_that_runs(
    api: Api, monkeypatch: pytest.MonkeyPatch, verb: str, state: str
) -> None:
    monkeypatch.setattr(connection, "connect", lambda *_: nullcontext(Administrator(api)))
    api.activate(campaign_text())
    api.apply(campaign_text("priority 10"))
    result = CliRunner().invoke(campaign, [verb, "braking"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    versions = api.get("/v1/campaigns/braking").json()["versions"]
    assert {each["version"]: each["state"] for each in versions} == {1: state, 2: "submitted"}


def test_a_list_without_campaigns_is_one_line_that_says_how_to_make_one(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "connect", lambda *_: nullcontext(Administrator(api)))
    (line,) = CliRunner().invoke(campaign, ["list"], catch_exceptions=False).output.splitlines()
    assert line.startswith("no campaigns yet; ") and "longtail campaign apply" in line


@pytest.mark.parametrize(("words", "said"), [([], "no clips yet; "), (["trigger = 'x'"], "no clip matches")])
def test_a_search_that_finds_nothing_is_one_line(monkeypatch: pytest.MonkeyPatch, words: list[str], said: str) -> None:
    nothing = SimpleNamespace(search_clips=lambda *_, **__: iter(()))
    monkeypatch.setattr(connection, "connect", lambda *_: nullcontext(nothing))
    (line,) = CliRunner().invoke(clips, ["search", *words], catch_exceptions=False).output.splitlines()
    assert line.startswith(said)


def test_show_has_the_pairs_of_compared_heads(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "connect", lambda *_: nullcontext(Administrator(api)))
    api.activate("campaign comparing { compare cut_in.detected budget 1 clips }")
    pairs = {"neither": 121, "only_shadow": 32, "only_active": 43, "both": 504, "unknown": 65}
    counts = {"campaign": "comparing", "version": 1, "watermark": 0, "suppressed": 0}
    body = {"counts": [{**counts, "compared": {"cut_in.detected": pairs}}], "reported_at_ns": 1}
    assert api.client.post("/v1/vehicles/car-1/telemetry", json=body, headers=api.enrol()).status_code == 204
    shown = CliRunner().invoke(campaign, ["show", "comparing"], catch_exceptions=False).output
    (row,) = (line for line in shown.splitlines() if "cut_in.detected" in line)
    assert re.findall(r"\d+", row) == ["121", "32", "43", "504", "65"]
    assert re.search(r"both false.*only shadow true.*only active true.*both true.*unknown", shown)


def test_show_of_a_campaign_without_compares_has_no_table_of_them(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "connect", lambda *_: nullcontext(Administrator(api)))
    api.activate(campaign_text())
    assert "Compared" not in CliRunner().invoke(campaign, ["show", "braking"], catch_exceptions=False).output
