"""The language's reference: each of its examples compiles, each operator, unit and diagnostic stands in it."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fleet_api.cli.main import main
from tests.support.paths import REPOSITORY
from tests.triggers.language.cost_table import INTERNAL, OBJECTS, TOLD_ROWS, cost_table
from tests.triggers.language.cost_table import ROWS as COST_ROWS
from tests.triggers.language.support import MISTAKES, ir_of
from triggers.language.checks.calls.table import FORMS
from triggers.language.compile import compile_file, compile_source
from triggers.language.text.diagnostics import render_all
from triggers.language.webassembly.cost import cost_of
from triggers.language.webassembly.counting import work_of
from triggers.language.webassembly.kernels.objects.told import TOLD
from triggers.language.webassembly.kernels.table import KERNELS
from triggers.language.webassembly.objects.cost import work_told
from triggers.signals import units
from triggers.signals.catalog import SignalCatalog

TEXT = (REPOSITORY / "docs" / "language.md").read_text()
CATALOG = SignalCatalog.parse(re.findall(r"```yaml\n(.*?)```", TEXT, re.S)[-1], name="docs/language.md")
BLOCKS = re.findall(r"```trigger\n(.*?)```", TEXT, re.S)
ROWS = re.findall(r"^\| `.*\| `([^`]+)` \|$", TEXT.split("## Operators")[1].split("## Idioms")[0], re.M)
FENCE = "fence munich { (48.06, 11.36), (48.25, 11.36), (48.25, 11.72), (48.06, 11.72) }\n"


def errors(source: str) -> str:
    return render_all(d for d in compile_source(source, filename="doc", catalog=CATALOG).diagnostics)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("{")[0].strip()[-30:])
def test_each_block_compiles_without_a_finding(block: str) -> None:
    assert errors(block) == ""


@pytest.mark.parametrize("condition", ROWS)
def test_each_operators_example_compiles_without_a_finding(condition: str) -> None:
    value = condition if errors_free(condition) else f"({condition}) > 0"
    assert errors(f"{FENCE}trigger t {{ when {value} }}") == ""


def errors_free(condition: str) -> bool:
    return compile_source(f"{FENCE}trigger t {{ when {condition} }}", filename="doc", catalog=CATALOG).ok


def test_every_operator_stands_in_the_table() -> None:
    table = TEXT.split("## Operators")[1].split("## Idioms")[0]
    assert len(ROWS) > 25
    for name in FORMS:
        assert re.search(rf"`[^`]*\b{name}\b[^`]*`", table), name


def test_every_unit_stands_in_the_text() -> None:
    text = set(re.findall(r"[A-Za-z%]+", TEXT.split("## Signals and units")[1].split("## Time")[0]))
    assert not set(units.KNOWN_UNITS) - text


def test_every_diagnostic_stands_in_the_table() -> None:
    rows = re.findall(r"^\| (LT\d{3}) \| (.*) \|$", TEXT, re.M)
    assert rows == sorted(re.findall(r'"""(LT\d{3}): (.*)\.\n?"""', MISTAKES))


@pytest.mark.parametrize("example", sorted((REPOSITORY / "examples").glob("*/*.trigger")), ids=lambda path: path.stem)
def test_each_example_compiles_with_its_catalog_without_a_finding(example: Path) -> None:
    catalog = SignalCatalog.load(example.parent / "signals.yaml")
    result = compile_file(example, catalog)
    assert render_all(result.diagnostics) == ""
    assert result.ok


def test_the_table_of_costs_is_the_models() -> None:
    """`LONGTAIL_UPDATE_GOLDEN=1 pytest ...` writes it again; read the difference before you keep it."""
    before, rest = TEXT.split("<!-- made by tests/triggers/language/cost_table.py -->\n")
    table, after = rest.split("<!-- end -->")
    if os.environ.get("LONGTAIL_UPDATE_GOLDEN"):
        marks = "<!-- made by tests/triggers/language/cost_table.py -->\n", "<!-- end -->"
        (REPOSITORY / "docs" / "language.md").write_text(before + marks[0] + cost_table() + marks[1] + after)
    assert table == cost_table()


def test_every_operator_and_every_kernel_stands_in_the_table_of_costs() -> None:
    table = cost_table()
    assert {name for _, kernels in COST_ROWS for name in kernels} == set(KERNELS) - INTERNAL
    assert {name for _, operations in TOLD_ROWS for name in operations} == set(TOLD)
    for name in FORMS:
        assert re.search(rf"`[^`]*\b{name}\b[^`]*`", table), name


def test_an_operator_over_more_objects_takes_no_more_than_in_proportion() -> None:
    for name, told in TOLD.items():
        eight, sixteen = (work_told(told, objects).most.per_tick for objects in (OBJECTS, 2 * OBJECTS))
        assert eight < sixteen <= 2 * eight, name


def test_what_is_said_of_reading_triggers_and_corners_is_so() -> None:
    inputs = [work_of("run", inputs=count).most.per_tick for count in (4, 5)]
    corners = [work_of("inside", edges=count).most.per_tick for count in (4, 5)]
    about = {
        r"Reading a signal takes up to (\d+) operations": inputs[1] - inputs[0],
        r"and a trigger up to (\d+),": work_of("fire").most.per_tick,
        r"each further corner of a fence takes up to (\d+) more": corners[1] - corners[0],
    }
    for words, actual in about.items():
        stated = int(re.findall(words, " ".join(TEXT.split()))[0])
        assert 0.85 * stated < actual <= stated, words
    of_quantiles = re.findall(r"one of ([\d,]+)(?: entries takes)? up to ([\d,]+)", " ".join(TEXT.split()))
    assert [entries for entries, _ in of_quantiles] == ["1000", "10,800"]
    for entries, stated in of_quantiles:
        work = work_of("window_quantile", ring=int(entries.replace(",", "")))
        assert 0.95 * int(stated.replace(",", "")) < work.most.per_tick <= int(stated.replace(",", "")), entries
    state = [cost_of(ir_of(when)).state_bytes for when in ("x > 1", "x > y")]
    assert state == [32 + 32 + 32, 32 + 32 + 64]
    assert catalog_of_limits().limits == CATALOG.limits


def catalog_of_limits() -> SignalCatalog:
    (text,) = (block for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.S) if block.startswith("limits:"))
    return SignalCatalog.parse(text, name="docs/language.md")


@pytest.mark.parametrize("line", re.findall(r"^\$ longtail ((?:explain|compile) .*)$", TEXT, re.M))
def test_each_command_that_explains_or_compiles_runs(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("examples", "fleet_api"):
        (tmp_path / folder).symlink_to(REPOSITORY / folder)
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(key)
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(line)) == 0
    captured = capsys.readouterr()
    assert captured.out or captured.err
