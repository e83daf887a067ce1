"""Every command against a running deployment: what people type, from applying a campaign to completing a label job."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fleet_api.cli.main import main
from fleet_api.demo.drives import generate_drives, package_file
from fleet_api.deployment.deployment import Deployment
from storage.settings import Settings
from tests.support.paths import server_folder
from tests.support.waiting import wait_for
from tests.support.whole_system import FREE_PORTS

pytestmark = pytest.mark.integration


class Terminal:
    """Calls commands as one user after the other, and reads what they print."""

    def __init__(self, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.data_dir = data_dir
        self._capsys = capsys

    def __call__(self, *arguments: str, token: str | None = None) -> tuple[int, str, str]:
        given = [*arguments, "--data", str(self.data_dir), *(["--token", token] if token else [])]
        status = main(given)
        shown = self._capsys.readouterr()
        return status, shown.out, shown.err

    def json(self, *arguments: str, token: str | None = None) -> Any:
        status, out, err = self(*arguments, "--json", token=token)
        assert status == 0, err
        return json.loads(out)


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with server_folder() as folder:
        settings = Settings.load(data_dir=folder / "data", database_url="", **FREE_PORTS)
        with Deployment(settings) as running:
            yield running


@pytest.fixture
def longtail(deployment: Deployment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name in ("LONGTAIL_API_URL", "LONGTAIL_TOKEN", "LONGTAIL_DATA_DIR", "LONGTAIL_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return Terminal(deployment.data_dir, capsys)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    generate_drives(folder / "drives", count=1, duration_s=45)
    (folder / "signals.yaml").write_text(package_file("signals.yaml"))
    (folder / "demo.trigger").write_text(package_file("demo.trigger"))
    (folder / "broken.trigger").write_text("trigger a { when ego.sped > 3 and ego.speed > 3 }\n")
    return folder


def test_the_way_of_a_campaign_from_its_text_to_labels(longtail: Terminal, files: Path, tmp_path: Path) -> None:
    alice = longtail("token", "issue", "alice", "--role", "author")[1].strip()
    bob = longtail.json("token", "issue", "bob", "--role", "approver")["token"]
    apply = ("campaign", "apply", str(files / "demo.trigger"), "--signals", str(files / "signals.yaml"))
    applied = longtail.json(*apply, token=alice)
    assert [(each["campaign"], each["version"], each["state"]) for each in applied] == [
        ("emergencies", 1, "submitted"),
        ("shadow_network", 1, "submitted"),
        ("everyday_braking", 1, "submitted"),
    ]
    assert [each["version"] for each in longtail.json(*apply, token=alice)] == [1, 1, 1]

    approve = ("campaign", "approve", "emergencies", "--version", "1", "--digest", applied[0]["approval_digest"])
    status, _, err = longtail(*approve, token=alice)
    assert status == 1 and "longtail: " in err
    status, _, err = longtail("campaign", "approve", "emergencies", "--digest", "00", token=bob)
    assert status == 1 and "not 00" in err
    status, out, err = longtail("campaign", "approve", "emergencies", token=bob)
    assert status == 2 and applied[0]["approval_digest"] in err and "trigger hard_braking" in out
    status, out, err = longtail(*approve, token=bob)
    assert (status, out) == (0, "emergencies version 1 is active\n")
    listed = longtail.json("campaign", "list")
    assert {each["campaign"]: each["state"] for each in listed}["emergencies"] == "active"

    simulate = ("simulate", "--vehicles", "1", "--drives", str(files / "drives"), "--prefix", "cli")
    vehicles = longtail.json(*simulate, "--signals", str(files / "signals.yaml"), "--speed-signal", "ego.speed")
    assert vehicles["vehicles"][0]["handed_over"] >= 1

    search = ("clips", "search", "campaign = 'emergencies' AND trigger = 'hard_braking'")
    wait_for(
        lambda: [clip["state"] for clip in longtail.json(*search)] == ["ready"], within_s=60, what="the ready clip"
    )
    (clip,) = longtail.json(*search)
    status, out, err = longtail("clips", "get", clip["id"], "--out", str(tmp_path / "clip"))
    assert status == 0, err
    assert (tmp_path / "clip" / "clip.mcap").stat().st_size == clip["size_bytes"]
    assert "hard_braking" in out

    wait_for(
        lambda: longtail.json("labels", "stats")["tasks"].get("auto", {}).get("ready", 0) > 0,
        within_s=30,
        what="the label job",
    )
    status, out, err = longtail("labels", "claim", "--task", "auto", "--labeler", "ann", "--count", "1")
    assert status == 0, err
    (job,) = json.loads(out)
    document = tmp_path / "labels.json"
    document.write_text(json.dumps({"openlabel": {"metadata": {"schema_version": "1.0.0"}}}))
    complete = ("labels", "complete", str(job["id"]), "--job-token", str(job["token"]), "--openlabel", str(document))
    assert [longtail(*complete)[0] for _ in range(2)] == [0, 0], "the same labels again are no mistake"
    document.write_text(json.dumps({"openlabel": {"metadata": {"schema_version": "1.0.1"}}}))
    assert longtail(*complete)[0] == 1, "a job is completed once"

    outcomes = longtail.json("campaign", "show", "emergencies")["outcomes"]
    assert outcomes["fired"] == outcomes["catalogued"] > 0
    status, out, _ = longtail("campaign", "show", "emergencies")
    assert status == 0 and "catalogued" in out and "campaign_bytes" in out
    assert longtail.json("budget", "show", "emergencies")["accounts"]
    for verb, state in (("pause", "paused"), ("resume", "active"), ("stop", "stopped")):
        assert longtail.json("campaign", verb, "emergencies")["state"] == state


def test_a_campaign_of_compares_counts_pairs_and_uploads_no_clip(longtail: Terminal, files: Path) -> None:
    text = files / "confusion.trigger"
    text.write_text("campaign confusion { compare cut_in.detected budget 1 clips }\n")
    (applied,) = longtail.json("campaign", "apply", str(text), "--signals", str(files / "signals.yaml"))
    bob = longtail.json("token", "issue", "bob", "--role", "approver")["token"]
    approve = ("campaign", "approve", "confusion", "--version", "1", "--digest")
    assert longtail(*approve, applied["approval_digest"], token=bob)[0] == 0
    simulate = ("simulate", "--vehicles", "2", "--drives", str(files / "drives"), "--prefix", "compared")
    vehicles = longtail.json(*simulate, "--signals", str(files / "signals.yaml"))["vehicles"]
    assert len(vehicles) == 2
    shown = longtail.json("campaign", "show", "confusion")
    (table,) = shown["compared"].values()
    assert sum(table.values()) > 2 * 45 * 10, "two drives of 45 s, at least ten pairs a second"
    assert table["neither"] > table["both"] + table["only_shadow"] + table["only_active"]
    assert shown["outcomes"]["fired"] == 0
    assert longtail.json("clips", "search", "campaign = 'confusion'") == []
    status, out, _ = longtail("campaign", "show", "confusion")
    assert status == 0 and "cut_in.detected" in out and "only_shadow" in out


def test_mistakes_in_a_trigger_file_are_shown_with_their_places(longtail: Terminal, files: Path) -> None:
    apply = ("campaign", "apply", str(files / "broken.trigger"), "--signals", str(files / "signals.yaml"))
    status, out, err = longtail(*apply)
    assert status == 1 and out == ""
    assert "broken.trigger:1:18: error:" in err and "ego.speed" in err
    status, out, _ = longtail(*apply, "--json")
    assert status == 1 and len(json.loads(out)["diagnostics"]) >= 2


def test_a_draft_waits_until_it_is_submitted(longtail: Terminal, files: Path) -> None:
    text = (files / "demo.trigger").read_text().replace("campaign everyday_braking", "campaign drafted")
    draft = files / "draft.trigger"
    draft.write_text(text)
    apply = ("campaign", "apply", str(draft), "--signals", str(files / "signals.yaml"), "--name", "drafted", "--draft")
    (applied,) = longtail.json(*apply)
    assert applied["state"] == "draft"
    assert longtail.json("campaign", "submit", "drafted")["state"] == "submitted"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("campaign", "show", "nonsense"), "nonsense"),
        (("clips", "search", "trigger ="), "longtail: "),
        (("clips", "get", "0" * 32), "0" * 32),
        (("budget", "show", "nonsense"), "nonsense"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(longtail: Terminal, arguments: tuple[str, ...], words: str) -> None:
    status, out, err = longtail(*arguments)
    assert (status, out) == (1, "")
    assert len(err.strip().splitlines()) == 1 and err.startswith("longtail: ") and words in err


def test_an_unknown_token_is_refused_in_one_line(longtail: Terminal) -> None:
    status, _, err = longtail("campaign", "list", token="lt_" + "x" * 43)
    assert status == 1 and err.startswith("longtail: the token is unknown")


def test_the_doctor_finds_a_running_deployment_well_and_names_a_dead_gateway(
    longtail: Terminal, deployment: Deployment
) -> None:
    status, out, _ = longtail("doctor", "--json")
    examined = json.loads(out)
    failed = [finding for finding in examined["findings"] if finding["status"] == "fail"]
    assert (status, failed) == (0, [])
    checks = {finding["check"] for finding in examined["findings"]}
    assert {"database", "schema", "log", "log lag", "objects", "signing key", "clock", "consistency"} <= checks
    assert {"api", "gateway", "uploads", "dead letters", "data directory"} <= checks
    assert any(row["variable"] == "LONGTAIL_DATA_DIR" for row in examined["settings"])


def test_a_killed_gateway_is_replaced_behind_the_same_address(deployment: Deployment) -> None:
    before = deployment.pid("gateway")
    deployment.kill("gateway", signal.SIGKILL)
    wait_for(lambda: deployment.pid("gateway") not in (None, before), within_s=20, what="the new gateway")
    assert httpx.get(f"{deployment.gateway_url}/readyz", timeout=30).status_code == 200
