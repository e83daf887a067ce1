"""Conditions on tracked objects: object samples per second of a program, on one core, with everything in memory.

30 objects at 20 Hz, each followed for ten seconds on average, so that the list loses one and gains another in every
third to fourth sample; their order is that of a tracker that appends new ones. An object sample is one object in one
sample of the list.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.measure import Comparison, Contender, Role, compare
from triggers.language.compile import compile_source
from triggers.language.webassembly.host.machine import Machine, Times, load
from triggers.signals.catalog import SignalCatalog
from triggers.signals.object_columns import ObjectColumn
from triggers.times import NS_PER_S

OBJECTS, RATE_HZ, FOLLOWED_S = 30, 20, 10
CATALOG = """
signals: {ego.speed: {unit: m/s, rate: 50}}
objects:
  tracked:
    max: 64
    rate: 20
    key: id
    fields: {id: {type: id}, ttc: {unit: s}, x: {unit: m}, v: {unit: m/s}, kind: {type: text, values: [car, truck]}}
"""
HELD = """language 2
trigger close { when any(o in tracked where o.ttc < 1.5 s for 300 ms)  cooldown 0 s }
"""
THREE = """language 2
trigger busy {
    when any(o in tracked where o.ttc < 1.5 s for 300 ms)
        or count(o in tracked where o.x < 20 m and o.kind == "truck") > 8
        or nearest(o in tracked by o.x where o.v > 0 m/s).v < 1 m/s
    cooldown 0 s
}
"""
_HELD_NS, _TTC_S = 300_000_000, 1.5
_MAX_AGE_NS = 150_000_000


def comparisons(*, quick: bool) -> Iterator[Comparison]:
    """One hold against the same by hand, and three conditions."""
    t_ns, tracked = drive(2_000 if quick else 40_000)
    rounds = 3 if quick else 9
    yield compare(
        "program: a hold on each of 30 tracked objects",
        [_program(HELD, t_ns, tracked), _by_hand(t_ns, tracked), _looking(tracked)],
        amount=len(tracked.keys),
        unit="object samples",
        rounds=rounds,
    )
    yield compare(
        "program: a hold, a count and the nearest of 30 tracked objects",
        [_program(THREE, t_ns, tracked), _looking(tracked)],
        amount=len(tracked.keys),
        unit="object samples",
        rounds=rounds,
    )


def drive(samples: int) -> tuple[Times, ObjectColumn]:
    """So many samples of a list, and their times."""
    chance = np.random.default_rng(1)
    t_ns = np.arange(1, samples + 1, dtype=np.int64) * (NS_PER_S // RATE_HZ)
    keys = np.empty((samples, OBJECTS), np.int64)
    present, following = np.arange(OBJECTS), OBJECTS
    for row in range(samples):
        stays = chance.random(OBJECTS) >= 1 / (RATE_HZ * FOLLOWED_S)
        lost = int(OBJECTS - stays.sum())
        present = np.concatenate((present[stays], np.arange(following, following + lost)))
        following += lost
        keys[row] = present
    count = samples * OBJECTS
    ttc = chance.exponential(20, count)
    fields = (ttc, chance.normal(0, 40, count), chance.normal(0, 5, count), chance.integers(0, 2, count).astype(float))
    starts = np.arange(samples + 1, dtype=np.int64) * OBJECTS
    return t_ns, ObjectColumn(starts, np.ones(samples, np.bool_), keys.ravel(), fields)


def _program(source: str, t_ns: Times, tracked: ObjectColumn) -> Contender:
    compilation = compile_source(source, filename="bench.trigger", catalog=SignalCatalog.parse(CATALOG, name="signals"))
    if compilation.triggers is None:
        raise ValueError(f"the benchmark's own triggers do not compile: {compilation.diagnostics}")
    machine = Machine(load(compilation.triggers.program))
    fires: list[int] = []

    def evaluate(_: int) -> None:
        machine.reset()
        fires[:] = machine.run(t_ns, [None], [tracked])["t_ns"].tolist()

    return Contender(name="longtail", role=Role.OWN, run=evaluate, result=lambda: repr(fires))


def _by_hand(t_ns: Times, tracked: ObjectColumn) -> Contender:
    """The hold in plain Python: since when each object has been close, and when it was seen last."""
    times, keys, ttc = t_ns.tolist(), tracked.keys.tolist(), tracked.fields[0].tolist()
    starts = tracked.starts.tolist()
    fires: list[int] = []

    def evaluate(_: int) -> None:
        fires.clear()
        since: dict[int, int] = {}
        seen: dict[int, int] = {}
        was: bool | None = None
        for row, now_ns in enumerate(times):
            holds = False
            for place in range(starts[row], starts[row + 1]):
                key = keys[place]
                if now_ns - seen.get(key, now_ns) > _MAX_AGE_NS:
                    since.pop(key, None)
                seen[key] = now_ns
                if ttc[place] < _TTC_S:
                    holds |= now_ns - since.setdefault(key, now_ns) >= _HELD_NS
                else:
                    since.pop(key, None)
            if holds and was is False:
                fires.append(now_ns)
            was = holds

    return Contender(name="written by hand in Python", role=Role.PEER, run=evaluate, result=lambda: repr(fires))


def _looking(tracked: ObjectColumn) -> Contender:
    def look(_: int) -> None:
        for column in (tracked.keys, *tracked.fields):
            column.sum()

    return Contender(name="a look at every number", role=Role.LIMIT, run=look)
