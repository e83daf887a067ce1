"""The parts of conditions in reports: as their author wrote them, each `let` before what it stands for."""

from __future__ import annotations

from random import Random

import pytest

from tests.triggers.language.randomised.agreement import Case
from triggers.backtest.conditions import WrittenPart, WrittenParts
from triggers.backtest.plan import make_plan
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse(
    """
signals:
  x: {unit: m/s, rate: 10}
  y: {unit: m/s, rate: 10}
  armed: {type: bool, update: on_change}
  busy: {type: bool, derived: "x > 5 m/s and y > 5 m/s"}
""",
    name="c",
)
LETS = """import "lib/c.trigger" as c
let slower(v, limit) = v > 3 m/s and v < limit
let fast = x > 36 km/h
let both(p, q) = p and q
let narrow = x >= 1 m/s and x <= 2 m/s
let going = busy and armed
file "lib/c.trigger" { let far = y > 10 m/s let held(p) = p for 1 s }
"""


def written(condition: str) -> WrittenParts:
    source = f"{LETS}trigger t {{ when {condition} }}"
    return make_plan(compile_source(source, filename="f", catalog=CATALOG)).parts["t"]


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        (
            "slower(x + y, 9 m/s) and armed",
            [("slower(x + y, 9 m/s)", 0, None), ("v > 3 m/s", 1, 0), ("v < limit", 1, 1), ("armed", 0, 2)],
        ),
        ("fast and armed and fast", [("fast", 0, 0), ("x > 36 km/h", 1, 0), ("armed", 0, 1), ("fast", 0, 0)]),
        (
            "both(armed and x > 0 m/s, fast)",
            [
                ("both(armed and x > 0 m/s, fast)", 0, None),
                ("armed", 1, 0),
                ("x > 0 m/s", 1, 1),
                ("fast", 1, 2),
                ("x > 36 km/h", 2, 2),
            ],
        ),
        (
            "c.far and c.held(fast)",
            [("c.far", 0, 0), ("y > 10 m/s", 1, 0), ("c.held(fast)", 0, 1), ("p for 1 s", 1, 1)],
        ),
        (
            "narrow and x between 1 m/s and 3 m/s",
            [("narrow", 0, 0), ("x >= 1 m/s and x <= 2 m/s", 1, 0), ("x between 1 m/s and 3 m/s", 0, 1)],
        ),
        (
            "going",
            [
                ("going", 0, None),
                ("busy", 1, None),
                ("busy (1 of 2)", 2, 0),
                ("busy (2 of 2)", 2, 1),
                ("armed", 1, 2),
            ],
        ),
        ("fast", []),
        ("slower(y, 9 m/s) for 1 s", []),
    ],
)
def test_a_let_is_before_what_it_stands_for(condition: str, rows: list[tuple[str, int, int | None]]) -> None:
    assert written(condition).rows == tuple(WrittenPart(*row) for row in rows)


def test_sentences_name_a_part_after_the_lets_that_it_is_written_in() -> None:
    assert written("slower(y, 9 m/s) and fast and going").names == (
        *("slower(y, 9 m/s): v > 3 m/s", "slower(y, 9 m/s): v < limit", "fast"),
        *("going: busy: busy (1 of 2)", "going: busy: busy (2 of 2)", "going: armed"),
    )


def test_every_weighed_part_of_a_random_condition_is_written() -> None:
    weighed = 0
    for seed in range(60):
        case = Case.random(Random(9_000_000 + seed), rows=5, triggers=3, depth=4)
        catalog = SignalCatalog.parse(case.catalog, name="catalog")
        plan = make_plan(compile_source(case.source, filename="case", catalog=catalog))
        for program in plan.watched:
            for found in program:
                assert len(plan.parts[found.trigger].names) == len(found.parts)
                weighed += len(found.parts)
    assert weighed > 20


def test_a_let_that_doubles_with_each_use_is_written_once() -> None:
    lets = "let l0 = x > 1 m/s and y > 1 m/s\n" + "".join(
        f"let l{number} = l{number - 1} and l{number - 1}\n" for number in range(1, 40)
    )
    source = f"{lets}trigger t {{ when l39 and armed }}"
    rows = make_plan(compile_source(source, filename="f", catalog=CATALOG)).parts["t"].rows
    assert len(rows) == 40 * 2 + 2
