"""One mistake is one error with a proposal, and what the proposal means compiles."""

from __future__ import annotations

import pytest

from triggers.language.compile import compile_condition, compile_source
from triggers.language.text.diagnostics import Diagnostic, Source, Span, diagnostic_at
from triggers.signals.catalog import SignalCatalog

CONDITIONS = [
    ("solar_time > 22:30", "LT101", "solar_time > 22.5 h"),
    ("solar_time > 22:40", "LT101", "solar_time > 1360 min"),
    ('ego.gear in ["P", "R"]', "LT101", 'ego.gear in ("P", "R")'),
    ('ego.gear in {"P", "R"}', "LT103", 'ego.gear in ("P", "R")'),
    ('ego.gear not in ("P", "R")', "LT103", 'not (ego.gear in ("P", "R"))'),
    (
        "ego.speed > 5 m/s ? driver.brake : driver.override",
        "LT101",
        "if(ego.speed > 5 m/s, driver.brake, driver.override)",
    ),
    ("any(o in tracked: o.x < 20 m)", "LT101", "any(o in tracked where o.x < 20 m)"),
    ("any(o in tracked, o.x < 20 m)", "LT103", "any(o in tracked where o.x < 20 m)"),
    ("min(o.x in tracked) < 5 m", "LT103", "min(o.x for o in tracked where o.v > 0) < 5 m"),
    ("ego.speed > 1.000,5 m/s", "LT103", "ego.speed > 1000.5 m/s"),
    ("ego.speed > 1.000.000 m/s", "LT101", "ego.speed > 1000000 m/s"),
    ("ego.speed between 3 m/s, 5 m/s", "LT103", "ego.speed between 3 m/s and 5 m/s"),
    ("NOT driver.brake", "LT103", "not driver.brake"),
    ("rise driver.brake", "LT103", "rise(driver.brake)"),
    ("driver.brake /* always */ and driver.override", "LT101", "driver.brake and driver.override"),
    ("driver.brake // and more", "LT101", "driver.brake # and more"),
]
CLAUSES = [
    ("cooldown 0:30", "LT101", "cooldown 30 min"),
    ("capture 5 s before; 5 s after", "LT101", "capture 5 s before, 5 s after"),
    (
        "capture 5 s before, 5 s after { signals [ego.speed] }",
        "LT101",
        "capture 5 s before, 5 s after { signals ego.speed }",
    ),
    ("capture 5 s before, 5 s after { signals *.speed }", "LT101", "capture 5 s before, 5 s after { signals * }"),
    ('tags ["a", "b"]', "LT101", 'tags "a", "b"'),
]
CAMPAIGN_CLAUSES = [
    ("active 2026-12-01T10:00 to 2027-01-31", "LT101", "active 2026-12-01 to 2027-01-31"),
    ("active 2026-12-01 to 31.1.2027", "LT101", "active 2026-12-01 to 2027-01-31"),
    ("target vehicle.software >= 3.2.1", "LT101", 'target vehicle.software >= "3.2.1"'),
    ("target vehicle.model == m3", "LT405", 'target vehicle.model == "m3"'),
    ('target model == "m3"', "LT403", 'target vehicle.model == "m3"'),
    ("rollout 0.1 for 2 d, 100 %", "LT301", "rollout 10 % for 2 d, 100 %"),
    ("rollout 1 % for 2 d; 100 %", "LT101", "rollout 1 % for 2 d, 100 %"),
    ("retain 400", "LT109", "retain 400 d"),
]
FILES = [
    ("let limit: 5 m/s", "LT101", "let limit = 5 m/s"),
    ("param hold: 300 ms", "LT101", "param hold = 300 ms"),
    ('set rare = "a", "b"', "LT103", 'set rare = ("a", "b")'),
    ("const hold = 300 ms", "LT103", "param hold = 300 ms"),
    ("trigger t: when driver.brake", "LT101", "trigger t { when driver.brake }"),
    ("trigger t ( when driver.brake )", "LT103", "trigger t { when driver.brake }"),
    ("trigger cut-in { when driver.brake }", "LT116", "trigger cut_in { when driver.brake }"),
    ('trigger "cut_in" { when driver.brake }', "LT103", "trigger cut_in { when driver.brake }"),
    ("trigger t { driver.brake }", "LT103", "trigger t { when driver.brake }"),
    ("trigger t { driver.override == true }", "LT103", "trigger t { when driver.override == true }"),
    (
        "campaign c [ compare cut_in.detected budget 5 clips ]",
        "LT101",
        "campaign c { compare cut_in.detected budget 5 clips }",
    ),
    ("trigger t {\n when driver.override\n let a = 5\n}", "LT104", "trigger t {\n when driver.override\n}\nlet a = 5"),
    (
        "trigger t {\n when driver.override\n trigger u {\n  when driver.brake\n }\n}",
        "LT104",
        "trigger t {\n when driver.override\n}\ntrigger u {\n  when driver.brake\n}",
    ),
]
IN = {
    "condition": "trigger t {{ when {} \n}}\n",
    "clause": "trigger t {{ when ego.speed > 3 m/s\n {}\n}}\n",
    "campaign clause": "trigger t {{ when driver.override }}\ncampaign c {{ collect t budget 1 GB total\n {}\n}}\n",
    "file": "{}\n",
}
CASES = [
    (IN[kind], *case)
    for kind, cases in zip(IN, (CONDITIONS, CLAUSES, CAMPAIGN_CLAUSES, FILES), strict=True)
    for case in cases
]


def errors(source: str, catalog: SignalCatalog) -> list[Diagnostic]:
    found = compile_source(source, filename="test", catalog=catalog).diagnostics
    return [each for each in found if each.severity == "error"]


@pytest.mark.parametrize(("around", "wrong", "code", "right"), CASES, ids=[case[1] for case in CASES])
def test_one_mistake_is_one_error(around: str, wrong: str, code: str, right: str, catalog: SignalCatalog) -> None:
    found = errors(around.format(wrong), catalog)
    assert [each.code for each in found] == [code], found
    assert found[0].proposal
    assert errors(around.format(right), catalog) == []


@pytest.mark.parametrize(
    ("source", "proposal"),
    [
        ('trigger t { when inside("munich") }', "names have no quotes: write `munich`"),
        (
            "trigger t { when driver.override in tracked }",
            "ask for its objects, as in `any(o in tracked where o.x < 20 m)`",
        ),
        ("campaign c { budget 1,000 clips }", "write a decimal point: `1.000`, or nothing between thousands: `1000`"),
        ("trigger t { when driver.override budget 5 clips total }", ""),
        (
            'trigger t { when driver.override tags ["a"] }',
            "leave the brackets out: the items of a clause stand between commas",
        ),
    ],
)
def test_what_a_proposal_says(source: str, proposal: str, catalog: SignalCatalog) -> None:
    found = errors(source, catalog)
    assert proposal in [each.proposal for each in found], found


@pytest.mark.parametrize(
    ("condition", "message", "proposal"),
    [
        ("", "expected a signal, a value or `(`, found the end of the text", ""),
        (
            "when driver.brake",
            "expected the end of this condition, found `driver.brake`",
            "give the condition alone, without `when`",
        ),
        ("inside(home)", "there is no fence `home`", "only a trigger file has fences: use `near(48.1, 11.6, 500 m)`"),
        ("driver.brake for hold", "there is no constant `hold`", "write the number itself"),
        ("ego.gear in rare", "there is no set `rare`", 'list the values, as in `x in ("a", "b")`'),
        ("past(ego.speed, ego.speed) > 0", "a constant is needed here", "write the value itself"),
        ("(" * 200, "this expression nests deeper than 100 levels", "shorten it"),
        ("x" * 20_000, "the condition has more than 10,000 bytes", "shorten it"),
        ('ego.gear == "', "this quoted text is not closed on its line", 'end it with `"`'),
    ],
)
def test_a_condition_alone_is_told_nothing_that_only_a_file_can_do(
    condition: str, message: str, proposal: str, catalog: SignalCatalog
) -> None:
    found = compile_condition(condition, filename="--when", catalog=catalog).diagnostics
    assert [(each.message, each.proposal) for each in found] == [(message, proposal)]


@pytest.mark.parametrize(
    ("line", "marked", "carets"),
    [
        ('ego.gear == "日本" and foo', "foo", " " * 23 + "^^^"),
        ('ego.gear == "e\u0301" and foo', "foo", " " * 20 + "^^^"),
        ('ego.gear == "日本"', '"日本"', " " * 12 + "^^^^^^"),
        ("\tx and foo", "foo", "\t" + " " * 6 + "^^^"),
    ],
)
def test_carets_stand_under_what_they_mark(line: str, marked: str, carets: str) -> None:
    start = line.index(marked)
    span = Span(start, start + len(marked))
    found = diagnostic_at(Source(line, "test"), span, code="LT201", severity="error", message="", proposal="")
    assert found.render().splitlines()[-1] == "    " + carets


@pytest.mark.parametrize(
    ("condition", "code", "proposal"),
    [
        ("driver.brake ? 10:20", "LT101", "write `if(c, a, b)`"),
        ("ego.speed > 3 m/s ? 10:20", "LT101", "write `if(c, a, b)`"),
        ("ego.speed[10:30] > 5 m/s", "LT101", "lists have no places"),
        ("ego.speed between 3,5 m/s and 10 m/s", "LT103", "write a decimal point: `3.5`"),
        ("ego.speed > 1.5,3 m/s", "LT103", ""),
        ("ego.speed > 1,000.5 m/s", "LT103", "write nothing between thousands: `1000.5`"),
        ('inside("old town")', "LT208", "names have no quotes: write `old_town`"),
        ('inside("in")', "LT208", "names have no quotes"),
        ("inside(Munich)", "LT208", "define it: `fence munich {"),
    ],
)
def test_what_is_told_of_a_condition(condition: str, code: str, proposal: str, catalog: SignalCatalog) -> None:
    (found,) = errors(IN["condition"].format(condition), catalog)
    assert found.code == code and found.proposal.startswith(proposal) and bool(found.proposal) == bool(proposal)


@pytest.mark.parametrize(
    ("clause", "code", "proposal"),
    [
        ("target vehicle.software >= 3.120.401", "LT101", 'write `3120401`, or `"3.120.401"` for a version'),
        ("target vehicle.software >= 12.3.2025", "LT101", 'write `2025-03-12`, or `"12.3.2025"` for a version'),
        ("active 32.13.2026 to 2027-01-01", "LT101", 'write `"32.13.2026"`'),
        ("sample 1:10", "LT101", "write, for example, `sample 1 in 4`"),
        ("rollout 10:50", "LT101", "write `650 min`, if it is a time"),
        ("active 2026-12-01 10:00 to 2027-01-31", "LT101", "leave the time out"),
        ("rollout 1, 100 %", "LT301", "write `1 %`"),
        ("rollout 0.1234567 for 2 d, 100 %", "LT301", "write `12.34567 %` or `0.1234567 %`"),
    ],
)
def test_what_is_told_of_a_clause(clause: str, code: str, proposal: str, catalog: SignalCatalog) -> None:
    found = errors(IN["campaign clause"].format(clause), catalog)[0]
    assert (found.code, found.proposal) == (code, proposal)


@pytest.mark.parametrize(
    ("source", "codes", "proposal"),
    [
        ("trigger t { cooldwon = 5 s when driver.brake }", ["LT111"], "did you mean `cooldown`?"),
        ("trigger t { priority_ = 5 }", ["LT209", "LT111"], "did you mean `priority`?"),
        ('let "in" = 5', ["LT103"], "names have no quotes"),
        ('param "for" = 5 s', ["LT103"], "names have no quotes"),
        ('trigger "cut in" { when driver.brake }', ["LT103"], "names have no quotes: write `cut_in`"),
        (
            "trigger t {\n/* over\n two lines */ when driver.brake }",
            ["LT101"],
            "a comment begins with `#` and ends with its line",
        ),
    ],
)
def test_what_is_told_of_a_file(source: str, codes: list[str], proposal: str, catalog: SignalCatalog) -> None:
    found = errors(source, catalog)
    assert ([each.code for each in found], found[-1].proposal) == (codes, proposal)


@pytest.mark.parametrize("name", ["any", "all", "nearest"])
def test_a_let_may_be_called_like_a_form_of_objects(name: str, catalog: SignalCatalog) -> None:
    define = f'let {name}(a, b) = a and b\nset rare = ("P", "R")\n'
    assert errors(f"{define}trigger t {{ when {name}(ego.gear in rare, driver.brake) }}", catalog) == []
