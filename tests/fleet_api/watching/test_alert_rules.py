"""Alert rules: Prometheus's own grammar reads them, their metrics exist, and both forms are one definition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml

from fleet_api.watching.alerts.expressions import (
    Arithmetic,
    Both,
    Compared,
    Growth,
    Labels,
    Series,
    Unless,
    Vector,
    duration,
)
from fleet_api.watching.alerts.prometheus import RULES_FILE, rules_text
from fleet_api.watching.alerts.rules import RULES, UP, Rule
from ingest.metrics.names import METRICS, Kind

OF_PROMETHEUS = {"instance", "job"}
"""Labels that Prometheus gives to every series of a target."""
NAMES = [rule.name for rule in RULES]


def selectors(expression: str) -> Iterator[Any]:
    """The vector selectors of PromQL, as its parser sees them."""
    parts: list[Any] = [promql_parser.parse(expression)]
    while parts:
        part = parts.pop()
        if isinstance(part, promql_parser.VectorSelector):
            yield part
        for name in ("lhs", "rhs", "expr", "vector_selector"):
            if hasattr(part, name):
                parts.append(getattr(part, name))
        parts += getattr(part, "args", [])


def unknown(expression: str) -> list[str]:
    """Metrics of an expression that no process has."""
    names = {str(selector.name) for selector in selectors(expression)}
    return sorted(name for name in names if name != UP and base_of(name) not in METRICS)


def base_of(name: str) -> str:
    """The metric that a series belongs to: histograms have several."""
    base = re.sub(r"_(bucket|count|sum)$", "", name)
    return base if base in METRICS and METRICS[base].kind is Kind.HISTOGRAM else name


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_the_grammar_of_prometheus_reads_a_rule_and_its_metrics_exist(rule: Rule) -> None:
    expression = rule.condition.promql()
    assert list(selectors(expression)), "it asks for something"
    assert unknown(expression) == []
    assert str(promql_parser.parse(expression)).count("by (") == expression.count("by (")


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_rule_keeps_labels_that_its_metrics_have_and_names_only_those_in_its_sentences(rule: Rule) -> None:
    kept = {series.by for series in rule.condition.series()}
    assert len(kept) == 1, "parts with other labels would never match"
    [labels] = kept
    for series in rule.condition.series():
        if series.name != UP:
            assert set(series.by) | {label for label, _ in series.having} <= {
                *METRICS[series.name].labels,
                *OF_PROMETHEUS,
            }
    for sentence in (rule.summary, rule.remedy):
        assert set(re.findall(r"\{(\w+)\}", sentence)) <= {*labels, "value", "percent"}


def test_a_metric_that_does_not_exist_is_noticed() -> None:
    assert unknown("max(longtail_budgets_limit_bytes) / rate(up[5m])") == ["longtail_budgets_limit_bytes"]
    assert unknown("sum(rate(longtail_check_ins[5m])) - max(longtail_vehicles offset 1d)") == ["longtail_check_ins"]
    with pytest.raises(ValueError):
        list(selectors("max by (campaign (x)"))


def test_the_file_in_the_package_is_written_from_the_rules() -> None:
    assert RULES_FILE.read_text("utf-8") == rules_text(), "run python -m fleet_api.watching.alerts.prometheus"
    [group] = yaml.safe_load(rules_text())["groups"]
    assert [rule["alert"] for rule in group["rules"]] == NAMES
    assert len(set(NAMES)) == len(NAMES)
    for rule in group["rules"]:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        promql_parser.parse(rule["expr"])
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "1m"))
        assert rule["annotations"]["summary"] and rule["annotations"]["remedy"]
        assert (
            "{{ $labels." in str(rule["annotations"])
            or "{" not in str(rule["annotations"]["summary"])
            or ("$value" in rule["annotations"]["summary"])
        )


class Fixed:
    """Metrics with given values, now and before."""

    def __init__(self, now: dict[str, dict[Labels, float]], before: dict[str, Vector] | None = None) -> None:
        self._now = now
        self._before = before or {}

    def now(self, name: str) -> dict[Labels, float]:
        return self._now.get(name, {})

    def before(self, key: str, seconds: int) -> Vector | None:
        return self._before.get(key) if seconds == 60 else None


def labels(**values: str) -> Labels:
    return frozenset(values.items())


A, B = labels(campaign="a"), labels(campaign="b")
X = Series("x", by=("campaign",))


def test_series_are_folded_over_the_labels_that_are_not_kept() -> None:
    world = Fixed(
        {
            "x": {
                labels(campaign="a", instance="1"): 1.0,
                labels(campaign="a", instance="2"): 3.0,
                labels(campaign="b", instance="1", state="odd"): 5.0,
            }
        }
    )
    assert X.value(world) == {A: 3.0, B: 5.0}
    assert Series("x", by=("campaign",), fold="min").value(world)[A] == 1.0
    assert Series("x", fold="sum").value(world) == {frozenset(): 9.0}
    assert Series("x", having=(("state", "odd"),)).value(world) == {frozenset(): 5.0}
    assert Series("x", by=("campaign",), lacking=(("state", "odd"),)).value(world) == {A: 3.0}
    assert Series("nothing").value(world) == {}


def test_growth_is_unknown_where_the_past_is() -> None:
    world = Fixed({"x": {A: 5.0, B: 7.0}}, {X.promql(): {A: 2.0}})
    assert Growth(X, 60).value(world) == {A: 3.0}
    assert Growth(X, 3600).value(world) == {}


def test_ratios_sums_and_conditions_match_by_labels() -> None:
    world = Fixed({"x": {A: 6.0, B: 0.0}, "y": {A: 3.0, B: 0.0}, "z": {A: 0.0}})
    y, z = Series("y", by=("campaign",)), Series("z", by=("campaign",))
    assert Arithmetic(X, "/", y).value(world)[A] == 2.0
    assert Compared(Arithmetic(X, "/", z), ">", 1e300).value(world) == {A: float("inf")}
    assert Compared(Arithmetic(X, "/", y), ">=", 0).value(world) == {A: 2.0}, "0 / 0 compares with nothing"
    assert Arithmetic(X, "+", z).value(world) == {A: 6.0}
    assert Both(Compared(X, ">=", 0), Compared(y, ">", 0)).value(world) == {A: 6.0}
    assert Unless(Compared(X, ">=", 0), z).value(world) == {B: 0.0}
    assert Unless(Compared(X, ">=", 0), Series("nothing", by=("campaign",))).value(world) == {A: 6.0, B: 0.0}
    for comparison, passes in ((">", False), (">=", True), ("<=", True), ("==", True), ("!=", False), ("<", False)):
        assert bool(Compared(y, comparison, 3).value(Fixed({"y": {A: 3.0}}))) is passes  # type: ignore[arg-type]


def test_what_a_series_lacks_and_unless_are_promql_that_means_the_same() -> None:
    series = Series("x", by=("campaign",), having=(("state", "odd"),), lacking=(("campaign", ""),))
    assert series.promql() == 'max by (campaign) (x{state="odd", campaign!=""})'
    both = Both(Compared(X, ">", 1), Compared(X, "<", 2))
    tree = promql_parser.parse(Unless(both, series).promql())
    assert (str(tree.op), str(tree.lhs.op)) == ("unless", "and"), "what is excluded is excluded from both"


def test_durations_are_those_of_prometheus() -> None:
    for seconds in (1, 59, 60, 5400, 86400, 90000):
        assert promql_parser.parse_duration(duration(seconds)).total_seconds() == seconds
