"""The language's reference: each of its examples compiles, each operator, unit and diagnostic stands in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from triggers.catalog import SignalCatalog
from triggers.language import reporter, units
from triggers.language.compile import compile_source
from triggers.language.diagnostics import render_all
from triggers.language.functions import FORMS

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "language.md").read_text()
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
    assert not set(units._UNITS) - text


def test_every_diagnostic_stands_in_the_table() -> None:
    source = Path(reporter.__file__).read_text()
    rows = re.findall(r"^\| (LT\d{3}) \| (.*) \|$", TEXT, re.M)
    assert rows == sorted(re.findall(r'"""(LT\d{3}): (.*)\.\n?"""', source))


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*/*.trigger")), ids=lambda path: path.stem)
def test_each_example_compiles_with_its_catalog_without_a_finding(example: Path) -> None:
    catalog = SignalCatalog.load(example.parent / "signals.yaml")
    result = compile_source(example.read_text(), filename=str(example), catalog=catalog)
    assert render_all(result.diagnostics) == ""
    assert result.campaigns
