"""The ceremonies of docs/keys.md: its commands as they are printed, in order, with a vehicle that follows."""

from __future__ import annotations

import base64
import re
import shlex
import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from fleet_api.cli.trust.draft import read_public_key
from fleet_api.deployment.trust import ensure_trust
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.fleet_api.cli.conftest import Longtail
from tests.fleet_api.cli.fleet.test_campaign import typed
from tests.second_vehicle.wire import Role, Trust, opened_bundle, opened_list, parts
from tests.support.paths import REPOSITORY

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def ceremonies() -> dict[str, list[list[str]]]:
    """The command lines of each section of the page, by its heading."""
    found = {}
    for section in (REPOSITORY / "docs" / "keys.md").read_text("utf-8").split("\n## ")[1:]:
        heading = section.partition("\n")[0]
        lines = [line for block in BLOCK.findall(section) for line in block.splitlines()]
        found[heading] = [shlex.split(line.removeprefix("$ longtail ")) for line in lines]
    return found


def key_id_of(role: str, api: Api, longtail: Longtail) -> str:
    """The key that is to be taken out of a role: the root key that `longtail up` made, or the server's bundle key."""
    data = api.settings.require_data_dir()
    file = {"root": data / "root.pem", "bundles": api.settings.effective_signing_key()}[role]
    public = read_public_key(file)
    shown = longtail("trust", "show", "--json").json()
    return next(each["id"] for each in shown[role]["keys"] if each["key"] == public)


class Car:
    """A vehicle that was written from the documents, in this process."""

    def __init__(self, api: Api) -> None:
        given = api.as_client("operator").vehicles.enrol("car-1")
        keys = [base64.b64decode(key) for key in given.public_keys]
        self.trust = Trust(Role(keys, given.trust_threshold), given.trust_version)
        self.headers = {"Authorization": f"Bearer {given.token}"}
        self.api = api

    def check_in(self) -> tuple[int, list[str]]:
        """Follow the chain; the version that it has come to, and the campaigns whose bundles it runs."""
        steps, sealed = parts(self.api.check_in(self.headers, trust=self.trust.version).content)
        for step in steps:
            self.trust.follow(step)
        listed = opened_list(sealed, self.trust.role("lists"), "car-1", time.time_ns())
        return self.trust.version, [each["campaign"] for each in listed["assignments"] if self._runs(each)]

    def _runs(self, assignment: dict[str, str]) -> bool:
        client: TestClient = self.api.client
        sealed = client.get(f"/v1/bundles/{assignment['bundle_digest']}", headers=self.headers).content
        try:
            opened_bundle(sealed, self.trust.role("bundles"), assignment)
        except ValueError:
            return False
        return True


@pytest.fixture
def page(api: Api, longtail: Longtail, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """The page's commands, in the folder of a deployment that `longtail up` has made, with its root key beside it."""
    data = api.settings.require_data_dir()
    api.settings.effective_signing_key().unlink()
    ensure_trust(api.settings, api.database, lambda _: None)
    api.restart()
    monkeypatch.chdir(data)
    (data / "keys" / "root.pem").rename(data / "root.pem")
    return ceremonies()


def test_every_ceremony_of_the_page_works_and_a_vehicle_follows(
    page: dict[str, list[list[str]]], api: Api, longtail: Longtail, monkeypatch: pytest.MonkeyPatch
) -> None:
    def perform(heading: str) -> None:
        for words in page.pop(heading):
            typed(monkeypatch, "yes")
            if "ID" in words:
                words[words.index("ID")] = key_id_of(words[3], api, longtail)
            shown = longtail(*words)
            assert shown.status in ((0, 1) if words[:2] == ["trust", "check"] else (0,)), (words, shown)

    car = Car(api)
    api.activate(campaign_text())
    assert car.check_in() == (1, ["braking"])
    perform("A deployment on one machine")
    perform("How a document is changed")
    assert car.check_in() == (2, ["braking"])
    perform("Root keys that several people hold")
    assert car.check_in() == (3, ["braking"])
    api.as_client("author").campaigns.apply(campaign_text("sample 1 in 2"), SIGNALS)
    two = page["Bundles that two people sign"]
    at = next(index for index, words in enumerate(two) if words[1] == "publish")
    page["publish to people"], page["sign and approve"] = two[: at + 1], two[at + 1 :]
    del page["Bundles that two people sign"]
    published = page["publish to people"].pop()
    perform("publish to people")
    answer = longtail(*published)
    assert answer.status == 1 and "braking version 1 has 1 of 2 signatures" in answer.err
    assert car.check_in() == (4, []), "what the server alone has signed stops"
    perform("sign and approve")
    assert car.check_in() == (4, ["braking"])
    perform("A stolen list key")
    before = car.trust.role("lists")
    assert car.check_in() == (5, ["braking"])
    assert car.trust.role("lists") != before
    perform("A stolen or lost bundle key")
    assert car.check_in() == (6, ["braking"])
    perform("A stolen or lost root key")
    assert car.check_in() == (7, ["braking"])
    assert len(car.trust.role("root").keys) == 3
    perform("A deployment without `longtail up`")
    del page["Keys in hardware"]  # test_hardware.py performs it
    assert not [heading for heading, lines in page.items() if lines], "every command of the page was run"


def test_a_draft_says_what_it_lacks_and_cannot_be_published_before(
    page: dict[str, list[list[str]]], longtail: Longtail
) -> None:
    assert page
    longtail("trust", "new-key", "new.pem")
    assert longtail("trust", "new-key", "new.pem").status == 1, "a key is never overwritten"
    drafted = longtail("trust", "draft", "d.json")
    assert (
        "lacks 1 more of the root keys of this document and 1 more of the root keys of the document before"
        in drafted.out
    )
    longtail("trust", "add-key", "d.json", "root", "new.pem")
    refused = longtail("trust", "publish", "d.json")
    assert refused.status == 1 and "longtail trust sign FILE" in refused.err
    assert "no root key of this document" in longtail("trust", "sign", "d.json", "--key", "keys/list.pem").err
    assert longtail("trust", "check", "d.json").status == 1
    assert "is complete" in longtail("trust", "sign", "d.json", "--key", "root.pem").out
    checked = longtail("trust", "check", "d.json")
    assert checked.status == 0 and checked.out.count("(signed)") == 1
    changed = longtail("trust", "threshold", "d.json", "root", "2")
    assert "lacks 2 more of the root keys of this document" in changed.out, "a change makes signatures void"
    shown = longtail("trust", "show", "--json").json()
    identity = shown["bundles"]["keys"][0]["id"]
    assert "at least 1" in longtail("trust", "remove-key", "d.json", "bundles", identity).err
    assert "has no key 00" in longtail("trust", "remove-key", "d.json", "bundles", "00").err
    assert "3 signatures are asked for" in longtail("trust", "threshold", "d.json", "root", "3").err
    assert "named twice" in longtail("trust", "add-key", "d.json", "root", "new.pem").err


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"document": {}, "previous": null, "signatures": []}'])
def test_a_file_that_is_not_a_draft_is_named(tmp_path: Path, longtail: Longtail, content: bytes) -> None:
    file = tmp_path / "odd.json"
    file.write_bytes(content)
    for words in (["check"], ["threshold", "root", "1"], ["publish"]):
        shown = longtail("trust", words[0], str(file), *words[1:])
        assert shown.status == 1 and "odd.json" in shown.err and "internal" not in shown.err
