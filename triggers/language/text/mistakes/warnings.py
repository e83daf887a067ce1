"""LT9xx: warnings about what compiles but is probably not what the author meant."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.language.text.diagnostics import Span
from triggers.language.text.mistakes.collector import Collector, quoted

MAX_NAMES_SHOWN = 5
MAX_SHOWN = 60
"""A longer condition is P in a proposal."""


class Warnings(Collector):
    """LT9xx: warnings about what compiles but is probably not what the author meant."""

    def constant_condition(self, span: Span, value: str, proposal: str = "") -> None:
        """LT901: a condition that is always false or never false."""
        self._warning("LT901", span, f"this condition can never be {value}", proposal)

    def never_rises(self, span: Span, subject: str) -> None:
        """LT901 for the event of `x at A` and `x since A`."""
        message = f"{subject} never becomes true after having been false, so this is always unknown"
        self._warning("LT901", span, message)

    def short_window(self, span: Span, window: str, period: str, operator: str) -> None:
        """LT902: a window that holds fewer than two samples."""
        message = f"a window of {window} is shorter than two sample periods of {period}"
        needs_two = operator in ("delta", "rate")
        consequence = f": `{operator}` over this one is often unknown" if needs_two else ""
        self._warning("LT902", span, message, f"use a longer window{consequence}")

    def short_hold(self, span: Span, hold: str, period: str) -> None:
        """LT903: a hold that a single sample satisfies."""
        self._warning("LT903", span, f"`for {hold}` is shorter than the sample period of {period}")

    def short_run(self, span: Span, most: str, period: str) -> None:
        """LT903 for `P for at most D`."""
        message = f"`for at most {most}` is shorter than the sample period of {period}, so hardly any run is so short"
        self._warning("LT903", span, message)

    def held_impulse(self, span: Span, operator: str) -> None:
        """LT904: `for` on a condition that is true for one tick only."""
        self._warning("LT904", span, f"`{operator}` is true for one tick at a time, so `for` will hardly ever hold")

    def hold_of_last(self, span: Span, operator: str) -> None:
        """LT905: in `a and b for D`, `for` applies to b only."""
        message = f"in `a {operator} b for D`, `for` applies to `b` only"
        self._warning("LT905", span, message, f"write `(a {operator} b) for D` or `a {operator} (b for D)`")

    def not_collected(self, span: Span, names: Sequence[str]) -> None:
        """LT906: a trigger that no campaign collects."""
        message = f"no campaign of this file collects {'trigger' if len(names) == 1 else 'the triggers'} {_some(names)}"
        self._warning("LT906", span, message)

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

    def unknown_in_silence(self, span: Span, signal: str, plain: str) -> None:
        """LT910: a negation that is unknown, not true, while a signal is silent."""
        message = f"this is unknown, not true, while `{signal}` is silent"
        plain = plain if len(plain) <= MAX_SHOWN else "P"
        proposal = f"write `default({plain}, true)` if silence counts, `default({plain}, false)` if it does not"
        self._warning("LT910", span, message, proposal)

    def budget_below_clip(self, span: Span, budget: str, triggers: Sequence[str], clip_bytes: int) -> None:
        """LT911: a budget that is smaller than one clip."""
        clip = f"one clip of {quoted(triggers[:MAX_NAMES_SHOWN], 'or')}"
        message = f"the budget of {budget} is smaller than {clip}, about {clip_bytes:,} bytes: none is ever uploaded"
        self._warning("LT911", span, message, "raise the budget, or shorten the capture or its list of signals")

    def then_between_states(self, span: Span, first: str, second: str, within: str) -> None:
        """LT912: `A then B` between two states, which misses an A that was true from the beginning."""
        message = f"`then` begins when {first} becomes true: a drive that begins with it true does not fire"
        form = f"`rise({second.strip('`')}) and once({first.strip('`')} over {within})`"
        self._warning("LT912", span, message, f"for a change from one state to the other write {form}")

    def count_of_conjunction(self, span: Span, event: str, window: str) -> None:
        """LT913: a count of events joined with a state, which counts events at neighbouring ticks once."""
        message = (
            "`count` counts how often the whole condition becomes true, so events at neighbouring ticks count once"
        )
        form = f"`count({event} over {window})`"
        self._warning("LT913", span, message, f"count the event alone, {form}, and test the rest beside it")

    def window_over_changes(self, span: Span, operator: str, signal: str) -> None:
        """LT914: a window over a signal that only tells its changes."""
        message = f"`{signal}` only tells its changes, so `{operator}` over a window is unknown while its value stays"
        proposal = f"use `{signal}` itself, `changed({signal})`, or `past({signal}, ...)`, which see a value that stays"
        self._warning("LT914", span, message, proposal)

    def tolerance_beyond_gap(self, span: Span, tolerance: str, max_gap: str) -> None:
        """LT915: a tolerance longer than the recording's longest gap."""
        message = (
            f"`tolerating {tolerance}` does not bridge a hole of the whole recording: after {max_gap} (`max_gap`) "
            "a new segment begins, which ends every hold"
        )
        self._warning("LT915", span, message, f"tolerate at most {max_gap}, or raise `max_gap` in the signal catalog")

    def short_max_age(self, span: Span, signal: str, max_age: str) -> None:
        """LT916: a `max_age` that is shorter than heartbeats can notice."""
        message = f"`max_age` of `{signal}` is {max_age}, but a sample may count for up to 200 ms"
        proposal = "silence is noticed at heartbeats, every 100 ms: state 0.2 or more, or test `age` beside the signal"
        self._warning("LT916", span, message, proposal)

    def equality_of_converted(self, span: Span, left: str, right: str) -> None:
        """LT917: `==` or `!=` between numbers of different units."""
        message = (
            f"these numbers are in {left} and {right}: one is converted and rounded, so equality is a matter of luck"
        )
        self._warning("LT917", span, message, "compare with a tolerance, as in `approx(a, b, 0.01 m/s)`")

    def capture_without_place(self, span: Span, triggers: Sequence[str], place: Sequence[str]) -> None:
        """LT918: a collected trigger whose capture has no position although the catalog names it."""
        message = f"clips of {_some(triggers)} have no place, so no map shows them: no position is captured"
        proposal = f"add {quoted(place, 'and')} to the `signals` of the capture, beside those that the condition reads"
        self._warning("LT918", span, message, proposal)

    def no_columns(self, span: Span, signal: str) -> None:
        """LT920: `columns` of a signal without any."""
        message = f"`columns` of `{signal}` is empty, so it is read from a column called `{signal}`"
        self._warning("LT920", span, message, "name columns, or leave the key out")

    def waits_in_silence(self, span: Span, signal: str, second: str, value: str = "") -> None:
        """LT921: `A without B` whose B is unknown while a signal is silent."""
        # a list of objects is silent when `value`, which is told of it, is unknown
        message = (
            f"while `{signal}` is silent this is unknown, and `without` gives up: it does not count as not happened"
        )
        proposal = f"write `without (not missing({value or signal}) and {second})` if silence counts as not happened"
        self._warning("LT921", span, message, proposal)

    def misleading_number(self, span: Span, written: str) -> None:
        """LT923: a number of the signal catalog that YAML reads as octal or in base 60."""
        what = "in base 60" if ":" in written else "as an octal number"
        self._warning("LT923", span, f"YAML reads {written[:40]} {what}", "write a decimal number, or a text in quotes")


def _some(names: Sequence[str]) -> str:
    """The first of these names, and how many there are besides."""
    shown = names[:MAX_NAMES_SHOWN]
    if len(names) == len(shown):
        return quoted(shown, "and")
    return f"{', '.join(f'`{name}`' for name in shown)} and {len(names) - len(shown)} more"
