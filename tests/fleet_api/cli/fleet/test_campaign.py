"""`longtail campaign`: which version is meant when none is named, what lists say when empty, what `show` shows."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import update

from storage.tables import campaign_versions
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.fleet_api.cli.conftest import Longtail
from tests.triggers.costs.books import WORKED_EXAMPLE

Apply = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(("verb", "state"), [("pause", "paused"), ("stop", "stopped")])
def test_a_version_that_waits_for_approval_does_not_hide_the_one_that_runs(
    api: Api, longtail: Longtail, verb: str, state: str
) -> None:
    api.activate(campaign_text())
    api.apply(campaign_text("priority 10"))
    shown = longtail("campaign", verb, "braking")
    assert (shown.status, shown.out, shown.err) == (0, f"braking version 1 is {state}\n", "")
    versions = longtail("campaign", "versions", "braking", "--json").json()
    assert {each["version"]: each["state"] for each in versions} == {1: state, 2: "submitted"}


def test_a_rollout_is_held_with_a_reason_and_resumed(api: Api, longtail: Longtail) -> None:
    api.activate(campaign_text("rollout 10 % for 2 h, 100 %"))
    held = longtail("campaign", "hold", "braking", "--reason", "too many bridges")
    assert held.out == "braking version 1 is active, its rollout is held: too many bridges\n"
    assert re.search(r"^held_reason +too many bridges$", longtail("campaign", "show", "braking").out, re.MULTILINE)
    assert longtail("campaign", "hold", "braking").status == 2, "without a reason"
    resumed = longtail("campaign", "resume", "braking", "--reason", "bridges are left out")
    assert resumed.out == "braking version 1 is active\n"
    assert "held" not in longtail("campaign", "show", "braking").out


def test_a_list_without_campaigns_is_one_remark_that_says_how_to_make_one(longtail: Longtail) -> None:
    shown = longtail("campaign", "list")
    assert shown.out == ""
    assert shown.err.startswith("no campaigns yet; ") and "longtail campaign apply" in shown.err
    assert longtail("campaign", "list", "--json").json() == []
    assert longtail("campaign", "list", "--ids") == (0, "", "")


def test_campaigns_are_listed_as_a_table_as_csv_and_as_names(api: Api, longtail: Longtail) -> None:
    api.activate(campaign_text())
    api.apply(campaign_text().replace("braking", "another"))
    digest = longtail("campaign", "show", "braking", "--json").json()["approval_digest"]
    heading, *rows = longtail("campaign", "list").out.splitlines()
    assert heading.split() == [
        "campaign",
        "version",
        "state",
        "ended_reason",
        "author",
        "owner",
        "cost_centre",
        "approved_by",
        "fired",
        "catalogued",
        "approval_digest",
    ]
    assert [row.split()[0] for row in rows] == ["another", "braking"]
    who = ["author-user", "author-user", "approver-user"]
    assert rows[1].split() == ["braking", "1", "active", *who, "0", "0", digest]
    assert longtail("campaign", "list", "--ids").out == "another\nbraking\n"
    table = list(csv.DictReader(longtail("campaign", "list", "--csv").out.splitlines()))
    assert [(row["campaign"], row["state"], row["approval_digest"]) for row in table][1] == (
        "braking",
        "active",
        digest,
    )
    shown = longtail("campaign", "list", "--csv", "--ids")
    assert shown.status == 2 and "cannot be combined" in shown.err


def test_show_has_the_pairs_of_compared_heads(api: Api, longtail: Longtail) -> None:
    api.activate("campaign comparing { compare cut_in.detected budget 1 clips }")
    pairs = {"neither": 121, "only_shadow": 32, "only_active": 43, "both": 504, "unknown": 65}
    counts = {"campaign": "comparing", "version": 1, "watermark": 0, "suppressed": 0}
    body = {"counts": [{**counts, "compared": {"cut_in.detected": pairs}}], "reported_at_ns": 1}
    assert api.client.post("/v1/vehicles/car-1/telemetry", json=body, headers=api.enrol_assigned()).status_code == 204
    shown = longtail("campaign", "show", "comparing").out
    (row,) = (line for line in shown.splitlines() if line.startswith("cut_in.detected"))
    assert re.findall(r"\d+", row) == ["121", "32", "43", "504", "65"]
    assert re.search(r"neither +only_shadow +only_active +both +unknown", shown)


def test_show_has_the_compared_events(api: Api, longtail: Longtail) -> None:
    api.activate("campaign matching { compare events cut_in.detected within 1 s budget 1 clips }")
    names = ("matched", "only_first", "only_second", "unresolved_first", "unresolved_second")
    told = {"active_shadow": dict(zip(names, (121, 32, 43, 504, 65), strict=True))}
    counts = {"campaign": "matching", "version": 1, "watermark": 0, "suppressed": 0, "armed_ns": 10**12}
    body = {"counts": [{**counts, "events": {"cut_in.detected": told}}], "reported_at_ns": 1}
    headers = api.enrol_assigned(replays=True)
    assert api.client.post("/v1/vehicles/car-1/telemetry", json=body, headers=headers).status_code == 204
    shown = longtail("campaign", "show", "matching").out
    (row,) = (line for line in shown.splitlines() if line.startswith("cut_in.detected"))
    assert re.findall(r"\d+", row) == ["121", "32", "43", "504", "65"]
    assert re.search("head +first and second +" + " +".join(names), shown)
    assert re.search(r"^events\.1\.within_ns +1 s$", shown, re.MULTILINE), "an approver sees the window"


def test_show_of_a_campaign_without_compares_has_no_table_of_them(api: Api, longtail: Longtail) -> None:
    api.activate(campaign_text())
    shown = longtail("campaign", "show", "braking").out
    assert "Compared" not in shown
    assert re.search(r"^state +active$", shown, re.MULTILINE) and re.search(
        r"^approved_by +approver-user$", shown, re.MULTILINE
    )


@pytest.fixture
def apply(longtail: Longtail, tmp_path: Path) -> Apply:
    """Apply a text as an author; the version that it is."""

    def applied(text: str, *options: str) -> dict[str, Any]:
        (tmp_path / "a.trigger").write_text(text)
        (tmp_path / "signals.yaml").write_text(SIGNALS)
        files = (str(tmp_path / "a.trigger"), "--signals", str(tmp_path / "signals.yaml"))
        (version,) = longtail("campaign", "apply", *files, *options, "--json", role="author").json()
        return dict(version)

    return applied


def typed(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Let somebody at a terminal type this line."""
    terminal = io.StringIO(answer + "\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", terminal)


def test_a_file_is_applied_submitted_and_approved_by_its_version_and_digest(longtail: Longtail, apply: Apply) -> None:
    draft = apply(campaign_text(), "--draft")
    assert draft["state"] == "draft"
    assert longtail("campaign", "submit", "braking", role="author").out == "braking version 1 is submitted\n"
    approve = ("campaign", "approve", "braking", "--version", "1", "--digest")
    for other in ("", "00", draft["approval_digest"][:12], draft["program_digest"]):
        assert longtail(*approve, other, role="approver").status == 1, other
    shown = longtail(*approve, draft["approval_digest"].upper(), role="approver")
    assert (shown.status, shown.out) == (0, "braking version 1 is active\n")


def test_a_file_based_on_a_version_that_is_not_the_newest_any_more_is_refused(
    longtail: Longtail, apply: Apply, tmp_path: Path
) -> None:
    assert apply(campaign_text(), "--based-on", "0")["version"] == 1
    assert apply(campaign_text("priority 10"), "--based-on", "1")["version"] == 2
    files = (str(tmp_path / "a.trigger"), "--signals", str(tmp_path / "signals.yaml"))
    (tmp_path / "a.trigger").write_text(campaign_text("priority 20"))
    refused = longtail("campaign", "apply", *files, "--based-on", "1", role="author")
    assert refused.status == 1 and "author-user applied version 2" in refused.err and "based on 2" in refused.err
    (tmp_path / "a.trigger").write_text(campaign_text() + "campaign other { collect hard_brake budget 1 GB total }\n")
    several = longtail("campaign", "apply", *files, "--based-on", "2", role="author")
    assert several.status == 1 and "2 campaigns" in several.err and "braking, other" in several.err
    assert longtail("campaign", "apply", *files, "--based-on", "2", "--name", "braking", role="author").status == 0


def test_a_rejected_version_is_a_draft_that_shows_why(longtail: Longtail, apply: Apply) -> None:
    apply(campaign_text())
    shown = longtail("campaign", "reject", "braking", "--reason", "10 MB are enough", role="approver")
    assert shown.out == "braking version 1 is draft\n"
    details = longtail("campaign", "show", "braking").out
    assert re.search(r"^rejected_by +approver-user$", details, re.MULTILINE)
    assert re.search(r"^rejected_reason +10 MB are enough$", details, re.MULTILINE)
    assert longtail("campaign", "reject", "braking", role="approver").status == 2, "without a reason"


def test_the_digest_of_a_version_that_was_reviewed_does_not_approve_a_wider_one_with_the_same_program(
    longtail: Longtail, apply: Apply
) -> None:
    reviewed = apply(campaign_text('target vehicle.region in ("UK")').replace("1 GB", "10 MB"))
    wider = apply(campaign_text("upload on wifi, on cellular").replace("1 GB", "4000 GB"))
    assert wider["program_digest"] == reviewed["program_digest"], "only the settings differ"
    for version in ((), ("--version", "2")):
        for digest in (reviewed["approval_digest"], reviewed["program_digest"]):
            shown = longtail("campaign", "approve", "braking", *version, "--digest", digest, role="approver")
            assert shown.status != 0
    states = longtail("campaign", "versions", "braking", "--json").json()
    assert {each["version"]: each["state"] for each in states} == {1: "submitted", 2: "submitted"}


def test_approval_without_a_digest_shows_everything_and_needs_a_yes_at_a_terminal(
    api: Api, longtail: Longtail, apply: Apply, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.activate(campaign_text())
    digest = apply(campaign_text().replace("1 GB", "4000 GB"))["approval_digest"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))  # a pipe
    piped = longtail("campaign", "approve", "braking", role="approver")
    assert piped.status == 2 and f"--version 2 --digest {digest}" in piped.err
    for part in (
        "    when ego.accel < -4 m/s^2",
        "4 TB (4,000,000,000,000 bytes)",
        "operations  ",
        "-    budget 1 GB total",
        "+    budget 4000 GB total",
    ):
        assert part in piped.out
    typed(monkeypatch, "no")
    assert longtail("campaign", "approve", "braking", role="approver").status == 2
    assert api.get("/v1/campaigns/braking/2").json()["state"] == "submitted"
    typed(monkeypatch, "yes")
    shown = longtail("campaign", "approve", "braking", role="approver")
    assert shown.status == 0 and shown.out.endswith("braking version 2 is active\n")


def test_a_text_that_does_not_compile_to_the_digest_is_not_approved(
    api: Api, longtail: Longtail, apply: Apply, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(campaign_text())
    with api.database.begin() as connection:
        connection.execute(update(campaign_versions).values(source=campaign_text().replace("1 GB", "1 MB")))
    typed(monkeypatch, "yes")
    shown = longtail("campaign", "approve", "braking", role="approver")
    assert shown.status == 1 and "do not approve" in shown.err
    assert api.get("/v1/campaigns/braking/1").json()["state"] == "submitted"


@pytest.mark.parametrize("handed_over", [0, 2])
def test_fires_that_are_unaccounted_for_are_shown_only_where_there_are_any(
    api: Api, longtail: Longtail, handed_over: int
) -> None:
    api.activate(campaign_text())
    counts = {
        "campaign": "braking",
        "version": 1,
        "watermark": 3,
        "suppressed": 0,
        "in_flight": 3 - handed_over,
        "handed_over": handed_over,
        "per_trigger": {"hard_brake": 3},
    }
    body = {"counts": [counts], "reported_at_ns": 1}
    assert api.client.post("/v1/vehicles/car-1/telemetry", json=body, headers=api.enrol_assigned()).status_code == 204
    (outcomes,) = longtail("outcomes", "--json").json()["outcomes"]
    assert (outcomes["fired"], outcomes["in_flight"], outcomes["unaccounted"]) == (3, 3, handed_over)
    assert ("unaccounted" in longtail("campaign", "show", "braking").out) == (handed_over > 0)
    (row,) = csv.DictReader(longtail("outcomes", "braking", "--csv").out.splitlines())
    assert (row["campaign"], row["fired"], row["unaccounted"]) == ("braking", "3", str(handed_over))


def test_the_forecast_of_a_backtest_is_sent_with_its_program_and_shown(
    api: Api, longtail: Longtail, apply: Apply, tmp_path: Path
) -> None:
    seconds = np.arange(600) / 10
    columns = {"t": seconds, "ego.accel": np.where(seconds % 20 < 1, -6.0, 0.0), "ego.speed": np.full(600, 10.0)}
    pq.write_table(pa.table(columns), tmp_path / "drive.parquet")
    (tmp_path / "a.trigger").write_text(campaign_text())
    (tmp_path / "signals.yaml").write_text(SIGNALS)
    report = str(tmp_path / "report.json")
    drives = ("--signals", str(tmp_path / "signals.yaml"), "--drives", str(tmp_path / "drive.parquet"))
    assert longtail("backtest", str(tmp_path / "a.trigger"), *drives, "--json", report).status == 0
    assert apply(campaign_text(), "--backtest", report)["version"] == 1
    shown = longtail("campaign", "show", "braking")
    assert "Forecast of the author's backtest (1 drive, 0.0166 h) for 1000 vehicles at 1 h per day" in shown.out
    assert re.search(r"^hard_brake +[0-9.,e+]+ \(", shown.out, re.MULTILINE) and "total_bytes" in shown.out
    assert "report of a backtest over 1 drive" in shown.out and "attached by author-user" in shown.out
    page = tmp_path / "page.html"
    assert longtail("campaign", "report", "braking", "--html", str(page)).status == 0
    assert "Backtest of braking version 1" in page.read_text()
    attached = longtail("campaign", "attach", "braking", report, "--json", role="author").json()
    assert attached["triggers"]["hard_brake"]["fires"] == 2 and attached["differences"] == []
    seen = re.findall(r"^backtest_digest +([0-9a-f]{64})$", shown.out, re.MULTILINE)[0]
    digest = ("--version", "1", "--digest", api.get("/v1/campaigns/braking/1").json()["approval_digest"])
    unseen = longtail("campaign", "approve", "braking", *digest, role="approver")
    assert unseen.status == 1 and "the approval names none" in unseen.err
    told = longtail("campaign", "approve", "braking", role="approver")
    assert told.status == 2 and f"--backtest-digest {seen}" in told.err
    (tmp_path / "prices.yaml").write_text(WORKED_EXAMPLE.replace("2026-01-01", "2020-01-01"), "utf-8")
    assert longtail("cost", "publish", str(tmp_path / "prices.yaml"), role="operator").status == 0
    shown = longtail("campaign", "show", "braking")
    assert "Cost of a day's clips until they are erased, in EUR (price book 1)" in shown.out
    assert re.search(r"^hard_brake +wifi +[0-9.,]+ \([0-9.,]+ to [0-9.,]+\)$", shown.out, re.MULTILINE)
    (tmp_path / "a.trigger").write_text(campaign_text().replace("-4", "-5"))
    files = (str(tmp_path / "a.trigger"), "--signals", str(tmp_path / "signals.yaml"))
    other = longtail("campaign", "apply", *files, "--backtest", report, role="author")
    assert other.status == 1 and "did not run the program" in other.err
    assert longtail("campaign", "apply", *files, "--draft", role="author").status == 0
    other = longtail("campaign", "submit", "braking", "--report", report, role="author")
    assert other.status == 1 and "did not run the program of braking version 2" in other.err
    assert "no report of a backtest is attached" in longtail("campaign", "show", "braking").err
    for wrong in ("signals.yaml", "none.json"):
        assert longtail("campaign", "apply", *files, "--backtest", str(tmp_path / wrong), role="author").status == 1
