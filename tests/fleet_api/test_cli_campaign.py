"""Which version a command of `longtail campaign` means when none is named, and what lists say when they are empty."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from fleet_api.cli import connection
from fleet_api.cli.campaign import campaign
from fleet_api.cli.clips import clips
from tests.fleet_api.api import Api, campaign_text


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
