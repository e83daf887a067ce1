"""Every word of the language is told to editors, in forms that the compiler accepts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.paths import REPOSITORY
from triggers.language.checks.calls.table import FORMS
from triggers.language.text import parser, syntax
from triggers.language.text.characters import remedy
from triggers.language.text.clauses import CAMPAIGN_CLAUSES, TRIGGER_CLAUSES
from triggers.language.text.diagnostics import Source
from triggers.language.text.expressions.lookahead import FORMS_OF_OBJECTS
from triggers.language.text.mistakes.instead import INSTEAD
from triggers.language.text.parser import parse, parse_condition
from triggers.language.text.reporter import Reporter
from triggers.language.words import LanguageWord, WordKind, language_words, unit_words
from triggers.signals.units import parse_unit

WORDS = language_words()
GRAMMAR = (Path(parser.__file__).parent / "grammar.lark").read_text()
IN_A_CLAUSE = {
    "before",
    "after",
    "per",
    "vehicle",
    "day",
    "keep",
    "drop",
    "total",
    "clips",
    "up",
    "on",
    "to",
    "events",
    "as",
    "with",
}
"""Words that only the forms of clauses have."""


def of(kind: WordKind) -> set[str]:
    return {word.text for word in WORDS if word.kind is kind}


def test_no_word_of_the_grammar_is_left_out() -> None:
    assert of(WordKind.BLOCK) == {*syntax.BLOCKS, "language"}
    assert of(WordKind.TRIGGER_CLAUSE) == set(TRIGGER_CLAUSES)
    assert of(WordKind.CAMPAIGN_CLAUSE) == set(CAMPAIGN_CLAUSES)
    assert of(WordKind.FUNCTION) == {*FORMS, *FORMS_OF_OBJECTS}
    declared = {word.lower() for line in re.findall(r"%declare (.+)", GRAMMAR) for word in line.split()}
    declared -= {
        "number",
        "unit",
        "text",
        "dotted",
        "wildcard",
        "word",
        "date",
        "comparison",
        "object",
        "each",
        "field",
    }
    said = {word for each in WORDS for form in each.forms for word in re.findall(r"[a-z_]+", form)}
    assert declared <= {part for word in WORDS for part in word.text.split()} | IN_A_CLAUSE
    assert declared - {"keep", "drop"} <= said | IN_A_CLAUSE


@pytest.mark.parametrize("word", WORDS, ids=lambda word: f"{word.kind} {word.text}")
def test_the_forms_of_a_word_are_right(word: LanguageWord) -> None:
    for form in word.forms:
        report = Reporter(Source(_in_a_file(word.kind, form), "a.trigger"))
        if word.kind in (WordKind.OPERATOR, WordKind.FUNCTION):
            parse_condition(report.source, report, "a")
        else:
            parse(report.source, report)
        assert not report.diagnostics, [each.render() for each in report.diagnostics]
        assert word.text in form
    assert word.summary.endswith(".")


def test_functions_are_documented_with_the_same_names() -> None:
    documented = (REPOSITORY / "docs/language.md").read_text("utf-8")
    for name in {*FORMS, *FORMS_OF_OBJECTS}:
        assert re.search(rf"`[^`\n]*\b{name}\b[^`\n]*\(", documented), name


@pytest.mark.parametrize("proposal", sorted({*INSTEAD.values(), *map(remedy, "&|%?~≈")}))
def test_what_is_proposed_instead_of_other_languages_exists(proposal: str) -> None:
    assert set(re.findall(r"(\w+)\(", proposal)) <= set(FORMS)


def test_units_are_units() -> None:
    assert all(parse_unit(unit) is not None for unit in unit_words())


def _in_a_file(kind: WordKind, form: str) -> str:
    match kind:
        case WordKind.TRIGGER_CLAUSE:
            when = "" if form.startswith("when") else "when p\n"
            return f"trigger t {{\n{when}{form}\n}}\n"
        case WordKind.CAPTURE_CLAUSE:
            return f"trigger t {{\nwhen p\ncapture 1 s before, 1 s after {{\n{form}\n}}\n}}\n"
        case WordKind.CAMPAIGN_CLAUSE:
            collect = "" if form.startswith("collect") else "collect t\n"
            return f"trigger t {{\nwhen p\n}}\ncampaign c {{\n{collect}{form}\n}}\n"
        case _:
            return form.replace(", ...)", ", c)")
