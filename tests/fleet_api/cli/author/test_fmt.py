"""`longtail fmt` and `longtail signals import-vss` as people and tools call them."""

from __future__ import annotations

import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from fleet_api.cli.main import main
from tests.support.paths import REPOSITORY
from triggers.signals.catalog import SignalCatalog

DOCUMENTED = re.findall(r"^\$ longtail ((?:fmt|signals) .*)$", (REPOSITORY / "docs" / "language.md").read_text(), re.M)
UGLY = "trigger fast{when ego.speed>40km/h}  # c\n"
PRETTY = "trigger fast {\n    when ego.speed > 40 km/h\n}  # c\n"
BROKEN = "trigger fast {\n    when ego.speed >\n}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("ugly", UGLY), ("pretty", PRETTY), ("broken", BROKEN)):
        (tmp_path / f"{name}.trigger").write_text(text)
    return tmp_path


def test_fmt_writes_files_in_place_and_keeps_their_mode(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ugly.trigger").chmod(0o640)
    assert main(["fmt", str(folder / "ugly.trigger"), str(folder / "pretty.trigger")]) == 0
    assert (folder / "ugly.trigger").read_text() == PRETTY
    assert (folder / "ugly.trigger").stat().st_mode & 0o777 == 0o640
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[0] == f"formatted: {folder}/ugly.trigger"
    assert captured.err.endswith("2 files: 1 changed, 0 with mistakes\n")
    assert {path.name for path in folder.iterdir()} == {"ugly.trigger", "pretty.trigger", "broken.trigger"}


def test_fmt_writes_through_a_symbolic_link(folder: Path) -> None:
    (folder / "link.trigger").symlink_to(folder / "ugly.trigger")
    assert main(["fmt", str(folder / "link.trigger")]) == 0
    assert (folder / "link.trigger").is_symlink()
    assert (folder / "ugly.trigger").read_text() == PRETTY


def test_fmt_check_names_what_would_change_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "--check", str(folder / "pretty.trigger")]) == 0
    assert "would change:" not in capsys.readouterr().err
    assert main(["fmt", "--check", str(folder / "pretty.trigger"), str(folder / "ugly.trigger")]) == 1
    assert (folder / "ugly.trigger").read_text() == UGLY
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"would change: {folder}/ugly.trigger", "2 files: 1 would change, 0 with mistakes"]


def test_fmt_leaves_a_file_with_mistakes_of_form_and_shows_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fmt", str(folder / "broken.trigger"), str(folder / "ugly.trigger")]) == 1
    assert (folder / "broken.trigger").read_text() == BROKEN
    assert (folder / "ugly.trigger").read_text() == PRETTY
    assert "broken.trigger:3:1: error:" in capsys.readouterr().err


def test_fmt_formats_standard_input_and_writes_to_standard_output(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(UGLY.encode())))
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr() == (PRETTY, "")
    assert main(["fmt", "--stdout", str(folder / "ugly.trigger")]) == 0
    assert capsys.readouterr().out == PRETTY
    assert (folder / "ugly.trigger").read_text() == UGLY
    assert main(["fmt", "--stdout", "--check", str(folder / "ugly.trigger")]) == 2


def test_fmt_names_files_that_cannot_be_read_or_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", str(folder / "nowhere.trigger")]) == 1
    assert "nowhere.trigger: cannot be read" in capsys.readouterr().err


def test_fmt_loads_nothing_that_makes_it_slow(folder: Path) -> None:
    program = (
        "import sys; from fleet_api.cli.main import main; main(sys.argv[1:]); "
        "slow = {'numpy', 'pyarrow', 'fastapi', 'sqlalchemy', 'rich', 'pydantic', 'wasmtime'}; "
        "sys.exit(bool(slow & set(sys.modules)))"
    )
    words = [sys.executable, "-c", program, "fmt", str(folder / "ugly.trigger")]
    subprocess.run(words, check=True, capture_output=True)


@pytest.fixture
def vss(tmp_path: Path) -> Path:
    leaf = {"type": "sensor", "datatype": "float", "description": ""}
    tree = {
        "Speed": {**leaf, "unit": "km/h"},
        "Noise": {**leaf, "unit": "dB"},
        "Codes": {**leaf, "datatype": "string[]"},
    }
    (tmp_path / "vss.json").write_text(json.dumps({"Vehicle": {"type": "branch", "children": tree}}))
    return tmp_path


def test_import_vss_writes_a_catalog_and_lists_what_is_left_out(vss: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["signals", "import-vss", str(vss / "vss.json"), "-o", str(vss / "signals.yaml")]
    assert main([*words, "--rate", "Vehicle.Speed=50"]) == 0
    catalog = SignalCatalog.load(vss / "signals.yaml")
    assert {name: signal.rate for name, signal in catalog.signals.items()} == {"Vehicle.Speed": 50.0}
    assert capsys.readouterr().err.splitlines() == [
        "left out, an array: 1 leaf",
        "    Vehicle.Codes",
        "left out, its unit `dB` has no counterpart: 1 leaf",
        "    Vehicle.Noise",
        "1 signal of 3 leaves, 2 left out",
    ]
    assert main([*words, "--unit", "dB=", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["leaves"], document["imported"]) == (3, 2)
    assert document["skipped"] == [{"name": "Vehicle.Codes", "reason": "an array"}]


def test_import_vss_to_standard_output(vss: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["signals", "import-vss", str(vss / "vss.json"), "-o", "-"]) == 0
    assert "Vehicle.Speed" in SignalCatalog.parse(capsys.readouterr().out, name="out").signals


@pytest.mark.parametrize(
    "options", [["--rate", "x"], ["--rate", "Vehicle.Speed=fast"], ["--unit", "=m"], ["-o", "-", "--json"]]
)
def test_import_vss_refuses_options_of_no_form(vss: Path, options: list[str]) -> None:
    assert main(["signals", "import-vss", str(vss / "vss.json"), "-o", str(vss / "s.yaml"), *options]) == 2
    assert not (vss / "s.yaml").exists()


def test_import_vss_names_an_output_that_cannot_be_written(vss: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["signals", "import-vss", str(vss / "vss.json"), "-o", str(vss / "no" / "s.yaml")]) == 1
    assert "s.yaml: cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("line", DOCUMENTED)
def test_each_documented_command_works(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    signal = {"type": "sensor", "datatype": "float", "unit": "dBm"}
    speed = {"type": "sensor", "datatype": "float"}
    branch = {"type": "branch", "children": {"Noise": signal, "Distance": speed}}
    tree = {"Vehicle": {"type": "branch", "children": {"Speed": speed, "ADAS": branch}}}
    (tmp_path / "vss.json").write_text(json.dumps(tree))
    for word in shlex.split(line):
        if word.endswith(".trigger"):
            (tmp_path / word).parent.mkdir(parents=True)
            (tmp_path / word).write_text((REPOSITORY / word).read_text())
    assert main(shlex.split(line)) == 0


def test_the_commands_are_documented() -> None:
    assert len(DOCUMENTED) >= 5


def test_import_vss_does_not_write_over_what_it_reads(vss: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (vss / "vss.json").read_bytes()
    assert main(["signals", "import-vss", str(vss / "vss.json"), "-o", str(vss / "vss.json")]) == 1
    assert "vss.json: this file is an input of this import, and would be lost" in capsys.readouterr().err
    assert (vss / "vss.json").read_bytes() == before
