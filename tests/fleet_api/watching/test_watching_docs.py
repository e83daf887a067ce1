"""docs/watching.md names every metric with its labels, kind and meaning, as the table in the code has them."""

from __future__ import annotations

import re

from fleet_api.watching.alerts.expressions import duration
from fleet_api.watching.alerts.rules import RULES
from ingest.metrics.names import METRICS
from tests.support.paths import REPOSITORY

DOCUMENT = REPOSITORY / "docs/watching.md"


def rows() -> list[str]:
    """The rows that the document must have: copy them when this fails."""
    return [
        f"| `{each.name}` | {each.kind} | {', '.join(each.labels)} | {', '.join(each.processes)} | {each.help} |"
        for each in METRICS.values()
    ]


def alert_rows() -> list[str]:
    """Likewise of the alerts."""
    found = []
    for rule in RULES:
        waits = duration(rule.for_s) if rule.for_s else ""
        found.append(f"| `{rule.name}` | {rule.severity} | {waits} | {rule.summary}; {rule.remedy} |")
    return found


def test_the_table_of_alerts_is_that_of_the_code() -> None:
    documented = re.findall(r"^\| `Longtail.*\|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert documented == alert_rows(), "\n".join(alert_rows())


def test_the_table_of_metrics_is_that_of_the_code() -> None:
    documented = re.findall(r"^\| `longtail_.*\|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert documented == rows(), "\n".join(rows())
