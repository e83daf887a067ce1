"""The schema of the language agrees with what it is told of: grammar, lexer, table of calls, reporter, documents."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest
import yaml

from tests.support.paths import REPOSITORY
from tests.triggers.language.support import MISTAKES
from triggers.contracts.campaign import CampaignSettings
from triggers.language.checks.calls.table import FORMS
from triggers.language.compile import compile_source
from triggers.language.text import syntax
from triggers.language.text.clauses import CAMPAIGN_CLAUSES, TRIGGER_CLAUSES
from triggers.language.text.expressions.lookahead import FORMS_OF_OBJECTS
from triggers.language.text.formatter import format_source
from triggers.language.words import language_words
from triggers.schema.diagnostics import known_diagnostics
from triggers.schema.documents import PARTS as DOCUMENT_PARTS
from triggers.schema.documents import document, json_schemas
from triggers.schema.material import Example, example_signals, examples
from triggers.schema.remedies import REMEDIES
from triggers.schema.text import PARTS as TEXT_PARTS
from triggers.schema.text import text_for_models
from triggers.signals.catalog import SignalCatalog
from triggers.signals.reserved import RESERVED
from triggers.signals.units import KNOWN_UNITS

CATALOG = SignalCatalog.parse(example_signals(), name="signals.yaml")
TEXT = text_for_models(CATALOG)
CATALOG_FILES = sorted([*REPOSITORY.glob("examples/*/signals.yaml"), REPOSITORY / "fleet_api/demo/signals.yaml"])


def test_every_code_of_the_reporter_is_told_with_its_meaning_and_a_remedy() -> None:
    known = {each.code: each for each in known_diagnostics()}
    assert set(known) == set(re.findall(r'"(LT\d{3})"', MISTAKES)) == set(REMEDIES)
    rows = re.findall(r"^\| (LT\d{3}) \| (.+) \|$", (REPOSITORY / "docs/language.md").read_text(), re.MULTILINE)
    assert {code: each.meaning for code, each in known.items()} == dict(rows)
    assert all(each.remedy for each in known.values())
    assert {each.severity for each in known.values() if each.code.startswith("LT9")} == {"warning"}


def test_the_severity_of_a_code_is_that_of_its_findings() -> None:
    warnings = set(re.findall(r'_warning\(\s*"(LT\d{3})"', MISTAKES))
    assert warnings == {each.code for each in known_diagnostics() if each.severity == "warning"}


def test_every_word_form_unit_and_code_is_in_the_text() -> None:
    for word in language_words():
        assert all(f"`{form}`" in TEXT for form in word.forms), word
        assert word.summary in TEXT
    assert {form for forms in FORMS.values() for form in forms} <= set(re.findall(r"`([^`]+)`", TEXT))
    assert set(re.findall(r"`([^`\s]+)`", TEXT)) >= {*KNOWN_UNITS, *syntax.BLOCKS, *TRIGGER_CLAUSES, *CAMPAIGN_CLAUSES}
    assert all(f"- {each.code}: {each.meaning}; {each.remedy}" in TEXT for each in known_diagnostics())


def test_no_word_of_the_lexer_is_missing_in_the_text() -> None:
    assert set(re.findall(r"[a-z_]+", TEXT)) >= RESERVED


def test_numbers_of_a_catalog_are_told_with_all_of_their_digits() -> None:
    catalog = SignalCatalog.parse(
        "max_gap: 0.1234567\nsignals:\n"
        "  a: {rate: 29.970029, min: -2147483648, max: 4294967295, red: [null, 16777215]}\n"
        "  b: {rate: 1, yellow: [0.5, null], red: [0.25, null]}\n  c: {rate: 1, red: [0.25, 1234567.5]}\n",
        name="c",
    )
    told = text_for_models(catalog, ["catalog"])
    assert "a: number without a unit, 29.970029 Hz, -2147483648 to 4294967295, red above 16777215\n" in told
    assert "b: number without a unit, 1 Hz, yellow below 0.5, red below 0.25\n" in told
    assert "c: number without a unit, 1 Hz, red outside 0.25 to 1234567.5\n" in told
    assert "`max_gap` 0.1234567 s" in told


def test_the_text_has_the_grammar_as_it_is() -> None:
    grammar = (REPOSITORY / "triggers/language/text/grammar.lark").read_text()
    assert f"```lark\n{grammar}```" in TEXT


def test_the_text_says_its_size() -> None:
    told = re.search(r"has ([\d,]+) characters, about ([\d,]+) tokens", TEXT)
    assert told is not None
    characters, tokens = (int(number.replace(",", "")) for number in told.groups())
    assert characters == len(TEXT[TEXT.index("\n## ") :])
    assert characters / 4 < tokens < characters / 3
    assert tokens < 15_000


def test_the_text_is_deterministic() -> None:
    assert text_for_models(SignalCatalog.parse(example_signals(), name="another.yaml")) == TEXT


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_examples_compile_without_a_finding_and_are_formatted(example: Example) -> None:
    compilation = compile_source(example.text, filename=f"{example.name}.trigger", catalog=CATALOG)
    assert not compilation.diagnostics, [each.render() for each in compilation.diagnostics]
    assert format_source(example.text, filename="a.trigger").text == example.text
    assert example.about.endswith(".")
    assert example.text in TEXT


def test_there_are_examples() -> None:
    assert len(examples()) >= 5


def test_every_name_of_the_catalog_is_told() -> None:
    part = TEXT[TEXT.index("\n## The signal catalog") :]
    assert all(f"- {name}: " in part for name in CATALOG.signals)
    assert all(f"vehicle.{name} ({kind})" in part for name, kind in CATALOG.vehicle.items())
    assert "cut_in.detected, cut_in.prob" in part
    assert "front_main" in part


@pytest.mark.parametrize("part", TEXT_PARTS)
def test_one_part_can_be_asked_for(part: str) -> None:
    text = text_for_models(CATALOG, [part])
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [TEXT_PARTS[part][0]]
    assert list(document(CATALOG, [part])) == ["language", part]


def test_the_document_is_json_and_has_the_parts_of_the_text_and_schemas() -> None:
    told = json.loads(json.dumps(document(CATALOG)))
    assert list(told) == ["language", *DOCUMENT_PARTS]
    assert set(DOCUMENT_PARTS) == {*TEXT_PARTS, "schemas"}
    assert {word["text"] for word in told["words"] if word["kind"] == "function"} == {*FORMS, *FORMS_OF_OBJECTS}
    assert {each["code"] for each in told["diagnostics"]} == set(REMEDIES)
    assert {symbol for symbols in told["units"].values() for symbol in symbols} == set(KNOWN_UNITS)
    assert set(told["catalog"]["signals"]) == set(CATALOG.signals)


def test_json_schemas_are_schemas() -> None:
    for schema in json_schemas().values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", CATALOG_FILES, ids=lambda path: path.parent.name)
def test_catalogs_are_valid_by_the_schema(path) -> None:  # type: ignore[no-untyped-def]
    jsonschema.validate(yaml.safe_load(path.read_text()), json_schemas()["signal_catalog"])


def test_forms_that_only_yaml_has_are_in_the_schema_of_catalogs() -> None:
    text = """
limits: {state: 256 KiB}
signals: {a: {unit: m, rate: 10, red: [null, 3]}}
cameras: {front: {bit_rate: 4 Mbit/s}}
"""
    SignalCatalog.parse(text, name="signals.yaml")
    jsonschema.validate(yaml.safe_load(text), json_schemas()["signal_catalog"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"signals": {"a": {"units": "m"}}}, json_schemas()["signal_catalog"])


def test_settings_of_campaigns_are_valid_by_the_schema() -> None:
    (example,) = (each for each in examples() if each.name == "hard_braking")
    (campaign,) = compile_source(example.text, filename="a.trigger", catalog=CATALOG).campaigns.values()
    settings: CampaignSettings = campaign.settings
    jsonschema.validate(json.loads(settings.model_dump_json()), json_schemas()["campaign_settings"])
