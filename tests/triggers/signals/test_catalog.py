"""The signal catalog: defaults, and refusals that name file, place and key."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from triggers.errors import InvalidInput
from triggers.language.compile import compile_source
from triggers.signals.catalog import Signal, SignalCatalog, read_catalog_text
from triggers.signals.catalog_text import catalog_text
from triggers.vehicle.config import VehicleConfig


def parse(text: str) -> SignalCatalog:
    return SignalCatalog.parse(text, name="signals.yaml")


def test_defaults_follow_the_rate() -> None:
    catalog = parse("signals:\n  a: {rate: 10}\n  b: {}\n  c: {update: on_change}\n  d: {rate: 3, max_age: 0.5}\n")
    ages = [catalog.signals[name].max_age_ns for name in "abcd"]
    assert ages == [300_000_000, 1_000_000_000, None, 500_000_000]
    assert catalog.max_gap_ns == 2_000_000_000
    assert catalog.columns("a") == ("a",)


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
        (
            "signals:\n  a: {rate: 10}\n  b: {unit: furlong}\n",
            r":3:[0-9]+: signals.b.unit: `furlong` is not a known unit",
        ),
        ("signals:\n  a:\n    rate: fast\n", r"signals.yaml:3:[0-9]+: signals.a.rate: .*number"),
        ("signals:\n  a: {}\n  a: {}\n", r"signals.yaml:3: signals.a is declared twice"),
        ("signals:\n  a: {rte: 10}\n", r"signals.yaml:2:[0-9]+: signals.a.rte"),
        ("signals:\n  a: {type: text}\n", r"signals.yaml:2:[0-9]+: .*`values`"),
        ("signals:\n  a: {type: text, values: [on, off]}\n", r"signals.yaml:2:[0-9]+: .*quote them"),
        ("signals:\n  a: {type: bool, unit: m}\n", r"signals.yaml:2:[0-9]+: .*no `unit`"),
        ("signals:\n  a: {type: bool, initial: 3.0}\n", r"signals.yaml:2:[0-9]+: .*initial"),
        ("signals:\n  a: {rate: 0}\n", r"signals.yaml:2:[0-9]+: signals.a.rate"),
        ("signals:\n  a: {rate: .nan}\n", r"signals.yaml:2:[0-9]+: signals.a.rate"),
        (
            "signals: {a: {}}\nposition: {latitude: a, longitude: b}\n",
            r":2:[0-9]+: position.latitude: `a` is not a declared signal with the unit deg",
        ),
        ("signals: [1]\n", r"signals.yaml:1:[0-9]+: signals"),
        ("signals: {a: {}\n", r"signals.yaml:2"),
        ("", r"signals.yaml: signals"),
        ("[1]\n", r"signals.yaml: the whole catalog: a mapping of keys to values"),
        ("a: &a [*a]\n", r"signals.yaml"),
        ("\x00", r"signals.yaml"),
    ],
)
def test_a_mistake_is_named_with_file_place_and_key(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse(text)


GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("*.yaml")), ids=lambda path: path.stem)
def test_all_mistakes_are_told_at_once_with_their_places_and_what_to_write(golden: Path) -> None:
    """The text beside each catalog is what is said of it."""
    with pytest.raises(InvalidInput) as refused:
        parse(golden.read_text("utf-8"))
    assert refused.value.message.splitlines() == golden.with_suffix(".txt").read_text("utf-8").splitlines()


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
        ("time: {column: ts, unit: m}", "time.unit: `m` is not one of 'ns', 'us', 'ms' or 's'; did you mean `ms`?"),
    ],
)
def test_mistakes_in_keys_about_recordings_are_told_alike(key: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=f"signals.yaml:2:[0-9]+: {re.escape(said)}"):
        parse(f"signals: {{a: {{rate: 1}}}}\n{key}\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("signals: {a: {min: 1234567.5, max: 1234567}}", "`min` (1234567.5) is above `max` (1234567); swap them"),
        ("signals: {a: {max: 16777215, initial: 16777216}}", "`initial` (16777216) is not between"),
        ("signals: {a: {red: [4294967295, 0]}}", "`[4294967295, 0]` is turned around; write `[0, 4294967295]`"),
        ("signals: {a: {}}\nlimits: {state: 1 GiB}", "`1 GiB` is out of range: it must be at most 134,217,728"),
        ("signals: {a: {}}\nlimits: {operations: 2000000000}", "it must be at most 1,000,000,000"),
        ("signals: {a: {rate: 0}}", "it must be at least 1e-06"),
    ],
)
def test_mistakes_tell_numbers_with_all_of_their_digits(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(said)):
        parse(text)


@pytest.mark.parametrize("name", ["capture", "let", "rate", "min", "active.in", "x.and.y", "And"])
def test_other_words_of_the_language_are_fine_as_names(name: str) -> None:
    catalog = parse(f"signals:\n  {name}: {{rate: 10}}\n")
    assert compile_source(f"trigger t {{ when {name} > 1 }}", filename="test", catalog=catalog).ok


@pytest.mark.parametrize(("max_age", "warned"), [(0.003, ["LT916"]), (0.199, ["LT916"]), (0.2, [])])
def test_a_max_age_that_heartbeats_cannot_notice_is_warned_about(max_age: float, warned: list[str]) -> None:
    catalog = parse(f"signals:\n  x: {{rate: 100, max_age: {max_age}}}\n")
    found = compile_source("trigger t { when x > 1 }", filename="test", catalog=catalog).diagnostics
    assert [(each.code, each.line, each.column) for each in found] == [(code, 2, 18) for code in warned]


def test_columns_of_a_signal_without_any_are_warned_about() -> None:
    catalog = parse("signals:\n  x: {rate: 100, columns: []}\n  y: {rate: 1, columns: [a]}\n  z: {rate: 1}\n")
    found = compile_source("trigger t { when x > 1 }", filename="test", catalog=catalog).diagnostics
    assert [(each.code, each.line, each.column) for each in found] == [("LT920", 2, 18)]


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


EVERY_KEY = """
signals:
  a: {unit: m/s, rate: 10, columns: [x, y], scale: 0.01, offset: -5, invalid: [255], min: 0, max: 90, red: [null, 80]}
  b: {type: bool, rate: 10, invalid: [2, 3]}
  c: {type: text, values: [P, D], rate: 10, invalid: [SNA, "4"]}
  d: {unit: m/s, derived: "a * 2", yellow: [-1.5, 2], red: [-2, 3]}
"""


def test_a_catalog_with_every_key_is_the_same_after_it_was_written() -> None:
    catalog = parse(EVERY_KEY)
    assert parse(catalog_text(catalog)) == catalog
    assert SignalCatalog.model_validate_json(catalog.model_dump_json()) == catalog
    dumped = {name: signal.model_dump(mode="json") for name, signal in catalog.signals.items()}
    assert {n: Signal.model_validate(each, strict=False) for n, each in dumped.items()} == catalog.signals


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
