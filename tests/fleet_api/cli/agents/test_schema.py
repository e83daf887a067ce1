"""`longtail schema`: the language as text and as JSON, whole or in parts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleet_api.cli.agents.schema import schema
from fleet_api.cli.main import main
from tests.support.paths import REPOSITORY
from triggers.schema.documents import PARTS, document
from triggers.schema.text import text_for_models
from triggers.signals.catalog import SignalCatalog

SIGNALS = REPOSITORY / "triggers/schema/examples/signals.yaml"


def test_the_text_is_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--for", "llm", "--signals", str(SIGNALS)]) == 0
    assert capsys.readouterr().out == text_for_models(SignalCatalog.load(SIGNALS))


@pytest.mark.parametrize("words", [["--json"], ["--for", "json"]])
def test_json_is_one_document(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads(json.dumps(document(None)))
    assert told["catalog"] is None


def test_every_part_can_be_named() -> None:
    (part,) = (each for each in schema.params if each.name == "parts")
    assert set(part.type.to_info_dict()["choices"]) == set(PARTS)


@pytest.mark.parametrize(
    ("words", "problem"), [(["--part", "schemas"], "needs --json"), (["--part", "catalog"], "needs --signals")]
)
def test_parts_that_cannot_be_given_say_why(words: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", *words]) == 2
    assert problem in capsys.readouterr().err


def test_a_catalog_with_mistakes_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "signals.yaml").write_text("signals: {a: {units: m}}")
    assert main(["schema", "--signals", str(tmp_path / "signals.yaml")]) == 1
    assert "units" in capsys.readouterr().err
