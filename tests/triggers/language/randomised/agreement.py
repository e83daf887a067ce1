"""Do the reference interpreter and the compiled module agree, bit for bit, on a program and a recording?

Compared are fires (row, time, trigger), suppressed rises, lost window entries, compared heads, and every node's value
at every tick. The module runs whole, in pieces, over saved and restored states, after a reset, with drives that end in
between, with buffers that fill up, and in blocks so small that a recording has many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from random import Random

import numpy as np

from tests.triggers.language.randomised.blocks import Block, BlockHost, Numbers
from tests.triggers.language.randomised.programs import random_program
from tests.triggers.language.randomised.recordings import Recording, random_recording
from tests.triggers.language.randomised.tracing import Trace, traced
from triggers.language.compile import compile_source
from triggers.language.graph import AFTER, BEFORE, stages
from triggers.language.ir import AGGREGATES, Ir
from triggers.language.text.diagnostics import render_all
from triggers.language.webassembly import layout
from triggers.language.webassembly.emitter import emit
from triggers.language.webassembly.host.machine import LoadedModule, Machine, load
from triggers.signals.catalog import SignalCatalog
from triggers.signals.object_columns import ObjectColumn


class Disagreement(AssertionError):
    """The module gave something other than the interpreter."""


@dataclass(frozen=True)
class Case:
    """A catalog and a trigger file, both as text, and a recording of the program's signals."""

    catalog: str
    source: str
    recording: Recording

    @classmethod
    def random(cls, random: Random, *, rows: int = 200, triggers: int = 6, depth: int = 5) -> Case:
        """A random program, and about so many rows of its signals."""
        made = random_program(random, triggers=triggers, depth=depth)
        empty = cls(made.catalog.text, made.source, Recording(np.array([], np.int64), {}))
        signals = tuple(item.name for item in empty.ir.inputs)
        case = replace(empty, recording=random_recording(random, made.catalog, signals, rows))
        vars(case)["ir"] = empty.ir  # of the same text, which need not be compiled again
        return case

    @cached_property
    def ir(self) -> Ir:
        """The file's triggers and compared heads in typed form."""
        catalog = SignalCatalog.parse(self.catalog, name="catalog")
        compilation = compile_source(self.source, filename="case", catalog=catalog)
        if compilation.triggers is None:
            raise ValueError(render_all(compilation.diagnostics))
        return compilation.triggers.ir


@dataclass(frozen=True)
class Pieces:
    """How a recording is handed over: cut before these rows; before some of them something else happens."""

    cuts: tuple[int, ...]
    renewals: frozenset[int] = frozenset()
    """Cuts at which the state is saved and restored in a new machine."""
    ends: frozenset[int] = frozenset()
    """Cuts at which a drive ends."""

    @classmethod
    def random(cls, random: Random, rows: int, *, ends: bool = False) -> Pieces:
        """Few or many pieces, of any size."""
        chance = random.random()
        count = rows if chance < 0.1 else min(rows, 30) if chance < 0.5 else 3
        cuts = tuple(sorted({random.randrange(rows + 1) for _ in range(count)}))
        some = frozenset(cut for cut in cuts if random.random() < 0.2)
        return cls(cuts, some, frozenset(cut for cut in cuts if ends and random.random() < 0.5))


def check(case: Case, random: Random, *, every: bool = False) -> None:
    """Raise Disagreement naming what differs; `every` runs all ways instead of some."""
    ir, recording = case.ir, case.recording
    expected = traced(ir, recording)
    module = load(emit(ir))
    rows = len(recording)
    _run(module, ir, recording, expected, Pieces(()), "the whole recording")
    _run(module, ir, recording, expected, Pieces.random(random, rows), "pieces")
    ways: list[Callable[[], None]] = [
        lambda: _check_values(ir, recording, expected, Pieces.random(random, rows)),
        lambda: _check_values(ir, recording, expected, Pieces(tuple(range(rows)))),
        lambda: _check_reset(module, ir, recording, expected),
        lambda: _check_ends(module, ir, recording, Pieces.random(random, rows, ends=True)),
        lambda: _check_small_buffers(ir, recording, expected),
        lambda: _check_small_blocks(ir, recording, expected, Pieces.random(random, rows)),
    ]
    for way in ways if every else random.choices(ways, weights=(5, 1, 1, 2, 1, 3)):
        way()


def _run(module: LoadedModule, ir: Ir, recording: Recording, expected: Trace, pieces: Pieces, what: str) -> Machine:
    """Run a recording piece by piece and compare all that a host sees."""
    machine = Machine(module)
    fires: list[tuple[int, int, int]] = []
    for start, stop in pairwise((0, *pieces.cuts, len(recording))):
        if start in pieces.ends:
            machine.end_drive()
        if start in pieces.renewals:
            machine = _renewed(machine, module)
        fires += _fires(machine, ir, recording, start, stop)
    _same(f"{what}: fires (row, time, trigger)", expected.fires, fires)
    _same_counts(what, expected, machine)
    return machine


def _renewed(machine: Machine, module: LoadedModule) -> Machine:
    other = Machine(module)
    other.restore(machine.save())
    return other


def _fires(machine: Machine, ir: Ir, recording: Recording, start: int, stop: int) -> list[tuple[int, int, int]]:
    piece = recording.cut(start, stop)
    columns = [piece.columns.get(item.name) for item in ir.inputs]
    fired = machine.run(piece.t_ns, columns, object_columns(ir, piece))
    return [(start + int(fire["row"]), int(fire["t_ns"]), int(fire["trigger"])) for fire in fired]


def object_columns(ir: Ir, recording: Recording) -> list[ObjectColumn]:
    """The samples of a program's lists in its order."""
    lists = [item for item in ir.inputs if item.type == "objects"]
    return [recording.object_column(item.name, len(item.fields) - 1) for item in lists]


def _same_counts(what: str, expected: Trace, machine: Machine) -> None:
    _same(f"{what}: suppressed", dict(expected.suppressed), dict(machine.suppressed))
    _same(f"{what}: overflows", expected.overflows, machine.overflows)
    _same(f"{what}: left out", dict(expected.left_out), dict(machine.left_out))
    _same(f"{what}: compared", dict(expected.compared), dict(machine.compared))
    _same(f"{what}: events", dict(expected.events), dict(machine.events))


def _same(what: str, expected: object, found: object) -> None:
    if expected != found:
        if isinstance(expected, list) and isinstance(found, list):
            first = next((i for i, pair in enumerate(zip(expected, found, strict=False)) if pair[0] != pair[1]), None)
            at = min(len(expected), len(found)) if first is None else first
            what += f", {len(expected)} and {len(found)} of them, first at {at}"
            expected, found = expected[at : at + 3], found[at : at + 3]
        raise Disagreement(f"{what}: interpreter {expected}, module {found}")


def _check_reset(module: LoadedModule, ir: Ir, recording: Recording, expected: Trace) -> None:
    machine = Machine(module)
    _fires(machine, ir, recording, 0, len(recording))
    machine.reset()
    fires = _fires(machine, ir, recording, 0, len(recording))
    _same("after a reset: fires (row, time, trigger)", expected.fires, fires)
    _same_counts("after a reset", expected, machine)


def _check_ends(module: LoadedModule, ir: Ir, recording: Recording, pieces: Pieces) -> None:
    _run(module, ir, recording, traced(ir, recording, pieces.ends), pieces, f"drives ending at {pieces.ends}")


def _check_small_buffers(ir: Ir, recording: Recording, expected: Trace) -> None:
    module = load(emit(ir, row_capacity=64, fire_capacity=1, object_capacity=1))
    _run(module, ir, recording, expected, Pieces(()), "small buffers")


def _check_small_blocks(ir: Ir, recording: Recording, expected: Trace, pieces: Pieces) -> None:
    _run(load(emit(ir, max_chunk=64)), ir, recording, expected, pieces, "small blocks")
    _check_values(ir, recording, expected, pieces, max_chunk=64)


def _check_values(
    ir: Ir, recording: Recording, expected: Trace, pieces: Pieces, *, max_chunk: int = layout.MAX_CHUNK
) -> None:
    """Compare every node's values in the last block of every piece."""
    host = BlockHost(ir, max_chunk)
    table = expected.table()
    ticks: dict[int, list[int]] = {row: [] for row in range(len(recording))}
    for at, (row, _) in enumerate(expected.ticks):
        ticks[row].append(at)
    for start, stop in pairwise((0, *pieces.cuts, len(recording))):
        for first in range(start, stop, host.most_rows):
            last = min(stop, first + host.most_rows)
            block = host.run(recording.cut(first, last))
            _check_block(ir, block, expected, table, [at for row in range(first, last) for at in ticks[row]])


def _check_block(ir: Ir, block: Block, expected: Trace, table: Numbers, ticks: list[int]) -> None:
    """Compare a block with the last of these ticks of the interpreter; a block never crosses a segment's begin."""
    at_time: dict[int, int] = {}
    for at in reversed(ticks):  # further back than the latest segment the same times may come again
        if at_time and expected.ticks[at][1] >= expected.ticks[at + 1][1]:
            break
        at_time[expected.ticks[at][1]] = at
    times = block.t_ns.tolist()
    indexes = [index for index, t_ns in enumerate(times) if t_ns in at_time]
    if not indexes:
        return
    times_ns = sorted(t_ns for t_ns in at_time if t_ns >= times[indexes[0]])
    _same("ticks of a block (ns)", times_ns, [times[index] for index in indexes])
    rows = [at_time[t_ns] for t_ns in times_ns]
    of_objects = nodes_of_objects(ir)
    for node, values in enumerate(block.nodes):
        if node in of_objects:
            continue
        interpreted, computed = table[rows, node], values[indexes]
        differing = np.flatnonzero(interpreted.view(np.int64) != computed.view(np.int64))
        if len(differing):
            at = int(differing[0])
            what = f"node {node} {ir.nodes[node]} at {times_ns[at]} ns (row {expected.ticks[rows[at]][0]})"
            raise Disagreement(f"{what}: interpreter {float(interpreted[at])!r}, module {float(computed[at])!r}")


def nodes_of_objects(ir: Ir) -> frozenset[int]:
    """The nodes that have a value for each object, and none of their own."""
    stage_of = stages(ir.nodes, range(len(ir.nodes)))
    return frozenset(
        node for node, stage in stage_of.items() if stage not in (BEFORE, AFTER) and ir.nodes[node].op not in AGGREGATES
    )
