"""Catalogs as editors of other systems write them, and values that YAML reads otherwise than their authors do."""

from __future__ import annotations

from pathlib import Path

import pytest

from triggers.errors import InvalidInput
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog

BODY = "signals:\n  a: {rate: 10}\n  b: {unit: kph}\n"


def told(text: str) -> str:
    with pytest.raises(InvalidInput) as refused:
        SignalCatalog.parse(text, name="c.yaml")
    return str(refused.value)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028"])
def test_a_place_is_right_with_every_end_of_a_line(end: str) -> None:
    assert told(BODY.replace("\n", end)).startswith("c.yaml:3:7: signals.b.unit: `kph` is not a known unit")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028"])
def test_a_place_in_an_expression_is_right_with_every_end_of_a_line(end: str) -> None:
    text = 'signals:\n  a: {rate: 10}\n  b: {derived: "a + nothing"}\n'.replace("\n", end)
    catalog = SignalCatalog.parse(text, name="c.yaml")
    found = compile_source("trigger t { when a > 3 }", filename="a.trigger", catalog=catalog).diagnostics
    assert [(each.line, each.column, each.source_line) for each in found if each.code == "LT201"] == [
        (3, 21, '  b: {derived: "a + nothing"}')
    ]


def test_columns_count_characters() -> None:
    assert told('signals:\n  a: {describe: "日本", unit: kph}\n').startswith("c.yaml:2:23: signals.a.unit")


def test_a_file_may_begin_with_a_byte_order_mark_and_must_be_utf8(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbfsignals:\r\n  a: {rate: 10}\r\n")
    assert list(SignalCatalog.load(path).signals) == ["a"]
    path.write_bytes(BODY.encode("utf-16"))
    with pytest.raises(InvalidInput, match="not UTF-8 at byte 0; save it as UTF-8"):
        SignalCatalog.load(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("\ta: {rate: 10}", "c.yaml:2: a tab cannot indent YAML; write spaces"),
        (
            '  a: {rate: "010"}',
            "c.yaml:2:7: signals.a.rate: a number is needed here, not `010`; "
            "write `10`, without quotes or leading zeros",
        ),
        (
            "  a: {min: -08}",
            "c.yaml:2:7: signals.a.min: a number is needed here, not `-08`; "
            "write `-8`, without quotes or leading zeros",
        ),
        ('  a: {rate: "10"}', "c.yaml:2:7: signals.a.rate: a number is needed here, not `10`; write it without quotes"),
        (
            "  a: {min: 1e400}",
            "c.yaml:2:7: signals.a.min: a number is needed here, not `1e400`; the largest number is 1.797e308",
        ),
        (
            "  a: {min: 1e3}",
            "c.yaml:2:7: signals.a.min: a number is needed here, not `1e3`; "
            "YAML reads a number with an exponent only with a point and a sign, such as `1.0e-3`",
        ),
    ],
)
def test_what_yaml_reads_otherwise_is_said(line: str, message: str) -> None:
    assert told(f"signals:\n{line}\n") == message


def test_numbers_and_texts_that_only_look_so_are_read() -> None:
    catalog = SignalCatalog.parse(
        'signals:\n  a: {min: -0.5, max: 0, rate: 0x10}\n  b: {type: text, values: ["010", "10:30", 0b]}\n', name="c"
    )
    assert (catalog.signals["a"].rate, catalog.signals["b"].values) == (16, ("010", "10:30", "0b"))


@pytest.mark.parametrize(
    ("line", "value", "written", "read"),
    [
        ("  a: {rate: 1, min: 010}", 8, "010", "as an octal number"),
        ("  a: {rate: 1, min: -0_17}", -15, "-0_17", "as an octal number"),
        ("  a: {rate: 1, min: 10:30}", 630, "10:30", "in base 60"),
        ("  a: {rate: 1, min: 1:30.5}", 90.5, "1:30.5", "in base 60"),
        ('  a: {rate: 1, min: !!float "010"}', 10, "", ""),
    ],
)
def test_numbers_that_yaml_reads_otherwise_are_read_and_warned_about(
    line: str, value: float, written: str, read: str
) -> None:
    text = f"signals:\n{line}\n"
    catalog = SignalCatalog.parse(text, name="c.yaml")
    assert catalog.signals["a"].min == value
    found = compile_source("trigger t { when a > 3 }", filename="a.trigger", catalog=catalog).diagnostics
    warned = [(each.line, each.column, each.message) for each in found if each.code == "LT923"]
    expected = [(2, line.index(written) + 1, f"YAML reads {written} {read}")] if written else []
    assert warned == expected


@pytest.mark.parametrize(
    "signals", ["!!int {a: {rate: 10}}", "{a: !!float {rate: 10}}", "!x:int {a: {rate: 10}}", "{a: !!int [10]}"]
)
def test_a_tagged_mapping_or_list_is_refused(signals: str) -> None:
    assert told(f"signals: {signals}\n").startswith("c.yaml")
