"""LT3xx: types and units that do not match."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.language.text.diagnostics import Span
from triggers.language.text.mistakes.collector import Collector, did_you_mean, quoted


class TypeMistakes(Collector):
    """LT3xx: types and units that do not match."""

    def needs_unit(self, span: Span, subject: str, what: str, proposals: Sequence[str]) -> None:
        """LT301: a bare number where a quantity with a unit is needed."""
        self._error("LT301", span, f"{subject} is {what}", f"write {quoted(proposals)}" if proposals else "")

    def constant_needs_unit(self, span: Span, subject: str, what: str, name: str, units: Sequence[str]) -> None:
        """LT301 for the name of a bare number."""
        such_as = f", such as {quoted(units)}" if units else ""
        self._error("LT301", span, f"{subject} is {what}", f"give `{name}` a unit where it is defined{such_as}")

    def other_dimension(self, span: Span, left: str, right: str, proposal: str = "") -> None:
        """LT302: quantities of different dimensions."""
        if "a temperature" in f"{left}{right}" and "charge in C" in f"{left}{right}":
            proposal = "write `degC`: `C` is the electric charge"
        self._error("LT302", span, f"{left} and {right} cannot be compared, added or subtracted", proposal)

    def not_an_angle(self, span: Span, what: str) -> None:
        """LT302 for `wrap`, which has one operand."""
        self._error("LT302", span, f"`wrap` needs an angle here, but this is {what}", "give it one in `deg` or `rad`")

    def not_a_plain_number(self, span: Span, function: str, what: str, proposal: str) -> None:
        """LT302 for operators on numbers without a unit."""
        self._error("LT302", span, f"`{function}` needs a number without a unit here, but this is {what}", proposal)

    def unknown_unit(self, span: Span, unit: str, nearest: Sequence[str]) -> None:
        """LT303: an unknown unit."""
        self._error("LT303", span, f"`{unit}` is not a known unit", did_you_mean(nearest))

    def not_a_condition(self, span: Span, what: str, proposal: str) -> None:
        """LT304: a condition is needed."""
        self._error("LT304", span, f"a condition is needed here, but this is {what}", proposal)

    def not_a_number(self, span: Span, what: str, proposal: str = "") -> None:
        """LT305: a number is needed."""
        self._error("LT305", span, f"a number is needed here, but this is {what}", proposal)

    def text_order(self, span: Span, operator: str) -> None:
        """LT306: text and truth values have no order."""
        message = f"`{operator}` compares numbers; text and truth values have no order"
        self._error("LT306", span, message, "use `==`, `!=` or `in`")

    def unknown_value(self, span: Span, subject: str, value: str, known: Sequence[str]) -> None:
        """LT307: a value that the text signal never takes."""
        self._error("LT307", span, f'{subject} is never "{value}"', f"its values are {quoted(known, 'and')}")

    def affine_arithmetic(self, span: Span, unit: str) -> None:
        """LT308: arithmetic on a temperature scale."""
        proposal = "only the difference of two temperatures is meaningful; it is in K"
        self._error("LT308", span, f"{unit} has an arbitrary zero, so this calculation has no meaning", proposal)

    def wrong_arguments(self, span: Span, function: str, form: str) -> None:
        """LT309: an operator used in a form it does not have."""
        self._error("LT309", span, f"`{function}` cannot be used like this", f"write `{form}`")

    def needs_rate(self, span: Span, what: str, signals: Sequence[str], on_change: Sequence[str]) -> None:
        """LT310: a window or pair over a signal without a declared rate."""
        message = f"{what} needs the rate of {quoted(signals, 'and')}, which the signal catalog does not declare"
        proposal = "declare `rate` in the signal catalog"
        if on_change:
            message = f"{what} needs a rate, and {quoted(on_change, 'and')} is `update: on_change`: it has none"
            x = on_change[0]
            shown = f"`prev({x})`, `changed({x})`, `flicker({x} over 10 s)`"
            proposal = f"{shown}, `count`, `once` and `P for 2 s` need none"
        self._error("LT310", span, message, proposal)

    def not_a_duration(self, span: Span, what: str, meant: str = "") -> None:
        """LT311: a duration is needed."""
        proposal = f"write `{meant}`" if meant else "write, for example, `2 s`"
        self._error("LT311", span, f"a duration is needed here, but this is {what}", proposal)

    def duration_range(self, span: Span, value: str, low: str, high: str) -> None:
        """LT312: a duration outside its limits."""
        name = self.source.text[span.start : span.end]
        what = "this duration" if name[:1].isdigit() else f"`{name}` is {value}, and this duration"
        self._error("LT312", span, f"{what} must be between {low} and {high}")

    def after_beyond_within(self, span: Span, after: str, within: str) -> None:
        """LT312 for `A then B after D within W` where D is longer than W."""
        message = f"B cannot come both {after} or more and {within} or less after A"
        self._error("LT312", span, message, "write the shorter time after `after` and the longer one after `within`")

    def distance_range(self, span: Span, low: str, high: str) -> None:
        """LT312 for the distance of `every`."""
        self._error("LT312", span, f"this distance must be between {low} and {high}")

    def not_comparable(self, span: Span, left: str, right: str, proposal: str = "") -> None:
        """LT313: values of different types."""
        self._error("LT313", span, f"{left} cannot be compared with {right}", proposal)

    def unlike_values(self, span: Span, function: str, first: str, second: str) -> None:
        """LT313 for values of which an operator gives one."""
        self._error(
            "LT313", span, f"`{function}` gives one of two values of one type, but these are {first} and {second}"
        )

    def equal_thresholds(self, span: Span) -> None:
        """LT314: a hysteresis needs two thresholds."""
        self._error("LT314", span, "the two thresholds of a hysteresis must differ")

    def not_a_signal(
        self, span: Span, function: str, derived_from: Sequence[str] = (), *, is_derived: bool = False
    ) -> None:
        """LT315: an operator on samples applied to something other than a signal."""
        if not derived_from and not is_derived:
            self._error("LT315", span, f"`{function}` needs a signal here, not an expression")
            return
        message = f"`{function}` looks at samples, and a derived signal has none of its own"
        proposal = f"it is computed from {quoted(derived_from, 'and')}" if derived_from else ""
        self._error("LT315", span, message, proposal)

    def never_sampled(self, span: Span, function: str) -> None:
        """LT315 for what reads no signal: a constant, or `every 10 s`."""
        self._error("LT315", span, f"`{function}` is always unknown here, since no signal is read that has samples")

    def impossible_constant(self, span: Span, why: str) -> None:
        """LT316: a constant without a representable value."""
        self._error("LT316", span, f"this constant {why}")

    def not_a_constant(self, span: Span) -> None:
        """LT317: a constant is needed."""
        proposal = "write the value itself" + ("" if self.alone else ", or define a `param` and write its name")
        self._error("LT317", span, "a constant is needed here", proposal)

    def bad_place(self, span: Span, what: str) -> None:
        """LT318: a latitude, longitude, radius or fence outside its limits."""
        self._error("LT318", span, what)

    def no_limits(self, span: Span, subject: str, name: str | None, colour: str, declared: Sequence[str]) -> None:
        """LT330: `outside` of something without these limits."""
        if name is None:
            self._error("LT330", span, f"only a signal that is a number has limits, and {subject} is not one")
            return
        proposal = f"declare `{colour}: [low, high]` for it in the signal catalog"
        if declared:
            proposal = f"write `outside {declared[0]}`, or {proposal}"
        self._error("LT330", span, f"the signal catalog declares no {colour} limits for `{name}`", proposal)

    def derived_otherwise(self, span: Span, name: str, what: str, declared: str, proposal: str) -> None:
        """LT331: a derived signal whose expression is of another type or unit than is declared for it."""
        self._error("LT331", span, f"`{name}` is declared as {declared}, but this is {what}", proposal)

    def derived_from_nothing(self, span: Span, name: str) -> None:
        """LT331 for an expression that reads no signal."""
        self._error("LT331", span, f"`{name}` is computed from no signal", "write a constant where it is compared")

    def text_alone(self, span: Span) -> None:
        """LT319: quoted text compared with something other than a text signal."""
        self._error("LT319", span, "quoted text can only be compared with a text signal")

    def no_square_root(self, span: Span, unit: str) -> None:
        """LT320: a square root whose unit does not exist."""
        self._error("LT320", span, f"the square root of a quantity in {unit} has no unit")
