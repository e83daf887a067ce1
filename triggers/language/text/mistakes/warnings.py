"""LT9xx: warnings about what compiles but is probably not what the author meant."""

from __future__ import annotations

from triggers.language.text.diagnostics import Span
from triggers.language.text.mistakes.collector import Collector


class Warnings(Collector):
    """LT9xx: warnings about what compiles but is probably not what the author meant."""

    def constant_condition(self, span: Span, value: str, proposal: str = "") -> None:
        """LT901: a condition that is always false or never false."""
        self._warning("LT901", span, f"this condition can never be {value}", proposal)

    def short_window(self, span: Span, window: str, period: str, operator: str) -> None:
        """LT902: a window that holds fewer than two samples."""
        message = f"a window of {window} is shorter than two sample periods of {period}"
        needs_two = operator in ("delta", "rate")
        consequence = f": `{operator}` over this one is often unknown" if needs_two else ""
        self._warning("LT902", span, message, f"use a longer window{consequence}")

    def short_hold(self, span: Span, hold: str, period: str) -> None:
        """LT903: a hold that a single sample satisfies."""
        self._warning("LT903", span, f"`for {hold}` is shorter than the sample period of {period}")

    def held_impulse(self, span: Span, operator: str) -> None:
        """LT904: `for` on a condition that is true for one tick only."""
        self._warning("LT904", span, f"`{operator}` is true for one tick at a time, so `for` will hardly ever hold")

    def hold_of_last(self, span: Span, operator: str) -> None:
        """LT905: in `a and b for D`, `for` applies to b only."""
        message = f"in `a {operator} b for D`, `for` applies to `b` only"
        self._warning("LT905", span, message, f"write `(a {operator} b) for D` or `a {operator} (b for D)`")

    def not_collected(self, span: Span, name: str) -> None:
        """LT906: a trigger that no campaign collects."""
        self._warning("LT906", span, f"no campaign of this file collects trigger `{name}`")

    def signal_without_rate(self, span: Span, name: str) -> None:
        """LT907: without a rate a sample expires after one second."""
        message = f"`{name}` has neither a `rate` nor `update: on_change`, so a sample is valid for one second only"
        self._warning("LT907", span, message, "declare one of them in the signal catalog")

    def long_capture(self, span: Span, capture: str, buffer: str) -> None:
        """LT908: a capture longer than the vehicle's buffer."""
        message = (
            f"this capture is {capture} long, but vehicles record at most {buffer}; both sides are cut in proportion"
        )
        self._warning("LT908", span, message, "shorten it, or state the vehicles' `buffer` in the signal catalog")

    def not_enforced(self, span: Span, setting: str, meanwhile: str) -> None:
        """LT909: a setting that is accepted but has no effect yet."""
        self._warning("LT909", span, f"`{setting}` is not enforced yet", meanwhile)
