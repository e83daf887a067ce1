"""LT23x: lists of objects, their objects and fields, where they cannot stand; and conditions that read no object."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.language.text.diagnostics import Span
from triggers.language.text.mistakes.collector import Collector, did_you_mean, quoted

_MAX_FIELDS_SHOWN = 12


class ObjectMistakes(Collector):
    """LT23x: lists of objects, their objects and fields, where they cannot stand."""

    def unknown_list(self, span: Span, name: str, what: str, nearest: Sequence[str], known: Sequence[str]) -> None:
        """LT231: a list of objects that the signal catalog does not declare."""
        proposal = did_you_mean(nearest) or (f"its lists are {quoted(known[:10], 'and')}" if known else "")
        proposal = proposal or "declare it under `objects` in the signal catalog"
        message = f"the signal catalog has no list of objects `{name}`"
        self._error("LT231", span, f"{message}: that is {what}" if what else message, proposal)

    def unknown_field(
        self, span: Span, field: str, of: str, nearest: Sequence[str], known: Sequence[str], *, form: str = ""
    ) -> None:
        """LT232: a field that the objects of a list do not have."""
        proposal = did_you_mean(nearest) or f"their fields are {quoted(known[:_MAX_FIELDS_SHOWN], 'and')}"
        proposal = f"write `{form}`" if form else proposal
        self._error("LT232", span, f"the objects of `{of}` have no field `{field}`", proposal)

    def unknown_form(self, span: Span, name: str, forms: Sequence[str]) -> None:
        """LT202 for what is not told of objects."""
        self._error("LT202", span, f"there is no `{name}` of objects", f"write {quoted(forms)}")

    def list_as_value(self, span: Span, name: str, proposal: str) -> None:
        """LT233: a list, or an object, where a value should stand."""
        self._error("LT233", span, f"`{name}` is a list of objects, not a value", proposal)

    def object_as_value(self, span: Span, name: str, fields: Sequence[str]) -> None:
        """LT233 for an object without a field."""
        shown = [f"{name}.{field}" for field in fields[:3]]
        self._error("LT233", span, f"`{name}` is an object, not a value", f"read a field of it: {quoted(shown)}")

    def nearest_as_value(self, span: Span, fields: Sequence[str]) -> None:
        """LT233 for `nearest(...)` without a field."""
        shown = [f"nearest(...).{field}" for field in fields[:3]]
        self._error("LT233", span, "`nearest` gives an object, not a value", f"read a field of it: {quoted(shown)}")

    def field_outside(self, span: Span, name: str, proposal: str) -> None:
        """LT234: a field where its object has no name."""
        what = "a field of an object" if "." in name else "an object elsewhere"
        self._error("LT234", span, f"`{name}` is {what}, and no object has this name here", proposal)

    def no_object(self, span: Span, given: str, name: str, of: str) -> None:
        """LT234 for an argument of a `let` that is no object."""
        message = f"`{name}` is a field of an object, and `{given}` is not an object"
        self._error("LT234", span, message, f"give it an object, as in `any(o in {of} where f(o))`")

    def nested_objects(self, span: Span) -> None:
        """LT235: a condition on an object that is about other objects, too."""
        message = "what is asked of one object cannot ask for others"
        self._error("LT235", span, message, "put this beside the other condition, and join the two with `and`")

    def told_of_others(self, span: Span, subject: str) -> None:
        """LT235 for a condition on an object that reads what is told of all of them, such as a `let` with `count`."""
        message = f"{subject} depends on what is told of all objects of a list, which a condition on one cannot read"
        self._error("LT235", span, message, "put it beside the other condition, and join the two with `and`")

    def hides_signals(self, span: Span, name: str, example: str) -> None:
        """LT221 for an object named like the beginning of signals."""
        message = f"`{name}` begins the names of signals, such as `{example}`, which could not be read here any more"
        self._error("LT221", span, message, "choose another name")

    def samples_of_field(self, span: Span, function: str) -> None:
        """LT315 for a field of an object."""
        message = f"`{function}` looks at the samples of a signal, and a field of an object has none of its own"
        self._error("LT315", span, message)

    def list_without_rate(self, span: Span, name: str) -> None:
        """LT907 for a list of objects."""
        message = f"`{name}` has neither a `rate` nor a `max_age`, so a sample is valid for one second only"
        self._warning("LT907", span, message, "declare one of them in the signal catalog")

    def reads_no_object(self, span: Span, subject: str, binder: str, example: str) -> None:
        """LT922: a condition on an object that is the same for all objects."""
        message = f"{subject} is the same for every `{binder}`"
        self._warning("LT922", span, message, f"read a field of it, as in `{example}`")
