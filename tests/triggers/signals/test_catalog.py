"""The signal catalog: defaults, and refusals that name file, line and key."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from triggers.errors import InvalidInput
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog, read_catalog_text
from triggers.vehicle.config import VehicleConfig


def parse(text: str) -> SignalCatalog:
    return SignalCatalog.parse(text, name="signals.yaml")


def test_defaults_follow_the_rate() -> None:
    catalog = parse("signals:\n  a: {rate: 10}\n  b: {}\n  c: {update: on_change}\n  d: {rate: 3, max_age: 0.5}\n")
    ages = [catalog.signals[name].max_age_ns for name in "abcd"]
    assert ages == [300_000_000, 1_000_000_000, None, 500_000_000]
    assert catalog.max_gap_ns == 2_000_000_000
    assert catalog.column("a") == "a"


def test_the_buffer_is_that_of_a_vehicle_which_states_none() -> None:
    catalog = parse("signals: {a: {}}")
    (stated,) = (field for field in fields(VehicleConfig) if field.name == "max_recording_ns")
    assert catalog.buffer_ns == stated.default == 60_000_000_000
    assert parse("buffer: 90.5\nsignals: {a: {}}").buffer_ns == 90_500_000_000


@pytest.mark.parametrize(("buffer", "warned"), [("70", []), ("69.9", ["LT908"])])
def test_a_capture_is_measured_by_the_catalogs_buffer(buffer: str, warned: list[str]) -> None:
    catalog = parse(f"buffer: {buffer}\nsignals: {{a: {{rate: 10}}}}")
    source = "trigger t {\n    when a > 3\n    capture 50 s before, 20 s after\n}\n"
    found = compile_source(source, filename="test", catalog=catalog).diagnostics
    assert [diagnostic.code for diagnostic in found] == warned


def test_texts_and_bools_are_carried_as_numbers() -> None:
    catalog = parse("signals:\n  g: {type: text, values: [P, N], initial: N}\n  f: {type: bool, initial: true}\n")
    assert [catalog.signals[name].initial_sample for name in "gf"] == [1.0, 1.0]


def test_a_head_needs_an_active_and_a_shadow_signal() -> None:
    assert parse("signals: {active.h.f: {}, shadow.h.f: {}, active.g: {}}").heads == {"h.f"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("signals:\n  a: {rate: 10}\n  b: {unit: furlong}\n", r":3: signals.b.unit: `furlong` is not a known unit"),
        ("signals:\n  a:\n    rate: fast\n", r"signals.yaml:3: signals.a.rate: .*number"),
        ("signals:\n  a: {}\n  a: {}\n", r"signals.yaml:3: signals.a is declared twice"),
        ("signals:\n  a: {rte: 10}\n", r"signals.yaml:2: signals.a.rte"),
        ("signals:\n  a: {type: text}\n", r"signals.yaml:2: .*`values`"),
        ("signals:\n  a: {type: text, values: [on, off]}\n", r"signals.yaml:2: .*quote them"),
        ("signals:\n  a: {type: bool, unit: m}\n", r"signals.yaml:2: .*no `unit`"),
        ("signals:\n  a: {type: bool, initial: 3.0}\n", r"signals.yaml:2: .*initial"),
        ("signals:\n  a: {rate: 0}\n", r"signals.yaml:2: signals.a.rate"),
        ("signals:\n  a: {rate: .nan}\n", r"signals.yaml:2: signals.a.rate"),
        (
            "signals: {a: {}}\nposition: {latitude: a, longitude: b}\n",
            r":2: position.latitude: `a` is not a declared signal with the unit deg",
        ),
        ("signals: [1]\n", r"signals.yaml:1: signals"),
        ("signals: {a: {}\n", r"signals.yaml:2"),
        ("", r"signals.yaml: signals"),
        ("[1]\n", r"signals.yaml: the whole catalog: a mapping of keys to values"),
        ("a: &a [*a]\n", r"signals.yaml"),
        ("\x00", r"signals.yaml"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse(text)


MANY_MISTAKES = """
max_gap: 2 s
signls: 3
signals:
  a: {unit: kph, rate: 10 Hz}
  b: {unit: °C, rat: 10}
  c: {unit: percent, type: nmber}
  d: {type: string}
  e: {type: boolean, initial: 3}
  f: {rate: -1, max_age: 300 ms}
  "g h": {rate: 3}
  and: {rate: 3}
  h: {type: text, values: [on, "low"]}
  i: 10
  k: {column: 7, initial: [1]}
  l: {type: bool, unit: m, update: on_change, max_age: 3}
  größe: {rate: 1}
position: {latitude: lat}
vehicle: {model: string, hardware: int}
cameras: front
limits: {operations: many}
"""
SAID = """
2: max_gap: a number is needed here, not `2 s`; write it without a unit, in seconds, such as `0.3`
3: signls: there is no such key; did you mean `signals`?; the keys are max_gap, buffer, limits, signals, position, .*
5: signals.a.rate: a number is needed here, not `10 Hz`; write it without a unit, in Hz, such as `10`
5: signals.a.unit: `kph` is not a known unit; did you mean `km/h`?
6: signals.b.rat: there is no such key; did you mean `rate`?; the keys are type, unit, rate, max_age, column, .*
6: signals.b.unit: `°C` is not a known unit; did you mean `degC`?
7: signals.c.type: `nmber` is not one of 'number', 'bool' or 'text'; did you mean `number`?
7: signals.c.unit: `percent` is not a known unit; did you mean `%`?
8: signals.d.type: `string` is not one of 'number', 'bool' or 'text'; write `text`, with the list `values` of all .*
9: signals.e.type: `boolean` is not one of 'number', 'bool' or 'text'; write `bool`
10: signals.f.max_age: a number is needed here, not `300 ms`; write it without a unit, in seconds, such as `0.3`
10: signals.f.rate: `-1` is out of range: it must be at least 1e-06
11: signals.g h: `g h` is not a valid name: a signal's name has parts of letters a to z, digits and `_` between dots, .*
12: signals.and: `and` cannot be read in an expression: .*
13: signals.h.values.0: a text is needed here, not true (YAML reads words such as on, off, yes and no as .*: quote them)
14: signals.i: a mapping of keys to values is needed here, not `10`; write {rate: 10}
15: signals.k.column: a text is needed here, not the number 7; write `"7"` in quotes
15: signals.k.initial: a list is not a value: write a number, true, false or a text
16: signals.l: a bool signal has no `unit`; a signal with `update: on_change` never expires, so it has no `max_age`
17: signals.größe: `größe` cannot be read in an expression: .*
18: position.latitude: `lat` is not a declared signal with the unit deg
18: position.longitude: the key `longitude` is missing; add it
19: vehicle.hardware: `int` is not one of 'text', 'integer', 'number' or 'bool'; write `integer`
19: vehicle.model: `string` is not one of 'text', 'integer', 'number' or 'bool'; write `text`
20: cameras: `front` is not a camera: write `[front]`, or `{front: {bit_rate: 4 Mbit/s}}`
21: limits.operations: a number is needed here, not `many`
"""


def test_all_mistakes_are_told_at_once_with_what_to_write() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(MANY_MISTAKES)
    lines = refused.value.message.splitlines()
    expected = SAID.strip().splitlines()
    for said, words in zip(lines, expected, strict=True):
        pattern = ".*".join(map(re.escape, words.split(".*")))
        assert re.fullmatch(f"signals.yaml:{pattern}", said), said


def test_a_flood_of_mistakes_is_cut() -> None:
    with pytest.raises(InvalidInput, match=r"signals.yaml: and 150 more mistakes") as refused:
        parse("signals:\n" + "".join(f"  a{n}: {{unit: kph}}\n" for n in range(200)))
    assert len(refused.value.message.splitlines()) == 51


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("cameras: {front: {bit_rat: 3}}", "cameras.front.bit_rat: there is no such key; did you mean `bit_rate`?"),
        ("cameras: {front: 4 Mbit/s}", "cameras.front: `4 Mbit/s` is not a camera: write `[front]`, or `{front: "),
        ("time: {colum: ts}", "time.colum: there is no such key; did you mean `column`?; the keys are column, unit"),
        (
            "time: {column: ts, unit: nsec}",
            "time.unit: `nsec` is not one of 'ns', 'us', 'ms' or 's'; did you mean `ns`?",
        ),
    ],
)
def test_mistakes_in_keys_about_recordings_are_told_alike(key: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(f"signals.yaml:2: {said}")):
        parse(f"signals: {{a: {{rate: 1}}}}\n{key}\n")


@pytest.mark.parametrize("name", ["capture", "let", "rate", "min", "active.in", "x.and.y", "And"])
def test_other_words_of_the_language_are_fine_as_names(name: str) -> None:
    catalog = parse(f"signals:\n  {name}: {{rate: 10}}\n")
    assert compile_source(f"trigger t {{ when {name} > 1 }}", filename="test", catalog=catalog).ok


@pytest.mark.parametrize(("max_age", "warned"), [(0.003, ["LT916"]), (0.199, ["LT916"]), (0.2, [])])
def test_a_max_age_that_heartbeats_cannot_notice_is_warned_about(max_age: float, warned: list[str]) -> None:
    catalog = parse(f"signals:\n  x: {{rate: 100, max_age: {max_age}}}\n")
    found = compile_source("trigger t { when x > 1 }", filename="test", catalog=catalog).diagnostics
    assert [(each.code, each.line, each.column) for each in found] == [(code, 2, 18) for code in warned]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.yaml"):
        SignalCatalog.load(tmp_path / "nowhere.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"signals: {a: {describe: \xe4}}")
    with pytest.raises(InvalidInput, match=r"latin\.yaml: not UTF-8"):
        SignalCatalog.load(tmp_path / "latin.yaml")


def test_aliases_that_multiply_are_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x]"] + [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 12)
    ]
    with pytest.raises(InvalidInput):
        parse("\n".join(lines))


def test_a_byte_order_mark_is_not_part_of_a_catalog(tmp_path: Path) -> None:
    file = tmp_path / "signals.yaml"
    file.write_bytes(b"\xef\xbb\xbfsignals:\r\n  x: {rate: 10}\r\n")
    assert SignalCatalog.load(file) == SignalCatalog.parse(read_catalog_text(file), name="signals")
    assert read_catalog_text(file).startswith("signals:")


INDEXED = "# über\nsignals:\n  x: {rate: 10}\n  y: {rate: 10, indexed: true}\n  z: {rate: 10, indexed: true}\n"


def test_a_warning_about_the_catalog_has_its_place_in_it() -> None:
    catalog = parse("# über\nsignals:\n  x: {rate: 10}\n  y: {rate: 10, max_age: 0.1}\n")
    result = compile_source("trigger t { when x > 1 }", filename="test", catalog=catalog)
    assert result.ok
    (found,) = result.diagnostics
    assert (found.code, found.severity, found.file) == ("LT916", "warning", "signals.yaml")
    assert (found.line, found.column, found.end_column) == (4, 17, 24)
    assert found.source_line == "  y: {rate: 10, max_age: 0.1}"


def test_where_a_catalog_was_read_from_is_not_part_of_what_it_is() -> None:
    assert parse(INDEXED) == SignalCatalog.parse("# other\n" + INDEXED, name="other.yaml")
    assert parse(INDEXED) == SignalCatalog.model_validate(parse(INDEXED).model_dump())


@pytest.mark.parametrize("text", ["signals: " + "{a: " * 3000, "- " * 100_000, "[" * 100_000])
def test_a_document_that_is_nested_deep_is_refused_and_does_not_end_the_process(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"x: nested more than 20 deep"):
        SignalCatalog.parse(text, name="x")


def test_a_file_without_end_is_read_up_to_the_limit() -> None:
    with pytest.raises(InvalidInput, match="/dev/zero: a signal catalog has at most"):
        SignalCatalog.load("/dev/zero")
