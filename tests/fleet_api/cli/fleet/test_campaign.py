"""`longtail campaign`: which version is meant when none is named, what lists say when empty, what `show` shows."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.fleet_api.cli.conftest import Longtail


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


def test_a_list_without_campaigns_is_one_remark_that_says_how_to_make_one(longtail: Longtail) -> None:
    shown = longtail("campaign", "list")
    assert shown.out == ""
    assert shown.err.startswith("no campaigns yet; ") and "longtail campaign apply" in shown.err
    assert longtail("campaign", "list", "--json").json() == []
    assert longtail("campaign", "list", "--ids") == (0, "", "")


def test_campaigns_are_listed_as_a_table_as_csv_and_as_names(api: Api, longtail: Longtail) -> None:
    api.activate(campaign_text())
    api.apply(campaign_text().replace("braking", "another"))
    digest = longtail("campaign", "show", "braking", "--json").json()["program_digest"]
    heading, *rows = longtail("campaign", "list").out.splitlines()
    assert heading.split() == [
        "campaign",
        "version",
        "state",
        "ended_reason",
        "author",
        "approved_by",
        "fired",
        "catalogued",
        "program_digest",
    ]
    assert [row.split()[0] for row in rows] == ["another", "braking"]
    assert rows[1].split() == ["braking", "1", "active", "author-user", "approver-user", "0", "0", digest]
    assert longtail("campaign", "list", "--ids").out == "another\nbraking\n"
    table = list(csv.DictReader(longtail("campaign", "list", "--csv").out.splitlines()))
    assert [(row["campaign"], row["state"], row["program_digest"]) for row in table][1] == ("braking", "active", digest)
    shown = longtail("campaign", "list", "--csv", "--ids")
    assert shown.status == 2 and "cannot be combined" in shown.err


def test_show_has_the_pairs_of_compared_heads(api: Api, longtail: Longtail) -> None:
    api.activate("campaign comparing { compare cut_in.detected budget 1 clips }")
    pairs = {"neither": 121, "only_shadow": 32, "only_active": 43, "both": 504, "unknown": 65}
    counts = {"campaign": "comparing", "version": 1, "watermark": 0, "suppressed": 0}
    body = {"counts": [{**counts, "compared": {"cut_in.detected": pairs}}], "reported_at_ns": 1}
    assert api.client.post("/v1/vehicles/car-1/telemetry", json=body, headers=api.enrol()).status_code == 204
    shown = longtail("campaign", "show", "comparing").out
    (row,) = (line for line in shown.splitlines() if line.startswith("cut_in.detected"))
    assert re.findall(r"\d+", row) == ["121", "32", "43", "504", "65"]
    assert re.search(r"neither +only_shadow +only_active +both +unknown", shown)


def test_show_of_a_campaign_without_compares_has_no_table_of_them(api: Api, longtail: Longtail) -> None:
    api.activate(campaign_text())
    shown = longtail("campaign", "show", "braking").out
    assert "Compared" not in shown
    assert re.search(r"^state +active$", shown, re.MULTILINE) and re.search(
        r"^approved_by +approver-user$", shown, re.MULTILINE
    )


def test_a_file_is_applied_submitted_and_approved_by_the_beginning_of_its_digest(
    longtail: Longtail, tmp_path: Path
) -> None:
    (tmp_path / "a.trigger").write_text(campaign_text())
    (tmp_path / "signals.yaml").write_text(SIGNALS)
    apply = ("campaign", "apply", str(tmp_path / "a.trigger"), "--signals", str(tmp_path / "signals.yaml"))
    (draft,) = longtail(*apply, "--draft", "--json", role="author").json()
    assert draft["state"] == "draft"
    digest = draft["program_digest"]
    assert longtail(*apply, "--draft", role="author").out == f"braking version 1 is draft, digest {digest}\n"
    assert longtail("campaign", "submit", "braking", role="author").out == "braking version 1 is submitted\n"
    for other in ("", "00"):
        assert "has digest" in longtail("campaign", "approve", "braking", "--digest", other, role="approver").err
    shown = longtail("campaign", "approve", "braking", "--digest", digest[:8].upper(), role="approver")
    assert (shown.status, shown.out) == (0, "braking version 1 is active\n")
    assert digest in shown.err


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
    assert api.client.post("/v1/vehicles/car-1/telemetry", json=body, headers=api.enrol()).status_code == 204
    (outcomes,) = longtail("outcomes", "--json").json()["outcomes"]
    assert (outcomes["fired"], outcomes["in_flight"], outcomes["unaccounted"]) == (3, 3, handed_over)
    assert ("unaccounted" in longtail("campaign", "show", "braking").out) == (handed_over > 0)
    (row,) = csv.DictReader(longtail("outcomes", "braking", "--csv").out.splitlines())
    assert (row["campaign"], row["fired"], row["unaccounted"]) == ("braking", "3", str(handed_over))
