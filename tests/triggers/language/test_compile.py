"""Promises of the compiler: it never raises, gives the same bytes for the same source, and fills in the defaults."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.triggers.language.support import CATALOG
from triggers.contracts.campaign import BudgetLimits, Comparison, Junction, Network
from triggers.contracts.limits import MAX_SOURCE_BYTES
from triggers.language.checks import checker
from triggers.language.compile import Compilation, compile_bytes, compile_source
from triggers.language.text.diagnostics import render_all
from triggers.language.text.formatter import format_source
from triggers.language.webassembly.host.manifest import read_manifest
from triggers.signals.catalog import SignalCatalog

GOLDEN = sorted((Path(__file__).parent / "text" / "golden").glob("*.trigger"))
_VOCABULARY = """
trigger campaign let fence { } ( ) , = == < > + - * / and or not for tolerating then without within over in between
when cooldown capture before after signals cameras tags describe collect target budget per vehicle day total clips
rollout sample upload on wifi up to priority active retain x p flag mode angle h t c 1 2.5 1e9 % s ms m/s 20 -5 "off"
2026-12-01 rise min past avg count hysteresis near inside divergence missing true keep drop * 1 in 4
"""
_WORDS = st.sampled_from([*_VOCABULARY.split(), "\n"])


def compiled(source: str, catalog: SignalCatalog = CATALOG) -> Compilation:
    """A compilation without errors."""
    result = compile_source(source, filename="test", catalog=catalog)
    assert result.ok, render_all(result.diagnostics)
    return result


@given(st.text(max_size=200))
@example("trigger t { when ((((")
@example('"')
@example("1e")
@example("\ud800")
def test_no_text_makes_the_compiler_raise(text: str) -> None:
    compile_source(text, filename="test", catalog=CATALOG)


@settings(max_examples=200)
@given(st.lists(_WORDS, max_size=60).map(" ".join))
def test_no_sequence_of_the_languages_words_makes_it_raise(text: str) -> None:
    for source in (text, f"trigger t {{ when {text}\n}}", f"campaign c {{ {text}\n}}"):
        result = compile_source(source, filename="test", catalog=CATALOG)
        assert result.ok is not any(d.severity == "error" for d in result.diagnostics)


@given(st.sampled_from(GOLDEN), st.integers(0, 2000), st.integers(0, 60), st.text(max_size=3))
def test_no_damage_to_a_file_makes_it_raise(path: Path, at: int, cut: int, put: str) -> None:
    text = path.read_text()
    compile_source(text[:at] + put + text[at + cut :], filename="test", catalog=CATALOG)


@given(st.binary(max_size=100))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    compile_bytes(data, filename="test", catalog=CATALOG)


@pytest.mark.parametrize(
    "condition",
    [
        "(" * 20_000 + "p" + ")" * 20_000,
        "not " * 20_000 + "p",
        "- " * 20_000 + "x > 1",
        "x" + " + x" * 20_000 + " > 1",
        "p" + " and p" * 20_000,
        "abs(" * 20_000 + "x",
        "x > " + "9" * 100_000,
        "x > " + "9" * 50 + " * 1e300" * 90,
        "x > 1 / 1e300 / 1e300 / 1e300 / 1e300 / 1e300",
        "count(p over 1 h) > 1e300",
    ],
    ids=lambda condition: condition[:12],
)
def test_huge_input_gives_a_diagnostic_or_compiles(condition: str) -> None:
    result = compile_source(f"trigger t {{ when {condition} }}", filename="test", catalog=CATALOG)
    assert result.ok or result.diagnostics
    if result.triggers is not None:
        assert read_manifest(result.triggers.program).triggers[0].name == "t"


def test_lets_that_double_do_not_explode() -> None:
    lets = "\n".join(f"let a{n} = a{n - 1} + a{n - 1}" for n in range(1, 90))
    result = compiled(f"let a0 = x\n{lets}\ntrigger t {{ when a89 > 1 }}")
    assert result.triggers is not None
    assert len(result.triggers.ir.nodes) < 100


def test_an_error_is_shown_however_many_warnings_stand_before_it() -> None:
    warned = "\n".join(f"trigger t{n} {{ when x > {n} for 1 ms }}" for n in range(300))
    result = compile_source(f"{warned}\ntrigger e {{ when z > 1 }}", filename="test", catalog=CATALOG)
    assert len(result.diagnostics) == 200
    assert [d.code for d in result.diagnostics if d.severity == "error"] == ["LT201"]


def test_a_campaigns_program_depends_on_nothing_else_in_its_file() -> None:
    campaign = "let a = x > 1\ntrigger t { when a or y > 2 }\ncampaign c { collect t budget 1 clips }"
    alone = compiled(campaign).campaigns["c"].digest
    among_others = compiled(f"let b = y + 2 * slow > 1\ntrigger u {{ when b }}\n{campaign}").campaigns["c"].digest
    assert among_others == alone


def test_many_campaigns_with_many_lets_take_no_longer_than_each_on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    monkeypatch.setattr(checker, "check_let", lambda _, name: checked.append(name.name))
    lets = "\n".join(f"let a{n} = x > {n}" for n in range(100))
    campaigns = "\n".join(f"campaign c{n} {{ collect t budget 1 clips }}" for n in range(100))
    compiled(f"{lets}\ntrigger t {{ when a5 }}\n{campaigns}")
    assert len(checked) == 100 + 1 + 100  # all of them once, then those of each program


def test_a_fence_in_radians_is_the_fence_in_degrees() -> None:
    corners = []
    for written in ("(0, 0), (45, 0), (45, 90)", "(0, 0 deg), (45 deg, 0 rad), (785.3981633974483 mrad, 90)"):
        triggers = compiled(f"fence f {{ {written} }}\ntrigger t {{ when inside(f) }}").triggers
        assert triggers is not None
        corners.append(triggers.ir.nodes[-1].parameter("edges"))
    assert corners[1] == pytest.approx(corners[0])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("trigger t { when x > 1 }\n" + "campaign c { collect t budget 1 clips }\n" * 1001, "1,001 campaigns"),
        ("trigger t { when x > 1 }\n" * 1001, "1,001 triggers"),
    ],
)
def test_a_file_of_too_many_blocks_is_refused(source: str, message: str) -> None:
    result = compile_source(source, filename="test", catalog=CATALOG)
    assert [d.message for d in result.diagnostics if d.code == "LT501"] == [
        f"{message} are too many: a file may have at most 1,000"
    ]


def test_a_program_of_too_many_signals_is_refused() -> None:
    signals = "\n".join(f"  s{n}: {{rate: 1}}" for n in range(5001))
    catalog = SignalCatalog.parse(f"limits: {{operations: 1000000000}}\nsignals:\n{signals}\n", name="test catalog")
    terms = [" or ".join(f"s{n} > 1" for n in range(k, min(k + 1000, 5001))) for k in range(0, 5001, 1000)]
    source = "\n".join(f"trigger t{k} {{ when {condition} }}" for k, condition in enumerate(terms))
    result = compile_source(source, filename="test", catalog=catalog)
    assert [d.message for d in result.diagnostics if d.severity == "error"] == [
        "5,001 signals are too many: a program may have at most 5,000"
    ]


def test_a_long_chain_of_lets_used_before_their_definition_is_refused_or_compiles() -> None:
    lets = "\n".join(f"let a{n} = a{n + 1} + 1" for n in range(5000))
    result = compile_source(f"{lets}\nlet a5000 = x\n", filename="test", catalog=CATALOG)
    assert {d.code for d in result.diagnostics} <= {"LT107"}


def test_invalid_utf8_is_a_diagnostic_at_its_byte() -> None:
    result = compile_bytes(b"# line\nlet a = \xff", filename="test", catalog=CATALOG)
    assert [(d.code, d.line, d.column) for d in result.diagnostics] == [("LT113", 2, 9)]


def test_a_file_beyond_the_limit_is_a_diagnostic() -> None:
    result = compile_bytes(b"#" * (MAX_SOURCE_BYTES + 1), filename="test", catalog=CATALOG)
    assert [d.code for d in result.diagnostics] == ["LT114"]


def test_a_place_needs_the_catalogs_position() -> None:
    catalog = SignalCatalog.parse("signals: {x: {rate: 1}}", name="bare")
    result = compile_source("trigger t { when near(48, 11, 5 km) }", filename="test", catalog=catalog)
    assert [d.code for d in result.diagnostics] == ["LT211"]


def test_a_distance_needs_a_speed_or_a_position() -> None:
    for signals in ("x: {rate: 1}", "ego.speed: {rate: 1}", "ego.speed: {type: bool, rate: 1}"):
        catalog = SignalCatalog.parse(f"signals: {{{signals}}}", name="signals.yaml")
        result = compile_source("trigger t { when distance over 1 s > 1 m }", filename="t", catalog=catalog)
        assert [d.code for d in result.diagnostics] == ["LT213"]


def test_the_speed_of_a_distance_may_be_derived() -> None:
    signals = """signals: {ego.speed: {unit: m/s, derived: "wheel / 2"}, wheel: {unit: m/s, rate: 1}}"""
    result = compile_source(
        "trigger t { when distance over 5 s > 1 m }",
        filename="t",
        catalog=SignalCatalog.parse(signals, name="signals.yaml"),
    )
    assert result.triggers is not None
    assert [item.name for item in result.triggers.ir.inputs] == ["wheel"]


@pytest.mark.parametrize("compared", ["between 1 m and distance", "> 1 m and distance > distance", "> 2 * distance"])
def test_where_distance_is_a_signal_a_window_after_it_is_that_of_the_call(compared: str) -> None:
    catalog = SignalCatalog.parse("signals: {distance: {unit: m, rate: 10}}", name="s")
    bare = compile_source(f"trigger t {{ when once(distance {compared} over 5 s) }}", filename="t", catalog=catalog)
    apart = compile_source(f"trigger t {{ when once((distance {compared}) over 5 s) }}", filename="t", catalog=catalog)
    assert bare.ok and bare.triggers is not None and apart.triggers is not None
    assert bare.triggers.ir == apart.triggers.ir


def test_a_program_has_one_odometer() -> None:
    catalog = SignalCatalog.parse("signals: {ego.speed: {unit: km/h, rate: 1}, p: {type: bool, rate: 1}}", name="s")
    source = "trigger t { when distance over 5 s > 1 m and distance over 9 s < 1 m or distance since p > 1 km }"
    compilation = compile_source(source, filename="t", catalog=catalog)
    assert compilation.triggers is not None
    assert [node.op for node in compilation.triggers.ir.nodes].count("odometer") == 1


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    source = "\ufefftrigger t {\r\n    when p\r\n}\r\n".encode()
    assert compile_bytes(source, filename="test", catalog=CATALOG).ok


def test_the_same_source_gives_the_same_bytes_and_comments_do_not_count() -> None:
    source = "trigger t { when rise(p) and x > 5 }\ncampaign c { collect t budget 1 GB total }"
    other = "# a comment\n" + source.replace(" and ", "\n        and ")
    assert compiled(source).campaigns["c"].program == compiled(source).campaigns["c"].program
    assert compiled(source).campaigns["c"].digest == compiled(other).campaigns["c"].digest


def test_a_campaigns_program_holds_its_triggers_alone() -> None:
    source = """
    trigger a { when x > 1 }
    trigger b { when y > 1 }
    campaign c { collect b budget 1 clips }
    """
    program = compiled(source).campaigns["c"].ir
    assert [trigger.name for trigger in program.triggers] == ["b"]
    assert [item.name for item in program.inputs] == ["y"]


def test_equal_sub_expressions_are_shared() -> None:
    result = compiled("trigger a { when x > 1 and p }\ntrigger b { when x > 1 and q }")
    assert result.triggers is not None
    assert sum(node.op == "gt" for node in result.triggers.ir.nodes) == 1


def test_defaults_of_a_trigger_and_a_campaign() -> None:
    settings_ = compiled("trigger t { when x > y }\ncampaign c { collect t budget 5 clips }").campaigns["c"].settings
    (trigger,) = settings_.triggers
    assert (trigger.cooldown_ns, trigger.capture.before_ns, trigger.capture.after_ns) == (0, 5 * 10**9, 5 * 10**9)
    assert (trigger.capture.signals, trigger.capture.cameras) == (("x", "y"), ())
    assert (settings_.sample_one_in, settings_.priority, settings_.target) == (1, 50, None)
    assert [(route.network, route.up_to_bytes) for route in settings_.upload] == [(Network.WIFI, None)]
    assert [(stage.share, stage.duration_ns) for stage in settings_.rollout] == [(1.0, None)]
    assert settings_.budget == BudgetLimits(clips=5)


def test_every_clause_of_a_campaign_reaches_its_settings(catalog: SignalCatalog) -> None:
    source = """
    trigger t { when driver.brake }
    campaign c {
        describe "why"
        collect t
        compare cut_in.detected
        target vehicle.model in ("m3", "my") and not vehicle.hardware < 3 and vehicle.towing
        rollout 1 % for 2 d, 100 %
        sample 1 in 4
        budget 20 MB per vehicle per day, 2 TiB total, 30000 clips
        upload on wifi, up to 2 MB on cellular
        priority 70
        active 2026-12-01 to 2027-01-31
        retain 400 d
    }
    """
    settings_ = compiled(source, catalog).campaigns["c"].settings
    assert settings_.compare == ("cut_in.detected",)
    assert isinstance(settings_.target, Junction)
    assert settings_.target.operands[0] == Comparison(attribute="model", op="in", values=("m3", "my"))
    assert settings_.target.operands[2] == Comparison(attribute="towing", op="==", values=(True,))
    assert [(stage.share, stage.duration_ns) for stage in settings_.rollout] == [(0.01, 172_800 * 10**9), (1.0, None)]
    assert settings_.budget == BudgetLimits(vehicle_day_bytes=20_000_000, total_bytes=2 * 2**40, clips=30_000)
    assert [(r.network, r.up_to_bytes) for r in settings_.upload] == [("wifi", None), ("cellular", 2_000_000)]
    assert (settings_.priority, settings_.sample_one_in) == (70, 4)
    assert (settings_.active_from, settings_.active_to) == (date(2026, 12, 1), date(2027, 1, 31))
    assert settings_.retain_ns == 400 * 86_400 * 10**9


@pytest.mark.parametrize(("rule", "expected"), [("", "keep"), (" then keep", "keep"), (" then drop", "drop")])
def test_a_campaign_says_what_becomes_of_a_clip_that_its_day_refuses(rule: str, expected: str) -> None:
    source = f"trigger t {{ when x > y }}\ncampaign c {{ collect t budget 5 MB per vehicle per day{rule}, 9 clips }}"
    budget = compiled(source).campaigns["c"].settings.budget
    assert budget == BudgetLimits(vehicle_day_bytes=5_000_000, clips=9, when_day_is_spent=expected)
    assert (b"when_day_is_spent" in budget.canonical_json()) == (expected == "drop")
    formatted = format_source(source, filename="test").text
    assert f"5 MB per vehicle per day{rule}, 9 clips" in formatted
    assert format_source(formatted, filename="test").text == formatted


def test_a_vehicles_day_may_be_limited_in_bytes_and_in_clips() -> None:
    source = "trigger t { when x > y }\ncampaign c { collect t budget 5 MB per vehicle per day, "
    source += "20 clips per vehicle per day then drop, 9 clips }"
    budget = compiled(source).campaigns["c"].settings.budget
    expected = BudgetLimits(vehicle_day_bytes=5_000_000, vehicle_day_clips=20, clips=9, when_day_is_spent="drop")
    assert budget == expected
    assert b"vehicle_day_clips" not in BudgetLimits(clips=9).canonical_json()
    formatted = format_source(source, filename="test").text
    assert "20 clips per vehicle per day then drop, 9 clips" in formatted


def test_a_triggers_sample_and_priority_replace_those_of_its_campaign() -> None:
    source = """
    trigger often { when x > y sample 1 in 20 }
    trigger rare { when x > y and p priority 0 sample 1 in 1 }
    trigger plain { when p }
    campaign c { collect often, rare, plain sample 1 in 4 budget 5 clips priority 40 }
    """
    settings_ = compiled(source).campaigns["c"].settings
    told = {each.name: (settings_.one_in(each), settings_.priority_of(each)) for each in settings_.triggers}
    assert told == {"often": (20, 40), "rare": (1, 0), "plain": (4, 40)}
    plain = settings_.triggers[2].canonical_json()
    assert b"sample_one_in" not in plain and b"priority" not in plain


def test_the_clauses_that_triggers_have_got_are_still_names_after_an_operator() -> None:
    catalog = SignalCatalog.parse("signals: {priority: {rate: 1}, sample: {rate: 1}}", name="s")
    source = "trigger t {\n    when sample > 1 and\n        priority > sample +\n        sample * 2\n    priority 3\n}"
    result = compile_source(source, filename="t", catalog=catalog)
    assert result.ok and result.triggers is not None
    assert result.triggers.settings[0].priority == 3


def test_words_of_the_language_are_names_where_no_clause_can_begin() -> None:
    source = """
    let budget = x > 1
    trigger priority { when budget and p cooldown 5 s tags "a" }
    campaign active { collect priority budget 1 clips }
    """
    assert set(compiled(source).campaigns) == {"active"}


def test_a_literal_is_rounded_once_into_the_signals_unit(catalog: SignalCatalog) -> None:
    result = compiled("trigger t { when ego.speed > 20 km/h * 3 / 7 or ego.heading > 0.3 rad }", catalog)
    assert result.triggers is not None
    constants = [n.parameters[0] for n in result.triggers.ir.nodes if n.op == "number"]
    assert constants == [20 * 3 / 7 / 3.6, 17.188733853924695]


def test_mixed_units_of_two_signals_are_converted(catalog: SignalCatalog) -> None:
    result = compiled("trigger t { when shadow.lead.distance - active.lead.distance > 1 ft }", catalog)
    assert result.triggers is not None
    assert [n.parameters[0] for n in result.triggers.ir.nodes if n.op == "number"] == [100.0, 30.48]
