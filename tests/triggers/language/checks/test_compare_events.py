"""`compare events H.F within W`: what a program matches, when a rise counts, and counts that nothing loses."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import astuple
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.support import MS, Samples, rows
from triggers.compared_events.matcher import MAX_WAITING
from triggers.contracts.campaign import EventComparison
from triggers.contracts.compared import EventCounts, EventKey, Sides
from triggers.errors import InvalidInput
from triggers.language.compile import Compilation, compile_source
from triggers.language.ir import Ir
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import HEARTBEAT_NS, Row
from triggers.language.text.diagnostics import render_all
from triggers.language.webassembly.emitter import emit
from triggers.language.webassembly.host import machine
from triggers.language.webassembly.host.evaluator import Evaluator
from triggers.language.webassembly.host.manifest import read_manifest
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse(
    """
max_gap: 2.0
signals:
  x: {rate: 10}
  active.h: {type: bool, rate: 10}
  shadow.h: {type: bool, rate: 10}
  active.held: {type: bool, update: on_change}
  shadow.held: {type: bool, update: on_change, initial: false}
  driver: {type: bool, update: on_change, initial: false}
""",
    name="test catalog",
)
A, S, D = "active.h", "shadow.h", "driver"
WITHIN_NS = 300 * MS
COMPARING = "campaign c { compare events h within 300 ms budget 1 clips }"
WITH_DRIVER = "campaign c { compare events h with driver within 300 ms budget 1 clips }"
HELD = "campaign c { compare events held within 300 ms budget 1 clips }"
AMONG_OTHERS = """
trigger t { when x > 1 for 300 ms or disagree(h) }
campaign c { collect t compare h, events held within 300 ms, events h within 1 s budget 1 clips }
"""


def compiled(source: str) -> Compilation:
    result = compile_source(source, filename="test", catalog=CATALOG)
    assert result.ok, render_all(result.diagnostics)
    return result


@cache
def of_campaign(source: str, name: str = "c") -> Ir:
    return compiled(source).campaigns[name].ir


@cache
def _module(source: str) -> machine.LoadedModule:
    return machine.load(emit(of_campaign(source)))


def counted(samples: Samples, source: str = COMPARING, *, end: bool = True) -> EventCounts:
    """What interpreter and module count alike of active and shadow signal; by default the drive ends."""
    both = [Interpreter(of_campaign(source)), Evaluator(_module(source))]
    for evaluator in both:
        evaluator.run(rows(samples))
        if end:
            evaluator.end_drive()
    first, second = ({key.sides: counts for key, counts in evaluator.events.items()} for evaluator in both)
    assert first == second
    return first[Sides.ACTIVE_SHADOW]


def known(until_ms: int, **rises_ms: Sequence[int]) -> dict[int, dict[str, float]]:
    """Samples of `h` every 100 ms, and at each rise one of its side that is true, for one sample."""
    samples = {t_ms: {A: 0.0, S: 0.0} for t_ms in range(0, until_ms + 1, 100)}
    for side, times_ms in rises_ms.items():
        for t_ms in times_ms:
            samples.setdefault(t_ms, {})[f"{side}.h"] = 1.0
    return dict(sorted(samples.items()))


# What a program compares.


def test_a_campaign_of_events_reads_its_head_and_its_driver_and_nothing_else() -> None:
    campaign = compiled(f"trigger t {{ when x > 1 }}\n{WITH_DRIVER}").campaigns["c"]
    assert {item.name for item in campaign.ir.inputs} == {A, S, D}
    sides = [
        (code.sides, *(campaign.ir.inputs[campaign.ir.input_under(node)].name for node in (code.first, code.second)))
        for code in campaign.ir.events
    ]
    assert sides == [(Sides.ACTIVE_SHADOW, A, S), (Sides.ACTIVE_DRIVER, A, D), (Sides.SHADOW_DRIVER, S, D)]
    assert {code.within_ns for code in campaign.ir.events} == {WITHIN_NS}
    assert campaign.settings.events == (EventComparison(head="h", within_ns=WITHIN_NS, driver=D),)
    assert campaign.settings.compare == ()


def test_pairs_and_events_of_one_head_are_compared_beside_each_other() -> None:
    campaign = compiled("campaign c { compare h, events h within 1 s budget 1 clips }").campaigns["c"]
    assert campaign.settings.compare == ("h",)
    assert campaign.settings.events == (EventComparison(head="h", within_ns=1000 * MS),)
    assert len(campaign.ir.compares) == len(campaign.ir.events) == 1


def test_a_files_program_has_each_window_of_its_campaigns_once() -> None:
    source = """
    campaign a { compare events h within 1 s budget 1 clips }
    campaign b { compare events h within 1 s, events held within 2 s budget 1 clips }
    campaign c { compare events h within 2 s budget 1 clips }
    """
    triggers = compiled(source).triggers
    assert triggers is not None
    assert [(code.head, code.within_ns // MS) for code in triggers.ir.events] == [
        ("h", 1000),
        ("held", 2000),
        ("h", 2000),
    ]


def test_a_head_may_itself_be_called_events() -> None:
    catalog = SignalCatalog.parse(
        "signals: {active.events: {type: bool, rate: 1}, shadow.events: {type: bool, rate: 1}}", name="catalog"
    )
    text = "campaign c { compare events, events events within 1 s budget 1 clips }"
    settings_ = compile_source(text, filename="t", catalog=catalog).campaigns["c"].settings
    assert settings_.compare == ("events",)
    assert [each.head for each in settings_.events] == ["events"]


def test_only_a_program_that_compares_events_has_the_newer_format() -> None:
    assert read_manifest(emit(of_campaign(COMPARING))).format == "longtail-program/3"
    without = emit(of_campaign("campaign c { compare h budget 1 clips }"))
    assert read_manifest(without).format == "longtail-program/2"
    assert b'"events"' not in without, "hosts of before know no such member"


def test_settings_without_events_are_those_that_vehicles_of_before_know() -> None:
    campaign = compiled("campaign c { compare h budget 1 clips }").campaigns["c"]
    assert b'"events"' not in campaign.settings.canonical_json()


# What it counts.


def test_rises_that_are_at_most_the_window_apart_are_one_event() -> None:
    assert counted(known(3000, active=[1050], shadow=[1350])) == EventCounts(matched=1)
    assert counted(known(3000, active=[1350], shadow=[1050])) == EventCounts(matched=1)
    assert counted(known(3000, active=[1050], shadow=[1351])) == EventCounts(only_first=1, only_second=1)


def test_a_side_that_stays_true_rises_once_and_one_that_begins_true_does_not() -> None:
    always = {t_ms: {A: 1.0, S: 0.0} for t_ms in range(0, 2000, 100)}
    assert counted(always) == EventCounts()
    assert counted({t_ms: {A: float(t_ms >= 1000), S: 0.0} for t_ms in range(0, 3000, 100)}) == EventCounts(
        only_first=1
    )


def test_a_rise_is_alone_when_its_window_has_passed_and_not_before() -> None:
    samples = known(1300, active=[1000])
    assert counted(samples, end=False) == EventCounts()
    assert counted(samples | {1301: {S: 0.0}}, end=False) == EventCounts(only_first=1)


def test_at_the_end_of_a_drive_what_still_waits_is_unresolved() -> None:
    assert counted(known(1200, active=[1000])) == EventCounts(unresolved_first=1)
    assert counted(known(1300, active=[1000])) == EventCounts(only_first=1), "its window ends with the drive"


def test_after_a_gap_a_segment_begins_in_which_nothing_finds_a_partner() -> None:
    source = "campaign c { compare events h within 1 s budget 1 clips }"
    before = known(3000, active=[3000])
    after = {t_ms + 6000: each for t_ms, each in known(3000, shadow=[200, 1200]).items()}
    assert counted(before | after, source) == EventCounts(only_second=1, unresolved_first=1, unresolved_second=1)


def test_heartbeats_pass_the_time_of_a_window_in_a_recording_that_is_silent() -> None:
    samples = {0: {"active.held": 0.0}, 1000: {"active.held": 1.0}, 2900: {"x": 1.0}}
    assert counted(samples, "campaign c { compare events held within 300 ms budget 1 clips }") == EventCounts(
        only_first=1
    )


def test_a_rise_is_unresolved_where_the_other_side_was_unknown_in_its_window() -> None:
    invalid = known(3000, active=[1050]) | {900: {A: 0.0, S: math.inf}}
    assert counted(dict(sorted(invalid.items()))) == EventCounts(unresolved_first=1)
    silent = {t_ms: {A: float(t_ms == 1000)} for t_ms in range(0, 3000, 100)}
    assert counted(silent) == EventCounts(unresolved_first=1), "a shadow that never spoke has missed nothing"
    itself = known(3000, active=[1050]) | {1100: {A: math.inf, S: 0.0}}
    assert counted(dict(sorted(itself.items()))) == EventCounts(only_first=1)


def test_more_rises_than_may_wait_are_unresolved() -> None:
    source = "campaign c { compare events held within 1 min budget 1 clips }"
    changes = {1_000_000 + 10 * k: {"active.held": float(k % 2)} for k in range(2 * MAX_WAITING + 20)}
    samples = {0: {"active.held": 0.0}, **{t_ms: {"x": 1.0} for t_ms in range(1000, 1_000_000, 1000)}, **changes}
    samples |= {t_ms: {"x": 1.0} for t_ms in range(1_003_000, 1_070_000, 1000)}
    assert counted(samples, source) == EventCounts(only_first=MAX_WAITING, unresolved_first=10)


def test_a_driver_is_matched_with_either_side_by_itself() -> None:
    samples = known(6000, active=[1050, 3050], shadow=[3100, 5050])
    samples |= {1070: {D: 1.0}, 1500: {D: 0.0}, 3120: {D: 1.0}}
    samples = dict(sorted(samples.items()))
    evaluator = Evaluator(_module(WITH_DRIVER))
    evaluator.run(rows(samples))
    evaluator.end_drive()
    assert evaluator.events == {
        EventKey("h", Sides.ACTIVE_SHADOW, WITHIN_NS): EventCounts(1, 1, 1),
        EventKey("h", Sides.ACTIVE_DRIVER, WITHIN_NS, D): EventCounts(matched=2),
        EventKey("h", Sides.SHADOW_DRIVER, WITHIN_NS, D): EventCounts(1, 1, 1),
    }
    assert counted(samples, WITH_DRIVER) == counted(samples), "a driver changes nothing for active and shadow"


def test_what_waits_is_saved_and_finds_its_partner_after_a_restart() -> None:
    first, restored = Evaluator(_module(HELD)), Evaluator(_module(HELD))
    first.run(rows({0: {"active.held": 0.0}, 1000: {"active.held": 1.0}}))
    restored.restore(first.save())
    restored.run(rows({1200: {"shadow.held": 1.0}}))
    assert restored.events[EventKey("held", Sides.ACTIVE_SHADOW, WITHIN_NS)] == EventCounts(matched=1)


def test_a_manifest_whose_format_and_events_contradict_each_other_is_refused() -> None:
    manifest = read_manifest(emit(of_campaign(COMPARING)))
    for wrong in ({"format": "longtail-program/2"}, {"events": ()}):
        changed = manifest.model_dump(mode="json") | {**wrong}
        with pytest.raises(InvalidInput, match="compared events"):
            type(manifest).from_json(json.dumps(changed).encode(), what="manifest")


_value = st.sampled_from([0.0, 0.0, 1.0, 1.0, math.inf, math.nan])
_row = st.tuples(
    st.sampled_from([1, 20, 50, 100, 120, 300, 301, 700, 2000, 2001, -30]),
    st.fixed_dictionaries({}, optional={"active.held": _value, "shadow.held": _value, "x": st.just(2.0)}),
)


class _Definition:
    """The counts of `held` as the language defines them, over lists of whole segments, in no clever way."""

    def __init__(self, recording: Sequence[Row]) -> None:
        self.counts = [0] * 5
        segment: list[Row] = []
        for row in recording:
            gap_ns = row.t_ns - segment[-1].t_ns if segment else 0
            if segment and not 0 < gap_ns <= CATALOG.max_gap_ns:
                self._segment(segment, row.t_ns if gap_ns > 0 else None)
                segment = []
            segment.append(row)
        if segment:
            self._segment(segment, None)

    def _segment(self, segment: Sequence[Row], next_ns: int | None) -> None:
        sides = ("active.held", "shadow.held")
        histories = [[(segment[0].t_ns, None if side == 0 else 0.0)] for side in range(2)]
        for row in segment:
            for history, name in zip(histories, sides, strict=True):
                value = row.samples.get(name, math.nan)
                if not math.isnan(value):
                    if history[-1][0] == row.t_ns:  # a sample in the first row: the initial value never held
                        history.pop()
                    history.append((row.t_ns, None if math.isinf(value) else value))
        rises = [_rises(history) for history in histories]
        end_ns = _latest_tick(segment, sides, next_ns)
        partners = [list(each) for each in rises]
        while pairs := [
            (min(a, b), max(a, b), a, b) for a in partners[0] for b in partners[1] if abs(a - b) <= WITHIN_NS
        ]:
            *_, a, b = min(pairs)
            partners[0].remove(a)
            partners[1].remove(b)
            self.counts[0] += 1
        for side in range(2):
            for t_ns in partners[side]:
                seen = t_ns + WITHIN_NS <= end_ns and _is_known(histories[1 - side], t_ns - WITHIN_NS, t_ns + WITHIN_NS)
                self.counts[(1 if seen else 3) + side] += 1


def _rises(history: Sequence[tuple[int, float | None]]) -> list[int]:
    told = [(t_ns, value) for t_ns, value in history if value is not None]
    return [t_ns for (_, before), (t_ns, value) in pairwise(told) if before == 0 and value == 1]


def _is_known(history: Sequence[tuple[int, float | None]], low_ns: int, high_ns: int) -> bool:
    """Whether the value that is held is known at each moment from `low_ns` to `high_ns`."""
    ends = [t_ns for t_ns, _ in history[1:]] + [2**63]
    spans = list(zip([t_ns for t_ns, _ in history], ends, [value for _, value in history], strict=True))
    return history[0][0] <= low_ns and all(
        value is not None for start, end, value in spans if start <= high_ns and end > low_ns and end > start
    )


def _latest_tick(segment: Sequence[Row], sides: Sequence[str], next_ns: int | None) -> int:
    """The last row with a sample of a side, or the last heartbeat at which one of them had none for 100 ms."""
    last_ns = segment[-1].t_ns
    until_ns = last_ns if next_ns is None else min(next_ns - 1, last_ns + CATALOG.max_gap_ns)
    sampled = {name: [row.t_ns for row in segment if not math.isnan(row.samples.get(name, math.nan))] for name in sides}
    ticks = [segment[0].t_ns, *(t_ns for times in sampled.values() for t_ns in times)]
    for beat_ns in range(-(-segment[0].t_ns // HEARTBEAT_NS) * HEARTBEAT_NS, until_ns + 1, HEARTBEAT_NS):
        if any(not any(beat_ns - HEARTBEAT_NS < t_ns <= beat_ns for t_ns in times) for times in sampled.values()):
            ticks.append(beat_ns)
    return max(ticks)


@settings(max_examples=150, deadline=None)
@given(st.lists(_row, max_size=60), st.integers(0, 60), st.booleans())
def test_random_drives_are_counted_by_the_definition_also_with_a_restart_in_the_middle(
    steps: list[tuple[int, dict[str, float]]], cut: int, among_others: bool
) -> None:
    t_ms, recording = 1000, []
    for step_ms, samples in steps:
        t_ms += step_ms
        recording.append(Row(t_ms * MS, samples))
    source = AMONG_OTHERS if among_others else HELD
    whole = Interpreter(of_campaign(source))
    whole.run(recording)
    first, second = Evaluator(_module(source)), Evaluator(_module(source))
    first.run(recording[:cut])
    second.restore(first.save())
    second.run(recording[cut:])
    whole.end_drive()
    second.end_drive()
    key = EventKey("held", Sides.ACTIVE_SHADOW, WITHIN_NS)
    assert whole.events == second.events
    assert list(astuple(whole.events[key])) == _Definition(recording).counts
