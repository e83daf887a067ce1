"""The table of what operators cost, as docs/language.md has it, made from the cost model."""

from __future__ import annotations

import math

from triggers.language.webassembly.cost import operations_of
from triggers.language.webassembly.counting import WorkRange, work_of
from triggers.language.webassembly.kernel_parts.kernel import SLOT_BYTES
from triggers.language.webassembly.kernels.objects.told import TOLD
from triggers.language.webassembly.kernels.table import KERNELS
from triggers.language.webassembly.layout import COMPARE_BYTES, EVENTS_BYTES
from triggers.language.webassembly.objects.cost import work_told

ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("`+ - * /`", ("add", "sub", "mul", "div")),
    ("`-x`, `abs(x)`, `sqrt(x)`, `floor(x)`", ("neg", "abs", "sqrt", "floor")),
    ("`min(a, b, ...)`, `max(a, b, ...)`: each value but the first; `clamp(x, lo, hi)`: twice this", ("min", "max")),
    ("`sign(x)`", ("sign",)),
    ("`mod(x, m)`", ("mod",)),
    ("`bits(x, mask)`", ("bits",)),
    ("`default(x, v)`", ("default_number", "default_bool")),
    ("`if(c, a, b)`", ("if_number", "if_bool")),
    ("`wrap(angle)`", ("wrap",)),
    (
        "`< <= > >=`; `approx(a, b, tolerance)`: this, `-` and `abs`",
        ("lt", "le", "gt", "ge", "lt_constant", "le_constant", "gt_constant", "ge_constant"),
    ),
    ("a signal with `min` or `max`", ("in_range",)),
    ("`== !=`, and each value of `x in (a, ...)`", ("eq_number", "ne_number", "eq_bool", "ne_bool")),
    ("`and`, `or`, `not`", ("and", "or", "not")),
    ("`P for D`", ("for",)),
    ("`P for D tolerating G`", ("for_tolerating",)),
    ("`P for at most D`, with `tolerating G` or without", ("for_at_most",)),
    ("`rise(P)`, `fall(P)`; `changed(x) from a to b`: this and `==` for each end", ("rise", "fall")),
    ("`changed(x)`", ("changed_number", "changed_bool")),
    ("`once(P over W)`", ("once",)),
    ("`share(P over W)`", ("share",)),
    ("`count(P over W)`", ("count", "count_impulses")),
    ("`flicker(x over W)`", ("flicker_number", "flicker_bool")),
    ("`min max(x over W)`", ("window_min", "window_max")),
    ("`avg(x over W)`", ("window_avg",)),
    ("`sum(x over W)`", ("window_sum",)),
    ("`std(x over W)`", ("window_std",)),
    ("`integral(x over W)`", ("window_integral",)),
    ("`median quantile(x over W)`, of 1000 entries", ("window_quantile",)),
    ("`samples(x over W)`", ("samples_number", "samples_bool")),
    ("`ema(x over W)`", ("ema",)),
    ("`delta(x over W)`", ("delta",)),
    ("`rate(x over W)`", ("rate",)),
    ("`prev(x)`", ("prev_number", "prev_bool")),
    ("`past(x, D)`", ("past_number", "past_bool")),
    ("`x at A`", ("at_number", "at_bool")),
    ("`time since A`", ("time_since",)),
    ("`solar_time`", ("solar_time",)),
    ("`sun_elevation`", ("sun_elevation",)),
    ("the odometer of `distance over W` and `distance since A`, from the speed", ("odometer",)),
    ("the odometer, from the position", ("odometer_of_places",)),
    ("`min max(x since A)`", ("since_min", "since_max")),
    ("`sum(x since A)`", ("since_sum",)),
    ("`count(P since A)`", ("since_count", "since_count_impulses")),
    ("`A then B within W`", ("then",)),
    ("`A then B after D within W`", ("then_after",)),
    ("`A without B within W`", ("without",)),
    ("`P since Q`", ("since",)),
    ("`P since Q within W`", ("since_within",)),
    ("`latch(set, reset)`", ("latch",)),
    ("`every D`", ("every",)),
    ("`every 5 km`, beside the odometer", ("every_distance",)),
    ("`age(x)`", ("age",)),
    ("`missing(x)`", ("missing_number", "missing_bool")),
    ("`hysteresis(x, on, off)`", ("hysteresis",)),
    ("`disagree(a, b)`, `disagree(head)`", ("disagree_number", "disagree_bool")),
    ("`divergence(a, b)`, `divergence(head)`", ("divergence",)),
    ("`near(lat, lon, R)`", ("near",)),
    ("`inside(fence)`, of 4 corners", ("inside",)),
    ("a head of `compare`", ("compare",)),
    ("two sides of `compare events`", ("match_events",)),
)
TOLD_ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("`any(o in L where P)`", ("any_object",)),
    ("`all(o in L where P)`", ("all_objects",)),
    ("`count(o in L where P)`", ("count_objects",)),
    ("`min max(x for o in L where P)`", ("min_of_objects", "max_of_objects")),
    ("`sum(x for o in L where P)`", ("sum_of_objects",)),
    ("`nearest(o in L by x).field`", ("nearest_object_number", "nearest_object_bool")),
)
"""Operations over the objects of a list, for a list of OBJECTS."""
OBJECTS = 8
INTERNAL = frozenset({"always", "never", "lookup"})
"""Kernels that no operator stands for: constants, and texts of two signals compared by value."""
_ENTRIES = {"window_quantile": 1000}
"""How many entries a ring has whose operations depend on that."""
_RECORD_BYTES = {"compare": COMPARE_BYTES, "match_events": EVENTS_BYTES}
"""What is no slot, since it outlives segments."""


def cost_table() -> str:
    """The lines of the table."""
    head = "| operator | operations per tick | burst per entry | state (bytes) |\n|---|---|---|---|\n"
    rows = [(operator, _cells(kernels)) for operator, kernels in ROWS]
    rows.append((f"`o.x`, a field of {OBJECTS} objects", _cells_of_objects(work_of("fill_field").times(OBJECTS))))
    for operator, operations in TOLD_ROWS:
        works = [work_told(TOLD[name], OBJECTS) for name in operations]
        rows.append((f"{operator}, of {OBJECTS} objects", _cells_of_objects(*works)))
    return head + "".join(f"| {operator} | {cells} |\n" for operator, cells in rows)


def _cells_of_objects(*works: WorkRange) -> str:
    """Nothing where no object is present; what is kept of an object belongs to its list."""
    return f"0 to {max(operations_of(work)[1] for work in works)} | |"


def _cells(kernels: tuple[str, ...]) -> str:
    entries = _ENTRIES.get(kernels[0], 1)
    works = [work_of(name, ring=entries, edges=4) for name in kernels]
    least = math.floor(min(work.least.per_tick for work in works))
    most = math.ceil(max(work.most.per_tick for work in works))
    burst = math.ceil(max(work.most.burst for work in works) / entries)
    slots = max(len(KERNELS[name].slots) for name in kernels) * SLOT_BYTES
    entry = max(KERNELS[name].ring_entry_bytes for name in kernels)
    state = str(_RECORD_BYTES.get(kernels[0], f"{slots} + {entry} per entry" if entry else slots))
    return f"{least} to {most} | {burst or ''} | {state if state != '0' else ''}".replace("|  |", "| |").rstrip()
