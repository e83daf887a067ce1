"""Lets with arguments, constants and sets mean what would be written without them, and cost no more."""

from __future__ import annotations

import re
from random import Random

import pytest

from tests.triggers.language.expansion.rewritten import with_own_words
from tests.triggers.language.randomised.programs import random_program
from triggers.language.compile import Compilation, compile_source
from triggers.language.expansion.calls import MAX_CALLS, MAX_PARTS
from triggers.language.text.diagnostics import render_all
from triggers.language.text.formatter import format_source
from triggers.signals.catalog import SignalCatalog

NUMBERS = "trigger a { when %s > 2 m/s }"


def compiled(source: str, catalog: SignalCatalog) -> Compilation:
    result = compile_source(source, filename="a.trigger", catalog=catalog)
    assert result.ok, render_all(result.diagnostics)
    return result


def program(source: str, catalog: SignalCatalog) -> bytes:
    triggers = compiled(source, catalog).triggers
    assert triggers is not None
    return triggers.program


def messages(source: str, catalog: SignalCatalog) -> list[str]:
    found = compile_source(source, filename="a.trigger", catalog=catalog).diagnostics
    return [f"{each.line}:{each.column} {each.code} {each.message}" for each in found if each.severity == "error"]


@pytest.mark.parametrize("seed", range(60))
def test_a_program_with_own_words_is_the_same_to_the_last_byte(seed: int) -> None:
    random = Random(seed)
    made = random_program(random)
    again = with_own_words(made.source, made.catalog, random)
    first, second = (compiled(source, made.catalog.parsed) for source in (made.source, again))
    assert first.campaigns["all"].digest == second.campaigns["all"].digest, again


@pytest.mark.parametrize("seed", range(20))
def test_own_words_are_formatted_with_the_same_meaning_and_twice_alike(seed: int) -> None:
    random = Random(seed)
    made = random_program(random)
    source = with_own_words(made.source, made.catalog, random)
    once = format_source(source, filename="a.trigger").text
    assert once is not None
    assert format_source(once, filename="a.trigger").text == once
    first, second = (compiled(text, made.catalog.parsed) for text in (source, once))
    assert first.campaigns["all"].digest == second.campaigns["all"].digest


@pytest.mark.parametrize(
    ("own", "plain"),
    [
        ("let f(x) = x + 1 m/s " + NUMBERS % "f(f(ego.speed))", NUMBERS % "(ego.speed + 1 m/s + 1 m/s)"),
        ("let f(x, y) = x - y " + NUMBERS % "f(ego.speed, 3 km/h)", NUMBERS % "(ego.speed - 3 km/h)"),
        (
            "let held(p, d) = p for d let f(d) = held(ego.speed > 1 m/s, d) trigger a { when f(2 s) }",
            "trigger a { when ego.speed > 1 m/s for 2 s }",
        ),
        (
            "let held(p, d) = p for d param hold = 2 s trigger a { when held(ego.speed > 1 m/s, hold) }",
            "trigger a { when ego.speed > 1 m/s for 2 s }",
        ),
        (
            "param w = 2 s trigger a { when max(ego.speed over w) > past(ego.speed, w) cooldown w }",
            "trigger a { when max(ego.speed over 2 s) > past(ego.speed, 2 s) cooldown 2 s }",
        ),
        (
            "let both(h) = disagree(h) trigger a { when both(cut_in.detected) }",
            "trigger a { when disagree(cut_in.detected) }",
        ),
        (
            "param low = -3 m/s set odd = (low, 20 km/h) let g(x) = x in odd trigger a { when g(ego.speed) }",
            "trigger a { when ego.speed in (-3 m/s, 20 km/h) }",
        ),
        (
            "param d = 10 min let f(e) = every e trigger a { when f(d) or f(5 min) or every d }",
            "trigger a { when every 10 min or every 5 min or every 10 min }",
        ),
        (
            'import "c" as c trigger a { when every c.d } file "c" { param d = 10 min }',
            "trigger a { when every 10 min }",
        ),
        (
            "let rate = rate(ego.speed over 1 s) let max = max(ego.speed over 1 s) trigger a { when rate > max / 1 s }",
            "trigger a { when rate(ego.speed over 1 s) > max(ego.speed over 1 s) / 1 s }",
        ),
        (
            "let closing(objects) = any(o in objects where o.ttc < 1.5 s) trigger a { when closing(tracked) }",
            "trigger a { when any(o in tracked where o.ttc < 1.5 s) }",
        ),
        (
            "let close(l, d) = min(o.x for o in l where o.seen) < d let very(list) = close(list, 3 m)"
            " trigger a { when very(tracked) and count(p in tracked) > 2 }",
            "trigger a { when min(p.x for p in tracked where p.seen) < 3 m and count(p in tracked) > 2 }",
        ),
        (
            "let first(l) = nearest(o in l by o.x).x < 5 m trigger a { when first(tracked) or first(radar.points) }",
            "trigger a { when nearest(o in tracked by o.x).x < 5 m or nearest(o in radar.points by o.x).x < 5 m }",
        ),
        (
            "let close(o, d) = (o.x < d for 200 ms) and o.seen let ours(it) = close(it, 5 m)"
            " trigger a { when any(p in tracked where ours(p)) }",
            "trigger a { when any(o in tracked where (o.x < 5 m for 200 ms) and o.seen) }",
        ),
        (
            'let risky(o) = o.ttc < 1 s and o.kind == "car" trigger a { when risky(nearest(o in tracked by o.x)) }',
            'trigger a { when nearest(o in tracked by o.x).ttc < 1 s and nearest(o in tracked by o.x).kind == "car" }',
        ),
        (
            'import "c" as c trigger a { when c.some(tracked) and any(o in tracked where c.close(o)) }'
            ' file "c" { let close(it) = it.x < 5 m let some(l) = any(o in l where close(o)) }',
            "trigger a { when any(o in tracked where o.x < 5 m) and any(o in tracked where o.x < 5 m) }",
        ),
        ("param x = 0.3 trigger a { when lead.id > mod(x, 0.1) }", "trigger a { when lead.id > 0 }"),
        (
            "param yes = true trigger a { when (ego.speed > 1 m/s) == yes }",
            "trigger a { when (ego.speed > 1 m/s) == true }",
        ),
    ],
)
def test_a_word_stands_for_what_would_be_written_instead(own: str, plain: str, catalog: SignalCatalog) -> None:
    assert program(own, catalog) == program(plain, catalog)


def test_a_campaign_may_be_written_with_constants(catalog: SignalCatalog) -> None:
    clauses = """
        rollout {share} for {stage}, 100 %
        sample 1 in {n}
        budget {day} per vehicle per day, {most} clips
        upload up to {day} on cellular
        priority {n}
        retain {stage}
        target vehicle.hardware >= {n} and vehicle.model in {models}
    """
    text = (
        "trigger a {{ when ego.speed > 1 m/s capture {hold} before, {hold} after }} campaign c {{ collect a" + clauses
    )
    values = {"share": "10 %", "stage": "2 d", "n": "4", "day": "20 MB", "most": "30", "hold": "3 s"}
    params = " ".join(f"param {name} = {value}" for name, value in values.items())
    names = {name: name for name in values}
    plain = compiled(text.format(**values, models='("m3", "my")') + "}", catalog)
    own = compiled(f'{params} set models = ("m3", "my") ' + text.format(**names, models="models") + "}", catalog)
    assert plain.campaigns["c"].settings == own.campaigns["c"].settings
    assert plain.campaigns["c"].digest == own.campaigns["c"].digest


@pytest.mark.parametrize("word", ["param", "set"])
def test_signals_may_be_called_like_the_new_words(word: str) -> None:
    catalog = SignalCatalog.parse(f"signals: {{{word}: {{rate: 10}}, x: {{rate: 10}}}}", name="signals.yaml")
    program(
        f"let a = x >\n{word}\nlet b = x\n>\n{word} trigger t {{ when {word} > 1 and\n{word} < x or a or b }}", catalog
    )


def test_a_call_that_doubles_sixty_times_is_shared(catalog: SignalCatalog) -> None:
    lets = ["let f0(x) = x + x", *(f"let f{i}(x) = f{i - 1}(x) + f{i - 1}(x)" for i in range(1, 60))]
    triggers = compiled("\n".join(lets) + NUMBERS % "f59(ego.speed)", catalog).triggers
    nested = compiled("let d(x) = x + x " + NUMBERS % ("d(" * 60 + "ego.speed" + ")" * 60), catalog).triggers
    assert triggers is not None and nested is not None
    assert len(triggers.ir.nodes) == len(nested.ir.nodes) < 70


def test_calls_that_become_different_ones_without_end_are_too_many(catalog: SignalCatalog) -> None:
    lets = ["let f0(x) = x", *(f"let f{i}(x) = f{i - 1}(x + {i} m/s) * 1 + f{i - 1}(x * {i})" for i in range(1, 60))]
    found = messages("\n".join(lets) + NUMBERS % "f59(ego.speed)", catalog)
    assert found and all("are too many" in each and f"{MAX_CALLS:,}" in each for each in found)


def test_what_a_let_with_arguments_does_with_many_operands_is_bounded(catalog: SignalCatalog) -> None:
    wide = "let f(x) = x > 1 m/s" + " or x > 2 m/s" * 300
    triggers = "\n".join(f"trigger t{i} {{ when f(ego.speed + {i} m/s) }}" for i in range(100))
    assert any("are too many" in each for each in messages(f"{wide}\n{triggers}", catalog))


def test_an_object_whose_fields_are_read_many_times_is_bounded_before_it_is_written(catalog: SignalCatalog) -> None:
    wide = "let h(o) = o.x > 1 m" + " and o.x > 2 m" * 300
    chosen = "nearest(p in tracked by p.x where p.x > 1 m" + " and p.x > 2 m" * 300 + ")"
    (found,) = messages(f"{wide}\ntrigger t {{ when h({chosen}) }}", catalog)
    count = re.search(r"LT501 ([\d,]+) operands and operators", found)
    assert count is not None and MAX_PARTS < int(count[1].replace(",", "")) < 1.1 * MAX_PARTS


def test_a_mistake_in_a_let_is_told_for_each_use_that_has_it(catalog: SignalCatalog) -> None:
    source = "let f(x) = x > 1 m/s\ntrigger a { when f(ego.speed) or f(ego.accel) }\ntrigger b { when f(1 rad) }"
    found = messages(source, catalog)
    assert [each[:10] for each in found] == ["1:12 LT302"] * 2
    assert "as `f(ego.accel)` in line 2" in found[0] and "as `f(1 rad)` in line 3" in found[1]


def test_a_circle_is_told_once_with_the_way_around_it(catalog: SignalCatalog) -> None:
    source = (
        "let a(x) = b(x)\nlet b(x) = c(x)\nlet c(x) = a(x)\nlet d(x) = d(x)\nlet e(x) = a(x)\n" + NUMBERS % "e(1 m/s)"
    )
    assert messages(source, catalog) == [
        "1:5 LT204 `a` is defined in terms of itself: `a` uses `b` uses `c` uses `a`",
        "4:5 LT204 `d` is defined in terms of itself",
    ]


def test_a_circle_through_a_plain_let_is_found(catalog: SignalCatalog) -> None:
    (found,) = messages("let a = b\nlet b = f(1 m/s)\nlet f(x) = a + x\n" + NUMBERS % "a", catalog)
    assert "LT204" in found and "`a` uses `b`" in found and "`f(1 m/s)` uses `a`" in found
