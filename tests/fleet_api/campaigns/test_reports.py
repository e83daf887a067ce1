"""Reports of backtests at campaign versions: bound to the program, refused otherwise, shown to who may see them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.fleet_api.backtests import recorded
from tests.fleet_api.campaigns.reported import report_of
from triggers.contracts.api.backtests.stated import MAX_REPORT_BYTES

pytestmark = pytest.mark.integration
REPORT = "/v1/campaigns/braking/1/report"


def attached(api: Api, report: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = api.post(REPORT, {"report": report}, "author")
    assert answer.status_code == status, answer.text
    document: dict[str, Any] = answer.json()
    return document


def approved(api: Api, backtest_digest: str | None, status: int = 200) -> dict[str, Any]:
    digest = api.get("/v1/campaigns/braking/1").json()["approval_digest"]
    body = {"digest": digest, "backtest_digest": backtest_digest}
    answer = api.post("/v1/campaigns/braking/1/approve", body, "approver")
    assert answer.status_code == status, answer.text
    document: dict[str, Any] = answer.json()
    return document


def review(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/v1/campaigns/braking/1").json()["review"]
    return found


def test_an_approver_sees_the_key_figures_and_the_forecast(api: Api) -> None:
    api.apply(campaign_text(), draft=True)
    assert review(api)["report"] is None and api.get(REPORT).status_code == 404
    summary = attached(api, report_of(campaign_text()))
    assert (summary["drives"], summary["hours"], summary["attached_by"]) == (2, 10.0, "author-user")
    assert summary["triggers"]["hard_brake"]["per_hour"] == {"mean": 10.0, "low": 5.0, "high": 20.0}
    assert "hard_brake: 90.0 % of the fires are in one of 2 drives" in summary["remarks"]
    assert summary["differences"] == []
    shown = review(api)
    assert shown["report"] == summary and shown["forecast"]["vehicles"] == 100
    document = api.get(REPORT, "approver").json()
    assert document["document"]["fires"][0]["drive"] == "secret street" and document["withheld"] == []


def test_it_is_replaced_until_the_version_is_approved_and_each_is_in_the_audit_log(api: Api) -> None:
    api.apply(campaign_text())
    attached(api, report_of(campaign_text()))
    assert attached(api, report_of(campaign_text(), drives=7))["drives"] == 7
    assert approved(api, review(api)["backtest_digest"])["state"] == "active"
    refused = attached(api, report_of(campaign_text(), drives=8), 409)
    assert "is not changed any more" in refused["detail"] and "another version" in refused["remedy"]
    assert review(api)["report"]["drives"] == 7
    actions = [entry["action"] for entry in api.get("/v1/audit", "operator", object="braking/1").json()["entries"]]
    assert actions.count("campaign.report") == 2


def test_no_report_is_approved_that_the_approver_has_not_seen(api: Api) -> None:
    api.apply(campaign_text())
    assert review(api)["backtest_digest"] is None
    attached(api, report_of(campaign_text()))
    refused = approved(api, None, 409)
    assert "has the report or the forecast of a backtest, and the approval names none" in refused["detail"]
    seen = review(api)["backtest_digest"]
    attached(api, report_of(campaign_text()))
    assert review(api)["backtest_digest"] == seen  # the same report again
    attached(api, report_of(campaign_text(), drives=7))
    refused = approved(api, seen, 409)
    assert refused["detail"].startswith("the report or the forecast of braking version 1 has changed since the review")
    assert "look at it again with `longtail campaign show braking`" in refused["remedy"]
    forecast = review(api)["forecast"] | {"hours": 11.0}
    seen = review(api)["backtest_digest"]
    assert api.apply(campaign_text(), forecast=forecast).json()["version"] == 1
    assert approved(api, seen, 409)["detail"] == refused["detail"]
    assert approved(api, review(api)["backtest_digest"])["state"] == "active"


def test_an_approval_that_names_a_report_where_there_is_none_is_refused(api: Api) -> None:
    api.apply(campaign_text())
    assert "has no report and no forecast" in approved(api, "0" * 64, 409)["detail"]
    assert approved(api, None)["state"] == "active"


def test_a_report_of_another_program_is_refused_with_what_to_do(api: Api) -> None:
    api.apply(campaign_text())
    refused = attached(api, report_of(campaign_text().replace("-4", "-5")), 409)
    assert "did not run the program of braking version 1" in refused["detail"]
    assert "run it again with this trigger file and signal catalog" in refused["remedy"]
    assert review(api)["report"] is None


def test_other_settings_and_another_catalog_of_the_same_program_are_said(api: Api) -> None:
    api.apply(campaign_text())
    other = report_of(campaign_text("priority 9 sample 1 in 3"), SIGNALS + "\n# later\n")
    first, second = attached(api, other)["differences"]
    assert first.startswith("the report was made with other settings: ") and "priority" in first
    assert second == "the report was made with another text of the signal catalog"
    assert "The report was made with another text of the signal catalog." in api.get(f"{REPORT}/page").text
    sampled = report_of(campaign_text())
    sampled["report"]["forecast"]["triggers"]["hard_brake"]["sample_one_in"] = 4
    assert attached(api, sampled)["differences"] == [
        "the forecast keeps 1 in 4 fires of hard_brake, and the version 1 in 1"
    ]


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"forecast": None}, 422, "it ran over clips"),
        ({"hours": "many"}, 422, "hours"),
        ({"rows": 2**70}, 422, "beyond 2^63"),
        ({"failed_drives": [{"drive": "a" * 5000, "problem": "", "remedy": ""}]}, 422, "more than 4000 characters"),
        ({"budgets": [{"campaign": "braking", "limit": "x"}]}, 422, "budgets"),
    ],
)
def test_what_is_no_report_is_refused(api: Api, change: dict[str, Any], status: int, said: str) -> None:
    api.apply(campaign_text())
    refused = attached(api, report_of(campaign_text(), **change), status)
    assert said in refused["detail"] and refused["remedy"]


def test_a_report_that_is_too_large_is_refused(api: Api) -> None:
    api.apply(campaign_text())
    body = json.dumps({"report": report_of(campaign_text())}) + " " * (MAX_REPORT_BYTES + 100_000)
    headers = api.as_("author") | {"Content-Type": "application/json"}
    assert api.client.post(REPORT, content=body, headers=headers).status_code == 413


def test_the_page_is_made_here_and_runs_and_loads_nothing(api: Api) -> None:
    source = campaign_text() + "\n# </pre><script>alert(1)</script>\n"
    api.apply(source)
    hostile = report_of(source)
    hostile["run"]["file"] = "<img src=x onerror=alert(1)>"
    attached(api, hostile)
    answer = api.get(f"{REPORT}/page")
    policy = answer.headers["content-security-policy"]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert "<script" not in answer.text and "<img" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "author-user attached this report" in answer.text


def test_who_sees_place_cells_only_gets_totals_over_all_drives(api: Api) -> None:
    api.apply(campaign_text())
    attached(api, report_of(campaign_text()))
    api.change_settings(position_roles="author")
    shown, page = api.get(REPORT), api.get(f"{REPORT}/page")
    for text in (shown.text, page.text, json.dumps(review(api))):
        assert "secret street" not in text and "48.137" not in text
    assert "by_drive" in shown.json()["withheld"] and "You see place cells only" in page.text
    assert shown.json()["document"]["report"]["triggers"]["hard_brake"]["fires"] == 20
    assert "secret street" in api.get(REPORT, "author").text


def test_a_backtest_of_ones_own_is_attached_by_its_id(api: Api, tmp_path: Path) -> None:
    recorded.add_drives(tmp_path, "a", "b")
    applied = api.apply(recorded.SOURCE, signals=recorded.CATALOG)
    assert applied.status_code == 201, applied.text
    backtest_id, _ = recorded.done(api, recorded.request())
    path = "/v1/campaigns/c/1/report"
    headers = api.as_("author", "zoe")
    assert api.client.post(path, json={"backtest": backtest_id}, headers=headers).status_code == 404
    wrong = api.post(path, {"backtest": backtest_id, "program": 1}, "author")
    assert wrong.status_code == 404 and "has no program 1" in wrong.json()["detail"]
    odd = api.post(path, {"backtest": "a\0b"}, "author")
    assert odd.status_code == 422 and "backtest" in odd.json()["detail"]
    answer = api.post(path, {"backtest": backtest_id}, "author")
    assert answer.status_code == 200, answer.text
    assert answer.json()["differences"] == [] and answer.json()["ran_at"] is not None
    document = api.get(path).json()["document"]
    assert [(fire["drive"], fire["trigger"], fire["t"]) for fire in document["fires"]] == [
        (drive, trigger, t) for drive in "ab" for trigger, t in (("fast", 5.0), ("missed", 5.9))
    ]
    assert document["fires_left_out"] == 0 and document["run"]["source"] == recorded.SOURCE
