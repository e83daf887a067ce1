"""Derived signals: expressions of the catalog that conditions read like signals, checked where they stand."""

from __future__ import annotations

import pytest

from triggers.errors import InvalidInput
from triggers.language.compile import Compilation, compile_condition, compile_source, require_sound
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import Row
from triggers.language.text.diagnostics import render_all
from triggers.language.webassembly.host.evaluator import Evaluator
from triggers.signals.catalog import SignalCatalog

SIGNALS = """
signals:
  ego.speed: {unit: km/h, rate: 10}
  lead.distance: {unit: m, rate: 10}
  cabin: {unit: degC, rate: 10}
  outside: {unit: degF, rate: 10}
  brake: {type: bool, rate: 10}
  ego.ttc: {unit: ms, derived: "lead.distance / ego.speed", max: 20000, yellow: [3000, null], red: [1500, null]}
  close: {type: bool, derived: "ego.ttc < 2 s for 200 ms"}
  warmer: {unit: K, derived: cabin - outside}
"""
MS = 1_000_000


def compiled(condition: str, signals: str = SIGNALS, *, capture: str = "") -> Compilation:
    catalog = SignalCatalog.parse(signals, name="signals.yaml")
    return compile_source(f"trigger t {{ when {condition} {capture} }}", filename="t.trigger", catalog=catalog)


def errors(condition: str, signals: str = SIGNALS, *, capture: str = "") -> list[str]:
    result = compiled(condition, signals, capture=capture)
    assert result.ok is not any(each.severity == "error" for each in result.diagnostics)
    return [render_all([each]).splitlines()[0] for each in result.diagnostics if each.severity == "error"]


def fires(condition: str, rows: list[Row]) -> list[int]:
    """Times in ms at which the condition becomes true, which interpreter and module agree on."""
    result = compiled(condition)
    assert result.ok and result.triggers is not None, render_all(result.diagnostics)
    told = [firing.t_ns // MS for firing in Interpreter(result.triggers.ir).run(rows)]
    assert told == [firing.t_ns // MS for firing in Evaluator(result.triggers.program).run(rows)]
    return told


def approach(*distances_m: float, speed_km_h: float = 36) -> list[Row]:
    return [
        Row(100 * n * MS, {"ego.speed": speed_km_h, "lead.distance": distance, "brake": 0.0})
        for n, distance in enumerate(distances_m)
    ]


def test_a_derived_signal_is_its_expression_in_its_declared_unit() -> None:
    assert fires("ego.ttc < 2500 ms", approach(40, 30, 26, 24, 20)) == [300]
    assert fires("ego.ttc < 2.5 s", approach(40, 30, 26, 24, 20)) == [300]


def test_derived_signals_are_made_of_derived_signals() -> None:
    assert fires("close and not brake", approach(40, 19, 19, 19, 19)) == [300]


def test_a_derived_signal_is_read_by_windows_whose_rates_are_those_of_its_signals() -> None:
    assert fires("max(ego.ttc over 250 ms) < 3 s", approach(40, 29, 29, 29, 29)) == [300]


def test_limits_and_the_range_of_a_derived_signal_are_its_own() -> None:
    assert fires("ego.ttc outside red", approach(40, 16, 14)) == [200]
    assert fires("ego.ttc outside yellow", approach(40, 29, 14)) == [100]
    assert fires("missing(ego.ttc)", approach(40, 199, 201, 202)) == [200]


def test_a_difference_of_temperatures_may_be_declared_in_kelvin() -> None:
    assert errors("warmer > 5 K") == []


def test_a_program_reads_the_signals_that_a_derived_one_is_computed_from() -> None:
    result = compiled("close", capture="capture 1 s before, 1 s after { signals ego.*, brake }")
    assert result.triggers is not None
    assert [each.name for each in result.triggers.ir.inputs] == ["lead.distance", "ego.speed"]
    (settings,) = result.triggers.settings
    assert settings.capture.signals == ("ego.speed", "lead.distance", "brake")


def test_all_signals_are_those_with_samples_of_their_own() -> None:
    result = compiled("close", capture="capture 1 s before, 1 s after { signals * }")
    assert result.triggers is not None
    captured = result.triggers.settings[0].capture.signals
    catalog = SignalCatalog.parse(SIGNALS, name="signals.yaml")
    assert captured == tuple(name for name, signal in catalog.signals.items() if signal.derived is None)
    assert "brake" in captured and "ego.ttc" not in captured


def test_by_default_those_signals_are_captured() -> None:
    result = compiled("close")
    assert result.triggers is not None
    assert result.triggers.settings[0].capture.signals == ("ego.speed", "lead.distance")


def test_equal_expressions_give_equal_programs() -> None:
    direct = compiled("lead.distance / ego.speed < 2 s").triggers
    derived = compiled("x < 2 s", SIGNALS + '  x: {unit: s, derived: "lead.distance / ego.speed"}\n').triggers
    assert direct is not None and derived is not None
    assert {node.op for node in direct.ir.nodes} <= {node.op for node in derived.ir.nodes}


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("age(ego.ttc) > 1 s", "t.trigger:1:22: error: `age` looks at samples, and a derived signal has none"),
        ("divergence(ego.ttc, ego.ttc) > 1 s", "t.trigger:1:29: error: `divergence` looks at samples"),
        ("disagree(close, brake)", "t.trigger:1:27: error: `disagree` looks at samples"),
        ("ego.ttc > 5 m", "t.trigger:1:18: error: a time in ms and a length in m cannot be compared"),
        ("ego.ttc > 5", "t.trigger:1:28: error: `ego.ttc` is a time in ms"),
    ],
)
def test_where_a_derived_signal_cannot_be_used_is_said_by_name(condition: str, said: str) -> None:
    (first,) = errors(condition)
    assert first.startswith(said)


MISTAKES = """
signals:
  v: {unit: m/s, rate: 10}
  d: {unit: m, rate: 10}
  t: {unit: degC, rate: 10}
  unit: {unit: m, derived: d / v}
  scale: {unit: degC, derived: "t - t"}
  type: {type: bool, derived: d / v}
  kind: {derived: "d > 3 m"}
  name: {unit: m, derived: 'd + dd'}
  form: {unit: m, derived: d +}
  nothing: {derived: "3"}
  a: {unit: m, derived: b + 1 m}
  b: {unit: m, derived: "c * 2"}
  c: {unit: m, derived: a}
  itself: {derived: itself}
  folded:
    unit: m
    derived: >-
      d +
      dd
"""
SAID = """
signals.yaml:6:28: error: `unit` is declared as a length in m, but this is a time in m/m/s [LT331]
signals.yaml:7:33: error: `scale` is declared as a temperature in degC, but this is a temperature in K [LT331]
signals.yaml:8:31: error: `type` is declared as a bool, but this is a time in m/m/s [LT331]
signals.yaml:9:20: error: `kind` is declared as a number, but this is a condition [LT331]
signals.yaml:10:33: error: the signal catalog has no `dd` [LT201]
signals.yaml:11:31: error: expected a signal, a value or `(`, found the end of the text [LT103]
signals.yaml:12:23: error: `nothing` is computed from no signal [LT331]
signals.yaml:15:25: error: the derived signal `a` depends on itself: a -> b -> c -> a [LT212]
signals.yaml:16:21: error: the derived signal `itself` depends on itself: itself -> itself [LT212]
signals.yaml: signals.folded.derived:1:5: error: the signal catalog has no `dd` [LT201]
"""


def test_the_mistakes_of_derived_signals_are_told_at_once_with_their_places_in_the_catalog() -> None:
    assert errors("v > 3 m/s", MISTAKES) == SAID.strip().splitlines()


def test_they_are_told_for_a_condition_alone_and_once_however_often_the_signal_is_read() -> None:
    catalog = SignalCatalog.parse(MISTAKES, name="signals.yaml")
    result = compile_condition("a > 3 m and a < 5 m", filename="--when", catalog=catalog)
    assert not result.ok
    assert sum("depends on itself: a" in each.message for each in result.diagnostics) == 1


def test_a_catalog_can_be_checked_alone() -> None:
    require_sound(SignalCatalog.parse(SIGNALS, name="signals.yaml"))
    with pytest.raises(InvalidInput) as refused:
        require_sound(SignalCatalog.parse(MISTAKES, name="signals.yaml"))
    lines = refused.value.message.splitlines()
    assert len(lines) == 10
    assert lines[4] == "signals.yaml:10:33: the signal catalog has no `dd`; did you mean `d`?"


def test_a_long_chain_of_derived_signals_is_refused() -> None:
    chain = "".join(f'  x{n}: {{derived: "x{n + 1} + 1"}}\n' for n in range(500))
    (first,) = errors("x500 > 3", f"signals:\n{chain}  x500: {{rate: 10}}\n")[:1]
    assert "more than 20 derived signals are computed from one another" in first


def test_a_position_or_a_head_is_not_derived() -> None:
    signals = SIGNALS + "  active.h.f: {type: bool, derived: brake}\n  shadow.h.f: {type: bool, rate: 10}\n"
    assert SignalCatalog.parse(signals, name="s").heads == frozenset()
    (first,) = errors("disagree(h.f)", signals)
    assert "there is no head" in first or "LT204" in first or "h.f" in first


@pytest.mark.parametrize(
    ("derived", "message"),
    [("close for hold", "there is no constant `hold`"), ("ego.speed in fast", "there is no set `fast`")],
)
def test_a_derived_signal_knows_no_names_of_files(derived: str, message: str) -> None:
    signals = f"{SIGNALS}  late: {{type: bool, derived: {derived}}}\n"
    (found,) = errors("late", signals)
    assert message in found and found.startswith("signals.yaml:")


def test_a_derived_signal_may_read_a_signal_called_distance_in_whatever_version_the_file_is() -> None:
    signals = 'signals: {distance: {unit: m, rate: 10}, far: {unit: m, derived: "max(distance over 5 s)"}}'
    catalog = SignalCatalog.parse(signals, name="signals.yaml")
    text = "trigger t { when far > 3 m } campaign k { collect t budget 3 clips }"
    for header in ("", "language 2 "):
        result = compile_source(header + text, filename="t.trigger", catalog=catalog)
        assert result.ok, render_all(result.diagnostics)
        assert [trigger.name for trigger in result.campaigns["k"].settings.triggers] == ["t"]


def test_a_file_whose_trigger_cannot_read_a_derived_signal_does_not_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    """What only the file's own context finds fails it as well: no trigger is ever left out without a word."""
    catalog = SignalCatalog.parse('signals: {x: {rate: 10}, twice: {derived: "x + y"}}', name="signals.yaml")
    monkeypatch.setattr("triggers.language.compile.catalog_findings", lambda *_: ())
    result = compile_source("trigger t { when twice > 3 }", filename="t.trigger", catalog=catalog)
    assert not result.ok
    assert [each.message for each in result.diagnostics] == ["the signal catalog has no `y`"]
