"""Outside oracles: RTAMT and reelay, monitors of temporal logic by others, give every value that we give.

Where semantics meet. Discrete-time past STL (RTAMT) and past MTL (reelay) know no unknown, no `max_age`, no
heartbeats and no segments. So one segment is compared, on a regular grid of at most 100 ms, where every row has a
finite sample of every signal: then each row is a tick of every expression, there is no heartbeat in between, and
everything is known. Samples are integers and thresholds lie halfway between them, because RTAMT's robustness is 0
at equality, which tells neither true nor false (true is a robustness above 0).

How operators are mapped, at tick i of a grid of step h, with k whole steps for a duration of k * h:

- `once(P over k*h)`: our window is open on its left, so it is `once[0:k-1] P`.
- `P for k*h`: `historically[0:k] P`, and k ticks must have passed, `once[k:k] true`: `historically` holds on a
  truncated prefix, our `for` does not.
- `rise(P)`: `P and once[1:1] not P`; `fall(P)`: `not P and once[1:1] P`. RTAMT is asked with its own `rise` and
  `fall`, and that a tick has passed, `once[1:1] true`: they take what lies before the first tick to be the other.
- `A then B within k*h`: `rise(B) and once[1:1] (not rise(B) since[0:k-1] rise(A))`. A kept rise of A is consumed by
  the next rise of B that it reaches, so a rise of B in between leaves none; a rise of A at that tick is kept.
- `P since Q` is `P since Q`; with `within k*h` the window is open on its left, so it is `P since[0:k-1] Q`.
- `P for at most k*h`: P ends, `not P and once[1:1] P`, and the last tick at which it was false lies before a run of at
  most k steps, `once[2:k+1] not P`.
- An interval `[0:0]` is left out, its operand stands for it: reelay reads the bound 0 as none.

How values are read. A trigger shows rises only. Two triggers a formula, `F and clock` and `F and not clock` with a
clock that alternates from row to row, fire at exactly the odd and even ticks at which F is true; all but the first
tick's value is seen (a condition true at a segment's begin does not fire).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from typing import Any, Protocol

import pytest

from triggers.language.compile import CompiledTriggers, compile_source
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import Firing, Row
from triggers.language.webassembly.host.evaluator import Evaluator as Machine
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse(
    "signals:\n  x: {rate: 10}\n  y: {rate: 10}\n  z: {rate: 10}\n  clock: {type: bool, rate: 10}\n", name="oracle"
)
STEPS_MS = (10, 70, 100)
SEEDS = range(16)
FORMULAS = 12
TICKS = 120
VALUES = range(5)
MAX_STEPS = 7
Trace = dict[str, list[float]]
Oracle = Callable[["Sequence[Formula]", Trace], list[list[bool]]]


class Runs(Protocol):
    """What both evaluators do."""

    def run(self, rows: Iterable[Row]) -> list[Firing]:
        """Fires in order of time."""


@dataclass(frozen=True)
class Formula:
    """An operator on formulas; `steps` is its duration on the grid. An atom compares a signal with a threshold."""

    op: str
    arguments: tuple[Formula, ...] = ()
    steps: int = 0
    signal: str = ""
    threshold: float = 0.0


def formula(rng: random.Random, depth: int) -> Formula:
    """A random formula of at most this depth."""
    if depth == 0 or rng.random() < 0.1:
        return Formula(rng.choice("<>"), signal=rng.choice("xyz"), threshold=rng.choice(VALUES[:-1]) + 0.5)
    op = rng.choice(["not", "and", "or", "once", "for", "rise", "fall", "then", "since", "since_within", "brief"])
    arity = 2 if op in ("and", "or", "then", "since", "since_within") else 1
    arguments = tuple(formula(rng, depth - 1) for _ in range(arity))
    return Formula(op, arguments, steps=rng.randint(1, MAX_STEPS))


def trace(rng: random.Random) -> Trace:
    """Integers that stay for a while, so that holds are reached; and the clock."""
    result: Trace = {"clock": [float(i % 2) for i in range(TICKS)]}
    for name in "xyz":
        value, stays = float(rng.choice(VALUES)), rng.choice([0.4, 0.7, 0.9])
        result[name] = []
        for _ in range(TICKS):
            value = value if rng.random() < stays else float(rng.choice(VALUES))
            result[name].append(value)
    return result


def random_case(seed: int) -> tuple[list[Formula], Trace]:
    """Formulas and a trace of their signals; the same for the same seed."""
    rng = random.Random(seed)
    return [formula(rng, depth=3) for _ in range(FORMULAS)], trace(rng)


@cache
def said(ask: Oracle, seed: int) -> list[list[bool]]:
    """What the oracle says to a random case; both evaluators are compared with the one answer."""
    return ask(*random_case(seed))


def in_longtail(f: Formula, step_ms: int) -> str:
    """Our text, every operand in parentheses."""
    inner = [f"({in_longtail(argument, step_ms)})" for argument in f.arguments]
    duration = f"{f.steps * step_ms} ms"
    match f.op:
        case "and" | "or":
            return f" {f.op} ".join(inner)
        case "not":
            return f"not {inner[0]}"
        case "once":
            return f"once({inner[0]} over {duration})"
        case "for":
            return f"{inner[0]} for {duration}"
        case "then":
            return f"{inner[0]} then {inner[1]} within {duration}"
        case "since":
            return f"{inner[0]} since {inner[1]}"
        case "since_within":
            return f"{inner[0]} since {inner[1]} within {duration}"
        case "brief":
            return f"{inner[0]} for at most {duration}"
        case "rise" | "fall":
            return f"{f.op}({inner[0]})"
    return f"{f.signal} {f.op} {f.threshold}"


def in_logic(f: Formula, *, atom: Callable[[Formula], str], own_edges: bool) -> str:
    """Past temporal logic as both oracles spell it; `own_edges`: the oracle knows `rise` and `fall` itself."""

    def edge(op: str, p: str) -> str:
        if own_edges:
            return f"({op}({p}) and {some_steps_ago(1)})"
        now, before = (p, f"not({p})") if op == "rise" else (f"not({p})", p)
        return f"({now} and once[1:1]({before}))"

    def some_steps_ago(steps: int) -> str:
        anything = atom(Formula(">", signal="x", threshold=VALUES[0] - 0.5))
        return f"once[{steps}:{steps}]({anything})"

    inner = [in_logic(argument, atom=atom, own_edges=own_edges) for argument in f.arguments]
    match f.op:
        case "and" | "or":
            return f"({inner[0]} {f.op} {inner[1]})"
        case "not":
            return f"not({inner[0]})"
        case "for":
            return f"(historically[0:{f.steps}]({inner[0]}) and {some_steps_ago(f.steps)})"
        case "then":
            a, b = edge("rise", inner[0]), edge("rise", inner[1])
            since = f"not({b}) since[0:{f.steps - 1}] {a}" if f.steps > 1 else a
            return f"({b} and once[1:1]({since}))"
        case "rise" | "fall":
            return edge(f.op, inner[0])
        case "once" | "since" | "since_within" | "brief":
            return without_edges(f, inner)
    return atom(f)


def without_edges(f: Formula, inner: Sequence[str]) -> str:
    """`once`, `since` and `for at most` of operands that are spelled already."""
    match f.op:
        case "once":
            return f"once[0:{f.steps - 1}]({inner[0]})" if f.steps > 1 else inner[0]
        case "since":
            return f"({inner[0]} since {inner[1]})"
        case "since_within":
            return f"({inner[0]} since[0:{f.steps - 1}] {inner[1]})" if f.steps > 1 else inner[1]
    return f"(not({inner[0]}) and once[1:1]({inner[0]}) and once[2:{f.steps + 1}](not({inner[0]})))"


def asked_of_rtamt(formulas: Sequence[Formula], samples: Trace) -> list[list[bool]]:
    """Each formula's truth at every tick: where the robustness is above 0."""
    import rtamt

    recorded: dict[str, Any] = {"time": list(range(TICKS)), **samples}
    found = []
    for f in formulas:
        monitor = rtamt.StlDiscreteTimeSpecification()
        for name in (*"xyz", "out"):
            monitor.declare_var(name, "float")
        text = in_logic(f, atom=lambda each: f"({each.signal} {each.op} {each.threshold})", own_edges=True)
        monitor.spec = f"out = {text}"
        monitor.parse()
        found.append([robustness > 0 for _, robustness in monitor.evaluate(recorded)])
    return found


def asked_of_reelay(formulas: Sequence[Formula], samples: Trace) -> list[list[bool]]:
    """Each formula's truth at every tick."""
    import reelay

    found = []
    for f in formulas:
        text = in_logic(f, atom=lambda each: f"{{{each.signal} {each.op} {each.threshold}}}", own_edges=False)
        monitor = reelay.discrete_timed_monitor(pattern=text, condense=False)
        ticks = [{name: samples[name][i] for name in "xyz"} for i in range(TICKS)]
        found.append([monitor.update(tick)["value"] for tick in ticks])
    return found


def asked_of_longtail(
    evaluator: Callable[[str], Runs], formulas: Sequence[Formula], samples: Trace, step_ms: int
) -> list[list[bool]]:
    """Each formula's truth at every tick but the first, which no trigger shows."""
    texts = [in_longtail(f, step_ms) for f in formulas]
    triggers = [
        f"trigger f{index}_{parity} {{ when ({text}) and {clock} }}"
        for index, text in enumerate(texts)
        for parity, clock in (("odd", "clock"), ("even", "not clock"))
    ]
    step_ns = step_ms * 1_000_000
    rows = [Row(i * step_ns, {name: column[i] for name, column in samples.items()}) for i in range(TICKS)]
    found = [[False] * TICKS for _ in formulas]
    for firing in evaluator("\n".join(triggers)).run(rows):
        found[int(firing.trigger[1:].partition("_")[0])][firing.t_ns // step_ns] = True
    return found


def interpreting(source: str) -> Runs:
    """The reference interpreter of these triggers."""
    return Interpreter(compiled(source).ir)


def running(source: str) -> Runs:
    """The WebAssembly module of these triggers."""
    return Machine(compiled(source).program)


def compiled(source: str) -> CompiledTriggers:
    """Triggers over the oracles' signals."""
    triggers = compile_source(source, filename="oracles", catalog=CATALOG).triggers
    assert triggers is not None
    return triggers


def needs(package: str) -> pytest.MarkDecorator:
    """Skip where the lock file has no such oracle: RTAMT's parser does not load in Python 3.13, reelay is for Linux."""
    return pytest.mark.skipif(find_spec(package) is None, reason=f"{package} is not for this Python or system")


ORACLES = [
    pytest.param(asked_of_rtamt, id="rtamt", marks=needs("rtamt")),
    pytest.param(asked_of_reelay, id="reelay", marks=needs("reelay")),
]
EVALUATORS = [interpreting, running]


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("ask", ORACLES)
def test_every_value_of_random_formulas_is_what_the_oracle_says(ask: Oracle, evaluator: Callable[[str], Runs]) -> None:
    seen = {False: 0, True: 0}
    for seed in SEEDS:
        formulas, samples = random_case(seed)
        step_ms = STEPS_MS[seed % len(STEPS_MS)]
        given = asked_of_longtail(evaluator, formulas, samples, step_ms)
        for f, theirs, ours in zip(formulas, said(ask, seed), given, strict=True):
            assert ours[1:] == theirs[1:], f"seed {seed}, {in_longtail(f, step_ms)}"
            for value in theirs[1:]:
                seen[value] += 1
    assert min(seen.values()) > len(SEEDS) * FORMULAS * TICKS // 20  # both truth values were really compared


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("ask", ORACLES)
@pytest.mark.parametrize("op", ["once", "for", "rise", "fall", "then", "since", "since_within", "brief"])
def test_every_operator_alone_is_what_the_oracle_says_for_all_durations(
    op: str, ask: Oracle, evaluator: Callable[[str], Runs]
) -> None:
    atoms = [Formula(sign, signal=name, threshold=1.5) for name, sign in ("x>", "y<", "z>", "x<")]
    formulas = [
        Formula(op, (a, b) if op in ("then", "since", "since_within") else (a,), steps=steps)
        for steps in range(1, MAX_STEPS + 1)
        for a, b in pairwise(atoms)
    ]
    samples = trace(random.Random(op))
    given = [each[1:] for each in asked_of_longtail(evaluator, formulas, samples, 100)]
    assert given == [each[1:] for each in ask(formulas, samples)]
    assert sum(map(any, given)) > len(formulas) // 2
