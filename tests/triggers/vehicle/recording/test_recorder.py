"""Recordings are unions of touching windows, within the longest span, and every fire is in exactly one of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.triggers.vehicle.support import a_fire, at, footage, video
from triggers.times import NS_PER_S
from triggers.vehicle.recording.charges import FireShare, charge
from triggers.vehicle.recording.clips import RecordingContext, make_clip, touching_groups
from triggers.vehicle.recording.fires import VehicleFire
from triggers.vehicle.recording.recorder import FinishedRecording, Recorder
from triggers.vehicle.recording.ring import RingBuffer

SPAN_NS = 60 * NS_PER_S


def play(
    fires: list[VehicleFire], *, length_s: int, slice_s: float = 1.0, ring_bytes: int = 10**8
) -> list[FinishedRecording]:
    """Drive 10 Hz rows and the fires through a ring and a recorder, in slices as an agent would."""
    ring = RingBuffer(max_span_ns=SPAN_NS, max_bytes=ring_bytes)
    recorder = Recorder(ring, max_span_ns=SPAN_NS)
    recorder.before_ns = max((fire.capture.before_ns for fire in fires), default=0)
    ring.keep({s for f in fires for s in f.capture.signals}, {"front"}, recorder.before_ns)
    frames = video(0, length_s + 1)
    finished: list[FinishedRecording] = []
    due = sorted(fires, key=lambda fire: (fire.t_ns, fire.key))
    slice_end = at(0)
    for frame in frames[: length_s * 10 + 1]:
        ring.push_row(frame.t_ns, {"speed": 1.0, "rpm": 2.0, "steer": 3.0})
        ring.push_frame("front", frame)
        if frame.t_ns < slice_end:
            continue
        while due and due[0].t_ns <= frame.t_ns:
            finished += recorder.add(due.pop(0))
        finished += recorder.advance(frame.t_ns)
        slice_end = frame.t_ns + round(slice_s * NS_PER_S)
    last_ns = frames[length_s * 10].t_ns
    while due and due[0].t_ns <= last_ns:
        finished += recorder.add(due.pop(0))
    finished += recorder.finish()
    assert ring.pin_ns is None
    assert not due
    return finished


fire_lists = st.lists(
    st.tuples(
        st.integers(0, 1200),
        st.integers(0, 200),
        st.integers(0, 200),
        st.sets(st.sampled_from(["speed", "rpm", "steer"]), min_size=1),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
).map(
    lambda items: [
        a_fire(
            t / 10,
            ordinal=ordinal,
            before_s=before / 10,
            after_s=after / 10,
            signals=tuple(sorted(signals)),
            cameras=("front",) if camera else (),
        )
        for ordinal, (t, before, after, signals, camera) in enumerate(sorted(items, key=lambda i: i[0]), start=1)
    ]
)


@given(fire_lists)
@hypothesis_settings(max_examples=60)
def test_every_fire_is_in_one_recording_whose_span_is_the_union_of_windows(fires: list[VehicleFire]) -> None:
    recordings = play(fires, length_s=130)
    assert Counter(fire.key for r in recordings for fire in r.fires) == Counter(fire.key for fire in fires)
    for recording in recordings:
        assert not recording.lost
        windows = [fire.window(SPAN_NS) for fire in recording.fires]
        held = recording.footage
        assert held is not None
        assert held.start_ns == max(at(0), min(start for start, _ in windows))
        assert held.end_ns == min(at(130), max(end for _, end in windows))
        assert held.end_ns - held.start_ns <= SPAN_NS
        assert len(touching_groups(recording.fires, SPAN_NS)) == 1
        assert set(held.signals) == {s for fire in recording.fires for s in fire.capture.signals}
        for samples in held.signals.values():
            assert list(samples.times_ns) == [
                at(k / 10) for k in range(1301) if held.start_ns <= at(k / 10) <= held.end_ns
            ]


@given(fire_lists, st.sampled_from([0.1, 0.7, 5.0]))
@hypothesis_settings(max_examples=30)
def test_recordings_do_not_depend_on_how_rows_are_handed_in(fires: list[VehicleFire], slice_s: float) -> None:
    def shape(recordings: list[FinishedRecording]) -> list[tuple[object, ...]]:
        spans = [(r.footage.start_ns, r.footage.end_ns) for r in recordings if r.footage]
        return sorted(zip(spans, ({f.key for f in r.fires} for r in recordings), strict=True), key=str)

    assert shape(play(fires, length_s=125, slice_s=slice_s)) == shape(play(fires, length_s=125, slice_s=1.0))


@given(fire_lists)
@hypothesis_settings(max_examples=60)
def test_recordings_whose_windows_touch_are_one_unless_the_longest_span_forbids_it(fires: list[VehicleFire]) -> None:
    recordings = play(fires, length_s=130)
    spans = [
        (min(f.window(SPAN_NS)[0] for f in r.fires), max(f.window(SPAN_NS)[1] for f in r.fires)) for r in recordings
    ]
    for index, (start, end) in enumerate(spans):
        for other_start, other_end in spans[index + 1 :]:
            touching = start <= other_end and other_start <= end
            assert not touching or max(end, other_end) - min(start, other_start) > SPAN_NS


def test_a_window_longer_than_the_longest_span_is_shortened_around_its_fire() -> None:
    (recording,) = play([a_fire(80, before_s=70, after_s=50)], length_s=130)
    assert recording.footage is not None
    assert (recording.footage.start_ns, recording.footage.end_ns) == (at(45), at(105))


def test_a_fire_whose_moment_left_the_ring_is_reported_as_lost() -> None:
    recordings = play([a_fire(20, after_s=30, cameras=("front",))], length_s=60, ring_bytes=20_000)
    (recording,) = recordings
    assert recording.footage is None
    assert [fire.ordinal for fire in recording.lost] == [1]


asks = st.lists(
    st.builds(
        lambda t, before, after, signals, cameras: (t, before, after, signals, cameras),
        st.integers(0, 200),
        st.integers(0, 100),
        st.integers(0, 100),
        st.sets(st.sampled_from(["speed", "rpm"])),
        st.sets(st.sampled_from(["front"])),
    ),
    min_size=1,
    max_size=8,
)


@given(asks, st.integers(1, 5_000_000))
def test_charges_sum_to_the_size_exactly(raw: list[tuple[int, int, int, set[str], set[str]]], size: int) -> None:
    held = footage(0, 20, ("speed", "rpm"), ("front",), hz=5)
    given_asks = [
        FireShare(
            at(t / 10),
            a_fire(1, ordinal=ordinal).key,
            max(held.start_ns, at((t - before) / 10)),
            min(held.end_ns, at((t + after) / 10)),
            frozenset(signals),
            frozenset(cameras),
        )
        for ordinal, (t, before, after, signals, cameras) in enumerate(raw, start=1)
    ]
    charges = charge(held, given_asks, size)
    assert sum(charges) == size
    assert all(due >= 0 for due in charges)
    assert charge(held, list(reversed(given_asks)), size) == tuple(reversed(charges))


def test_a_fire_pays_for_what_its_window_adds() -> None:
    held = footage(0, 20, ("speed",), hz=10)
    keys = [a_fire(1, ordinal=n).key for n in (1, 2, 3)]
    speed, nothing = frozenset({"speed"}), frozenset[str]()
    first = FireShare(at(5), keys[0], at(0), at(10), speed, nothing)
    second = FireShare(at(6), keys[1], at(1), at(9), speed, nothing)
    third = FireShare(at(15), keys[2], at(8), at(20), speed, nothing)
    charges = charge(held, [first, second, third], 201_000)
    assert charges == (101_000, 0, 100_000)


def test_charges_of_a_clip_sum_to_its_file_and_windows_lie_in_the_recording(tmp_path: Path) -> None:
    fires = [a_fire(5, ordinal=1), a_fire(8, ordinal=2, signals=("rpm",)), a_fire(8, campaign="other", before_s=20)]
    clip = make_clip(
        tmp_path,
        fires,
        footage(0, 13, ("speed", "rpm")),
        RecordingContext(vehicle_id="car-1", max_span_ns=SPAN_NS),
    )
    recording = clip.manifest.recording
    assert sum(fire.charged_bytes for fire in recording.fires) == clip.path.stat().st_size == clip.manifest.size_bytes
    assert all(recording.start_ns <= f.window_start_ns <= f.window_end_ns <= recording.end_ns for f in recording.fires)
