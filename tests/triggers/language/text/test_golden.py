"""Every diagnostic, word for word: `golden/NAME.trigger` is compiled and its findings compared with `NAME.expected`.

`LONGTAIL_UPDATE_GOLDEN=1 pytest ...` writes the expected files again; read the difference before you keep it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.triggers.language.support import MISTAKES
from triggers.language.compile import compile_source
from triggers.language.text.diagnostics import render_all
from triggers.signals.catalog import SignalCatalog

HERE = Path(__file__).parent
GOLDEN = sorted((HERE / "golden").glob("*.trigger"))
NOT_FROM_TEXT = {
    "LT113",
    "LT114",
    "LT211",
    "LT212",
    "LT213",
    "LT230",
    "LT331",
    "LT504",
    "LT916",
    "LT920",
    "LT923",
}  # of bytes, or of another catalog: tested in test_compile, test_limits, test_catalog, test_derived, test_values


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_diagnostics_are_as_recorded(path: Path, catalog: SignalCatalog) -> None:
    found = render_all(compile_source(path.read_text(), filename=path.name, catalog=catalog).diagnostics) + "\n"
    expected = path.with_suffix(".expected")
    if os.environ.get("LONGTAIL_UPDATE_GOLDEN"):
        expected.write_text(found)
    assert found == expected.read_text()


def test_every_diagnostic_has_a_recorded_example() -> None:
    codes = set(re.findall(r'"(LT\d{3})"', MISTAKES))
    shown = {
        code for path in GOLDEN for code in re.findall(r"\[(LT\d{3})\]", path.with_suffix(".expected").read_text())
    }
    assert codes - NOT_FROM_TEXT == shown


@pytest.mark.parametrize("path", [p for p in GOLDEN if p.stem.startswith("lt")], ids=lambda path: path.stem)
def test_an_example_named_after_a_code_shows_it(path: Path) -> None:
    assert f"[{path.stem[:5].upper()}]" in path.with_suffix(".expected").read_text()
