"""Short ways to compile conditions and to run them over samples in the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from triggers.language.compile import compile_source
from triggers.language.ir import Ir
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import Firing, Row
from triggers.language.text import mistakes
from triggers.language.text.diagnostics import render_all
from triggers.signals.catalog import SignalCatalog

MS = 1_000_000
MISTAKES = "\n".join(path.read_text() for path in sorted(Path(mistakes.__path__[0]).glob("*.py")))
"""The source of every diagnostic."""
Samples = Mapping[int, Mapping[str, float]]

CATALOG = SignalCatalog.parse(
    """
max_gap: 2.0
signals:
  x: {rate: 10, max_age: 0.35}
  y: {rate: 10, max_age: 0.35}
  slow: {rate: 1}
  p: {type: bool, rate: 10, max_age: 0.35}
  q: {type: bool, rate: 10, max_age: 0.35}
  flag: {type: bool, update: on_change, initial: false}
  mode: {type: text, values: [off, low, high], update: on_change, initial: low}
  angle: {unit: deg, rate: 10}
  active.h: {rate: 10, max_age: 0.5}
  shadow.h: {rate: 10, max_age: 0.5}
  active.kind: {type: text, values: [a, b], rate: 10}
  shadow.kind: {type: text, values: [b, a, c], rate: 10}
  lat: {unit: deg, rate: 10}
  lon: {unit: deg, rate: 10}
position: {latitude: lat, longitude: lon}
""".replace("[off,", '["off",'),
    name="test catalog",
)


def ir_of(when: str, *, cooldown: str = "0 s", extra: str = "", catalog: SignalCatalog = CATALOG) -> Ir:
    """One trigger `t`, compiled but not emitted."""
    source = f"{extra}\ntrigger t {{\n    when {when}\n    cooldown {cooldown}\n}}\n"
    compilation = compile_source(source, filename="test", catalog=catalog)
    assert compilation.triggers is not None, render_all(compilation.diagnostics)
    return compilation.triggers.ir


def rows(samples: Samples) -> list[Row]:
    """Rows from samples by time in ms."""
    return [Row(t_ms * MS, dict(values)) for t_ms, values in sorted(samples.items())]


def series(
    name: str, values: Sequence[float | None], *, step_ms: int = 100, start_ms: int = 0
) -> dict[int, dict[str, float]]:
    """Samples of one signal at equal steps; None is a row without a sample."""
    return {start_ms + index * step_ms: ({} if value is None else {name: value}) for index, value in enumerate(values)}


def merged(*parts: Samples) -> dict[int, dict[str, float]]:
    """Several series as one recording."""
    result: dict[int, dict[str, float]] = {}
    for part in parts:
        for t_ms, values in part.items():
            result.setdefault(t_ms, {}).update(values)
    return result


def fires_ms(when: str, samples: Samples, *, cooldown: str = "0 s", extra: str = "") -> list[int]:
    """Times in ms at which a trigger with this condition fires."""
    return times_ms(Interpreter(ir_of(when, cooldown=cooldown, extra=extra)).run(rows(samples)))


def times_ms(firings: Sequence[Firing]) -> list[int]:
    """Fire times in whole ms."""
    return [firing.t_ns // MS for firing in firings]
