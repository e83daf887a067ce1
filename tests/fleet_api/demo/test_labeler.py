"""The auto-labeler: maneuvers found where they are, and told as OpenLABEL."""

from __future__ import annotations

import numpy as np
import pytest

from fleet_api.demo.maneuvers import LabelSpan, Parameters, find_maneuvers
from fleet_api.demo.openlabel import openlabel_document
from fleet_api.labels.openlabel import check
from triggers.drives.series import SignalSeries
from triggers.times import NS_PER_S

START_NS = 1_767_594_600 * NS_PER_S


def series(rate_hz: float, values: list[float]) -> SignalSeries:
    t_ns = START_NS + (np.arange(len(values)) * NS_PER_S / rate_hz).astype(np.int64)
    return SignalSeries(t_ns, np.array(values, dtype=np.float64))


def spans(found: list[LabelSpan], kind: str) -> list[tuple[float, float]]:
    return [
        (round((each.start_ns - START_NS) / NS_PER_S, 2), round((each.end_ns - START_NS) / NS_PER_S, 2))
        for each in found
        if each.kind == kind
    ]


def test_hard_braking_is_found_from_its_first_to_its_last_sample() -> None:
    accel = series(10, [0.0] * 20 + [-4.0] * 10 + [0.0] * 20)
    assert spans(find_maneuvers({"ego.accel": accel}, Parameters()), "hard_braking") == [(2.0, 2.9)]


def test_braking_shorter_than_the_minimum_is_no_maneuver_and_a_short_pause_does_not_split_one() -> None:
    blip = series(10, [0.0] * 20 + [-4.0] * 2 + [0.0] * 20)
    assert find_maneuvers({"ego.accel": blip}, Parameters()) == []
    paused = series(10, [0.0] * 10 + [-4.0] * 5 + [0.0] * 2 + [-4.0] * 5 + [0.0] * 10)
    assert spans(find_maneuvers({"ego.accel": paused}, Parameters()), "hard_braking") == [(1.0, 2.1)]


def test_without_an_accelerometer_braking_is_found_in_the_speed() -> None:
    speed = series(10, [20.0] * 20 + [20.0 - 0.4 * k for k in range(1, 21)] + [12.0] * 20)
    ((start_s, end_s),) = spans(find_maneuvers({"ego.speed": speed}, Parameters()), "hard_braking")
    assert 1.9 <= start_s <= 2.5 and 3.4 <= end_s <= 4.1


def test_a_standstill_at_the_clips_edge_is_found() -> None:
    speed = series(10, [5.0] * 10 + [0.0] * 30)
    assert spans(find_maneuvers({"ego.speed": speed}, Parameters()), "standstill") == [(1.0, 3.9)]


def test_a_cut_in_is_a_jump_of_the_lead_but_not_across_a_dropout() -> None:
    distance = series(20, [40.0] * 40 + [18.0] * 40)
    assert spans(find_maneuvers({"lead.distance": distance}, Parameters()), "cut_in") == [(0.45, 2.0)]
    gap = SignalSeries(np.delete(distance.t_ns, range(30, 50)), np.delete(distance.values, range(30, 50)))
    assert find_maneuvers({"lead.distance": gap}, Parameters()) == []


def test_without_any_known_signal_nothing_is_found() -> None:
    assert find_maneuvers({"engine.rpm": series(10, [900.0] * 20)}, Parameters()) == []


def test_the_document_counts_in_frames_from_the_clips_start() -> None:
    interval = LabelSpan("hard_braking", START_NS + 2 * NS_PER_S, START_NS + 2_950_000_000)
    document = openlabel_document(
        [interval], clip_id="c1", start_ns=START_NS, end_ns=START_NS + 8 * NS_PER_S, annotator="x 1"
    )
    check(document)
    document = document["openlabel"]
    assert document["metadata"]["schema_version"] == "1.0.0"
    assert document["actions"]["0"]["type"] == "hard_braking"
    assert document["actions"]["0"]["frame_intervals"] == [{"frame_start": 20, "frame_end": 30}]
    assert document["frame_intervals"] == [{"frame_start": 0, "frame_end": 80}]
    assert document["frames"]["80"]["frame_properties"]["timestamp"] == "1767594608.000000000"


@pytest.mark.parametrize("shift_s", [-5, 20])
def test_intervals_stay_within_the_clips_frames(shift_s: int) -> None:
    start_ns = START_NS + shift_s * NS_PER_S
    interval = LabelSpan("standstill", start_ns, start_ns + NS_PER_S)
    end_ns = START_NS + 8 * NS_PER_S
    document = openlabel_document([interval], clip_id="c", start_ns=START_NS, end_ns=end_ns, annotator="x")
    (frames,) = document["openlabel"]["actions"]["0"]["frame_intervals"]
    assert 0 <= frames["frame_start"] <= frames["frame_end"] <= 80
