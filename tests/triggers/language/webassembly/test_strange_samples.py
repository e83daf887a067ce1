"""Samples that a signal cannot have: the evaluator takes them for invalid, never for another value, and counts them."""

from __future__ import annotations

import math

import pytest

from triggers.language.compile import compile_source
from triggers.language.rows import Row
from triggers.language.webassembly.host.evaluator import Evaluator
from triggers.signals.catalog import SignalCatalog
from triggers.signals.objects import ObjectSample

CATALOG = """
signals:
  flag: {type: bool, rate: 10}
  gear: {type: text, values: [P, R, D], rate: 10}
  id: {rate: 10}
"""
SOURCE = """
trigger on { when flag }
trigger off { when not flag }
trigger driving { when gear == "D" }
trigger seen { when id > 0 }
campaign c { collect on, off, driving, seen  budget 1 MB total }
"""


@pytest.fixture
def evaluator() -> Evaluator:
    compilation = compile_source(SOURCE, filename="t.trigger", catalog=SignalCatalog.parse(CATALOG, name="signals"))
    assert compilation.ok, compilation.diagnostics
    return Evaluator(compilation.campaigns["c"].program, checked=True)


@pytest.mark.parametrize(
    ("signal", "good", "strange"),
    [
        ("flag", 0.0, [2.0, 255.0, -1.0, 0.5, 3, 1e300]),
        ("gear", 1.0, [3.0, 2.5, -1.0, 1e9]),
        ("id", -1.0, [2**53 + 1, 2**63 - 1, 10**400]),
    ],
)
def test_a_value_that_a_signal_cannot_have_is_unknown_and_counted(
    evaluator: Evaluator, signal: str, good: float, strange: list[float]
) -> None:
    before = [Row(0, {signal: good})]
    odd = [Row((index + 1) * 100_000_000, {signal: value}) for index, value in enumerate(strange)]
    assert [firing.trigger for firing in evaluator.run([*before, *odd])] == []
    assert evaluator.strange == {signal: len(strange)}


@pytest.mark.parametrize(
    ("signal", "value", "fires"),
    [
        ("flag", True, ["on"]),
        ("flag", 1, ["on"]),
        ("gear", 2, ["driving"]),
        ("id", 2**53, ["seen"]),
        ("id", 2**60, ["seen"]),
        ("flag", math.inf, []),
        ("gear", math.nan, []),
    ],
)
def test_what_a_signal_can_have_is_taken_as_it_is_and_counted_nowhere(
    evaluator: Evaluator, signal: str, value: float, fires: list[str]
) -> None:
    start = {"flag": 0.0, "gear": 0.0, "id": -1.0}
    rows = [Row(0, start), Row(100_000_000, {signal: value})]
    assert [firing.trigger for firing in evaluator.run(rows)] == fires
    assert evaluator.strange == {}


@pytest.mark.parametrize("checked", [True, False])
def test_a_number_of_an_object_that_a_float64_would_round_is_unknown_and_never_another(checked: bool) -> None:
    catalog = (
        "signals: {a: {rate: 1}}\nobjects: {tracked: {max: 2, rate: 10, key: id, fields: {id: {type: id}, x: {}}}}"
    )
    source = """language 2
    trigger far { when any(o in tracked where o.x >= 9007199254740992) }
    campaign c { collect far budget 1 MB total }
    """
    compilation = compile_source(source, filename="t", catalog=SignalCatalog.parse(catalog, name="signals"))
    assert compilation.ok, compilation.diagnostics
    evaluator = Evaluator(compilation.campaigns["c"].program, checked=checked)
    values = [1.0, 2**53 + 1, 10**400, 1.0, 2**53]
    rows = [Row(n * 10**8, {}, {"tracked": ObjectSample((7,), ((value,),))}) for n, value in enumerate(values)]
    assert [firing.t_ns for firing in evaluator.run(rows)] == [4 * 10**8]
    assert evaluator.strange == ({"tracked.x": 2} if checked else {})
