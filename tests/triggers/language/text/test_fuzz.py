"""Whatever the bytes of a file are, compiling takes time in proportion to their number and raises nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triggers.language.support import CATALOG
from triggers.language.compile import compile_bytes
from triggers.language.text.diagnostics import Source, Span, render_all
from triggers.language.text.mistakes.collector import MAX_DIAGNOSTICS, Enough
from triggers.language.text.parser import parse
from triggers.language.text.reporter import Reporter

SIZE_BYTES = 100_000
FACTOR = 20.0
"""How many times longer than plain triggers of the same size anything may take; growth by the square exceeds it."""

FACTOR_OF_PARSING = 8.0
"""The same for parsing alone, which no mistake ends."""


def filled(unit: str, start: str = "", end: str = "") -> str:
    """A unit repeated until the text has SIZE_BYTES, after a start."""
    return start + unit * ((SIZE_BYTES - len(start) - len(end)) // len(unit.encode())) + end


def numbered(unit: str, start: str = "", end: str = "") -> str:
    """As `filled`, each `@` of a unit replaced by the unit's number."""
    count = (SIZE_BYTES - len(start) - len(end)) // (len(unit) + 5)
    return start + "".join(unit.replace("@", str(index)) for index in range(count)) + end


WHEN = "trigger t { when "
PLAIN = numbered("trigger t@ { when x > @ and rise(p) }\n")
SHAPES = {
    "open parentheses": filled("(", WHEN),
    "operators without operands": filled("- ", WHEN),
    "signs": filled("-", WHEN),
    "nots": filled("not ", WHEN, "p }"),
    "a sum": filled(" + x", WHEN + "x"),
    "a conjunction": filled(" and p", WHEN + "p"),
    "a list": filled("1, ", WHEN + "x in ("),
    "calls": filled("abs(", WHEN),
    "holds": filled(" for 1 s", WHEN + "p"),
    "sequences": filled(" then p within 1 s", WHEN + "p"),
    "quotes": filled('"'),
    "unclosed texts": filled('"\n'),
    "no characters of the language": filled("@"),
    "single ones of them": filled("@ x "),
    "nulls": filled("\0"),
    "letters of other alphabets": filled("é"),
    "one word": filled("a"),
    "one dotted name": filled("a."),
    "digits": filled("9", "let a = "),
    "a unit": filled("m/", "let a = 1 "),
    "comments": filled("# x\n"),
    "open blocks": filled("trigger t {\n"),
    "one name": filled("let a = x\n"),
    "broken definitions": filled("let a = \n"),
    "a chain of definitions": numbered("let a@ = x + @\n"),
    "definitions of names that are none": numbered("let a@ = b@ + 1\n"),
    "unknown signals": numbered("z@ > 1 and ", WHEN, "p }"),
    "unknown functions": numbered("f@(x) and ", WHEN, "p }"),
    "unknown texts": numbered('mode == "v@" and ', WHEN, "p }"),
    "unknown triggers": numbered("q@, ", "campaign c { collect ", "q }"),
    "unknown captures": numbered("s@, ", "trigger t { when p capture 1 s before, 1 s after { signals ", "x } }"),
    "clauses": filled("when p\n", "trigger t {\n"),
    "unknown clauses": filled("wen p\n", "trigger t {\n"),
    "corners": filled("(1, 2), ", "fence f { ", "(1, 3) }"),
    "campaigns": numbered("campaign c@ { budget 1 clips }\n"),
}


def seconds_for(text: str) -> float:
    """Processor time to compile a text, which must not raise."""
    assert len(text.encode()) <= 1.1 * SIZE_BYTES
    start = time.process_time()
    compiles_or_is_diagnosed(text.encode())
    return time.process_time() - start


def compiles_or_is_diagnosed(data: bytes) -> None:
    result = compile_bytes(data, filename="fuzz", catalog=CATALOG)
    assert result.ok is not any(diagnostic.severity == "error" for diagnostic in result.diagnostics)


@pytest.fixture(scope="module")
def plain_s() -> float:
    return seconds_for(PLAIN)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_a_file_compiles_or_is_diagnosed(shape: str) -> None:
    compiles_or_is_diagnosed(SHAPES[shape].encode()[: SIZE_BYTES // 10])


@pytest.mark.timing
@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_of_a_file_takes_out_of_proportion(shape: str, plain_s: float) -> None:
    assert seconds_for(SHAPES[shape]) < FACTOR * plain_s


@pytest.mark.timing
def test_the_time_grows_with_the_size_not_with_its_square() -> None:
    half = PLAIN[: len(PLAIN) // 4].rpartition("\n")[0]
    assert seconds_for(PLAIN) < 10 * seconds_for(half) + 0.2


@pytest.mark.timing
@pytest.mark.parametrize("unit", ["[", "? ", "[ ? ", "; x", "/* ", "/*\n", "1:10 ", "a[1:", "a-"])
def test_no_characters_of_other_languages_take_out_of_proportion(unit: str) -> None:
    def seconds(text: str) -> float:
        source, start = Source(text, "fuzz"), time.process_time()
        parse(source, Reporter(source))  # it stops at no number of mistakes
        return time.process_time() - start

    assert seconds(filled(unit, "trigger ")) < FACTOR_OF_PARSING * seconds(PLAIN)


@given(
    st.binary(max_size=400), st.sampled_from([b"", b"trigger t { when ", b"campaign c { ", b"let a = ", b"fence f {"])
)
def test_no_bytes_after_a_beginning_make_it_raise(data: bytes, start: bytes) -> None:
    compiles_or_is_diagnosed(start + data)


def test_a_file_is_left_at_the_last_mistake_that_is_shown() -> None:
    report, found = Reporter(Source("=" * 1000, "fuzz"), stops=True), 0
    with pytest.raises(Enough):
        for start in range(1000):
            found = start + 1
            report.assignment_in_condition(Span(start, start + 1))
    assert len(report.diagnostics) == found == MAX_DIAGNOSTICS
    source = f"trigger t {{ when {' and '.join(f'nothing_{number} > 1' for number in range(500))} }}"
    result = compile_bytes(source.encode(), filename="fuzz", catalog=CATALOG)
    assert not result.ok
    assert len(result.diagnostics) == MAX_DIAGNOSTICS


@pytest.mark.parametrize(
    "unit",
    [
        "@ x ",
        "\N{MINUS SIGN}",
        "' ",
        "x > \N{NO-BREAK SPACE}",
        "0x1 ",
        "<> ",
        "\N{LATIN SMALL LETTER U WITH DIAERESIS} ",
    ],
)
def test_many_mistakes_in_one_long_line_are_cut_and_share_its_text(unit: str) -> None:
    result = compile_bytes(filled(unit, "# one line before\n").encode(), filename="fuzz", catalog=CATALOG)
    assert len(result.diagnostics) == MAX_DIAGNOSTICS
    assert len({id(diagnostic.source_line) for diagnostic in result.diagnostics}) <= 2
    assert len(render_all(result.diagnostics)) < MAX_DIAGNOSTICS * 1000
