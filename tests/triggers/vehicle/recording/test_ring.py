"""The ring buffer stays within its time and bytes, counts what it drops, and starts cameras with keyframes."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tests.triggers.vehicle.support import at, video
from triggers.clips.footage import HELD_SAMPLE_BYTES, VideoFrame
from triggers.times import NS_PER_S
from triggers.vehicle.recording.ring import RingBuffer


def a_ring(*, span_s: float = 60, max_bytes: int = 1_000_000) -> RingBuffer:
    return RingBuffer(max_span_ns=round(span_s * NS_PER_S), max_bytes=max_bytes)


def test_only_signals_that_a_campaign_may_capture_are_held() -> None:
    ring = a_ring()
    ring.keep(["speed"], [], NS_PER_S)
    ring.push_row(at(0), {"speed": 1.0, "rpm": 2.0})
    held = ring.cut(at(0), at(1), ["speed", "rpm"], [])
    assert list(held.signals["speed"].values) == [1.0]
    assert len(held.signals["rpm"].values) == 0
    assert ring.bytes == HELD_SAMPLE_BYTES


def test_the_longest_pre_roll_stays_and_older_data_goes() -> None:
    ring = a_ring()
    ring.keep(["speed"], [], 5 * NS_PER_S)
    for tenth in range(1000):
        ring.push_row(at(tenth / 10), {"speed": float(tenth)})
        ring.trim(at(tenth / 10))
    kept = ring.cut(at(0), at(100), ["speed"], []).signals["speed"].times_ns
    assert kept[0] == at(94.9)
    assert ring.drops.samples == 0


def test_a_pin_keeps_what_an_open_recording_needs() -> None:
    ring = a_ring()
    ring.keep(["speed"], [], NS_PER_S)
    ring.push_row(at(0), {"speed": 0.0})
    ring.pin_ns = at(0)
    for second in range(1, 50):
        ring.push_row(at(second), {"speed": float(second)})
        ring.trim(at(second))
    assert list(ring.cut(at(0), at(49), ["speed"], []).signals["speed"].values) == [float(s) for s in range(50)]
    ring.pin_ns = None
    ring.push_row(at(50), {"speed": 50.0})
    ring.trim(at(50))
    assert ring.covered_from_ns == at(49)


def test_infinite_samples_are_kept_and_nan_is_not_a_sample() -> None:
    ring = a_ring()
    ring.keep(["speed"], [], NS_PER_S)
    ring.push_row(at(0), {"speed": float("inf")})
    ring.push_row(at(0.1), {"speed": float("nan")})
    assert list(ring.cut(at(0), at(1), ["speed"], []).signals["speed"].values) == [float("inf")]


@given(
    st.lists(st.tuples(st.integers(1, 2000), st.booleans(), st.integers(20, 4000)), min_size=1, max_size=120),
    st.integers(2_000, 20_000),
)
@example(steps=[(1, False, 20), (17, True, 1985), (1, True, 1985)], limit=2000)
def test_bytes_never_exceed_the_limit_and_every_loss_is_counted(steps: list[tuple[int, bool, int]], limit: int) -> None:
    ring = a_ring(max_bytes=limit)
    ring.keep(["speed"], ["front"], 60 * NS_PER_S)
    ring.pin_ns = at(0)
    t_ns, pushed_samples, pushed_frames = at(0), 0, 0
    for step_ms, keyframe, size in steps:
        t_ns += step_ms * 1_000_000
        ring.push_row(t_ns, {"speed": 1.0})
        ring.push_frame("front", VideoFrame(t_ns, keyframe, bytes(size)))
        pushed_samples += 1
        pushed_frames += 1
        assert ring.bytes <= limit
    held = ring.cut(at(0), t_ns, ["speed"], ["front"])
    assert len(held.signals["speed"].values) + ring.drops.samples == pushed_samples
    frames = held.cameras["front"]
    assert len(frames) + ring.drops.frames == pushed_frames
    assert not frames or frames[0].keyframe
    assert ring.bytes == HELD_SAMPLE_BYTES * len(held.signals["speed"].values) + sum(len(f.data) for f in frames)


def test_nothing_is_forgotten_before_the_fires_up_to_then_are_known() -> None:
    ring = a_ring()
    ring.keep(["speed"], [], NS_PER_S)
    ring.push_row(at(0), {"speed": 0.0})
    ring.push_row(at(3600), {"speed": 1.0})
    assert list(ring.cut(at(0), at(1), ["speed"], []).signals["speed"].values) == [0.0]
    ring.trim(at(3600))
    assert ring.bytes == HELD_SAMPLE_BYTES


def test_a_camera_keeps_the_group_of_pictures_that_spans_the_oldest_moment() -> None:
    ring = a_ring()
    ring.keep(["speed"], ["front"], 3 * NS_PER_S)
    frames = video(0, 20, fps=10, gop=10)
    for frame in frames:
        ring.push_row(frame.t_ns, {"speed": 1.0})
        ring.push_frame("front", frame)
        ring.trim(frame.t_ns)
    assert ring.covered_from_ns == at(16.9)
    cut = ring.cut(at(16.9), at(19.9), ["speed"], ["front"]).cameras["front"]
    assert cut[0].keyframe
    assert cut[0].t_ns == at(16)
    assert cut[-1].t_ns == at(19.9)


def test_frames_before_the_first_keyframe_and_out_of_order_are_dropped_and_counted() -> None:
    ring = a_ring()
    ring.keep([], ["front"], 3 * NS_PER_S)
    frames = video(0, 2, fps=10, gop=10)
    for frame in frames[5:]:
        ring.push_frame("front", frame)
    ring.push_frame("front", frames[3])
    assert ring.drops.frames == 6
    assert ring.cut(at(0), at(2), [], ["front"]).cameras["front"] == frames[10:]


def test_changing_what_is_held_leaves_other_tracks_as_they_are() -> None:
    ring = a_ring()
    ring.keep(["speed", "rpm"], ["front"], 10 * NS_PER_S)
    for frame in video(0, 2):
        ring.push_row(frame.t_ns, {"speed": 1.0, "rpm": 2.0})
        ring.push_frame("front", frame)
    ring.keep(["speed", "steer"], ["front"], 10 * NS_PER_S)
    held = ring.cut(at(0), at(2), ["speed", "rpm", "steer"], ["front"])
    assert len(held.signals["speed"].values) == 20
    assert len(held.signals["rpm"].values) == 0
    assert len(held.cameras["front"]) == 20
    assert ring.bytes == 20 * HELD_SAMPLE_BYTES + sum(len(f.data) for f in held.cameras["front"])
