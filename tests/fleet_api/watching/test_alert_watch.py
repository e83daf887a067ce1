"""The API evaluates the alert rules itself: by turns, over what it reads, since when conditions hold, and says it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from sqlalchemy import text

from fleet_api.watching.alerts.rules import RULES
from fleet_api.watching.alerts.watch import RULES_ELSEWHERE, RULES_HERE, AlertWatch
from ingest.metrics import names
from ingest.metrics.names import Family
from storage.database import Database
from storage.watching import alerts
from tests.fleet_api.api_server import Api

pytestmark = pytest.mark.integration
NOW_S = 1_800_000_000.0


class Metrics:
    """Metrics that a test changes, and a clock that it sets."""

    def __init__(self) -> None:
        self.used_bytes = 100.0
        self.lost = 0.0
        self.is_read = True
        self.free_bytes: float | None = 100.0
        self.at_s = NOW_S

    def families(self) -> Iterable[Family]:
        if self.is_read:
            yield names.BUDGET_LIMIT.family([(("braking",), 100.0)])
            yield names.BUDGET_SETTLED.family([(("braking",), self.used_bytes)])
            yield names.BUDGET_RESERVED.family([(("braking",), 0.0)])
            yield names.UNACCOUNTED.family([(("braking",), self.lost)])
            yield names.VEHICLES.family([(("seen",), 5.0), (("stalled",), 0.0)])
        if self.free_bytes is not None:
            yield names.DISK_FREE.family([(("data",), self.free_bytes)])
            yield names.DISK_SIZE.family([(("data",), 100.0)])
        read = {"database": self.is_read, "disks": self.free_bytes is not None}
        yield names.COLLECTED.family(((source,), float(is_read)) for source, is_read in read.items())


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def watch(api: Api, metrics: Metrics) -> AlertWatch:
    api.app.state.alerts.close()  # whose turn it is, is for the test to say
    with api.database.begin() as connection:  # it may have had one already
        connection.execute(text("DELETE FROM alert_evaluation"))
    return AlertWatch(api.database, metrics.families, instance="here", unix_s=lambda: metrics.at_s)


def due(database: Database) -> None:
    """Let it be time for the next evaluation."""
    with database.begin() as connection:
        connection.execute(text("UPDATE alert_evaluation SET begun_at = now() - interval '1 hour'"))


def shown(api: Api) -> list[tuple[str, str, str]]:
    found = api.as_client("viewer").alerts.current()
    return [(each.alert, each.state, each.labels.get("campaign", "")) for each in found.alerts]


def test_rules_of_other_processes_are_named_and_not_evaluated() -> None:
    assert {"LongtailProcessDown", "LongtailIngestLag", "LongtailPartNotReady"} == set(RULES_ELSEWHERE)
    assert len(RULES_HERE) + len(RULES_ELSEWHERE) == len(RULES)


def test_what_is_wrong_is_told_since_when_with_what_to_do_until_it_is_over(
    api: Api, watch: AlertWatch, metrics: Metrics
) -> None:
    before = api.as_client("viewer").alerts.current()
    assert before.alerts == [] and before.elsewhere == list(RULES_ELSEWHERE)
    metrics.lost = 2.0
    due(api.database)
    assert watch.evaluate()
    assert shown(api) == [("LongtailBudgetExhausted", "firing", "braking"), ("LongtailFiresLost", "pending", "braking")]
    metrics.at_s += 1000
    due(api.database)
    assert watch.evaluate()
    (budget, lost) = api.as_client("viewer").alerts.current().alerts
    assert (budget.since.timestamp(), lost.since.timestamp()) == (NOW_S, NOW_S)
    assert lost.state == "firing", "for a quarter of an hour by now"
    assert budget.summary == "campaign braking has used 100% of its bytes, and takes no more clips"
    assert "longtail budget show braking" in budget.remedy and budget.value == 1.0
    metrics.used_bytes = 10.0
    due(api.database)
    assert watch.evaluate()
    assert shown(api) == [("LongtailFiresLost", "firing", "braking")]


def test_processes_take_turns(api: Api, watch: AlertWatch, metrics: Metrics) -> None:
    other = AlertWatch(api.database, metrics.families, instance="there", unix_s=lambda: metrics.at_s)
    due(api.database)
    assert watch.evaluate() and not other.evaluate() and not watch.evaluate()
    due(api.database)
    assert other.evaluate()


def test_what_was_known_stays_while_metrics_cannot_be_read(api: Api, watch: AlertWatch, metrics: Metrics) -> None:
    due(api.database)
    assert watch.evaluate()
    metrics.is_read = False
    metrics.at_s += 60
    due(api.database)
    assert watch.evaluate()
    found = api.as_client("viewer").alerts.current()
    assert found.missing == ["counts", "database"]
    assert ("LongtailBudgetExhausted", "firing", "braking") in shown(api)
    metrics.is_read = True
    due(api.database)
    assert watch.evaluate()
    found = api.as_client("viewer").alerts.current()
    assert found.missing == [] and found.alerts[0].since.timestamp() == NOW_S


def test_alerts_end_while_metrics_of_other_sources_cannot_be_read(
    api: Api, watch: AlertWatch, metrics: Metrics
) -> None:
    metrics.free_bytes = 1.0
    due(api.database)
    assert watch.evaluate()
    budget, disk = ("LongtailBudgetExhausted", "firing", "braking"), ("LongtailDiskFull", "firing", "")
    assert {budget, disk} <= set(shown(api))
    metrics.used_bytes, metrics.free_bytes = 10.0, None
    metrics.at_s += 60
    due(api.database)
    assert watch.evaluate()
    assert disk in shown(api) and budget not in shown(api)
    metrics.used_bytes = 100.0
    due(api.database)
    assert watch.evaluate()
    (again,) = [each for each in api.as_client("viewer").alerts.current().alerts if each.alert == budget[0]]
    assert again.since.timestamp() == NOW_S + 60, "it ended in between"


def test_who_took_too_long_for_a_turn_keeps_nothing(api: Api, watch: AlertWatch, metrics: Metrics) -> None:
    late = Metrics()

    def families() -> Iterable[Family]:
        due(api.database)
        assert watch.evaluate()
        return late.families()

    late.used_bytes, metrics.lost = 10.0, 2.0
    due(api.database)
    assert not AlertWatch(api.database, families, instance="there", unix_s=lambda: late.at_s).evaluate()
    assert shown(api) == [("LongtailBudgetExhausted", "firing", "braking"), ("LongtailFiresLost", "pending", "braking")]


def test_samples_of_a_day_are_kept_but_not_written_each_time(api: Api, watch: AlertWatch, metrics: Metrics) -> None:
    for _ in range(2):
        due(api.database)
        assert watch.evaluate()
        metrics.at_s += 60
    with api.database.begin() as connection:
        due_again = alerts.take(connection, every_s=-1)
    assert due_again is not None and [at_s for at_s, _ in due_again.samples] == [NOW_S]


def test_a_process_that_ends_keeps_nothing(api: Api, watch: AlertWatch) -> None:
    due(api.database)
    watch.stop()
    assert not watch.evaluate()
    watch.close()
