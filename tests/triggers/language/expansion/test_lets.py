"""What is told about the lets of a file is told of those that use its own words, too."""

from __future__ import annotations

import pytest

from triggers.language.compile import compile_source
from triggers.language.lets import lets_of
from triggers.language.text.diagnostics import Span
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse("signals: {x: {unit: m/s, rate: 10}}", name="catalog")
TEXT = """import "c.trigger" as c
param limit = 3 m/s
set low = (1 m/s, 2 m/s)
let above(a) = a > limit
let slow = x in low
let fast = x > limit
let faster = above(x + 1 m/s)
let far = c.far
let change = delta(x over 1 s)
file "c.trigger" {
let far = x > 10 m/s
}
"""


def test_a_let_that_uses_params_sets_calls_and_imports_is_told_with_its_own_place_and_cost() -> None:
    lets = lets_of(TEXT, filename="a.trigger", catalog=CATALOG)
    texts = [(let.name, TEXT[let.span.start : let.span.end], let.type) for let in lets]
    assert texts == [
        ("slow", "x in low", "bool"),
        ("fast", "x > limit", "bool"),
        ("faster", "above(x + 1 m/s)", "bool"),
        ("far", "c.far", "bool"),
        ("change", "delta(x over 1 s)", "number"),
    ]
    assert all(let.cost is not None and let.cost.most_operations > 0 for let in lets)


def test_a_let_costs_the_same_as_one_that_is_written_out() -> None:
    written = (
        "let slow = x == 1 m/s or x == 2 m/s let fast = x > 3 m/s let faster = x + 1 m/s > 3 m/s let far = x > 10 m/s"
    )
    plain = {let.name: let.cost for let in lets_of(written, filename="a.trigger", catalog=CATALOG)}
    named = {let.name: let.cost for let in lets_of(TEXT, filename="a.trigger", catalog=CATALOG)}
    assert {name: named[name] for name in plain} == plain


def test_a_let_whose_set_is_missing_is_left_out_and_the_others_are_told() -> None:
    text = "let lost = x in nowhere let fast = x > 3 m/s"
    (let,) = lets_of(text, filename="a.trigger", catalog=CATALOG)
    assert (let.name, let.span) == ("fast", Span(text.index("x > 3"), len(text)))


@pytest.mark.parametrize("when", ["x > 3 m/s", "x > k and x in s", "x > 3 m/s for k", "held(k)"])
def test_a_constant_in_an_unknown_unit_is_told_once_where_it_stands_used_or_not(when: str) -> None:
    text = f"param k = 3 foo set s = (1 m/s, 2 baz) let held(a) = x > a trigger t {{ when {when} }}"
    found = compile_source(text, filename="a.trigger", catalog=CATALOG).diagnostics
    assert [(each.code, each.message) for each in found] == [
        ("LT303", "`foo` is not a known unit"),
        ("LT303", "`baz` is not a known unit"),
    ]
    assert [each.column for each in found] == [text.index("3 foo") + 1, text.index("2 baz") + 1]
