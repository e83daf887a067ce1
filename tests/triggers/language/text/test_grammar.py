"""The parser against the normative grammar: an LALR parser built from `grammar.lark` accepts the same files."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import lark
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.paths import REPOSITORY
from triggers.language.text import parser
from triggers.language.text.diagnostics import Source
from triggers.language.text.expressions.lookahead import is_each, opens_objects
from triggers.language.text.lexer import Token, TokenKind, tokenize
from triggers.language.text.reporter import Reporter
from triggers.signals.reserved import RESERVED

GRAMMAR = (Path(parser.__file__).parent / "grammar.lark").read_text()
MARKS = {"{": "LBRACE", "}": "RBRACE", "(": "LPAR", ")": "RPAR", ",": "COMMA", "=": "EQUAL"}
MARKS |= {"+": "PLUS", "-": "MINUS", "*": "STAR", "/": "SLASH"}
OF_MEANING = {"LT105", "LT110", "LT112", "LT116", "LT117"}  # refused although the form is right
FILES = [*Path(__file__).parent.glob("golden/*.trigger"), *REPOSITORY.glob("examples/*/*.trigger")]


class _NoLexer(lark.lexer.Lexer):
    def __init__(self, conf: object) -> None:
        """Tokens are fed by hand."""

    def lex(self, state: object) -> Iterator[lark.Token]:
        return iter(())


def _built() -> lark.Lark:
    return lark.Lark(GRAMMAR, start="file", parser="lalr", lexer=_NoLexer, debug=True)


LALR = _built()


MEASURES = {"time": ("since",), "distance": ("since", "over")}
"""Words that are keywords only where one of these follows."""


def _of_objects(tokens: list[Token], index: int) -> str | None:
    """The terminal of a name that only what follows it makes one of an object, and of the `for` before such a name."""
    if tokens[index].is_word("for") and is_each(tokens, index):
        return "EACH"
    if tokens[index].is_word("by", "where") and tokens[index - 1].is_word("every"):
        return tokens[index].text.upper()
    is_first = index > 1 and tokens[index - 1].is_mark("(") and tokens[index + 1].is_word("in")
    return "OBJECT" if is_first and opens_objects(tokens, index - 1) else None


def _terminal(token: Token, following: Token, accepted: set[str]) -> str:
    if token.is_word(*MEASURES) and not following.is_word(*MEASURES[token.text]):
        return token.kind.name
    if token.kind is TokenKind.MARK:
        return MARKS.get(token.text, "COMPARISON")
    keyword = token.text.upper()
    if token.kind is TokenKind.WORD and (keyword in accepted or token.text in RESERVED - {"true", "false"}):
        return keyword
    return token.kind.name


def grammar_accepts(text: str) -> bool:
    """Whether the grammar derives a text; a word is a keyword where the grammar can take it as one."""
    report = Reporter(Source(text, "test"))
    tokens = tokenize(report.source, report)
    interactive = LALR.parse_interactive()
    try:
        for index, (token, following) in enumerate(pairwise(tokens)):
            terminal = _of_objects(tokens, index) or _terminal(token, following, interactive.accepts())
            interactive.feed_token(lark.Token(terminal, token.text))
        interactive.feed_eof()
    except lark.exceptions.UnexpectedInput:
        return False
    return not report.has_errors


def parser_accepts(text: str) -> bool:
    report = Reporter(Source(text, "test"))
    parser.parse(report.source, report)
    return not {d.code for d in report.diagnostics if d.severity == "error"} - OF_MEANING


def test_the_grammar_has_no_conflict(caplog: pytest.LogCaptureFixture) -> None:
    lark.logger.addHandler(caplog.handler)
    lark.logger.setLevel(logging.DEBUG)
    try:
        _built()
    finally:
        lark.logger.removeHandler(caplog.handler)
        lark.logger.setLevel(logging.CRITICAL)
    assert "conflict" not in caplog.text.lower()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_parser_and_grammar_agree_on_recorded_files(path: Path) -> None:
    if path.stem not in ("lt107_too_deep", "lt108_limits", "lt108_number_out_of_range"):  # limits, not form
        assert parser_accepts(path.read_text()) is grammar_accepts(path.read_text())


_atoms = st.sampled_from(
    [
        "x",
        "ego.speed",
        "5",
        "5 m/s",
        '"R"',
        "true",
        "budget",
        "to",
        "f(x)",
        "min(x over 2 s)",
        "g(x, y)",
        "q(x over 2 s, y, 5 %)",
        "every 5 s",
        "every",
        "every d",
        "every c.d",
        "time since x",
        "distance since (x)",
        "distance over 5 s",
        "distance",
        "max(distance over 1 s)",
        "time",
        "at",
        "since",
        "sum(x since p)",
        "any",
        "where",
        "o.x",
        "count(o in t)",
        "count(o in t over 5 s)",
        "any(o in t where o.x)",
        "all(o in t.u where where)",
        "f(o in t by o.x where o.y).z",
        "nearest(o in t by 5).x",
        "min(o.x for o in t)",
    ]
)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    joints = ("since", "between", "from", "to", "at")
    infix = st.sampled_from(["+", "-", "*", "/", "<", "==", "and", "or", "then", *joints])
    of_objects = (
        "all(o in t where {})",
        "nearest(o in t by {} where {}).x",
        "any({} for o in t)",
        "sum({} for o in t where {})",
    )
    forms = st.one_of(infix.map("{{}} {} {{}}".format), st.sampled_from(of_objects))
    pairs = st.tuples(forms, inner, inner).map(lambda drawn: drawn[0].format(*drawn[1:]))
    suffix = st.sampled_from(
        [
            " for 1 s",
            " for 1 s tolerating 2 s",
            " in (x, 5)",
            " within 1 s",
            " and x",
            " for 1",
            " after 1 s within 2 s",
            " for at most 1 s",
            " since x within 1 s",
            " outside red",
        ]
    )
    return st.one_of(
        pairs,
        inner.map("({})".format),
        inner.map("not {}".format),
        inner.map("- {}".format),
        st.tuples(inner, suffix).map("".join),
    )


@settings(max_examples=400)
@given(st.recursive(_atoms, _grown, max_leaves=8))
def test_parser_and_grammar_agree_on_expressions(expression: str) -> None:
    text = f"trigger t {{ when {expression} }}"
    assert parser_accepts(text) is grammar_accepts(text)
