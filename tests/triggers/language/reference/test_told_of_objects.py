"""What is told of objects, against a second reading of the specification that remembers each object's whole history.

It shares no code with the interpreter: values come from the history of a key at the list's ticks, as section "Objects
of a list" of docs/language.md says, and drives have silence, gaps, jumps back, objects that come and go, and values
that are null or measured but invalid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan
from random import Random

import pytest

from triggers.language.compile import compile_source
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import HEARTBEAT_NS, Row
from triggers.language.text.diagnostics import render_all
from triggers.signals.catalog import SignalCatalog
from triggers.signals.objects import ObjectSample

MS = 1_000_000
MAX_GAP_NS, MAX_AGE_NS = 2000 * MS, 300 * MS
CATALOG = SignalCatalog.parse(
    "signals: {p: {type: bool, rate: 10}}\n"
    "objects: {tracked: {max: 6, rate: 10, key: id, fields: {id: {type: id}, x: {}}}}\n",
    name="catalog",
)


@dataclass(frozen=True)
class Seen:
    """One object at one tick; x is None where it is unknown."""

    t_ns: int
    x: float | None
    is_update: bool


Truth = bool | None
History = Sequence[Seen]
Sample = Mapping[int, float] | None
Condition = tuple[str, Callable[[History], Truth]]


def below(history: History, k: float) -> list[Truth]:
    return [None if each.x is None else each.x < k for each in history]


def rises(truths: Sequence[Truth]) -> list[int]:
    """The places at which a condition is true and its last known value was false."""
    found, last = [], None
    for place, truth in enumerate(truths):
        if truth and last is False:
            found.append(place)
        last = last if truth is None else truth
    return found


def held(history: History, k: float, d_ns: int) -> Truth:
    truths = below(history, k)
    if not truths[-1]:
        return truths[-1]
    start = next((place for place in range(len(truths) - 1, -1, -1) if not truths[place]), -1) + 1
    return history[-1].t_ns - history[start].t_ns >= d_ns


def rose(history: History, k: float) -> Truth:
    truths = below(history, k)
    return None if truths[-1] is None else len(truths) - 1 in rises(truths)


def fell(history: History) -> Truth:
    updates = [each.x for each in history if each.is_update and each.x is not None]
    x = history[-1].x
    return None if x is None or len(updates) < 2 else x < updates[-2]


def mean_below(history: History, w_ns: int, k: float) -> Truth:
    start = history[-1].t_ns - w_ns
    window = [each.x for each in history if each.is_update and each.x is not None and each.t_ns > start]
    return sum(window) / len(window) < k if window else None


def rose_twice(history: History, w_ns: int, k: float) -> Truth:
    truths, start = below(history, k), history[-1].t_ns - w_ns
    inside = [place for place, each in enumerate(history) if each.t_ns > start]
    if all(truths[place] is None for place in inside):
        return None
    return len(set(rises(truths)) & set(inside)) >= 2


def was_at_rise(history: History, k: float) -> Truth:
    found = rises(below(history, k))
    x = history[found[-1]].x if found else None
    return None if x is None else x < 1.5


def condition(random: Random) -> Condition:
    k, d_ms = random.choice((1.0, 2.0, 3.0)), random.choice((100, 150, 200, 300))
    return random.choice((
        (f"o.x < {k:g}", lambda seen: below(seen, k)[-1]),
        (f"(o.x < {k:g} for {d_ms} ms)", lambda seen: held(seen, k, d_ms * MS)),
        (f"rise(o.x < {k:g})", lambda seen: rose(seen, k)),
        ("o.x < prev(o.x)", fell),
        (f"avg(o.x over {d_ms} ms) < {k:g}", lambda seen: mean_below(seen, d_ms * MS, k)),
        (f"count(o.x < {k:g} over 500 ms) >= 2", lambda seen: rose_twice(seen, 500 * MS, k)),
        (f"o.x at (o.x < {k:g}) < 1.5", lambda seen: was_at_rise(seen, k)),
        ("missing(o.x)", lambda seen: seen[-1].x is None),
    ))  # fmt: skip


def told(form: str, k: float, present: Sequence[tuple[int, History]], holds: Callable[[History], Truth]) -> Truth:
    """What a form says of the objects that are in the latest sample, compared with k where it is a number."""
    truths = [holds(history) for _, history in present]
    if form == "any":
        return True if True in truths else None if None in truths else False
    if form == "all":
        return False if False in truths else None if None in truths else True
    chosen = [(x, key) for (key, history), truth in zip(present, truths, strict=True)
              if truth and (x := history[-1].x) is not None]  # fmt: skip
    if form == "count":
        return truths.count(True) >= k
    if form == "sum":
        return sum(x for x, _ in chosen) >= k
    if not chosen:
        return None
    return {"min": min(chosen)[0], "max": max(chosen)[0], "nearest": min(chosen)[1]}[form] >= k


FORMS = {
    "any": "any(o in tracked where {})", "all": "all(o in tracked where {})",
    "count": "count(o in tracked where {}) >= {:g}", "nearest": "nearest(o in tracked by o.x where {}).id >= {:g}",
    "min": "min(o.x for o in tracked where {}) >= {:g}", "max": "max(o.x for o in tracked where {}) >= {:g}",
    "sum": "sum(o.x for o in tracked where {}) >= {:g}",
}  # fmt: skip


def segments(rows: Sequence[tuple[int, Sample]]) -> Iterator[tuple[dict[int, Sample], list[int]]]:
    """The rows of each segment, and the ticks of the list in it."""
    begins = [
        place for place in range(len(rows)) if not place or not 0 < rows[place][0] - rows[place - 1][0] <= MAX_GAP_NS
    ]
    for start, stop in zip(begins, [*begins[1:], len(rows)], strict=True):
        part = dict(rows[start:stop])
        last = max(part)
        end = max(last, min(rows[stop][0] - 1, last + MAX_GAP_NS)) if stop < len(rows) else last
        samples = [t_ns for t_ns, sample in part.items() if sample is not None]
        beats = range((min(part) // HEARTBEAT_NS + 1) * HEARTBEAT_NS, end + 1, HEARTBEAT_NS)
        silent = [t_ns for t_ns in beats if not any(t_ns - HEARTBEAT_NS < at <= t_ns for at in samples)]
        yield part, sorted({min(part), *samples, *silent})


def truths_of(
    rows: Sequence[tuple[int, Sample]], tell: Callable[[Sequence[tuple[int, History]]], Truth]
) -> Iterator[list[tuple[int, Truth]]]:
    """What is told at each tick of each segment."""
    for part, ticks in segments(rows):
        objects, seen_ns, latest = dict[int, list[Seen]](), dict[int, int](), dict[int, float]()
        latest_ns: float = -inf
        found: list[tuple[int, Truth]] = []
        for t_ns in ticks:
            sample = part.get(t_ns)
            objects = {key: history for key, history in objects.items() if t_ns - seen_ns[key] <= MAX_AGE_NS}
            if sample is not None:
                latest, latest_ns = dict(sample), t_ns
                seen_ns |= dict.fromkeys(sample, t_ns)
                objects |= {key: [] for key in sample if key not in objects}
            is_known = t_ns - latest_ns <= MAX_AGE_NS
            for key, history in objects.items():
                x = latest.get(key, nan) if is_known else nan
                history.append(Seen(t_ns, x if isfinite(x) else None, sample is not None and key in sample))
            present = [(key, objects[key]) for key in latest if key in objects]
            found.append((t_ns, tell(present) if is_known else None))
        yield found


def drive(random: Random) -> list[tuple[int, Sample]]:
    """Samples at 10 to 20 Hz with holes, gaps, jumps back, and objects that come and go."""
    t_ns, rows = random.choice((0, 1000 * MS, 37 * MS + 1)), list[tuple[int, Sample]]()
    before: dict[int, float] = {}
    for _ in range(random.randint(20, 60)):
        if random.random() < 0.4:
            before = dict.fromkeys(random.sample(range(1, 7), random.randint(0, 4)), 0.0)
        before = {key: random.choice((0.0, 1.0, 1.5, 2.0, 2.5, 3.0, x, nan, inf)) for key, x in before.items()}
        rows.append((t_ns, dict(before) if random.random() < 0.85 else None))
        steps_ms = (120, 250, 301, 400, 999, 2000, 2001, 3000) if random.random() < 0.2 else (50, 100, 100)
        t_ns += random.choice(steps_ms) * MS + random.randint(0, 1)
        t_ns = max(0, t_ns - 700 * MS) if random.random() < 0.01 else t_ns
    return rows


def objects_of(sample: Sample) -> dict[str, ObjectSample]:
    if sample is None:
        return {}
    return {"tracked": ObjectSample(tuple(sample), tuple((x,) for x in sample.values()))}


@pytest.mark.parametrize("seed", range(200))
def test_forms_of_objects_are_what_the_specification_says(seed: int) -> None:
    random = Random(seed)
    form, k, (text, holds) = random.choice(list(FORMS)), random.choice((1.0, 2.0, 3.0)), condition(random)
    whole = FORMS[form].format(text, k)
    conditions = {"yes": whole, "no": f"not ({whole})", "open": f"missing({whole})"}
    source = "\n".join(f"trigger {name} {{ when {text} }}" for name, text in conditions.items())
    compilation = compile_source(source, filename="test", catalog=CATALOG)
    assert compilation.triggers is not None, render_all(compilation.diagnostics)
    rows = drive(random)
    samples = [Row(t_ns, {}, objects_of(sample)) for t_ns, sample in rows]
    fires = [(firing.trigger, firing.t_ns) for firing in Interpreter(compilation.triggers.ir).run(samples)]
    expected = []
    for found in truths_of(rows, lambda present: told(form, k, present, holds)):
        sides: dict[str, list[Truth]] = {
            "yes": [truth for _, truth in found],
            "no": [None if truth is None else not truth for _, truth in found],
            "open": [truth is None for _, truth in found],
        }
        expected += [(name, found[place][0]) for name, truths in sides.items() for place in rises(truths)]
    assert sorted(fires) == sorted(expected), whole
