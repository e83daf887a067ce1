"""Tables and JSON say what was measured, where the product loses as well as where it wins."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from bench import report, run
from bench.measure import Comparison, Role, Timing


def lost() -> Comparison:
    """The product at half the speed of its peer."""
    ours = Timing(name="ours", role=Role.OWN, seconds=(2.0, 2.0, 4.0), cpu_s=(1.0, 1.0, 1.0))
    theirs = Timing(name="theirs", role=Role.PEER, seconds=(1.0, 1.0, 2.0), cpu_s=(0.5, 0.5, 0.5))
    return Comparison(name="work", amount=10, unit="MB", timings=(ours, theirs), notes=("a note",), extra={"fires": 3})


def shown(comparison: Comparison) -> list[str]:
    console = Console(file=io.StringIO(), width=120)
    report.show(console, comparison)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_a_table_has_rate_spread_and_ratio_of_each_contender() -> None:
    lines = shown(lost())
    ours = next(line for line in lines if "ours" in line).split("│")
    assert [cell.strip() for cell in ours[1:-1]] == ["ours", "5", "2.5..5", "1.00", "0.50"]
    theirs = next(line for line in lines if "theirs" in line and "│" in line).split("│")
    assert theirs[-2].strip() == "", "nothing is compared with itself"
    assert "  a note" in lines and "  fires: 3" in lines


def test_work_without_a_unit_is_shown_in_milliseconds() -> None:
    timing = Timing(name="check", role=Role.OWN, seconds=(0.25, 0.2, 0.3), cpu_s=(0.0, 0.0, 0.0))
    lines = shown(Comparison(name="process", amount=1, unit="", timings=(timing,)))
    assert any("ms" in line for line in lines)
    row = next(line for line in lines if "check" in line).split("│")
    assert [cell.strip() for cell in row[2:4]] == ["250", "300..200"]


def test_the_json_holds_every_round_and_every_ratio(tmp_path: Path) -> None:
    path = tmp_path / "new" / "bench.json"
    surroundings = {"machine": {"cores": 2}, "load_before": (0.1, 0.2, 0.3)}
    report.write(path, report.document({"log": [lost()]}, surroundings=surroundings, quick=True))
    found = json.loads(path.read_text())
    assert found["machine"] == {"cores": 2} and found["load_before"] == [0.1, 0.2, 0.3] and found["quick"] is True
    (comparison,) = found["areas"]["log"]
    ours, theirs = comparison["contenders"]
    assert (ours["seconds"], ours["median_s"], ours["per_s"]) == ([2.0, 2.0, 4.0], 2.0, 5.0)
    assert ours["times_as_fast_as"] == {"theirs": 0.5} and theirs["role"] == "peer"


def test_a_run_is_printed_as_markdown_with_the_ratio_to_each_peer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bench.json"
    surroundings = {name: {} for name in ("machine", "versions", "load_before", "load_after")}
    report.write(path, report.document({"log": [lost()], "objects": []}, surroundings=surroundings, quick=False))
    assert report.main([str(path), "--area", "log"]) == 0
    printed = capsys.readouterr().out
    assert (
        "| work | MB/s | x theirs |\n| --- | --- | --- |\n| ours | 5 (2.5..5) | 0.50 |\n| theirs | 10 (5..10) |  |"
        in printed
    )
    assert "fires: 3" in printed and "a note" in printed


def test_areas_are_chosen_by_name_and_run_in_their_own_order() -> None:
    assert run.areas("language, log") == ["log", "language"]
    with pytest.raises(argparse.ArgumentTypeError, match="no benchmark disks: choose from log, objects"):
        run.areas("log,disks")
