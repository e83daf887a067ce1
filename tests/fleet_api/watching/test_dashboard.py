"""The dashboard: its expressions are PromQL over metrics that exist, and it is laid out as Grafana wants it."""

from __future__ import annotations

import json
import re
from typing import Any

import promql_parser
import pytest

from fleet_api.cli.main import main
from fleet_api.watching.dashboard import COLUMNS, DASHBOARD_FILE, dashboard, dashboard_text
from ingest.metrics.names import METRICS, Kind
from tests.fleet_api.watching.test_alert_rules import OF_PROMETHEUS, base_of, selectors, unknown

PANELS = [panel for panel in dashboard()["panels"] if panel["type"] != "row"]
TARGETS = [
    pytest.param(target, id=f"{panel['title']}: {target['refId']}") for panel in PANELS for target in panel["targets"]
]
LE = {"le"}
"""Of the buckets of a histogram."""


def promql(target: dict[str, Any]) -> str:
    """An expression without Grafana's variables."""
    return str(target["expr"]).replace("$__rate_interval", "5m").replace("$campaign", ".+")


@pytest.mark.parametrize("target", TARGETS)
def test_an_expression_is_promql_over_metrics_and_labels_that_exist(target: dict[str, Any]) -> None:
    expression = promql(target)
    assert "$" not in expression
    promql_parser.parse(expression)
    assert unknown(expression) == []
    asked = {base_of(str(selector.name)) for selector in selectors(expression)}
    labels = {label for name in asked for label in METRICS[name].labels} | OF_PROMETHEUS
    if any(METRICS[name].kind is Kind.HISTOGRAM for name in asked):
        labels |= LE
    kept = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")}
    matched = {matcher.name for selector in selectors(expression) for matcher in selector.matchers.matchers}
    assert kept | matched <= labels
    assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept


@pytest.mark.parametrize("target", TARGETS)
def test_only_counters_and_histograms_have_rates(target: dict[str, Any]) -> None:
    for name in re.findall(r"rate\((\w+)", target["expr"]):
        assert METRICS[base_of(name)].kind in (Kind.COUNTER, Kind.HISTOGRAM), name


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 15
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= COLUMNS
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_variable_of_campaigns_asks_for_a_metric_with_that_label() -> None:
    [_, campaigns] = dashboard()["templating"]["list"]
    name, label = re.findall(r"label_values\((\w+), (\w+)\)", campaigns["query"])[0]
    assert label in METRICS[name].labels


def test_the_file_in_the_package_is_written_from_the_panels_and_printed_by_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert DASHBOARD_FILE.read_text("utf-8") == dashboard_text(), "run python -m fleet_api.watching.dashboard"
    assert main(["alerts", "--dashboard"]) == 0
    assert json.loads(capsys.readouterr().out) == dashboard()
