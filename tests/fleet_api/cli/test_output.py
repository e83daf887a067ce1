"""What commands print: tables that fit the terminal and can be piped."""

from __future__ import annotations

import pytest

from fleet_api.cli.output import print_table

ROWS = [("hard_braking_on_the_motorway", 1234, "232.2 kB (28.1 kB to 838.9 kB)"), ("[b]", None, "")]
COLUMNS = ("trigger", "fires", "per vehicle-day")


def test_a_narrow_terminal_wraps_between_words_and_never_in_an_identifier(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    monkeypatch.setenv("NO_COLOR", "1")
    for columns in ("10", "60"):
        monkeypatch.setenv("COLUMNS", columns)
        print_table("Triggers", COLUMNS, ROWS, results=True)
        lines = capsys.readouterr().out.splitlines()
        assert sum("hard_braking_on_the_motorway" in line for line in lines) == 1
        assert sum("vehicle-day" in line for line in lines) == 1
        assert not any("232.2 kB (28.1 kB to 838.9 kB)" in line for line in lines)


def test_elsewhere_a_row_is_a_line_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("Triggers", COLUMNS, ROWS, results=True)
    shown = capsys.readouterr()
    assert "hard_braking_on_the_motorway   1,234   232.2 kB (28.1 kB to 838.9 kB)" in shown.out
    assert "[b]" in shown.out, "what looks like markup is shown as it is"
    assert shown.err == ""


def test_tables_that_are_not_results_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("", COLUMNS, ROWS)
    shown = capsys.readouterr()
    assert "hard_braking_on_the_motorway" in shown.err
    assert shown.out == ""
