"""Every `example` of the language's reference gives what it says, in the interpreter and in the module."""

from __future__ import annotations

import math
import re
from dataclasses import asdict
from fractions import Fraction

import pytest

from tests.support.paths import REPOSITORY
from triggers.language.compile import compile_source
from triggers.language.earth import EARTH_RADIUS_M
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import Row
from triggers.language.text.diagnostics import render_all
from triggers.language.webassembly.host.evaluator import Evaluator
from triggers.signals.catalog import SignalCatalog
from triggers.signals.objects import ObjectSample

TEXT = (REPOSITORY / "docs" / "language.md").read_text()
EXAMPLES = re.findall(r"```example\n(.*?)```", TEXT, re.S)
OF_CONDITIONS = [example for example in EXAMPLES if "\nwhen " in example]
OF_EVENTS = [example for example in EXAMPLES if "\ncompare events " in example]
NS_PER_MS = 10**6


def catalog_of(line: str) -> SignalCatalog:
    signals, _, position = line.removeprefix("signals: ").partition("; ")
    return SignalCatalog.parse(f"signals: {{{signals}}}\n{position}\n", name="example")


def rows_of(line: str) -> list[Row]:
    """`0: x=1 y=2; 100:; 200: tracked=7(5,1)+9(3,0)` as rows; times in ms, objects by their keys with their values."""
    rows = []
    for part in line.split(";"):
        time, _, samples = part.strip().partition(":")
        numbers: dict[str, float] = {}
        objects: dict[str, ObjectSample] = {}
        for name, value in (word.split("=") for word in samples.split()):
            if value == "" or value.endswith(")"):
                objects[name] = objects_of(value)
            else:
                numbers[name] = float(value)
        rows.append(Row(int(Fraction(time) * NS_PER_MS), numbers, objects))
    return rows


def objects_of(text: str) -> ObjectSample:
    found = re.findall(r"(\d+)\(([^)]*)\)", text)
    return ObjectSample(
        tuple(int(key) for key, _ in found), tuple(tuple(map(float, values.split(","))) for _, values in found)
    )


@pytest.mark.parametrize("example", OF_CONDITIONS, ids=lambda example: re.findall(r"^when (.*)$", example, re.M)[0])
@pytest.mark.parametrize("evaluator", ["interpreter", "module"])
def test_an_example_gives_what_it_says(example: str, evaluator: str) -> None:
    lines = example.splitlines()
    fences = "\n".join(line for line in lines if line.startswith("fence"))
    (when,) = (line for line in lines if line.startswith("when"))
    compilation = compile_source(f"{fences}\ntrigger t {{ {when} }}", filename="doc", catalog=catalog_of(lines[0]))
    assert compilation.triggers is not None, render_all(compilation.diagnostics)
    run = (
        Interpreter(compilation.triggers.ir) if evaluator == "interpreter" else Evaluator(compilation.triggers.program)
    )
    (rows,) = (rows_of(line) for line in lines if line[0].isdigit())
    (fires,) = (line.split()[1:] for line in lines if line.startswith(("fires ", "never ")))
    expected = [] if fires == ["fires"] else [int(Fraction(time) * NS_PER_MS) for time in fires]
    assert [firing.t_ns for firing in run.run(rows)] == expected
    for lost in (int(line.split()[1]) for line in lines if line.startswith("lost ")):
        assert run.overflows == lost


@pytest.mark.parametrize("example", OF_EVENTS)
@pytest.mark.parametrize("evaluator", ["interpreter", "module"])
def test_an_example_of_events_counts_what_it_says(example: str, evaluator: str) -> None:
    signals, compare, recording, *counts = example.splitlines()
    source = f"campaign c {{ {compare} budget 1 clips }}"
    compilation = compile_source(source, filename="doc", catalog=catalog_of(signals))
    assert compilation.ok, render_all(compilation.diagnostics)
    campaign = compilation.campaigns["c"]
    run = Interpreter(campaign.ir) if evaluator == "interpreter" else Evaluator(campaign.program)
    run.run(rows_of(recording))
    run.end_drive()
    found = {key.sides.value: asdict(counted) for key, counted in run.events.items()}
    assert {sides: {name: count for name, count in each.items() if count} for sides, each in found.items()} == {
        sides: {name: int(count) for name, count in (word.split("=") for word in words)}
        for sides, *words in (line.split() for line in counts)
    }


def test_every_reading_has_an_example() -> None:
    assert len(OF_CONDITIONS) >= 19
    assert len(OF_EVENTS) >= 5
    assert len(EXAMPLES) == len(OF_CONDITIONS) + len(OF_EVENTS)


def test_the_sphere_of_near_is_off_by_no_more_than_is_said() -> None:
    a, f = 6_378_137.0, 1 / 298.257223563
    e2 = f * (2 - f)
    errors = []
    for latitude_deg in range(0, 86):
        w = 1 - e2 * math.sin(math.radians(latitude_deg)) ** 2
        meridian, parallel = a * (1 - e2) / w**1.5, a / math.sqrt(w)
        errors += [abs(EARTH_RADIUS_M / radius - 1) for radius in (meridian, parallel)]
    stated = float(re.findall(r"off by at most ([0-9.]+) %", TEXT)[0]) / 100
    assert 0.98 * stated < max(errors) <= stated
