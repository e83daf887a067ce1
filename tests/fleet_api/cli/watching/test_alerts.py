"""`longtail alerts` without addresses: what the API's own evaluation of the rules found, as it shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleet_api.watching.alerts.watch import RULES_ELSEWHERE, AlertWatch
from tests.fleet_api.api_server import Api
from tests.fleet_api.cli.conftest import Longtail
from tests.fleet_api.watching import test_alert_watch
from tests.fleet_api.watching.test_alert_watch import NOW_S, Metrics, due

metrics, watch = test_alert_watch.metrics, test_alert_watch.watch
pytestmark = pytest.mark.integration


def test_alerts_of_the_api_are_those_of_its_evaluation_and_what_it_leaves_out_is_said(
    api: Api, longtail: Longtail, watch: AlertWatch, metrics: Metrics
) -> None:
    none_yet = longtail("alerts", role="viewer")
    assert (none_yet.status, none_yet.out) == (0, "no alerts\n")
    assert "has not evaluated the rules yet" in none_yet.err
    due(api.database)
    assert watch.evaluate()
    found = longtail("alerts", role="viewer")
    assert found.status == 3, "something fires"
    assert "campaign braking has used 100% of its bytes" in " ".join(found.out.split())
    assert "as the API found at" in found.err and all(rule in found.err for rule in RULES_ELSEWHERE)
    shown = longtail("alerts", "--json", role="viewer")
    (budget,) = json.loads(shown.out)
    (view,) = api.as_client("viewer").alerts.current().alerts
    assert (budget["alert"], budget["state"], budget["labels"]) == (view.alert, "firing", {"campaign": "braking"})
    assert (budget["since_s"], budget["remedy"]) == (NOW_S, view.remedy)
    metrics.is_read = False
    due(api.database)
    assert watch.evaluate()
    kept = longtail("alerts", role="viewer")
    assert kept.status == 3 and "could not read counts, database then" in kept.err


def test_what_only_metrics_of_processes_can_do_is_not_ignored_without_their_addresses(longtail: Longtail) -> None:
    for option in ("--webhook", "--state"):
        refused = longtail("alerts", option, "https://hooks.example/longtail")
        assert refused.status == 2 and "name their addresses" in refused.err


def test_one_file_is_printed_at_a_time(longtail: Longtail) -> None:
    refused = longtail("alerts", "--rules", "--dashboard")
    assert (refused.status, refused.out) == (2, "") and "cannot be combined" in refused.err


def test_a_token_of_the_api_is_not_taken_for_the_token_of_metrics(longtail: Longtail, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("m")
    refused = longtail("alerts", "http://127.0.0.1:1", "--token-file", str(tmp_path / "token"))
    assert refused.status == 2 and "--metrics-token-file" in refused.err
