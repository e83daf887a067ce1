"""Compared heads on the vehicle: pairs and events are counted once, whatever happens to journal and process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.triggers.vehicle.cloud import Cloud
from tests.triggers.vehicle.conftest import MakeConfig
from tests.triggers.vehicle.support import BRAKING, COMPARING, MATCHING, ManualClock, at, compiled, offer, rows
from triggers.contracts.campaign import MAX_COMPARES, EventComparison
from triggers.contracts.compared import Compared, EventCounts, Sides
from triggers.contracts.limits import MAX_TELEMETRY_BYTES
from triggers.errors import Unreachable
from triggers.language.rows import Row
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.journal.fires import RunIncrement
from triggers.vehicle.journal.journal import Journal
from triggers.vehicle.programs.host import Host

HEAD = "cut_in.detected"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "j.sqlite")
    yield opened
    opened.close()


def pairs(start_s: float, *values: tuple[float, float]) -> list[Row]:
    """Rows 100 ms apart with the active and the shadow value."""
    return [
        Row(at(start_s + k / 10), {f"active.{HEAD}": active, f"shadow.{HEAD}": shadow})
        for k, (active, shadow) in enumerate(values)
    ]


def compared_of(journal: Journal) -> Compared:
    (counts,) = (version for version in journal.counts() if version.campaign == "comparing")
    return counts.compared[HEAD]


def test_a_campaign_of_compares_counts_and_fires_nothing(journal: Journal) -> None:
    host = Host("car-1", journal)
    assert host.assign([compiled(COMPARING)]) == []
    assert {f"active.{HEAD}", f"shadow.{HEAD}"} <= host.inputs
    assert host.run(pairs(0, (0, 0), (0, 1), (0, 1), (1, 0), (1, 1), (float("inf"), 1))) == []
    host.flush()
    host.flush()
    assert compared_of(journal) == Compared(neither=1, only_shadow=2, only_active=1, both=1, unknown=1)
    (counts,) = journal.counts()
    assert (counts.watermark, counts.armed_ns) == (0, 500_000_000)


def test_pairs_are_written_at_least_once_a_minute_of_armed_time_without_any_fire(journal: Journal) -> None:
    host = Host("car-1", journal)
    host.assign([compiled(COMPARING)])
    for minute in range(2):
        host.run(pairs(60 * minute, *[(1, 1)] * 600))
    assert compared_of(journal).both == 1200


def test_pairs_that_could_not_be_written_are_written_with_the_next_ones(journal: Journal) -> None:
    host = Host("car-1", journal)
    host.assign([compiled(COMPARING)])
    host.run(pairs(0, (1, 1)))
    journal.reading.execute("PRAGMA query_only=ON")
    with pytest.raises(Unreachable):
        host.flush()
    host.run(pairs(1, (1, 1), (0, 1)))
    journal.reading.execute("PRAGMA query_only=OFF")
    host.flush()
    assert compared_of(journal) == Compared(both=2, only_shadow=1)


def test_a_version_that_comes_back_counts_on_and_counts_nothing_twice(journal: Journal) -> None:
    bundle = compiled(COMPARING)
    host = Host("car-1", journal)
    host.assign([bundle])
    host.run(pairs(0, (1, 1), (0, 0)))
    host.assign([])
    host.assign([bundle])
    host.run(pairs(5, (1, 1)))
    host.save()
    restarted = Host("car-1", journal)
    restarted.assign([bundle])
    restarted.run(pairs(9, (1, 0)))
    restarted.flush()
    assert compared_of(journal) == Compared(neither=1, only_active=1, both=2)


def test_after_a_crash_what_was_written_stays(tmp_path: Path) -> None:
    bundle = compiled(COMPARING)
    journal = Journal(tmp_path / "j.sqlite")
    host = Host("car-1", journal)
    host.assign([bundle])
    host.run(pairs(0, (1, 1), (1, 1)))
    host.flush()
    host.run(pairs(1, (0, 0)))
    journal.close()
    journal = Journal(tmp_path / "j.sqlite")
    host = Host("car-1", journal)
    host.assign([bundle])
    host.run(pairs(9, (0, 1)))
    host.flush()
    assert compared_of(journal) == Compared(both=2, only_shadow=1), "the pair that was not written is lost"
    journal.close()


def test_versions_and_heads_are_counted_apart(journal: Journal) -> None:
    journal.record([RunIncrement("a", 1, compared={"h": Compared(both=1), "k": Compared(neither=2)})])
    journal.record([RunIncrement("a", 2, compared={"h": Compared(both=4)}), RunIncrement("b", 1)])
    journal.record([RunIncrement("a", 1, compared={"h": Compared(both=8, unknown=1)})])
    assert {(counts.campaign, counts.version): counts.compared for counts in journal.counts()} == {
        ("a", 1): {"h": Compared(both=9, unknown=1), "k": Compared(neither=2)},
        ("a", 2): {"h": Compared(both=4)},
        ("b", 1): {},
    }


def test_a_program_that_compares_what_its_settings_do_not_is_refused_alone(journal: Journal) -> None:
    host = Host("car-1", journal)
    (problem,) = host.assign([compiled(COMPARING, compare=()), compiled(BRAKING)])
    assert "comparing version 1 does not run" in problem and HEAD in problem
    assert host.campaigns == (("braking", 1),)


def test_the_agent_reports_the_pairs(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(COMPARING), compiled(BRAKING), revision=1)
    with VehicleAgent(make_config(), clock=clock) as agent:
        agent.check_in()
        agent.feed([*pairs(0, (1, 1), (1, 0)), *rows(1, 3)])
        assert {counts.campaign: counts.compared for counts in agent.status().counts} == {
            "comparing": {HEAD: Compared(both=1, only_active=1)},
            "braking": {},
        }
        agent.report()
    reported = {counts.campaign: counts.compared for counts in cloud.reports[-1].counts}
    assert reported["comparing"] == {HEAD: Compared(both=1, only_active=1)}


def test_counts_that_are_too_many_for_a_report_go_out_in_several(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock
) -> None:
    heads = {f"{'h' * 150}{number}": Compared(both=2**60) for number in range(MAX_COMPARES)}
    config = make_config()
    journal = Journal(config.state_directory / "j.sqlite")
    with VehicleAgent(config, clock=clock, journal=journal) as agent:
        journal.record([RunIncrement(f"c{number}", 1, compared=heads) for number in range(200)])
        agent.report()
    sizes = [len(report.canonical_json()) for report in cloud.reports]
    assert len(sizes) > 1 and max(sizes) < MAX_TELEMETRY_BYTES
    reported = [counts for report in cloud.reports for counts in report.counts]
    assert {counts.campaign for counts in reported} == {f"c{number}" for number in range(200)}
    assert all(counts.compared == heads for counts in reported) and len(reported) == 200


def matched_of(journal: Journal) -> EventCounts:
    (counts,) = (version for version in journal.counts() if version.campaign == "matching")
    (of_head,) = counts.events.values()
    return of_head[Sides.ACTIVE_SHADOW]


QUIET = [(0, 0)] * 8
"""As long as two windows and more."""


def test_events_are_counted_with_their_partner_or_when_their_window_has_passed(journal: Journal) -> None:
    host = Host("car-1", journal)
    assert host.assign([compiled(MATCHING)]) == []
    host.run(pairs(0, *QUIET, (1, 0), (0, 1), *QUIET, (0, 1)))
    host.flush()
    assert matched_of(journal) == EventCounts(matched=1)
    host.run(pairs(1.9, *QUIET))
    host.flush()
    assert matched_of(journal) == EventCounts(matched=1, only_second=1)


def test_the_end_of_a_drive_settles_what_waits_once(journal: Journal) -> None:
    host = Host("car-1", journal)
    host.assign([compiled(MATCHING)])
    host.run(pairs(0, *QUIET, (1, 0)))
    host.end_drive()
    host.end_drive()
    assert matched_of(journal) == EventCounts(unresolved_first=1)
    host.run(pairs(1, *QUIET))
    host.flush()
    assert matched_of(journal) == EventCounts(unresolved_first=1)


def test_what_waits_at_a_restart_finds_its_partner_after_it(journal: Journal) -> None:
    bundle = compiled(MATCHING)
    host = Host("car-1", journal)
    host.assign([bundle])
    host.run(pairs(0, *QUIET, (1, 0)))
    host.save()
    restarted = Host("car-1", journal)
    restarted.assign([bundle])
    restarted.run(pairs(0.9, (0, 1)))
    restarted.flush()
    assert matched_of(journal) == EventCounts(matched=1)


def test_a_campaign_that_is_taken_away_settles_what_waits(journal: Journal) -> None:
    host = Host("car-1", journal)
    host.assign([compiled(MATCHING)])
    host.run(pairs(0, *QUIET, (0, 1)))
    host.assign([])
    assert matched_of(journal) == EventCounts(unresolved_second=1)


def test_events_that_could_not_be_written_are_written_with_the_next_ones(journal: Journal) -> None:
    host = Host("car-1", journal)
    host.assign([compiled(MATCHING)])
    host.run(pairs(0, *QUIET, (1, 1)))
    journal.reading.execute("PRAGMA query_only=ON")
    with pytest.raises(Unreachable):
        host.flush()
    host.run(pairs(0.9, *QUIET, (1, 1)))
    journal.reading.execute("PRAGMA query_only=OFF")
    host.flush()
    assert matched_of(journal) == EventCounts(matched=2)


def test_events_of_versions_heads_and_sides_are_counted_apart(journal: Journal) -> None:
    both, driver = ("h", Sides.ACTIVE_SHADOW), ("h", Sides.ACTIVE_DRIVER)
    journal.record([RunIncrement("a", 1, events={both: EventCounts(1), driver: EventCounts(2)})])
    journal.record([RunIncrement("a", 2, events={both: EventCounts(4)}), RunIncrement("b", 1)])
    journal.record([RunIncrement("a", 1, events={both: EventCounts(8, 1, 2, 3, 4)})])
    assert {(counts.campaign, counts.version): counts.events for counts in journal.counts()} == {
        ("a", 1): {"h": {Sides.ACTIVE_SHADOW: EventCounts(9, 1, 2, 3, 4), Sides.ACTIVE_DRIVER: EventCounts(2)}},
        ("a", 2): {"h": {Sides.ACTIVE_SHADOW: EventCounts(4)}},
        ("b", 1): {},
    }


@pytest.mark.parametrize(
    "events",
    [
        (),
        (EventComparison(head="other.detected", within_ns=300_000_000),),
        (EventComparison(head=HEAD, within_ns=300_000_001),),
    ],
)
def test_a_program_that_matches_other_events_than_its_settings_is_refused_alone(
    journal: Journal, events: tuple[EventComparison, ...]
) -> None:
    host = Host("car-1", journal)
    (problem,) = host.assign([compiled(MATCHING, events=events), compiled(BRAKING)])
    assert "matching version 1 does not run" in problem and f"events of {HEAD}" in problem
    assert host.campaigns == (("braking", 1),)


def test_the_agent_reports_the_events_and_leaves_them_out_where_there_are_none(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey
) -> None:
    offer(cloud, key, compiled(MATCHING), compiled(BRAKING), revision=1)
    with VehicleAgent(make_config(), clock=clock) as agent:
        agent.check_in()
        agent.feed([*pairs(0, *QUIET, (1, 1), *QUIET), *rows(2, 4)])
        agent.report()
    reported = {counts.campaign: counts.model_dump(mode="json") for counts in cloud.reports[-1].counts}
    five = {"matched": 1, "only_first": 0, "only_second": 0, "unresolved_first": 0, "unresolved_second": 0}
    assert reported["matching"]["events"] == {HEAD: {"active_shadow": five}}
    assert "events" not in reported["braking"], "a cloud of before knows no such member"
