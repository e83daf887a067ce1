"""The text of metrics in both formats is, byte for byte, that of prometheus-client."""

from __future__ import annotations

import math
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest as plain
from prometheus_client.openmetrics.exposition import generate_latest as open_metrics

from ingest.metrics import names
from ingest.metrics.names import Family, Kind
from ingest.metrics.text import Form, exposed, text

READ = [metric for metric in names.METRICS.values() if metric.kind is not Kind.HISTOGRAM]
VALUES = st.floats() | st.integers(-(2**70), 2**70) | st.integers(0, 10**7).map(lambda number: number / 4)
LABEL = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\\"\n'), max_size=12)


@st.composite
def families(draw: st.DrawFn) -> list[Family]:
    """Some metrics of the table, each once, with any labels and values."""
    metrics = draw(st.lists(st.sampled_from(READ), unique_by=lambda metric: metric.name, max_size=4))
    return [
        metric.family(draw(st.lists(st.tuples(st.tuples(*[LABEL] * len(metric.labels)), VALUES), max_size=4)))
        for metric in metrics
    ]


class Collected:
    """The same families as prometheus-client has them, as a collector."""

    def __init__(self, found: Iterable[Family]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        for family in self._found:
            metric = family.metric
            kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
            theirs = kind(metric.name.removesuffix("_total"), metric.help, labels=metric.labels)
            for labels, value in family.samples:
                theirs.add_metric(labels, value)
            yield theirs


@given(families())
def test_any_values_and_labels_are_written_as_prometheus_client_writes_them(found: list[Family]) -> None:
    theirs = CollectorRegistry(auto_describe=False)
    theirs.register(Collected(found))  # type: ignore[arg-type]
    assert text(found, Form.PLAIN).encode() == plain(theirs)
    assert text(found, Form.OPEN_METRICS).encode() + b"# EOF\n" == open_metrics(theirs)  # type: ignore[no-untyped-call]


def test_what_a_process_counts_comes_before_what_is_read_and_the_end_once() -> None:
    registry = CollectorRegistry(auto_describe=False)
    Counter("counted", "Counted here", registry=registry).inc(3)
    found = [names.UNSENT_EVENTS.family([((), 5)])]
    for form in Form:
        lines = exposed(registry, found, form).decode().splitlines()
        own = [line for line in lines if not line.startswith("#") and "_created" not in line]
        assert own == ["counted_total 3.0", "longtail_unsent_events 5.0"]
        assert lines.count("# EOF") == (form is Form.OPEN_METRICS)
    assert exposed(registry, found, Form.OPEN_METRICS).endswith(b"\n# EOF\n")


def test_values_that_are_no_numbers_have_their_names() -> None:
    found = [names.UNSENT_EVENTS.family([((), value)]) for value in (math.inf, -math.inf, math.nan)]
    shown = text(found, Form.OPEN_METRICS).splitlines()
    assert [line.split()[1] for line in shown if not line.startswith("#")] == ["+Inf", "-Inf", "NaN"]
