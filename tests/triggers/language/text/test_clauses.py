"""The table of clauses agrees with the syntax tree, the grammar and the documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields

import pytest

from tests.support.paths import REPOSITORY
from triggers.language.text import lexer, syntax
from triggers.language.text.clauses import CAMPAIGN_CLAUSES, TRIGGER_CLAUSES, Clause
from triggers.language.text.diagnostics import Span

GRAMMAR = (REPOSITORY / "triggers/language/text/grammar.lark").read_text()
DOCS = (REPOSITORY / "docs/language.md").read_text()
NAME = syntax.Word("a", Span(0, 1))

every_block = pytest.mark.parametrize(
    ("empty_block", "clauses"),
    [(syntax.Trigger(NAME), TRIGGER_CLAUSES), (syntax.Campaign(NAME), CAMPAIGN_CLAUSES)],
    ids=["trigger", "campaign"],
)


@every_block
def test_every_field_of_a_block_is_a_clause_with_the_same_empty_value(
    empty_block: syntax.Trigger | syntax.Campaign, clauses: Mapping[str, Clause]
) -> None:
    values = {item.name: getattr(empty_block, item.name) for item in fields(empty_block)}
    assert values == {"name": NAME, "broken": set(), **{word: clause.empty for word, clause in clauses.items()}}


@every_block
def test_a_clause_word_after_a_number_is_not_its_unit(
    empty_block: syntax.Trigger | syntax.Campaign, clauses: Mapping[str, Clause]
) -> None:
    assert set(clauses) <= lexer.NEVER_UNITS


@every_block
def test_every_clause_is_in_the_grammar_and_in_the_documentation(
    empty_block: syntax.Trigger | syntax.Campaign, clauses: Mapping[str, Clause]
) -> None:
    kind = type(empty_block).__name__.lower()
    (row,) = re.findall(rf"^\| `{kind} NAME .*", DOCS, re.M)
    for word in clauses:
        assert re.search(rf"\b{word.upper()}\b", GRAMMAR), f"grammar.lark has no clause `{word}`"
        assert f"`{word}`" in row, f"docs/language.md does not name `{word}`"
