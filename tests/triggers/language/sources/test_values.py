"""Values of params that are set from outside become part of the text, and so of what is compiled and approved."""

from __future__ import annotations

from pathlib import Path

import pytest

from triggers.language.compile import compile_file, compile_source
from triggers.signals.catalog import SignalCatalog

TEXT = """import "common.trigger" as c
param hold = 300 ms  # found by trying
param limit = 20 km/h
param gear = "R"
param share = 5
param strict = true
trigger a {
    when (ego.speed > limit and ego.gear == gear and strict) for hold and flicker(ego.gear over 2 s) > share
    cooldown c.pause
}
campaign all { collect a budget 1 GB total }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "common.trigger").write_text("param pause = 1 min\n")
    path = tmp_path / "main.trigger"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize(
    ("value", "before", "after"),
    [
        ("hold=500ms", "hold = 300 ms", "hold = 500 ms"),
        ("hold = 0.5 s", "hold = 300 ms", "hold = 0.5 s"),
        ("limit=-3m/s", "limit = 20 km/h", "limit = -3 m/s"),
        ("gear=N", 'gear = "R"', 'gear = "N"'),
        ('gear="N"', 'gear = "R"', 'gear = "N"'),
        ("share=7", "share = 5", "share = 7"),
        ("strict=false", "strict = true", "strict = false"),
        ("c.pause=2h", "pause = 1 min", "pause = 2 h"),
    ],
)
def test_a_value_is_written_in_the_place_of_the_files(
    file: Path, catalog: SignalCatalog, value: str, before: str, after: str
) -> None:
    plain, changed = compile_file(file, catalog), compile_file(file, catalog, values=[value])
    assert changed.ok and before in plain.source
    name, was, now = value.partition("=")[0].strip(), before.partition(" = ")[2], after.partition(" = ")[2]
    remark = f"# Set: {name} = {now} (the file says {was})\n"
    assert changed.source == plain.source.replace(before, after, 1) + remark
    assert changed.campaigns["all"].digest != plain.campaigns["all"].digest
    sent = compile_source(changed.source, filename="sent", catalog=catalog)
    assert sent.campaigns["all"].digest == changed.campaigns["all"].digest
    assert sent.campaigns["all"].settings == changed.campaigns["all"].settings


def test_several_values_are_set_at_once_and_told_in_the_order_of_the_text(file: Path, catalog: SignalCatalog) -> None:
    changed = compile_file(file, catalog, values=["c.pause=2h", "limit=3m/s", "hold=1s"])
    assert changed.source.splitlines()[-3:] == [
        "# Set: hold = 1 s (the file says 300 ms)",
        "# Set: limit = 3 m/s (the file says 20 km/h)",
        "# Set: c.pause = 2 h (the file says 1 min)",
    ]
    assert changed.campaigns["all"].settings.triggers[0].cooldown_ns == 7_200_000_000_000


def test_a_finding_after_a_value_was_set_is_at_the_line_of_its_own_file(file: Path, catalog: SignalCatalog) -> None:
    file.with_name("common.trigger").write_text("param pause = 1 min\nlet p = ego.spede > 1 m/s\n")
    changed = compile_file(file, catalog, values=["hold=100000 us", "c.pause=100 min"])
    (found,) = [each for each in changed.diagnostics if each.severity == "error"]
    assert found.file.endswith("common.trigger") and (found.line, found.column, found.code) == (2, 9, "LT201")


@pytest.mark.parametrize(
    ("value", "column", "message", "proposal"),
    [
        ("hodl=1s", 1, "no param `hodl`", "did you mean `hold`?"),
        ("pause=1s", 1, "no param `pause`", "did you mean `c.pause`?"),
        ("qqqq=1s", 1, "no param `qqqq`", "its params are `hold`, `limit`, `gear`, `share`, `strict` and `c.pause`"),
        ("hold=500", 6, "a number with a unit like `ms`, and `500` is not", "write, for example, `hold=300 ms`"),
        ("hold=5m", 6, "a number with a unit like `ms`, and `5m` is not", "write, for example, `hold=300 ms`"),
        ("hold=5 bananas", 6, "and `5 bananas` is not", "write, for example, `hold=300 ms`"),
        ("hold=", 6, "and `` is not", "write, for example, `hold=300 ms`"),
        ("hold=1s cooldown 5s", 6, "and `1s cooldown 5s` is not", "write, for example, `hold=300 ms`"),
        ("share=5 %", 7, "a number without a unit", "write, for example, `share=5`"),
        ("strict=1", 8, "`true` or `false`, and `1` is not", "write, for example, `strict=true`"),
        ('gear=N" trigger b { when true }', 6, "is a text", 'write, for example, `gear="R"`'),
        ("gear=N\ntrigger b { when true }", 6, "is a text", 'write, for example, `gear="R"`'),
        ("hold", 1, "`hold` sets nothing", "write the name of a param and its value: `hold=500ms`"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_its_place(
    file: Path, catalog: SignalCatalog, value: str, column: int, message: str, proposal: str
) -> None:
    compilation = compile_file(file, catalog, values=[value])
    (found,) = compilation.diagnostics
    assert not compilation.ok and not compilation.campaigns
    assert (found.code, found.file, found.line, found.column) == ("LT230", "--set", 1, column)
    assert message in found.message and found.proposal.partition("; ")[0] == proposal


def test_a_param_is_set_once(file: Path, catalog: SignalCatalog) -> None:
    (found,) = compile_file(file, catalog, values=["hold=1s", "limit=3m/s", "hold=2s"]).diagnostics
    assert "`hold` is set twice" in found.message


def test_a_param_of_a_file_that_is_imported_under_two_names_is_set_once(file: Path, catalog: SignalCatalog) -> None:
    file.write_text('import "common.trigger" as d\n' + TEXT)
    found = compile_file(file, catalog, values=["c.pause=2h", "d.pause=3h"])
    assert not found.ok
    assert [each.message for each in found.diagnostics] == ["`d.pause` and `c.pause` are one param, which is set twice"]
    assert "param pause = 3 h\n" in compile_file(file, catalog, values=["d.pause=3h"]).source
