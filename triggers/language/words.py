"""The words of the language with their forms and what they mean in a sentence: what editors complete and show."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from triggers.language.checks.calls.handlers import Forms
from triggers.language.checks.calls.table import FORMS
from triggers.language.text.expressions.lookahead import FORMS_OF_OBJECTS
from triggers.signals.units import KNOWN_UNITS


class WordKind(StrEnum):
    """Where a word stands: it begins a block or a clause of one, joins conditions, or is called."""

    BLOCK = "block"
    TRIGGER_CLAUSE = "trigger clause"
    CAPTURE_CLAUSE = "capture clause"
    CAMPAIGN_CLAUSE = "campaign clause"
    OPERATOR = "operator"
    FUNCTION = "function"


@dataclass(frozen=True, slots=True)
class LanguageWord:
    """A word, the forms in which it is written, and its meaning. Of operators, P, A and B stand for conditions."""

    text: str
    kind: WordKind
    forms: tuple[str, ...]
    summary: str


_BLOCKS = {
    "language": ("language 2", "The version of the language, as the first words of a file."),
    "let": (
        "let hard(x) = x < -4 m/s^2",
        "A name for an expression, to be used in conditions, with arguments that each use gives, or without any.",
    ),
    "param": ("param hold = 300 ms", "A name for a constant, which `--set hold=500ms` can set to another value."),
    "set": ('set rare = ("truck", "bus")', "A name for constants, for `in`: `kind in rare`."),
    "import": ('import "common.trigger" as c', "Reads another file: what it defines is then `c.name`."),
    "file": (
        'file "common.trigger" { let steady = ego.speed > 1 m/s }',
        "The text of an imported file, as it travels with the file that imports it.",
    ),
    "fence": ("fence munich { (48.10, 11.50), (48.20, 11.50), (48.20, 11.70) }", "An area, by its corners."),
    "trigger": ("trigger braking { when ego.accel < -4 m/s^2 }", "What to look for, and what to record around it."),
    "campaign": (
        "campaign braking { collect braking }",
        "Which vehicles look for which triggers, within which budget.",
    ),
}
_TRIGGER_CLAUSES = {
    "describe": ('describe "cut-ins that only the shadow saw"', "A sentence about it, for people."),
    "when": ("when ego.speed > 30 km/h for 2 s", "The condition: the trigger fires when it becomes true."),
    "cooldown": ("cooldown 30 s", "How long after a fire further rises are suppressed, and counted."),
    "capture": ("capture 5 s before, 3 s after { signals ego.* }", "The time around a fire that is recorded."),
    "tags": ('tags "braking", "snow"', "Words that its clips carry in the catalog."),
    "sample": ("sample 1 in 10", "The share of its fires that are kept, whatever the campaign says."),
    "budget": ("budget 5 clips per vehicle per day", "Limits of its own, beside those of the campaign."),
    "priority": ("priority 80", "Which clips go first, whatever the campaign says: 0 to 100."),
}
_CAPTURE_CLAUSES = {
    "signals": ("signals ego.*, lead.distance", "The signals that clips hold; `signals *`: all that are not derived."),
    "cameras": ("cameras front_main", "The cameras that clips hold."),
}
_CAMPAIGN_CLAUSES = {
    "describe": _TRIGGER_CLAUSES["describe"],
    "collect": ("collect hard_braking, cut_in", "The triggers whose fires become clips."),
    "compare": (
        "compare cut_in.detected, events cut_in.detected with driver.brake within 1 s",
        "Heads whose active and shadow values, or rises matched in time, are counted, without any upload.",
    ),
    "target": ('target vehicle.region in ("EU")', "The vehicles, by their attributes."),
    "rollout": ("rollout 1 % for 1 d, 10 % for 3 d, 100 %", "The share of them, in stages."),
    "sample": ("sample 1 in 10", "The share of fires that are kept; the choice is random and known."),
    "budget": (
        "budget 2 GB total, 50 MB per vehicle per day, 20 clips per vehicle per day then drop",
        "Limits that are never passed.",
    ),
    "upload": ("upload up to 20 MB on cellular, on wifi", "The networks that its clips may take."),
    "priority": ("priority 50", "Which clips go first: 0 to 100, 50 where it is not said."),
    "active": ("active 2026-09-01 to 2026-12-01", "The days between which it runs."),
    "retain": ("retain 90 d", "How long its clips are kept."),
}
_OPERATORS = {
    "and": ("P and Q", "True where both are; false where one is false, whatever the other is."),
    "or": ("P or Q", "True where one is, whatever the other is; false where both are."),
    "not": ("not P", "The opposite; unknown stays unknown."),
    "for": ("P for 2 s", "True once P has been true for so long."),
    "tolerating": ("P for 2 s tolerating 300 ms", "An unknown stretch of at most so long does not end the run."),
    "between": ("x between 1 m and 5 m", "x >= a and x <= b."),
    "in": ('x in ("P", "N")', "Equal to one of them."),
    "outside": ("x outside red", "Beyond the limits that the signal catalog declares for x."),
    "yellow": ("x outside yellow", "The limits of a signal beyond which it deserves attention."),
    "red": ("x outside red", "The limits of a signal beyond which something is wrong."),
    "from": ('changed(x) from "P" to "D"', "x changed, and its last known value was this one."),
    "to": ('changed(x) from "P" to "D"', "x changed, and it is this value now."),
    "then": ("A then B within 2 s", "B becomes true at most so long after A did."),
    "without": ("A without B within 2 s", "A became true, and B did not within so long after it."),
    "after": ("A then B after 1 s within 5 s", "The shortest time between the two."),
    "at most": ("P for at most 2 s", "P became true, and false again at most so long after: true at that moment."),
    "since": (
        "P since Q within 10 s",
        "P has been true ever since Q was; in a call, as `max(x since A)`, from the latest rise of A on.",
    ),
    "every": ("every 10 min", "True for a moment each time so long has passed since the segment began."),
    "within": ("A then B within 2 s", "The longest time between the two."),
    "over": ("max(x over 5 s)", "The window of time that an operator looks back on."),
    "where": ("any(o in tracked where o.x < 20 m)", "Of the objects of a list, those for which this is true."),
    "by": ("nearest(o in tracked by o.x).v", "The number that is least for the nearest of the objects."),
    "at": ("x at A", "The value that x had at the latest rise of A; alone or in parentheses."),
    "solar_time": ("solar_time > 18 h", "The local mean solar time, in hours from 0 to 24."),
    "sun_elevation": ("sun_elevation < -6 deg", "How high the sun stands above the horizon, without refraction."),
    "distance": ("distance over 30 s", "The metres travelled in the window, or since A: `distance since A`."),
    "time": ("time since A", "How long ago the latest rise of A was."),
}
_FUNCTIONS = {
    "abs": "The absolute value.",
    "sqrt": "The square root, with the root of the unit.",
    "wrap": "The angle in [-180 deg, 180 deg).",
    "min": "The least of these, or of the window's values, or among the objects of a list.",
    "max": "The greatest of these, or of the window's values, or among the objects of a list.",
    "clamp": "x, but at least `lo` and at most `hi`.",
    "sign": "-1, 0 or 1.",
    "floor": "The greatest whole number that is not above x.",
    "mod": "The remainder of x by m, from 0 to below m.",
    "bits": "The bits of a whole number that are set in the mask, too.",
    "approx": "a and b differ by at most the tolerance.",
    "default": "x where it is known, else v.",
    "if": "a where c is true, b where it is false.",
    "prev": "The value at the sample before the latest one.",
    "avg": "The mean over the samples of the window.",
    "sum": "The sum of the samples of the window, since the latest rise of A, or over the objects of a list.",
    "std": "The standard deviation of the samples of the window (of the population).",
    "integral": "The area under the samples of the window, by trapezoids, in x times seconds.",
    "median": "The middle one of the samples of the window in order; the lower of two.",
    "quantile": "The sample of the window in order that has this share of them up to itself.",
    "samples": "How many samples of x the window has; 0 if none, so it is never unknown.",
    "delta": "The latest minus the oldest value of the window.",
    "rate": "`delta` divided by the time between the two values, per second.",
    "ema": "A low-pass filter with this time constant.",
    "past": "The value so long ago.",
    "rise": "P became true: its last known value was false.",
    "fall": "P became false: its last known value was true.",
    "changed": "x differs from its last known value.",
    "missing": "x is unknown; this itself never is.",
    "age": "The time since the latest sample of a signal.",
    "once": "P was true at some time in the window.",
    "share": "The share of the known time during which P was true, as a ratio.",
    "count": "How often P became true in the window, or for how many objects of a list it is true now.",
    "flicker": "How often the known value changed in the window.",
    "hysteresis": "True once x is beyond `on`, false once it is beyond `off`.",
    "latch": "True from when `set` becomes true until `reset` is true.",
    "disagree": "Two bool or text signals differ: of a head, active and shadow.",
    "divergence": "abs(b - a): of a head, shadow minus active.",
    "near": "The position is within a distance of a place.",
    "inside": "The position is inside a fence.",
    "any": "P is true for at least one of the objects of a list that are present.",
    "all": "P is true for every object of a list that is present; so it is where there is none.",
    "nearest": "A field of the object of a list for which the number after `by` is least.",
}


def language_words() -> tuple[LanguageWord, ...]:
    """Every word of the language, of which one may stand in two kinds (`describe`)."""
    tables = (
        (WordKind.BLOCK, _BLOCKS),
        (WordKind.TRIGGER_CLAUSE, _TRIGGER_CLAUSES),
        (WordKind.CAPTURE_CLAUSE, _CAPTURE_CLAUSES),
        (WordKind.CAMPAIGN_CLAUSE, _CAMPAIGN_CLAUSES),
        (WordKind.OPERATOR, _OPERATORS),
    )
    words = [
        LanguageWord(text, kind, (form,), summary) for kind, table in tables for text, (form, summary) in table.items()
    ]
    functions = (LanguageWord(text, WordKind.FUNCTION, forms, _FUNCTIONS[text]) for text, forms in _forms().items())
    return (*words, *functions)


def _forms() -> Forms:
    """The forms of every function, those over the objects of lists last."""
    names = dict.fromkeys((*FORMS, *FORMS_OF_OBJECTS))
    of_objects = {name: (form,) for name, form in FORMS_OF_OBJECTS.items()}
    return {name: (*FORMS.get(name, ()), *of_objects.get(name, ())) for name in names}


def unit_words() -> tuple[str, ...]:
    """The units that have a symbol of their own; products, quotients and powers of them are units, too."""
    return tuple(KNOWN_UNITS)
