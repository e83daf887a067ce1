"""What can never be true or never be false: sound against brute force, and quiet where both can happen."""

from __future__ import annotations

import itertools
import math
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.randomised.catalogs import TEXTS
from tests.triggers.language.randomised.programs import random_program
from tests.triggers.language.randomised.recordings import random_recording
from tests.triggers.language.randomised.tracing import traced
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse(
    """
signals:
  x: {rate: 10}
  y: {rate: 10}
  p: {type: bool, rate: 10}
  q: {type: bool, rate: 10}
  gear: {type: text, values: [P, R, N], rate: 10}
""",
    name="test catalog",
)
NUMBERS = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0]
VALUES: dict[str, list[Any]] = {
    "x": NUMBERS, "y": NUMBERS, "p": [False, True], "q": [False, True], "gear": ["P", "R", "N"],
}  # fmt: skip


def verdicts(condition: str) -> set[str]:
    """What the warnings say of the whole condition; no more than one thing."""
    result = compile_source(f"trigger t {{ when {condition} }}", filename="test", catalog=CATALOG)
    assert result.ok, [d.render() for d in result.diagnostics]
    start, end = 18, 18 + len(condition)
    whole = [d for d in result.diagnostics if d.code == "LT901" and (d.column, d.end_column) == (start, end)]
    return {d.message.removeprefix("this condition can never be ") for d in whole}


_constants = st.sampled_from(["-1", "0", "0.5", "1", "2", "3", "-0.5"])
_terms = st.recursive(
    st.one_of(st.sampled_from(["x", "y"]), _constants),
    lambda inner: st.one_of(
        st.builds("abs({})".format, inner),
        st.builds("min({}, {})".format, inner, inner),
        st.builds("max({}, {})".format, inner, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner),
        st.builds("{}({})".format, st.sampled_from(["sign", "floor"]), inner),
        st.builds("clamp({}, -0.5, {})".format, inner, st.sampled_from(["0", "1", "2.5"])),
        st.builds("mod({}, {})".format, inner, st.sampled_from(["1", "1.5", "abs(x) + 1"])),
        st.builds("bits(floor(abs({})), {})".format, inner, st.sampled_from(["0", "1", "2", "5"])),
        st.builds("{}, {}, {})".format, st.sampled_from(["if(p", "if((x > 1)"]), inner, inner),
        st.builds("default({}, {})".format, inner, inner),
        st.builds("(-{})".format, st.sampled_from(["x", "(x + 1)", "abs(y)"])),
    ),
    max_leaves=4,
)
_comparisons = st.one_of(
    st.builds("{} {} {}".format, _terms, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), _terms),
    st.builds("x {} {}".format, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), _constants),
    st.builds("{} in ({}, {})".format, _terms, _constants, _constants),
    st.builds('gear {} "{}"'.format, st.sampled_from(["==", "!="]), st.sampled_from("PRN")),
    st.builds("{} {} {}".format, st.sampled_from("pq"), st.sampled_from(["==", "!="]), st.sampled_from(["p", "true"])),
    st.sampled_from(["p", "q", 'gear in ("P", "R")']),
)
_conditions = st.recursive(
    _comparisons.map("({})".format),
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("({} and {} and {})".format, inner, inner, inner),
        st.builds("(not {})".format, inner),
    ),
    max_leaves=8,
)


FUNCTIONS: dict[str, Any] = {
    "abs": abs,
    "min": min,
    "max": max,
    "sign": lambda a: (a > 0) - (a < 0),
    "floor": math.floor,
    "clamp": lambda a, low, high: min(max(a, low), high),
    "mod": lambda a, m: a % m,
    "bits": lambda a, mask: a & mask,
    "choose": lambda c, a, b: a if c else b,
    "default": lambda a, _: a,
}
"""What operators give for known values."""


@settings(max_examples=400)
@given(_conditions)
def test_no_values_contradict_what_a_warning_says(condition: str) -> None:
    said = verdicts(condition)
    if not said:
        return
    code = compile(condition.replace("if(", "choose("), "condition", "eval", dont_inherit=True)
    names = [name for name in VALUES if name in condition]
    for values in itertools.product(*(VALUES[name] for name in names)):
        scope = {**dict(zip(names, values, strict=True)), "true": True, **FUNCTIONS}
        assert ("true" in said) is not bool(eval(code, {"__builtins__": {}}, scope)), (condition, scope)


@pytest.mark.parametrize(
    ("condition", "never"),
    [
        ("x > 5 and x < 3", "true"),
        ("x >= 3 and x < 3", "true"),
        ("x > 3 or x <= 3", "false"),
        ("x between 3 and 1", "true"),
        ("x != 3 or x != 4", "false"),
        ("not (x > 3) and not (x < 5)", "true"),
        ("(x > 5 or x < 0) and x between 1 and 2", "true"),
        ("x in (1, 2) and x in (3, 4)", "true"),
        ('gear != "P" and gear != "R" and gear != "N"', "true"),
        ('gear in ("P", "R", "N")', "false"),
        ("p and (x > 3 and not p)", "true"),
        ("p == false and p", "true"),
        ("p != p", "true"),
        ("x > y and y > x", "true"),
        ("x < x", "true"),
        ("x * x < 0", "true"),
        ("sqrt(x) < 0", "true"),
        ("age(x) < 0 s", "true"),
        ("missing(x) and not missing(x)", "true"),
        ("share(p over 2 s) > 100 %", "true"),
        ("count(p over 2 s) < 0", "true"),
        ("count(p over 2 s) > 2 and count(p over 2 s) < 3", "true"),
        ("delta(share(p over 2 s) over 1 s) > 150 %", "true"),
        ("share(p over 2 s) / 2 > 60 %", "true"),
        ("samples(x over 1 s) > 1000", "true"),
        ("samples(p over 1 s) >= 0", "false"),
        ("sum(abs(x) over 1 s) < 0", "true"),
        ("sum(share(p over 2 s) over 1 s) > 9000 %", "true"),
        ("integral(share(p over 2 s) over 1 s) >= 0", "false"),
        ("std(x over 1 s) < 0", "true"),
        ("std(share(p over 2 s) over 1 s) > 51 %", "true"),
        ("median(share(p over 2 s) over 1 s) > 100 %", "true"),
        ("quantile(count(p over 2 s) over 1 s, 0.9) == 1.5", "true"),
        ("(p and not p) for 2 s and q", None),
        ("x > 5 and (x < 3) for 2 s", "true"),
        ("p and fall(p)", "true"),
        ("p and rise(p)", None),
        ("once(p over 2 s) and not p", None),
        ("past(x, 2 s) > 5 and x < 3", None),
        ("x > 1 and y < 1", None),
        ("x >= 3 and x <= 3", None),
        ("x + y > 5 and x + y < 9", None),
        ("share(p over 2 s) >= 100 %", None),
        ("samples(x over 1 s) > 10", None),
        ("sum(x over 1 s) < 0", None),
        ("sum(abs(x) over 1 s) <= 0", None),
        ("sum(share(p over 2 s) over 1 s) > 1000 %", None),
        ("integral(x over 1 s) < 0 s", None),
        ("std(share(p over 2 s) over 1 s) > 49 %", None),
        ("median(share(p over 2 s) over 1 s) >= 100 %", None),
        ("p then not p within 2 s", None),
        ("x != x + 0", None),
        ("bits(x, 4) == 1", "true"),
        ("bits(x, 6) == 4", None),
        ("bits(x, 6) != 5", "false"),
        ("clamp(x, y, 2) > 2", "true"),
        ("max(x, y, 2) < 2", "true"),
        ("mod(x, 3) >= 3", "true"),
        ("mod(x, 3) < 0", "true"),
        ("mod(floor(x), 3) == 1.5", "true"),
        ("default(x > 5, false) and x < 3", "true"),
        ("default(x > 5, q) and x < 3", None),
        ("default(p and x > 5, x > 6) and x < 3", "true"),
        ("if(p, x > 5, y > 3) and x < 3", None),
        ("if(p, x > 5, x > 4) and x < 3", "true"),
        ("if(p, q, not q)", None),
        ("prev(abs(x)) < 0", "true"),
        ("prev(x) > x", None),
        ("changed(x) from 1 to 1", "true"),
        ("changed(x) from 1 and x == 1", "true"),
        ("changed(x) to 1 and x != 1", "true"),
        ("changed(x) from 1 to 2", None),
        ("approx(x, y, -1)", "true"),
    ],
)
def test_verdicts(condition: str, never: str | None) -> None:
    assert verdicts(condition) == ({never} if never else set())


def test_the_innermost_condition_alone_is_reported() -> None:
    source = "trigger t { when ((x > 5 and x < 3) or p) and q and once(x > 5 and x < 3 over 2 s) }"
    found = [d for d in compile_source(source, filename="test", catalog=CATALOG).diagnostics if d.code == "LT901"]
    assert [(d.column, d.end_column) for d in found] == [(19, 36), (58, 73)]


def test_many_comparisons_take_no_time_to_speak_of() -> None:
    parts = " and ".join(f"(x in ({', '.join(str(n + m) for m in range(60))}) or y > {n})" for n in range(100))
    assert verdicts(parts) == set()


def _claims(source: str, catalog: SignalCatalog) -> list[tuple[str, bool]]:
    """The text of each condition that a warning calls constant, and what it is said never to be."""
    lines = source.splitlines()
    result = compile_source(source, filename="test", catalog=catalog)
    return [
        (lines[d.line - 1][d.column - 1 : d.end_column - 1], d.message.endswith("true"))
        for d in result.diagnostics
        if d.code == "LT901" and "can never be" in d.message and d.line == d.end_line
    ]


@pytest.mark.parametrize("seed", range(60))
def test_no_recording_contradicts_what_a_warning_says(seed: int) -> None:
    """Random programs; signals of texts may carry indexes that the catalog does not declare, so they are left out."""
    random = Random(seed)
    for made in [random_program(random, depth=5) for _ in range(2)]:
        catalog = made.catalog.parsed
        claims = [
            (text, never) for text, never in _claims(made.source, catalog) if not any(name in text for name in TEXTS)
        ]
        head = "\n".join(line for line in made.source.splitlines() if line.startswith(("language ", "let ", "fence ")))
        for text, never in claims:
            compiled = compile_source(f"{head}\ntrigger t {{ when ({text}) }}", filename="test", catalog=catalog)
            if compiled.triggers is None:  # an item of an `in` list
                continue
            program = compiled.triggers.ir
            names = tuple(signal.name for signal in program.inputs)
            trace = traced(program, random_recording(random, made.catalog, names, 60))
            assert never not in {values[program.triggers[0].root] for values in trace.values}, text


def test_bounds_take_the_programs_rounding_into_account() -> None:
    parts = [0.65, 0.87, 0.55, 0.7, 0.29]
    condition = " + ".join(f"share(p over 1 s) * {part}" for part in parts)
    assert sum(parts) > 3.06  # exactly it is 3.06
    assert verdicts(f"{condition} > 306 %") == set()
    assert verdicts(f"{condition} > 307 %") == {"true"}
    assert verdicts("share(p over 1 s) * 0.1 > 10 %") == {"true"}
