"""LT4xx: mistakes in campaign blocks."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.language.text.diagnostics import Span
from triggers.language.text.mistakes.collector import Collector, did_you_mean, quoted

_OF_TYPE = {
    "text": 'write a text in quotes, such as `"EU"`',
    "integer": "write a whole number without a unit, such as `3`",
    "number": "write a number without a unit, such as `2.5`",
    "bool": "write `true` or `false`",
    "version": 'write a version in quotes, such as `"3.2.1"`',
}
"""What to compare an attribute with, by its type."""


class CampaignMistakes(Collector):
    """LT4xx: mistakes in campaign blocks."""

    def no_budget(self, span: Span, name: str) -> None:
        """LT401: a campaign must have a budget."""
        proposal = "add a line such as `budget 20 MB per vehicle per day, 2 TB total`"
        self._error("LT401", span, f"campaign `{name}` has no budget", proposal)

    def unknown_trigger(self, span: Span, name: str, nearest: Sequence[str]) -> None:
        """LT402: `collect` names a trigger that the file does not have."""
        self._error("LT402", span, f"there is no trigger `{name}` in this file", did_you_mean(nearest))

    def unknown_attribute(self, span: Span, name: str, nearest: Sequence[str]) -> None:
        """LT403: vehicles have no such attribute."""
        self._error("LT403", span, f"the signal catalog declares no attribute `{name}`", did_you_mean(nearest))

    def attribute_type(self, span: Span, name: str, declared: str, meant: str = "") -> None:
        """LT404: a target compares an attribute with a value of another type."""
        message = f"`{name}` is declared as `{declared}`, but this value has another type"
        self._error("LT404", span, message, f"write it as a text: `{meant}`" if meant else _OF_TYPE[declared])

    def not_a_version(self, span: Span, name: str, text: str, meant: str) -> None:
        """LT413: a target compares a version with a text that is not one."""
        proposal = f'write `"{meant}"`' if meant else 'write numbers between dots, such as `"3.2.1"` or `"3.2.1-rc.1"`'
        self._error("LT413", span, f'`{name}` is declared as `version`, and "{text}" is not a version', proposal)

    def not_a_target(self, span: Span, meant: str = "") -> None:
        """LT405: a target may only test vehicle attributes."""
        proposal = 'write, for example, `vehicle.model == "m3" and vehicle.hardware >= 3`'
        proposal = f"write {meant}" if meant else proposal
        self._error("LT405", span, "a target can only compare vehicle attributes with constants", proposal)

    def collects_nothing(self, span: Span, name: str) -> None:
        """LT406: a campaign that neither collects nor compares anything."""
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
        """LT412: an unknown network class."""
        self._error("LT412", span, f"`{name}` is not a network class", f"write {quoted(known)}")

    def day_rules_differ(self, span: Span, first: str) -> None:
        """LT414: two limits of a vehicle's day that say different things of a spent day."""
        message = f"the other limit of a vehicle's day says `then {first}`: a clip is kept or dropped as a whole"
        self._error("LT414", span, message, "say it once: it holds for both limits")
