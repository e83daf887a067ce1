"""Lists of objects on a vehicle: what hosts feed is checked, held in bounded bytes, and recorded bit for bit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.triggers.vehicle.cloud import EPOCH_NS, Cloud
from tests.triggers.vehicle.conftest import MakeConfig
from tests.triggers.vehicle.support import ManualClock, a_fire, at, offer
from triggers.clips.messages.objects import ObjectSamples, encode_objects
from triggers.clips.reader import read_clip
from triggers.clips.size import estimated_clip_bytes
from triggers.contracts.bundle import make_bundle
from triggers.contracts.campaign import CaptureWindow
from triggers.drives.drive import Drive
from triggers.drives.series import SignalSeries, write_drive
from triggers.errors import InvalidInput
from triggers.language.compile import compile_source
from triggers.language.rows import Row
from triggers.replay.replay import play
from triggers.signals.catalog import SignalCatalog
from triggers.signals.object_columns import ObjectColumn, ObjectSeries
from triggers.signals.objects import MAX_CARRIED_OBJECTS, ObjectSample
from triggers.times import NS_PER_S
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.recording.charges import charge
from triggers.vehicle.recording.clips import RecordingContext, make_clip, recut
from triggers.vehicle.recording.fires import VehicleFire
from triggers.vehicle.recording.incoming import Incoming
from triggers.vehicle.recording.recorder import Recorder
from triggers.vehicle.recording.ring import HELD_LIST_BYTES, RingBuffer

NAMES = ("id", "kind", "x")
LISTS = {"tracked": NAMES}
CATALOG = SignalCatalog.parse(
    """
signals: {ego.speed: {unit: m/s, rate: 10}}
objects:
  tracked:
    max: 4
    rate: 10
    key: id
    fields:
      id: {type: id, invalid: [0]}
      kind: {type: text, values: [car, truck]}
      x: {unit: m, scale: 0.01, invalid: [65535], max: 100}
""",
    name="signals.yaml",
)


def tracked(*keys: int) -> ObjectSample:
    return ObjectSample(keys, tuple((0.0, float(key)) for key in keys))


def row(sample: Any, t_ns: int = 7) -> Row:
    return Row(t_ns, {}, {"tracked": sample})


def read(incoming: Incoming, sample: Any, *, raw: bool = False) -> ObjectSample:
    (taken,) = (incoming.from_raw if raw else incoming.in_units)([row(sample)])
    return taken.objects["tracked"]


@pytest.mark.parametrize("catalog", [None, CATALOG])
@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ([1, 2], "is of the type list"),
        (ObjectSample([1], ((0.0, 0.0),)), "is not made of tuples"),  # type: ignore[arg-type]
        (ObjectSample((1, 2), ((0.0, 0.0),)), "has 2 keys and the values of 1 objects"),
        (ObjectSample((1.0,), ((0.0, 0.0),)), "has the key 1.0, which is not an integer of 64 bits"),  # type: ignore[arg-type]
        (ObjectSample((True,), ((0.0, 0.0),)), "has the key True"),
        (ObjectSample((2**63,), ((0.0, 0.0),)), "has the key 9223372036854775808"),
        (ObjectSample((1,), ((0.0,),)), "has an object with 1 values, and its fields are kind, x"),
        (ObjectSample((1,), ((0.0, "far"),)), "has values of the object 1 that are not numbers"),  # type: ignore[arg-type]
        (tracked(*range(MAX_CARRIED_OBJECTS + 1)), "has 4,097 objects, more than 4,096"),
    ],
)
def test_what_is_not_a_list_of_the_fields_is_refused_with_its_row(catalog: Any, sample: Any, said: str) -> None:
    incoming = Incoming(catalog)
    incoming.expect(LISTS)
    with pytest.raises(InvalidInput, match="row at 7 ns: the list `tracked` ") as refused:
        read(incoming, sample)
    assert said in refused.value.message


def test_lists_that_nobody_expects_are_left_alone() -> None:
    assert read(Incoming(None), ["anything"]) == ["anything"]  # type: ignore[comparison-overlap]


def test_keys_of_numpy_are_integers_too() -> None:
    sample = ObjectSample((np.int64(5),), ((0.0, np.float64(1.0)),))  # type: ignore[arg-type]
    assert read(Incoming(CATALOG), sample) == tracked_at(5, 1.0)


@pytest.mark.parametrize("invalid", [2**63 - 1, 2**53 + 1])
def test_invalid_keys_are_compared_exactly(invalid: int) -> None:
    text = "signals: {a: {rate: 1}}\nobjects: {tracked: {max: 4, key: id, fields: {id: {type: id, invalid: [%d]}}}}"
    incoming = Incoming(SignalCatalog.parse(text % invalid, name="c"))
    assert read(incoming, ObjectSample((invalid - 1, invalid), ((), ())), raw=True).keys == (invalid - 1,)


LARGE = ObjectSample((1, 2, 3), ((0.0, 2**53 + 1), (0.0, 10**400), (0.0, 2**53)))


@pytest.mark.parametrize("catalog", [None, CATALOG])
def test_integers_that_a_float64_would_round_are_invalid_and_counted_whatever_the_catalog_says(catalog: Any) -> None:
    plain = (
        None
        if catalog is None
        else SignalCatalog.parse(
            "signals: {a: {rate: 1}}\nobjects: {tracked: {max: 4, key: id, fields: {id: {type: id}, kind: {}, x: {}}}}",
            name="c",
        )
    )
    incoming = Incoming(plain)
    incoming.expect(LISTS)
    taken = read(incoming, LARGE)
    assert taken == ObjectSample((1, 2, 3), ((0.0, math.inf), (0.0, math.inf), (0.0, 2.0**53)))
    assert encode_objects(taken) == encode_objects(LARGE), "the clip has what programs get"
    assert incoming.take_refused() == [("tracked.x", 2)]
    odd = ObjectSample((1,), ((np.float32(math.nan), np.int64(2**53 + 1)),))  # type: ignore[arg-type]
    assert str(read(incoming, odd).values) == "((nan, inf),)"
    assert incoming.take_refused() == [("tracked.x", 1)]


def tracked_at(key: int, x: float, kind: float = 0.0) -> ObjectSample:
    return ObjectSample((key,), ((kind, x),))


def test_raw_lists_are_converted_and_what_their_fields_cannot_have_is_counted() -> None:
    incoming = Incoming(CATALOG)
    raw = ObjectSample((1, 0, 2, 3), ((1.0, 250.0), (9.0, 65535.0), (2.0, 65535.0), (0.0, math.nan)))
    assert str(read(incoming, raw, raw=True)) == str(
        ObjectSample((1, 2, 3), ((1.0, 2.5), (math.inf, math.inf), (0.0, math.nan)))
    )
    assert incoming.take_refused() == [("tracked.kind", 1), ("tracked.x", 1)]
    in_units = ObjectSample((0,), ((0.5, 100.5),))
    assert read(incoming, in_units) == ObjectSample((0,), ((math.inf, math.inf),))


def a_ring(max_bytes: int = 10**6) -> RingBuffer:
    ring = RingBuffer(max_span_ns=60 * NS_PER_S, max_bytes=max_bytes)
    ring.keep(["speed", "tracked"], [], 60 * NS_PER_S, LISTS)
    return ring


def push(ring: RingBuffer, t_s: float, sample: ObjectSample) -> None:
    ring.push_row(at(t_s), {"speed": 1.0}, {"tracked": sample, "other": sample})


def test_the_ring_counts_a_list_by_its_size() -> None:
    ring = a_ring()
    ring.push_row(at(0), {}, {"tracked": tracked()})
    assert ring.bytes == HELD_LIST_BYTES
    ring.push_row(at(1), {}, {"tracked": tracked(1, 2, 3)})
    assert ring.bytes == 2 * HELD_LIST_BYTES + len(encode_objects(tracked(1, 2, 3)))
    before = ring.bytes
    ring.keep(["speed", "tracked"], [], 60 * NS_PER_S, LISTS)
    assert ring.bytes == before
    ring.trim(at(61.5))
    assert ring.bytes == before  # the newest row is not older than the pre-roll
    ring.keep(["speed", "tracked"], [], 0, LISTS)
    ring.trim(at(1))
    assert ring.bytes == before - HELD_LIST_BYTES
    assert ring.signals == {"speed", "tracked"}
    ring.clear()
    assert ring.bytes == 0


def test_an_overflowing_ring_drops_the_oldest_lists_and_counts_them() -> None:
    ring = a_ring(max_bytes=20_000)
    each = HELD_LIST_BYTES + len(encode_objects(tracked(*range(50)))) + 16
    for tenth in range(100):
        push(ring, tenth / 10, tracked(*range(50)))
        assert ring.bytes <= 20_000
    held = ring.cut(at(0), at(10), ["tracked"], []).objects["tracked"]
    assert len(held) == ring.bytes // each
    assert ring.drops.samples == 2 * (100 - len(held))
    assert ring.drops.bytes == each * (100 - len(held))
    assert held.messages[-1] == encode_objects(tracked(*range(50)))


def test_a_list_whose_fields_change_begins_again() -> None:
    ring = a_ring()
    push(ring, 0, tracked(1))
    ring.keep(["speed", "tracked"], [], 60 * NS_PER_S, {"tracked": ("id", "y")})
    footage = ring.cut(at(0), at(1), ["speed", "tracked"], [])
    assert footage.objects["tracked"] == ObjectSamples(("id", "y"))
    assert len(footage.signals["speed"].values) == 1


def fires_of(*seconds: float) -> list[VehicleFire]:
    fires = [a_fire(t_s, ordinal=n, signals=("speed", "tracked")) for n, t_s in enumerate(seconds, start=1)]
    return [fire.model_copy(update={"capture": fire.capture.model_copy(update={"lists": LISTS})}) for fire in fires]


def test_a_recording_has_its_lists_and_so_has_what_is_cut_from_it(tmp_path: Path) -> None:
    ring = a_ring()
    recorder = Recorder(ring, max_span_ns=60 * NS_PER_S)
    recorder.before_ns = 5 * NS_PER_S
    for tenth in range(300):
        push(ring, tenth / 10, tracked(*range(tenth % 5)))
    fires = fires_of(8, 16)
    assert [recorder.add(fire) for fire in fires] == [[], []]
    assert recorder.wanted_lists() == LISTS
    (finished,) = recorder.finish()
    assert finished.footage is not None
    context = RecordingContext(vehicle_id="car-1", max_span_ns=60 * NS_PER_S)
    clip = make_clip(tmp_path, fires, finished.footage, context)
    assert clip.manifest.recording.signals == ("speed", "tracked")
    assert sum(fire.charged_bytes for fire in clip.manifest.recording.fires) == clip.manifest.size_bytes
    again = read_clip(clip.path).require_sound().footage
    assert again.objects == finished.footage.objects
    assert [again.objects["tracked"].series().column.sample(row) for row in range(3)] == [
        tracked(*range(n % 5)) for n in range(30, 33)
    ]
    assert 0.3 < estimated_clip_bytes(again) / clip.manifest.size_bytes < 3
    (part,) = recut(clip.path, fires[:1], 60 * NS_PER_S)
    assert read_clip(part.path).footage.objects["tracked"] == again.objects["tracked"].between(at(3), at(13))


def test_a_fire_pays_for_the_lists_that_its_window_adds() -> None:
    ring = a_ring()
    push(ring, 0, tracked(*range(100)))
    push(ring, 20, tracked())
    footage = ring.cut(at(0), at(20), ["tracked"], [])
    shares = [share_of(fire) for fire in fires_of(2, 18)]
    first, second = charge(footage, shares, 10_000)
    assert first + second == 10_000
    assert first > 9_000


def share_of(fire: VehicleFire) -> Any:
    from triggers.vehicle.recording.charges import FireShare

    return FireShare(fire.t_ns, fire.key, *fire.window(60 * NS_PER_S), frozenset({"tracked"}), frozenset())


def offered(cloud: Cloud, key: Ed25519PrivateKey) -> None:
    """A campaign that fires above 30 m/s, and captures a list."""
    source = "trigger fast { when ego.speed > 30 m/s } campaign c { collect fast budget 100 clips }"
    campaign = compile_source(source, filename="t", catalog=CATALOG).campaigns["c"]
    (trigger,) = campaign.settings.triggers
    names = ("ego.speed", "tracked")
    capture = CaptureWindow(before_ns=NS_PER_S, after_ns=NS_PER_S, signals=names, lists=LISTS)
    triggers = (trigger.model_copy(update={"capture": capture}),)
    settings = campaign.settings.model_copy(update={"triggers": triggers})
    offer(cloud, key, make_bundle(settings, 1, campaign.program), revision=1)


def test_a_replayed_drive_gives_a_vehicle_its_lists(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey, tmp_path: Path
) -> None:
    offered(cloud, key)
    t_ns = np.arange(100, dtype=np.int64) * 10**8
    speed = SignalSeries(t_ns, np.where(t_ns == 5 * NS_PER_S, 40.0, 20.0))
    lists = [tracked(*range(n % 4)) for n in range(100)]
    series = ObjectSeries(t_ns, ObjectColumn.of(lists, 2), NAMES)
    write_drive(tmp_path / "d.parquet", {"ego.speed": speed}, start_ns=0, objects={"tracked": series})
    with VehicleAgent(make_config(signals=CATALOG), clock=clock) as agent:
        agent.check_in()
        assert agent.signals == {"ego.speed", "tracked"}
        play(agent, Drive(tmp_path / "d.parquet"), CATALOG, offset_ns=EPOCH_NS)
        (clip,) = agent.status().queued
        recorded = read_clip(clip.path).require_sound().footage.objects["tracked"]
    assert recorded.names == NAMES
    assert [recorded.series().column.sample(row) for row in range(len(recorded))] == lists[40:61]


def test_a_campaign_whose_list_has_other_fields_does_not_run(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey
) -> None:
    offered(cloud, key)
    other = SignalCatalog.parse(
        "signals: {a: {rate: 1}}\nobjects: {tracked: {max: 4, key: id, fields: {id: {type: id}, y: {}}}}", name="c"
    )
    with VehicleAgent(make_config(signals=other), clock=clock) as agent:
        agent.check_in()
        assert agent.status().campaigns == ()
        agent.check_in()
    (problem,) = cloud.check_ins[-1].problems
    assert "its list tracked has the fields id, kind, x, and on this vehicle id, y" in problem


def test_samples_of_one_time_are_merged_and_a_bad_list_takes_nothing(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey
) -> None:
    offered(cloud, key)
    with VehicleAgent(make_config(), clock=clock) as agent:
        agent.check_in()
        agent.feed(
            [Row(EPOCH_NS, {}, {"tracked": tracked(1)}), Row(EPOCH_NS, {"ego.speed": 20.0}, {"tracked": tracked(2)})]
        )
        with pytest.raises(InvalidInput, match=r"the list `tracked` has 4,097 objects"):
            agent.feed([Row(EPOCH_NS + 10**8, {}, {"tracked": tracked(*range(4097))})])
        agent.feed([Row(EPOCH_NS + 10**8, {"ego.speed": 40.0}), Row(EPOCH_NS + 2 * 10**8, {})])
        agent.finish_drive()
        (clip,) = agent.status().queued
        recorded = read_clip(clip.path).footage.objects["tracked"]
    assert [recorded.series().column.sample(row) for row in range(len(recorded))] == [tracked(2)]


def test_a_condition_on_objects_fires_on_a_vehicle_as_in_the_reference_and_records_its_list(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey
) -> None:
    source = """language 2
    trigger near {
        when any(o in tracked where o.x < 5 m for 300 ms)
        capture 1 s before, 1 s after { signals tracked, ego.* }
    }
    campaign c { collect near budget 100 clips }
    """
    campaign = compile_source(source, filename="t", catalog=CATALOG).campaigns["c"]
    assert campaign.settings.triggers[0].capture.lists == LISTS
    offer(cloud, key, make_bundle(campaign.settings, 1, campaign.program), revision=1)
    far, near = ObjectSample((1, 2), ((0.0, 50.0), (1.0, 60.0))), ObjectSample((2, 1), ((1.0, 60.0), (0.0, 4.0)))
    rows = [
        Row(EPOCH_NS + n * 10**8, {"ego.speed": 1.0}, {"tracked": near if 30 <= n < 40 else far}) for n in range(80)
    ]
    with VehicleAgent(make_config(signals=CATALOG), clock=clock) as agent:
        agent.check_in()
        agent.feed(rows)
        agent.finish_drive()
        (clip,) = agent.status().queued
        recorded = read_clip(clip.path).require_sound()
    assert [fire.t_ns for fire in recorded.manifest.fires] == [EPOCH_NS + 33 * 10**8]
    column = recorded.footage.objects["tracked"].series().column
    assert [column.sample(row) for row in range(len(column))] == [row.objects["tracked"] for row in rows[23:44]]
