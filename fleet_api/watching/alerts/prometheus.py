"""The rules as a file for Prometheus (`rule_files`), as the package has it: alerts.rules.yaml."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from fleet_api.watching.alerts.expressions import duration
from fleet_api.watching.alerts.rules import RULES, Rule

RULES_FILE = Path(__file__).parents[1] / "alerts.rules.yaml"
"""Written by `python -m fleet_api.watching.alerts.prometheus`; a test compares it with the rules."""
_NOTE = "# Alert rules of Longtail, for Prometheus's `rule_files`. Written from fleet_api/watching/alerts/rules.py.\n"
_PLACE = re.compile(r"\{(\w+)\}")


def rules_text() -> str:
    """The file."""
    groups = {"groups": [{"name": "longtail", "rules": [_rule(rule) for rule in RULES]}]}
    return _NOTE + yaml.safe_dump(groups, sort_keys=False, width=1000)


def _rule(rule: Rule) -> dict[str, object]:
    waits = {"for": duration(rule.for_s)} if rule.for_s else {}
    return {
        "alert": rule.name,
        "expr": rule.condition.promql(),
        **waits,
        "labels": {"severity": rule.severity},
        "annotations": {"summary": _templated(rule.summary), "remedy": _templated(rule.remedy)},
    }


_VALUES = {"value": "{{ $value | humanize }}", "percent": "{{ $value | humanizePercentage }}"}


def _templated(sentence: str) -> str:
    def place(match: re.Match[str]) -> str:
        label = match.group(1)
        return _VALUES.get(label, f"{{{{ $labels.{label} }}}}")

    return _PLACE.sub(place, sentence)


if __name__ == "__main__":
    RULES_FILE.write_text(rules_text(), "utf-8")
