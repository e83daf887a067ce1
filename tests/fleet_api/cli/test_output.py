"""What is printed where and how: tables on narrow terminals and without one, escapes, encodings, units."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_api.cli.output import (
    print_fields,
    print_json,
    print_json_as_it_comes,
    print_result,
    print_table,
    remark,
    shown_bytes,
)
from fleet_api.cli.tables import display_width, table_lines

COLUMNS = ["clip", "state", "trigger"]
ID = "6f1c0d5e8a7b4c39a2d1e0f9b8c7d6a5"
ROWS = [[ID, "ready", "cut_in_missed, hard_braking"], [ID[::-1], "damaged", "braking"]]


def test_without_a_terminal_a_row_is_one_line_however_long() -> None:
    rows = [["a", "b", "word " * 1000], ["c", "d", "e"]]
    assert len(table_lines(COLUMNS, rows)) == 3


def test_a_table_that_fits_is_a_heading_and_a_line_per_row() -> None:
    assert table_lines(COLUMNS, ROWS, width=80) == [
        "clip                              state    trigger",
        f"{ID}  ready    cut_in_missed, hard_braking",
        f"{ID[::-1]}  damaged  braking",
    ]


def test_cells_are_wrapped_before_a_table_becomes_paragraphs() -> None:
    assert table_lines(COLUMNS, ROWS, width=60) == [
        "clip                              state    trigger",
        f"{ID}  ready    cut_in_missed,",
        "                                           hard_braking",
        f"{ID[::-1]}  damaged  braking",
    ]
    assert table_lines(COLUMNS, ROWS, width=40) == [
        f"clip {ID}",
        "  state ready",
        "  trigger cut_in_missed, hard_braking",
        f"clip {ID[::-1]}",
        "  state damaged  trigger braking",
    ]


@given(
    rows=st.lists(st.lists(st.text("ab -\u4e00", max_size=50).map(str.strip), min_size=3, max_size=3), max_size=4),
    width=st.integers(1, 120),
)
def test_no_width_cuts_a_word_and_only_a_long_word_exceeds_it(rows: list[list[str]], width: int) -> None:
    lines = table_lines(COLUMNS, rows, width=width)
    words = {word for row in rows for cell in row for word in cell.split()}
    assert words <= {word for line in lines for word in line.split()}
    longest = max((display_width(word) for word in words | set(COLUMNS)), default=0)
    assert all(display_width(line) <= max(width, longest + 2) for line in lines)


class Terminal(io.StringIO):
    """Standard output as a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_a_table_fits_the_terminal_it_is_printed_on(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", str(columns))
    print_table(
        "", ("clip", "start", "trigger"), [(ID, "2026-01-05T12:00:00.000000001Z", "cut_in_missed, hard_braking")]
    )
    shown = sys.stdout.getvalue()
    assert ID in shown and "2026-01-05T12:00:00.000000001Z" in shown
    assert all(len(line) <= columns for line in shown.splitlines())


def test_numbers_stand_to_the_right_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("Title", ("name", "count", "share"), [("a", 1234567, 0.25), ("b", None, 1.0)])
    assert capsys.readouterr().out == (
        "\nTitle\nname      count  share\na     1,234,567   0.25\nb                    1\n"
    )


def test_numbers_that_name_something_are_shown_as_commands_take_them(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("", ("id", "version", "count"), [(1234, 1001, 5678)])
    assert capsys.readouterr().out.splitlines()[1].split() == ["1234", "1001", "5,678"]


def test_fields_that_a_thing_lacks_are_left_out_and_times_are_rfc_3339(capsys: pytest.CaptureFixture[str]) -> None:
    moment = datetime(2026, 1, 5, 12, 0, 0, 5, tzinfo=UTC)
    print_fields({"id": "a", "damage": None, "stored_at": moment, "tags": [], "ok": False, "count": 0})
    assert capsys.readouterr().out == (
        "id         a\nstored_at  2026-01-05T12:00:00.000005Z\nok         false\ncount      0\n"
    )


def test_text_from_elsewhere_neither_steers_the_terminal_nor_breaks_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("", ("detail",), [("a\x1b[31mred\nnext",)])
    remark("b\x1b[2J\nsecond line")
    shown = capsys.readouterr()
    assert shown.out == "detail\na\\x1b[31mred\\nnext\n"
    assert shown.err == "b\\x1b[2J\nsecond line\n"


def test_what_standard_output_cannot_encode_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    print_result("\u00b5 \udcff")
    print_json({"a": "\u00b5"})
    print_table("\u00b5", ("\u00b5",), [("\u4e00",)])
    sys.stdout.flush()
    assert raw.getvalue() == b'\\xb5 \\udcff\n{\n  "a": "\\u00b5"\n}\n\n\\xb5\n\\xb5\n\\u4e00\n'


def test_lists_that_come_item_by_item_are_printed_as_whole_ones(capsys: pytest.CaptureFixture[str]) -> None:
    many = [None, True, -0.0, 1e300, "a\n\u00b5\x7f\x1b"] * 2_000
    print_json({"a": [], "b": {}, "c": many, "d": [{"e": many, "f": [1, [2]]}, {}, []], "g": "x"})
    whole = capsys.readouterr().out
    parts = iter([{"e": iter(many), "f": [1, [2]]}, {}, []])
    print_json_as_it_comes({"a": iter([]), "b": {}, "c": iter(many), "d": parts, "g": "x"})
    assert capsys.readouterr().out == whole


@pytest.mark.parametrize(
    ("count", "text"),
    [
        *((0, "0 B"), (999, "999 B"), (-999, "-999 B"), (1500, "1.5 kB"), (20_000_000, "20.0 MB"), (None, "")),
        *((999_949, "999.9 kB"), (999_950, "1.0 MB"), (-999_999_999, "-1.0 GB"), (10**18, "1000.0 PB")),
    ],
)
def test_bytes_are_shown_in_si_units(count: int | None, text: str) -> None:
    assert shown_bytes(count) == text
