"""The mistakes an author can make, one method each: code, message in the author's terms, proposal.

Codes are stable: LT1xx form, LT2xx names, LT3xx types and units, LT4xx campaigns, LT5xx limits, LT9xx warnings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from triggers.language.text.diagnostics import Diagnostic, Severity, Source, Span, diagnostic_at

MAX_DIAGNOSTICS = 200
MEANT = {"&&": "and", "&": "and", "||": "or", "|": "or", "!": "not"}
"""Signs of other languages, and the words for them in this one."""


def quoted(names: Iterable[str], word: str = "or") -> str:
    """`a`, `b` or `c`."""
    shown = [f"`{name}`" for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {word} {shown[-1]}" if shown else ""


def _did_you_mean(nearest: Sequence[str]) -> str:
    return f"did you mean {quoted(nearest)}?" if nearest else ""


def _order(finding: Diagnostic) -> tuple[int, int, str]:
    return finding.line, finding.column, finding.code


class Collector:
    """Collects findings of one file; a place is reported once for each code."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.names_compared = 0
        """Names with which unknown ones were compared, to propose the nearest."""
        self._findings: dict[tuple[str, Span], Diagnostic] = {}

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All findings by place; of more than MAX_DIAGNOSTICS the first ones, errors before warnings."""
        ordered = sorted(self._findings.values(), key=_order)
        if len(ordered) > MAX_DIAGNOSTICS:  # an error must not hide behind warnings
            ordered.sort(key=lambda finding: finding.severity is not Severity.ERROR)
            ordered = sorted(ordered[:MAX_DIAGNOSTICS], key=_order)
        return tuple(ordered)

    @property
    def has_errors(self) -> bool:
        """True when a finding keeps the file from being compiled."""
        return any(d.severity is Severity.ERROR for d in self._findings.values())

    def _error(self, code: str, span: Span, message: str, proposal: str = "") -> None:
        self._add(code, Severity.ERROR, span, message, proposal)

    def _warning(self, code: str, span: Span, message: str, proposal: str = "") -> None:
        self._add(code, Severity.WARNING, span, message, proposal)

    def _add(self, code: str, severity: Severity, span: Span, message: str, proposal: str) -> None:
        finding = diagnostic_at(self.source, span, code=code, severity=severity, message=message, proposal=proposal)
        self._findings.setdefault((code, span), finding)


class FormMistakes(Collector):
    """LT1xx: the text does not have the form of the language."""

    def unexpected_characters(self, span: Span, text: str) -> None:
        """LT101: characters that do not start a token."""
        proposal = f"write `{MEANT[text]}`" if text in MEANT else ""
        if text == ";":
            proposal = "leave it out: a clause ends where the next one begins"
        self._error("LT101", span, f"`{text[:20]}` has no meaning in this language", proposal)

    def unclosed_text(self, span: Span) -> None:
        """LT102: a quoted text without its closing quote."""
        self._error("LT102", span, "this text has no closing quote on its line", 'end it with `"`')

    def expected(self, span: Span, what: str, found: str, proposal: str = "") -> None:
        """LT103: something else was needed here."""
        self._error("LT103", span, f"expected {what}, found {found}", proposal)

    def unclosed_block(self, span: Span, kind: str, name: str) -> None:
        """LT104: a block without its closing brace."""
        self._error("LT104", span, f"{kind} `{name}` is not closed", "end it with `}`")

    def ambiguous_not(self, span: Span) -> None:
        """LT105: `not P for D` can be read in two ways."""
        proposal = "write `(not P) for D` or `not (P for D)`"
        self._error("LT105", span, "`not P for D` can be read in two ways", proposal)

    def chained(self, span: Span, operator: str) -> None:
        """LT106: operators that cannot be chained."""
        proposal = "write `x between a and b`" if operator in ("<", "<=", ">", ">=") else "use parentheses"
        self._error("LT106", span, f"`{operator}` cannot follow another operator of its kind", proposal)

    def too_deep(self, span: Span, limit: int) -> None:
        """LT107: nesting beyond the limit."""
        proposal = "take parts of it out with `let`"
        self._error("LT107", span, f"this expression nests deeper than {limit} levels", proposal)

    def too_deep_lets(self, span: Span, limit: int) -> None:
        """LT107 of lets that are each used before they are defined."""
        message = f"more than {limit} `let`s in a row are used before they are defined"
        self._error("LT107", span, message, "define each `let` above its uses")

    def number_out_of_range(self, span: Span, text: str) -> None:
        """LT108: a number that no float holds."""
        self._error("LT108", span, f"`{text[:40]}` is beyond the range of numbers")

    def duration_without_unit(self, span: Span, text: str) -> None:
        """LT109: a duration is a number with a unit of time."""
        self._error("LT109", span, f"a duration needs a unit of time, but `{text}` has none", f"write `{text} s`")

    def repeated_clause(self, span: Span, word: str) -> None:
        """LT110: a clause given twice."""
        self._error("LT110", span, f"`{word}` is given twice in this block", "keep one of them")

    def unknown_clause(self, span: Span, word: str, block: str, nearest: Sequence[str]) -> None:
        """LT111: a word that does not begin a clause."""
        self._error("LT111", span, f"a {block} has no clause `{word}`", _did_you_mean(nearest))

    def no_date(self, span: Span, text: str) -> None:
        """LT112: a date that is in no calendar."""
        self._error("LT112", span, f"`{text}` is not a date", "write it as `2026-12-31`")

    def not_utf8(self, span: Span, byte: int) -> None:
        """LT113: bytes that are not UTF-8."""
        self._error("LT113", span, f"the file is not UTF-8 at byte {byte}", "save it as UTF-8")

    def too_large(self, span: Span, limit: int) -> None:
        """LT114: a file beyond the limit."""
        self._error("LT114", span, f"the file has more than {limit:,} bytes", "split it into several files")

    def assignment_in_condition(self, span: Span) -> None:
        """LT115: `=` where `==` compares."""
        self._error("LT115", span, "`=` does not compare", "write `==`")

    def bad_name(self, span: Span, name: str) -> None:
        """LT116: names of triggers, campaigns, fences and lets are lower-case words."""
        proposal = "write a lower-case letter, then letters, digits and `_`, 64 at most"
        self._error("LT116", span, f"`{name[:80]}` cannot be a name here", proposal)


class NameMistakes(Collector):
    """LT2xx: a name that means nothing here, or something else."""

    def unknown_signal(self, span: Span, name: str, nearest: Sequence[str]) -> None:
        """LT201: neither a signal of the catalog nor a `let`."""
        self._error("LT201", span, f"the signal catalog has no `{name}`", _did_you_mean(nearest))

    def unit_apart(self, span: Span, name: str) -> None:
        """LT201, where a unit was written with blanks."""
        self._error("LT201", span, f"the signal catalog has no `{name}`", "write a unit without blanks, as in `km/h`")

    def text_without_quotes(self, span: Span, name: str, subject: str, values: Sequence[str]) -> None:
        """LT201, where a text signal is compared with a bare word."""
        shown = quoted((f'"{value}"' for value in values), "and")
        proposal = f'write `"{name}"`' if name in values else f"the values of {subject} are {shown}"
        self._error("LT201", span, f"the signal catalog has no `{name}`", proposal)

    def unknown_function(self, span: Span, name: str, nearest: Sequence[str]) -> None:
        """LT202: no operator of that name."""
        self._error("LT202", span, f"there is no operator `{name}`", _did_you_mean(nearest))

    def repeated_name(self, span: Span, kind: str, name: str) -> None:
        """LT203: two blocks of one kind with one name."""
        self._error("LT203", span, f"there is already a {kind} `{name}`", "choose another name")

    def circular_let(self, span: Span, name: str) -> None:
        """LT204: a `let` that needs itself."""
        self._error("LT204", span, f"`{name}` is defined in terms of itself")

    def unknown_camera(self, span: Span, name: str, nearest: Sequence[str]) -> None:
        """LT205: the catalog has no such camera."""
        self._error("LT205", span, f"the signal catalog has no camera `{name}`", _did_you_mean(nearest))

    def empty_pattern(self, span: Span, pattern: str, nearest: Sequence[str]) -> None:
        """LT206: a wildcard that no signal matches."""
        self._error("LT206", span, f"no signal of the catalog matches `{pattern}`", _did_you_mean(nearest))

    def unknown_head(self, span: Span, name: str, nearest: Sequence[str]) -> None:
        """LT207: a head needs an active and a shadow signal."""
        proposal = _did_you_mean(nearest) or f"declare both `active.{name}` and `shadow.{name}`"
        self._error("LT207", span, f"the signal catalog has no head `{name}`", proposal)

    def unknown_fence(self, span: Span, name: str, nearest: Sequence[str]) -> None:
        """LT208: no fence block of that name."""
        self._error("LT208", span, f"there is no fence `{name}` in this file", _did_you_mean(nearest))

    def no_when(self, span: Span, name: str) -> None:
        """LT209: a trigger without condition."""
        self._error("LT209", span, f"trigger `{name}` has no condition", "add a line `when ...`")

    def no_position(self, span: Span, name: str) -> None:
        """LT211: `near` and `inside` need the catalog's position."""
        proposal = "declare `position: {latitude: ..., longitude: ...}` in the signal catalog"
        self._error("LT211", span, f"`{name}` needs the vehicle's position", proposal)


class TypeMistakes(Collector):
    """LT3xx: types and units that do not fit."""

    def needs_unit(self, span: Span, subject: str, what: str, proposals: Sequence[str]) -> None:
        """LT301: a bare number beside a quantity with a unit."""
        self._error("LT301", span, f"{subject} is {what}", f"write {quoted(proposals)}" if proposals else "")

    def other_dimension(self, span: Span, left: str, right: str) -> None:
        """LT302: quantities of different dimensions."""
        self._error("LT302", span, f"{left} and {right} cannot be compared, added or subtracted")

    def not_an_angle(self, span: Span, what: str) -> None:
        """LT302 of `wrap`, which has one operand."""
        self._error("LT302", span, f"`wrap` needs an angle here, but this is {what}", "give it one in `deg` or `rad`")

    def unknown_unit(self, span: Span, unit: str, nearest: Sequence[str]) -> None:
        """LT303: a unit that the table does not have."""
        self._error("LT303", span, f"`{unit}` is not a unit of this language", _did_you_mean(nearest))

    def not_a_condition(self, span: Span, what: str, proposal: str) -> None:
        """LT304: a truth value is needed."""
        self._error("LT304", span, f"a condition is needed here, but this is {what}", proposal)

    def not_a_number(self, span: Span, what: str) -> None:
        """LT305: a number is needed."""
        self._error("LT305", span, f"a number is needed here, but this is {what}")

    def text_order(self, span: Span, operator: str) -> None:
        """LT306: texts and truth values have no order."""
        message = f"`{operator}` compares numbers; texts and truth values have no order"
        self._error("LT306", span, message, "use `==`, `!=` or `in`")

    def unknown_value(self, span: Span, subject: str, value: str, known: Sequence[str]) -> None:
        """LT307: a text that the signal never takes."""
        self._error("LT307", span, f'{subject} is never "{value}"', f"its values are {quoted(known, 'and')}")

    def affine_arithmetic(self, span: Span, unit: str) -> None:
        """LT308: sums and products on a temperature scale."""
        proposal = "only a difference of two temperatures means something; it is in K"
        self._error("LT308", span, f"{unit} has an arbitrary zero, so this has no meaning", proposal)

    def wrong_arguments(self, span: Span, function: str, form: str) -> None:
        """LT309: an operator used in a form it does not have."""
        self._error("LT309", span, f"`{function}` is not used like this", f"write `{form}`")

    def needs_rate(self, span: Span, what: str, signals: Sequence[str]) -> None:
        """LT310: a window needs the declared rate of its signals to bound its memory, a pair to know its skew."""
        message = f"{what} needs the rate of {quoted(signals, 'and')}, which the signal catalog does not give"
        self._error("LT310", span, message, "declare `rate` in the signal catalog")

    def not_a_duration(self, span: Span, what: str, meant: str = "") -> None:
        """LT311: a time longer than zero is needed."""
        proposal = f"write `{meant}`" if meant else "write, for example, `2 s`"
        self._error("LT311", span, f"a time is needed here, but this is {what}", proposal)

    def duration_range(self, span: Span, low: str, high: str) -> None:
        """LT312: a time outside its limits."""
        self._error("LT312", span, f"this time must lie between {low} and {high}")

    def not_comparable(self, span: Span, left: str, right: str, proposal: str = "") -> None:
        """LT313: values of different types."""
        self._error("LT313", span, f"{left} cannot be compared with {right}", proposal)

    def equal_thresholds(self, span: Span) -> None:
        """LT314: a hysteresis needs two thresholds."""
        self._error("LT314", span, "the two thresholds of a hysteresis must differ")

    def not_a_signal(self, span: Span, function: str) -> None:
        """LT315: an operator that looks at samples needs a signal itself."""
        self._error("LT315", span, f"`{function}` needs a signal here, not an expression")

    def impossible_constant(self, span: Span, why: str) -> None:
        """LT316: constants whose result no float holds."""
        self._error("LT316", span, f"this constant {why}")

    def not_a_constant(self, span: Span) -> None:
        """LT317: a constant is needed."""
        self._error("LT317", span, "a constant is needed here")

    def bad_place(self, span: Span, what: str) -> None:
        """LT318: a latitude, longitude, radius or fence outside its limits."""
        self._error("LT318", span, what)

    def text_alone(self, span: Span) -> None:
        """LT319: a quoted text has a meaning only beside a text signal."""
        self._error("LT319", span, "a text can only be compared with a text signal")

    def no_square_root(self, span: Span, unit: str) -> None:
        """LT320: a square root whose unit does not exist."""
        self._error("LT320", span, f"the square root of a quantity in {unit} has no unit")


class CampaignMistakes(Collector):
    """LT4xx: campaign blocks."""

    def no_budget(self, span: Span, name: str) -> None:
        """LT401: a campaign must have a budget."""
        proposal = "add a line such as `budget 20 MB per vehicle per day, 2 TB total`"
        self._error("LT401", span, f"campaign `{name}` has no budget", proposal)

    def unknown_trigger(self, span: Span, name: str, nearest: Sequence[str]) -> None:
        """LT402: `collect` names a trigger that the file does not have."""
        self._error("LT402", span, f"there is no trigger `{name}` in this file", _did_you_mean(nearest))

    def unknown_attribute(self, span: Span, name: str, nearest: Sequence[str]) -> None:
        """LT403: vehicles have no such attribute."""
        self._error("LT403", span, f"the signal catalog declares no attribute `{name}`", _did_you_mean(nearest))

    def attribute_type(self, span: Span, name: str, declared: str) -> None:
        """LT404: a target compares an attribute with a value of another type."""
        article = "an" if declared[0] in "aeiou" else "a"
        self._error("LT404", span, f"`{name}` is {article} {declared}; this value is not")

    def not_a_target(self, span: Span) -> None:
        """LT405: a target tests attributes of vehicles, nothing else."""
        proposal = 'write, for example, `vehicle.model == "m3" and vehicle.hardware >= 3`'
        self._error("LT405", span, "a target compares attributes of vehicles with constants", proposal)

    def collects_nothing(self, span: Span, name: str) -> None:
        """LT406: a campaign without trigger."""
        proposal = "add a line `collect ...` that names triggers"
        self._error("LT406", span, f"campaign `{name}` collects nothing", proposal)

    def out_of_range(self, span: Span, what: str, allowed: str) -> None:
        """LT407: a number outside its limits."""
        self._error("LT407", span, f"{what} must be {allowed}")

    def rollout_order(self, span: Span, why: str) -> None:
        """LT408: rollout stages that contradict each other."""
        self._error("LT408", span, why, "write, for example, `rollout 1 % for 2 d, 10 % for 2 d, 100 %`")

    def not_bytes(self, span: Span, text: str) -> None:
        """LT409: an amount of data is needed."""
        self._error("LT409", span, f"`{text}` is not an amount of data", "write, for example, `20 MB`")

    def dates_reversed(self, span: Span) -> None:
        """LT410: a campaign that ends before it begins."""
        self._error("LT410", span, "the last day is before the first")

    def given_twice(self, span: Span, what: str) -> None:
        """LT411: a limit, network, trigger or head given twice."""
        self._error("LT411", span, f"{what} is given twice", "keep one of them")

    def unknown_network(self, span: Span, name: str, known: Sequence[str]) -> None:
        """LT412: no class of network of that name."""
        self._error("LT412", span, f"`{name}` is not a class of network", f"write {quoted(known)}")


class LimitMistakes(Collector):
    """LT5xx: a program beyond what a vehicle accepts."""

    def too_many(self, span: Span, what: str, count: int, limit: int, whose: str = "a program") -> None:
        """LT501: too many triggers, campaigns, sub-expressions, signals or window entries."""
        self._error("LT501", span, f"{count:,} {what} are too many: {whose} may have at most {limit:,}")

    def too_much_state(self, span: Span, whose: str, needed: int, limit: int, most: str) -> None:
        """LT502: more state than the signal catalog's `limits` give a campaign."""
        message = f"{whose} needs {needed:,} bytes of state, but the limit is {limit:,}; {most} of them"
        proposal = "shorten the window or delay, lower the `rate` of its signals in the catalog, or split the campaign"
        self._error("LT502", span, message, proposal)

    def too_many_operations(self, span: Span, whose: str, needed: int, limit: int, most: str) -> None:
        """LT503: more operations per tick than the signal catalog's `limits` give a campaign."""
        message = f"{whose} needs {needed:,} operations per tick, but the limit is {limit:,}; {most} of them"
        proposal = "split the campaign, or raise `limits` in the signal catalog if the vehicles can bear it"
        self._error("LT503", span, message, proposal)

    def too_much_memory(self, span: Span, whose: str, needed: int, limit: int) -> None:
        """LT504: a program that needs more memory than a module may have."""
        message = f"{whose} needs {needed:,} bytes of memory, but a module may have at most {limit:,}"
        self._error("LT504", span, message, "shorten its windows or count fewer events, or split it")


class Warnings(Collector):
    """LT9xx: what compiles, but is hardly what was meant."""

    def constant_condition(self, span: Span, value: str, proposal: str = "") -> None:
        """LT901: a condition decided by its constants."""
        self._warning("LT901", span, f"this condition can never be {value}", proposal)

    def short_window(self, span: Span, window: str, period: str, operator: str) -> None:
        """LT902: a window that holds fewer than two samples."""
        message = f"a window of {window} is shorter than two sample periods of {period}"
        needs_two = operator in ("delta", "rate")
        consequence = f", or `{operator}` over it is often unknown" if needs_two else ""
        self._warning("LT902", span, message, f"widen the window{consequence}")

    def short_hold(self, span: Span, hold: str, period: str) -> None:
        """LT903: a hold that one sample fulfils."""
        self._warning("LT903", span, f"`for {hold}` is shorter than the sample period of {period}")

    def held_impulse(self, span: Span, operator: str) -> None:
        """LT904: `for` over something that is true for one tick."""
        self._warning("LT904", span, f"`{operator}` is true at single ticks only, so it is hardly ever held")

    def hold_of_last(self, span: Span, operator: str) -> None:
        """LT905: `a and b for D` holds b alone."""
        message = f"`a {operator} b for D` holds `b` alone"
        self._warning("LT905", span, message, f"write `(a {operator} b) for D` or `a {operator} (b for D)`")

    def not_collected(self, span: Span, name: str) -> None:
        """LT906: a trigger that nothing collects."""
        self._warning("LT906", span, f"no campaign of this file collects trigger `{name}`")

    def signal_without_rate(self, span: Span, name: str) -> None:
        """LT907: without a rate a sample expires after one second."""
        message = f"`{name}` has neither a `rate` nor `update: on_change`, so a sample counts for one second"
        self._warning("LT907", span, message, "declare one of them in the signal catalog")

    def long_capture(self, span: Span, capture: str, buffer: str) -> None:
        """LT908: a capture longer than the vehicle's buffer."""
        message = f"this capture is {capture} long; vehicles record at most {buffer} and shorten both sides alike"
        self._warning("LT908", span, message, "shorten it, or state the vehicles' `buffer` in the signal catalog")

    def not_enforced(self, span: Span, setting: str, meanwhile: str) -> None:
        """LT909: a setting that is accepted and has no effect yet."""
        self._warning("LT909", span, f"`{setting}` is not enforced yet", meanwhile)


class Reporter(FormMistakes, NameMistakes, TypeMistakes, CampaignMistakes, LimitMistakes, Warnings):
    """Collects the mistakes of one file."""
