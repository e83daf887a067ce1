"""The formatter: one form, no comment lost, no meaning changed, a second time nothing more."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support.paths import REPOSITORY
from tests.triggers.language.randomised.programs import random_program
from triggers.language.text.comments import attach, texts_of
from triggers.language.text.diagnostics import Source
from triggers.language.text.formatter import format_bytes, format_source
from triggers.language.text.lexer import TokenKind, tokenize
from triggers.language.text.page import WIDTH
from triggers.language.text.parser import parse
from triggers.language.text.reporter import Reporter

FILES = [*Path(__file__).parent.glob("golden/*.trigger"), *REPOSITORY.glob("examples/*/*.trigger")]


def parsed(text: str) -> tuple[object, bool]:
    report = Reporter(Source(text, "test"))
    return parse(report.source, report), report.has_errors


def comments(text: str) -> Counter[str]:
    """By the language's own tokens: what is neither token nor blank is comment."""
    tokens = tokenize(Source(text, "test"), Reporter(Source(text, "test")))
    found, offset = Counter[str](), 0
    for token in tokens:
        gap = text[offset : token.span.start]
        found.update(line[line.index("#") :].rstrip(" \t\r") for line in gap.split("\n") if "#" in line)
        offset = token.span.end
    return found


def formatted(text: str) -> str:
    result = format_source(text, filename="test")
    assert result.text is not None, [d.render() for d in result.diagnostics]
    return result.text


def check_promises(text: str) -> str:
    """Same tree, same comments, nothing to do the second time, no blanks at ends of lines."""
    result = formatted(text)
    assert parsed(result) == (parsed(text)[0], False)
    assert comments(result) == comments(text)
    assert formatted(result) == result
    assert not re.search(r"[ \t\r]$|\n\n\n|\A\n|\n\n\Z", result, re.M)
    return result


# random files: sound sequences of words, between them random blanks, line ends and comments

_names = st.sampled_from(
    [
        "x",
        "ego.speed",
        "priority",
        "cooldown",
        "active",
        "let",
        "since",
        "after",
        "every",
        "where",
        "any",
        "o.distance",
        "a_rather_long_name_of.a_signal",
    ]
)
_numbers = st.sampled_from(["5", "1e3", "20 km/h", "5%", "-3 m/s^2", "7 L/100km", "1 1/s", "0.50 deg"])
_atoms = st.one_of(_names, _numbers, st.sampled_from(["true", '"a # b"', '""'])).map(lambda atom: [atom])
_durations = st.sampled_from(["2 s", "300 ms", "1.50 min"]).map(lambda text: [text])
_within = st.one_of(st.just([]), _durations.map(lambda duration: ["within", *duration]))


def _grown(inner: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    def calls(name: str, arguments: list[list[str]], tail: list[str]) -> list[str]:
        commas = [word for argument in arguments for word in [",", *argument]][1:]
        return [name, "(", *commas, *tail, ")"]

    infix = st.sampled_from(["+", "-", "*", "/", "<", ">=", "==", "and", "or", "and", "or"])
    return st.one_of(
        st.builds(lambda a, op, b: [*a, op, *b], inner, infix, inner),
        st.builds(lambda a: ["(", *a, ")"], inner),
        st.builds(lambda a: ["not", "(", *a, ")"], inner),
        st.builds(lambda a: ["-", "(", *a, ")"], inner),
        st.builds(lambda a, d: ["(", *a, ")", "for", *d], inner, _durations),
        st.builds(lambda a, d: ["(", *a, ")", "for", *d, "tolerating", *d], inner, _durations),
        st.builds(lambda a, b, d: ["(", *a, ")", "then", "(", *b, ")", "within", *d], inner, inner, _durations),
        st.builds(lambda a, colour: [*a, "outside", colour], inner, st.sampled_from(["yellow", "red"])),
        st.builds(
            lambda a, b, d: ["(", *a, ")", "then", "(", *b, ")", "after", *d, "within", *d], inner, inner, _durations
        ),
        st.builds(lambda a, b, d: ["(", *a, ")", "since", "(", *b, ")", *d], inner, inner, _within),
        st.builds(lambda a, d: ["(", *a, ")", "for", "at", "most", *d], inner, _durations),
        st.builds(lambda d: ["every", *d], _durations),
        st.builds(lambda a, b: [*a, "at", "(", *b, ")"], inner, inner),
        st.builds(lambda a, b: ["max", "(", *a, "since", *b, ")"], inner, inner),
        st.builds(lambda a: ["time", "since", "(", *a, ")"], inner),
        st.builds(
            lambda form, p: [form, "(", "o", "in", "a_list.of_objects", "where", *p, ")"],
            st.sampled_from(["any", "all", "count"]),
            inner,
        ),
        st.sampled_from(["any", "all", "count"]).map(lambda form: [form, "(", "o", "in", "b", ")"]),
        st.builds(lambda x: ["max", "(", *x, "for", "where", "in", "by", ")"], inner),
        st.builds(lambda x: ["nearest", "(", "by", "in", "b", "by", *x, ").distance"], inner),
        st.builds(lambda x, p: ["sum", "(", *x, "for", "o", "in", "b", "where", *p, ")"], inner, inner),
        st.builds(lambda x: ["min", "(", *x, "for", "o", "in", "b", ")"], inner),
        st.builds(lambda x, p: ["nearest", "(", "o", "in", "b", "by", *x, "where", *p, ").distance"], inner, inner),
        st.builds(lambda a, b, c: [*a, "between", *b, "and", *c], inner, inner, inner),
        st.builds(
            lambda a, items: [*a, "in", *calls("", items, [])[1:]], inner, st.lists(inner, min_size=1, max_size=5)
        ),
        st.builds(
            calls,
            st.sampled_from(["max", "priority", "f"]),
            st.lists(inner, max_size=4),
            st.one_of(
                st.just([]),
                _durations.map(lambda d: ["over", *d]),
                _durations.map(lambda d: ["over", *d, ",", "0.95"]),
            ),
        ),
    )


_expressions = st.recursive(_atoms, _grown, max_leaves=14)
_lists = st.lists(st.sampled_from(["a", "b", "target", "a_long_name_of_a_trigger"]), min_size=1, max_size=8).map(
    lambda items: [word for item in items for word in [",", item]][1:]
)
_captures = st.builds(
    lambda signals, cameras: [
        *["capture", "8 s", "before", ",", "4 s", "after", "{"], *(["signals", *signals] if signals else []),
        *(["cameras", *cameras] if cameras else []), "}",
    ],
    st.one_of(st.just([]), _lists, st.just(["*"]), st.just(["b", ",", "*", ",", "ego.*"])),
    st.one_of(st.just([]), _lists),
)  # fmt: skip
_triggers = st.builds(
    lambda when, clauses: ["trigger", "t", "{", *clauses, "\nwhen", *when, "}"],
    _expressions,
    st.one_of(
        st.just([]),
        _captures,
        st.sampled_from(
            [["cooldown", "5 s"], ["tags", '"a"', ",", '"b"'], ["sample", "1", "in", "4", "priority", "80"]]
        ),
    ),
)
# fmt: off
_LIMITS = [
    "campaign", "c", "{", "rollout", "1 %", "for", "2 d", ",", "10 %", "\nbudget", "20 MB", "per", "vehicle", "per",
    "day", ",", "9", "clips", "per", "vehicle", "per", "day", "then", "drop", ",", "2 TB", "total", "\ncollect",
]
_PERIOD = ["\nsample", "1", "in", "4", "\nactive", "2026-12-01", "to", "2027-01-31", "}"]
# fmt: on
_campaigns = st.builds(lambda names, target: [*_LIMITS, *names, "\ntarget", *target, *_PERIOD], _lists, _expressions)
_fences = st.integers(1, 6).map(
    lambda n: ["fence", "f", "{", *["(", "48.0625", ",", "-11", ")", ","] * n, *["(", "1", ",", "2", ")", ",", "}"]]
)
_arguments = st.sampled_from([[], ["(", "o", ")"], ["(", "b", ",", "o", ",", "where", ")"]])
_lets = st.builds(lambda arguments, value: ["let", "a", *arguments, "=", *value], _arguments, _expressions)
_files = st.lists(st.one_of(_triggers, _campaigns, _fences, _lets), max_size=3)
_blanks = st.sampled_from(
    [" "] * 12 + ["  ", "\n", "\n\n\n", "\t", " # one\n", "  #two \n  # three\n\n", "\n\n# four\r\n", "\n#\n\n#!\n"]
)


@settings(max_examples=300)
@given(_files, st.data())
def test_formatting_keeps_meaning_and_comments_and_is_done_once(files: list[list[str]], data: st.DataObject) -> None:
    words = [word for block in files for word in ["\n", *block]]
    blanks = data.draw(st.lists(_blanks, min_size=len(words) + 1, max_size=len(words) + 1))
    text = "".join(blank + word for blank, word in zip(blanks, [*words, ""], strict=True))
    assume(not parsed(text)[1])
    check_promises(text)


@pytest.mark.parametrize("seed", range(60))
def test_programs_of_all_operators_keep_their_meaning(seed: int) -> None:
    check_promises(random_program(Random(seed), depth=6).source)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recorded_files_keep_their_promises_or_are_refused(path: Path) -> None:
    text = path.read_text()
    if not parsed(text)[1]:
        check_promises(text)
    else:
        result = format_source(text, filename=path.name)
        assert result.text is None
        assert result.diagnostics and all(d.severity == "error" for d in result.diagnostics)


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("examples/*/*.trigger")), ids=lambda path: path.stem)
def test_the_examples_are_formatted(path: Path) -> None:
    assert formatted(path.read_text()) == path.read_text()


def test_lines_of_code_end_at_100_columns() -> None:
    condition = " and ".join(f"(signal_{n}.speed > {n} km/h or signal_{n}.brake) for 300 ms" for n in range(9))
    text = check_promises(f"trigger t {{ when {condition} or max(a over 2 s) - min(a over 2 s) > 20 km/h }}")
    assert max(map(len, text.splitlines())) <= WIDTH


LONG = {
    "a sum": " + ".join(f"x * {n}.5" for n in range(30)) + " > 3",
    "a product": " * ".join(f"factor_{n}" for n in range(30)) + " > 3 for 5 s tolerating 3 s",
    "a between": f"{'a' * 60} between {'b' * 60} and {'c' * 60}",
    "a sum in a window": f"avg({' - '.join(f'-(x{n})' for n in range(30))} over 5 s) > -3 for 2 s",
    "a sum of calls": " + ".join(f"min(aaaaaaaa{n}, bbbbbbbb{n})" for n in range(20)) + " < 3",
    "a sum under not": f"not ({' + '.join(f'min(a{n}, b{n})' for n in range(30))} > -3)",
    "a sequence": f"{'a' * 70} then {'b' * 75} within 5 s",
    "a comparison of names": f"{'a' * 70} >= {'b' * 70}",
    "a list": f"{'a' * 70} in ({', '.join(map(str, range(50)))})",
    "calls in calls": f"max(min({'a' * 50} + {'b' * 50}, {'c' * 50}) * {'d' * 50} over 5 s) > 3",
    "arguments after a window": f"quantile({'a' * 60} + {'b' * 60} over 5 s, {'c' * 60} / {'d' * 60}) > 3",
    "a measure of many": f"{'a' * 60} and time since ({'b' * 30} and {'c' * 30}) > 5 s and distance over 5 s > 3 m",
    "a caught value": f"{'a' * 60} at {'b' * 60} > 3",
    "objects": f"any({'o' * 40} in {'t' * 80} where {'o' * 40}.x < 5 m for 3 s) or all(o in t where o.{'y' * 60} > 3)",
    "a number of objects": f"min({'o' * 40}.x + {'o' * 40}.y for {'o' * 40} in t where {'o' * 40}.z > 3) < 3",
    "the nearest object": f"nearest({'o' * 40} in t by {'o' * 40}.x where {'o' * 40}.z > 3).{'f' * 40} < 3",
    "objects in objects' calls": f"count(o in t where close(o, {'a' * 50}, {'b' * 50}) and {'c' * 50}) > 3",
    "signals named like clauses": "x" + "".join(f" + tags * {n}.5" for n in range(30)) + " > 3",
}


@pytest.mark.parametrize("shape", LONG)
def test_whatever_can_be_broken_ends_at_100_columns(shape: str) -> None:
    for start in ("trigger a { when ", "let a = (", "campaign c { target "):
        text = f"{start}{LONG[shape]}{')' if start.endswith('(') else ''}{' }' if '{' in start else ''}"
        formatted = format_source(text, filename="a.trigger").text
        assert formatted is not None
        assert max(map(len, formatted.splitlines())) <= 100, formatted
        assert format_source(formatted, filename="a.trigger").text == formatted


@pytest.mark.parametrize("measure", ["time since (p and q) > 5 s", "distance since p > 4 m", "distance over 5 s > 4 m"])
def test_a_measure_is_not_torn_from_its_event_or_window(measure: str) -> None:
    for condition in (f"{'a' * 90} and {measure} and {'b' * 40}", f"{'a' * 90} > 1 or {measure}"):
        lines = check_promises(f"trigger t {{ when {condition} }}").splitlines()
        assert any(line.endswith(f" {measure}") for line in lines)


def test_a_comment_within_a_measure_stays_there() -> None:
    text = check_promises("trigger t { when p and time  # how long\n since q > 5 s }")
    assert "and time  # how long\n" in text


@pytest.mark.parametrize("name", ["since", "b"])
def test_a_comment_behind_a_name_stays_behind_it_whatever_the_name(name: str) -> None:
    assert f"{name}  # why\n" in formatted(f"let a = ( x and {name} # why\n)")


def test_a_long_sum_is_broken_before_its_signs() -> None:
    text = f"trigger a {{ when {' + '.join(f'some.long.signal_{n}' for n in range(5))} - 3 > -7 }}"
    assert (
        format_source(text, filename="a.trigger").text
        == """trigger a {
    when some.long.signal_0
            + some.long.signal_1
            + some.long.signal_2
            + some.long.signal_3
            + some.long.signal_4
            - 3
        > -7
}
"""
    )


def test_the_canonical_form() -> None:
    given_text = """
# head

let driving=ego.speed>20km/h   #why
let braking = driver.brake
trigger t # name
{ describe "d" when (a>0.7 and b<0.3)for 300ms and   # joint
  driving


  # about the cooldown
  cooldown 60s
  capture 8 s before,4 s after{signals ego.*,b
    cameras front}
}
fence f { (1,2),(3,-4), }
# end"""
    assert (
        formatted(given_text)
        == """\
# head

let driving = ego.speed > 20 km/h  #why
let braking = driver.brake

trigger t {  # name
    describe "d"
    when (a > 0.7 and b < 0.3) for 300 ms  # joint
        and driving

    # about the cooldown
    cooldown 60 s
    capture 8 s before, 4 s after {
        signals ego.*, b
        cameras front
    }
}

fence f { (1, 2), (3, -4) }
# end
"""
    )


def test_at_and_since_are_operators_after_a_value_and_names_elsewhere() -> None:
    when = "sum(at since(since or at))>since at(at) and time since(at and p)<time and max(time)>-since(x)"
    said = "sum(at since (since or at)) > since at (at) and time since (at and p) < time and max(time) > -since(x)"
    formatted = format_source(f"let a = {when}", filename="a.trigger").text
    assert formatted is not None and " ".join(formatted.split()) == f"let a = {said}"


def test_long_conditions_break_at_the_loosest_operator_and_lists_at_commas() -> None:
    text = """
trigger t {
    when ego.speed > 20 km/h and shadow.cut_in.prob > 0.7 and active.cut_in.prob < 0.3 or driver.override and not fault
    tags "a tag of many words", "another tag of many words", "yet another tag of many words", "the last one"
}
"""
    assert (
        formatted(text)
        == """\
trigger t {
    when ego.speed > 20 km/h and shadow.cut_in.prob > 0.7 and active.cut_in.prob < 0.3
        or driver.override and not fault
    tags
        "a tag of many words",
        "another tag of many words",
        "yet another tag of many words",
        "the last one"
}
"""
    )


@pytest.mark.parametrize(
    "text", ["5 outside red", "x > 5 since q", "x > 5 for at most 3 s", "p then x > 5 after 1 s within 2 s"]
)
def test_an_operator_after_a_number_is_not_its_unit(text: str) -> None:
    assert formatted(f"let a = {text}\n") == f"let a = {text}\n"


def test_a_chain_of_sequences_has_a_line_for_each_step() -> None:
    text = """
trigger t {
    when changed(lead.id) then ego.accel < -2 m/s^2 after 200 ms within 2 s then driver.brake within 3 s
    without engaged within 1 s
}
let a = the_vehicle.moves_faster_than_it_should since rise(driver.has_taken_over_the_control) within 10 s
"""
    assert (
        formatted(text)
        == """\
trigger t {
    when changed(lead.id)
        then ego.accel < -2 m/s^2 after 200 ms within 2 s
        then driver.brake within 3 s
        without engaged within 1 s
}

let a = the_vehicle.moves_faster_than_it_should
    since rise(driver.has_taken_over_the_control) within 10 s
"""
    )


def test_forms_over_objects_have_a_line_for_each_of_their_parts() -> None:
    text = """
let near(o,far)=o.x<far   # each
trigger t {
  when any(o in tracked   # whom
    where near(o, 20 m) and o.kind in ("pedestrian", "cyclist") and (o.time_to_collision < 2 s for 200 ms))
  and min(o.distance - o.half_of_its_length for o in tracked where o.speed_towards_the_vehicle > 1 m/s) < 5 m
  and nearest(o in tracked by o.distance_along_the_lane where o.is_in_the_lane).kind=="truck"
}
"""
    assert (
        check_promises(text)
        == """\
let near(o, far) = o.x < far  # each

trigger t {
    when any(
        o in tracked  # whom
        where near(o, 20 m)
            and o.kind in ("pedestrian", "cyclist")
            and (o.time_to_collision < 2 s for 200 ms)
    )
        and min(
            o.distance - o.half_of_its_length
            for o in tracked
            where o.speed_towards_the_vehicle > 1 m/s
        ) < 5 m
        and nearest(
            o in tracked by o.distance_along_the_lane where o.is_in_the_lane
        ).kind == "truck"
}
"""
    )


@pytest.mark.parametrize("text", ["", "\n\n", "# only", "\ufeff# only\n", "#\r\n\r\n# b", "   # a\n\n\n\n# b\n\n"])
def test_files_of_comments_alone(text: str) -> None:
    result = format_bytes(text.encode(), filename="test").text
    assert result is not None
    assert comments(result) == comments(text.removeprefix("\ufeff"))
    assert formatted(result) == result
    assert not result or (result.endswith("\n") and not result.endswith("\n\n"))


@pytest.mark.parametrize("data", [b"\xff", b"#" * 1_000_001, b"trigger t {", b"let a = &"])
def test_what_cannot_be_read_gives_diagnostics(data: bytes) -> None:
    result = format_bytes(data, filename="test")
    assert result.text is None
    assert result.diagnostics


def test_a_name_that_could_begin_a_clause_never_begins_a_line() -> None:
    arguments = ", ".join(["priority", "cooldown", "a_name_that_is_long_enough_to_fill_a_line"] * 3)
    check_promises(f"trigger t {{ when f({arguments}) > 3 }}")


def test_deep_nesting_and_long_files_take_no_time_to_speak_of() -> None:
    deep = "trigger t { when " + "(a and " * 45 + "b" + ")" * 45 + " }\n"
    check_promises(deep)
    assert formatted("# c\nlet a = " + " and ".join(["b > 5 m/s"] * 20_000)).count("\n") == 20_001


_scraps = ["trigger", "t", "{", "}", "when", "x", ">", "5 m", "and", "#", "\n", "(", ",", ")", "let", "=", '"']


@settings(max_examples=200)
@given(st.one_of(st.text(), st.lists(st.sampled_from(_scraps)).map(" ".join)))
def test_any_text_is_formatted_or_diagnosed(text: str) -> None:
    result = format_source(text, filename="test")
    assert (result.text is None) is bool(result.diagnostics)


def test_comments_of_a_text_are_all_its_trivia() -> None:
    text = 'trigger t { # a\n # b\n describe "# no" # c\n}# d\n# e'
    tokens = tokenize(Source(text, "test"), Reporter(Source(text, "test")))
    assert texts_of(attach(text, tokens)) == ["# a", "# b", "# c", "# d", "# e"]
    assert tokens[-1].kind is TokenKind.END
