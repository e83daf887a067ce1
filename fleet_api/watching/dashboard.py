"""The dashboard for Grafana, as the package has it (dashboard.json): what a fleet's uploads are, cost, and wait for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

DASHBOARD_FILE = Path(__file__).with_name("dashboard.json")
"""Written by `python -m fleet_api.watching.dashboard`; a test compares it with the panels."""
COLUMNS = 24
HEIGHT = 8
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_CAMPAIGN = 'campaign=~"$campaign"'


@dataclass(frozen=True)
class Query:
    """One expression of a panel, and the name of its series."""

    promql: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """One panel. `unit` is Grafana's; `width` is in columns of COLUMNS."""

    title: str
    says: str
    unit: str
    queries: tuple[Query, ...]
    kind: Literal["timeseries", "stat", "bargauge"] = "timeseries"
    width: int = 12


def _of_campaigns(metric: str) -> str:
    return f"max by (campaign) ({metric}{{{_CAMPAIGN}}})"


def _held() -> str:
    return f"({_of_campaigns('longtail_budget_settled_bytes')} + {_of_campaigns('longtail_budget_reserved_bytes')})"


def _quantile(share: float, metric: str, by: str) -> str:
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({metric}_bucket[$__rate_interval])))"


ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "Budgets",
        (
            Panel(
                "Used of the limit",
                "Bytes that are reserved or have arrived, as a share of each campaign's limit.",
                "percentunit",
                (Query(f"{_held()} / {_of_campaigns('longtail_budget_limit_bytes')}", "{{campaign}}"),),
                kind="bargauge",
            ),
            Panel(
                "Bytes per second, by campaign",
                "Bytes of stored clips that campaigns were charged.",
                "Bps",
                (
                    Query(
                        f"sum by (campaign) (rate(longtail_upload_bytes_total{{{_CAMPAIGN}}}[$__rate_interval]))",
                        "{{campaign}}",
                    ),
                ),
            ),
            Panel(
                "Bytes per second, by network",
                "The same by the network that they came over.",
                "Bps",
                (
                    Query(
                        f"sum by (network) (rate(longtail_upload_bytes_total{{{_CAMPAIGN}}}[$__rate_interval]))",
                        "{{network}}",
                    ),
                ),
            ),
            Panel(
                "Forecast of the whole life",
                "Bytes that the newest forecast expects without a limit, with its 90 % interval.",
                "decbytes",
                (
                    Query(
                        f"max by (campaign, quantile) (longtail_forecast_bytes{{{_CAMPAIGN}}})",
                        "{{campaign}}: {{quantile}}",
                    ),
                ),
            ),
            Panel(
                "Time until a budget ends",
                "By the newest forecast.",
                "s",
                (Query(f"{_of_campaigns('longtail_budget_exhaustion_timestamp_seconds')} - time()", "{{campaign}}"),),
                kind="bargauge",
            ),
            Panel(
                "Arrived, and expected by the backtest",
                "Bytes that have arrived, and those that the backtest expects for the time armed.",
                "decbytes",
                (
                    Query(_of_campaigns("longtail_budget_settled_bytes"), "{{campaign}}"),
                    Query(_of_campaigns("longtail_expected_bytes_total"), "{{campaign}} (expected)"),
                ),
            ),
        ),
    ),
    (
        "Fires",
        (
            Panel(
                "Fires per hour",
                "Fires that vehicles have reported.",
                "short",
                (
                    Query(
                        f"{_of_campaigns('longtail_fired_total')}"
                        f" - max by (campaign) (longtail_fired_total{{{_CAMPAIGN}}} offset 1h)",
                        "{{campaign}}",
                    ),
                ),
            ),
            Panel(
                "What became of them",
                "Fires that have ended, by outcome, and those in flight.",
                "short",
                (
                    Query(
                        f"sum by (outcome) (max by (campaign, outcome) (longtail_fires_total{{{_CAMPAIGN}}}))",
                        "{{outcome}}",
                    ),
                    Query(f"sum ({_of_campaigns('longtail_fires_in_flight')})", "in flight"),
                ),
            ),
        ),
    ),
    (
        "Clips on their way",
        (
            Panel(
                "From one stage to the next, 9 of 10 clips",
                "Announced: since the fire. Stored, ready, labelled: each since the stage before.",
                "s",
                (Query(_quantile(0.9, "longtail_clip_stage_seconds", "stage"), "{{stage}}"),),
            ),
            Panel(
                "Waiting",
                "Uploads that are not in the catalog, clips that wait for extraction, events that wait.",
                "short",
                (
                    Query("max by (state) (longtail_open_clips)", "uploads: {{state}}"),
                    Query("max (longtail_waiting_extractions)", "extractions"),
                    Query("max (longtail_unsent_events)", "events"),
                ),
            ),
            Panel(
                "Label jobs",
                "By task and state.",
                "short",
                (Query("max by (task, state) (longtail_label_jobs)", "{{task}}: {{state}}"),),
            ),
            Panel(
                "Lag of ingest",
                "Records of the log that may have to be read, by partition.",
                "short",
                (Query("max by (partition) (longtail_ingest_lag_records)", "partition {{partition}}"),),
            ),
            Panel(
                "Dead letters",
                "Open ones, by reason.",
                "short",
                (Query("max by (reason) (longtail_dead_letters)", "{{reason}}"),),
                kind="bargauge",
            ),
            Panel(
                "Vehicles",
                "Enrolled, seen within a day, quarantined, and stalled: seen, with clips that wait and no byte sent.",
                "short",
                (Query("max by (state) (longtail_vehicles)", "{{state}}"),),
            ),
        ),
    ),
    (
        "Processes",
        (
            Panel(
                "Requests per second",
                "By process and status.",
                "reqps",
                (
                    Query(
                        "sum by (instance, code) (rate(longtail_http_requests_total[$__rate_interval]))",
                        "{{instance}}: {{code}}",
                    ),
                ),
            ),
            Panel(
                "Time of requests, 9 of 10",
                "By process and method.",
                "s",
                (
                    Query(
                        _quantile(0.9, "longtail_http_request_seconds", "instance, method"), "{{instance}}: {{method}}"
                    ),
                ),
            ),
            Panel(
                "Check-ins per second",
                "By status: 304 has nothing new.",
                "reqps",
                (Query("sum by (code) (rate(longtail_check_ins_total[$__rate_interval]))", "{{code}}"),),
            ),
            Panel(
                "Received by gateways",
                "Bytes of clips that were acknowledged.",
                "Bps",
                (Query("sum by (instance) (rate(longtail_received_bytes_total[$__rate_interval]))", "{{instance}}"),),
            ),
            Panel(
                "Free disk",
                "As a share of its size.",
                "percentunit",
                (
                    Query(
                        "min by (instance, disk) (longtail_disk_free_bytes)"
                        " / min by (instance, disk) (longtail_disk_size_bytes)",
                        "{{instance}}: {{disk}}",
                    ),
                ),
            ),
            Panel(
                "Parts that do not work",
                "Parts of ingest, and sources of metrics that cannot be read.",
                "short",
                (
                    Query("count by (instance, part) (longtail_part_ready == 0)", "{{instance}}: {{part}}"),
                    Query("count by (instance, source) (longtail_metrics_collected == 0)", "{{instance}}: {{source}}"),
                ),
                kind="stat",
            ),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    return {
        "title": "Longtail",
        "uid": "longtail",
        "tags": ["longtail"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "timezone": "utc",
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [_data_source(), _campaigns()]},
        "panels": list(_panels()),
    }


def dashboard_text() -> str:
    """The file."""
    return json.dumps(dashboard(), indent=2) + "\n"


def _data_source() -> dict[str, Any]:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}


def _campaigns() -> dict[str, Any]:
    values = "label_values(longtail_budget_settled_bytes, campaign)"
    return {
        "name": "campaign",
        "label": "Campaign",
        "type": "query",
        "datasource": _SOURCE,
        "query": values,
        "definition": values,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def _panels() -> Iterator[dict[str, Any]]:
    number, y = 0, 0
    for title, panels in ROWS:
        number += 1
        place = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
        yield {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}
        x, y = 0, y + 1
        for panel in panels:
            if x + panel.width > COLUMNS:
                x, y = 0, y + HEIGHT
            number += 1
            yield _panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": HEIGHT})
            x += panel.width
        y += HEIGHT


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    is_now = panel.kind != "timeseries"
    targets = [
        {
            "refId": chr(ord("A") + index),
            "datasource": _SOURCE,
            "expr": query.promql,
            "legendFormat": query.legend,
            "instant": is_now,
            "range": not is_now,
        }
        for index, query in enumerate(panel.queries)
    ]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {},
        "targets": targets,
    }


if __name__ == "__main__":
    DASHBOARD_FILE.write_text(dashboard_text(), "utf-8")
