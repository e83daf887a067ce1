"""What people see of dead letters, and how they acknowledge them."""

from __future__ import annotations

import json
from contextlib import nullcontext

import httpx
import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient

from fleet_api.cli import connection
from fleet_api.cli.fleet import dead_letters as command
from fleet_api.client.client import ApiClient
from storage.uploads import dead_letters
from tests.fleet_api.api_server import Api
from triggers.errors import Conflict


@pytest.fixture
def client(api: Api, monkeypatch: pytest.MonkeyPatch) -> ApiClient:
    """The command line's client, speaking with the application in this process as an operator."""
    monkeypatch.setattr(httpx, "Client", lambda **_: TestClient(api.app, headers=api.as_("operator")))
    made = ApiClient("http://testserver", "")
    monkeypatch.setattr(connection, "connect", lambda *_: nullcontext(made))
    return made


def call(*arguments: str) -> Result:
    return CliRunner().invoke(command.dead_letters, list(arguments), catch_exceptions=False)


def record(api: Api, count: int) -> list[int]:
    with api.database.begin() as transaction:
        return [
            dead_letters.record(transaction, stage="gateway", reason="manifest_invalid", detail=f"number {number}")
            for number in range(count)
        ]


@pytest.mark.usefixtures("client")
def test_letters_are_listed_with_their_reasons_over_pages_up_to_the_limit(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PAGE", 2)
    letters = record(api, 5)[::-1]
    assert [each["id"] for each in json.loads(call("list", "--json").stdout)] == letters
    assert [each["id"] for each in json.loads(call("list", "--json", "--limit", "3").stdout)] == letters[:3]
    shown = call("list").output
    assert "manifest_invalid" in shown and "number 4" in shown
    assert "no open dead letters" in call("list", "--stage", "extraction").output


@pytest.mark.usefixtures("client")
def test_discarding_acknowledges_letters_and_works_once(api: Api) -> None:
    first, second, third = record(api, 3)
    assert call("discard", str(first), str(third)).exit_code == 0
    assert [each["id"] for each in json.loads(call("list", "--json").stdout)] == [second]
    discarded = json.loads(call("list", "--json", "--state", "discarded").stdout)
    assert [(each["id"], each["reason"]) for each in discarded] == [
        (third, "manifest_invalid"),
        (first, "manifest_invalid"),
    ]
    with pytest.raises(Conflict, match="not open"):
        call("discard", str(first))
