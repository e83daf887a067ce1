"""Fair comparison: contenders do the same work in alternating rounds, after a check that their results are equal.

A warm-up round, which is not timed, comes first: there every contender's result is read back and compared. In the timed
rounds a machine that is busy for a while slows all contenders alike, so a ratio within one round says more than times
from different minutes: ratios are medians of the rounds' own ratios.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

WARM_UP = 0
"""The number of the round that is checked and not timed."""


class ResultsDiffer(Exception):
    """Two contenders did not do the same work, so their times cannot be compared."""


class Role(StrEnum):
    """What a contender is: the product, a peer that does the same by hand, or a limit of the machine."""

    OWN = "longtail"
    PEER = "peer"
    LIMIT = "limit"


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A participant in a comparison. `run` is timed, `prepare` before and `clean_up` after it are not.

    All three are told the round's number, WARM_UP for the first. `result` describes what the latest run left behind,
    read back by other means than the run's where there are any. Only a limit that does less of the work may have none.
    """

    name: str
    role: Role
    run: Callable[[int], None]
    result: Callable[[], str] | None = None
    prepare: Callable[[int], None] = lambda _: None
    clean_up: Callable[[int], None] = lambda _: None

    def __post_init__(self) -> None:
        if self.result is None and self.role is not Role.LIMIT:
            raise ValueError(f"{self.name}: only the result of a machine's limit may go unchecked")


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One contender's rounds: wall-clock seconds, and CPU seconds of the measuring process (servers are others)."""

    name: str
    role: Role
    seconds: tuple[float, ...]
    cpu_s: tuple[float, ...]

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)

    @property
    def median_cpu_s(self) -> float:
        return statistics.median(self.cpu_s)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The same work, done by several contenders: `amount` of `unit` per round; without a unit, times are shown."""

    name: str
    amount: float
    unit: str
    timings: tuple[Timing, ...]
    notes: tuple[str, ...] = ()
    extra: dict[str, float] = field(default_factory=dict)
    """Further figures of the same rounds, by name with their unit in it."""

    def rate(self, timing: Timing) -> float:
        """Work per second in the median round."""
        return self.amount / timing.median_s

    def references(self) -> list[Timing]:
        """The timings that the product is compared with."""
        return [timing for timing in self.timings if timing.role is not Role.OWN]

    @staticmethod
    def ratio(timing: Timing, reference: Timing) -> float:
        """How many times as fast as `reference`: the median of the rounds' ratios; below 1 it is slower."""
        pairs = zip(timing.seconds, reference.seconds, strict=True)
        return statistics.median(theirs / ours for ours, theirs in pairs)


def compare(
    name: str, contenders: Sequence[Contender], *, amount: float, unit: str, rounds: int, notes: Sequence[str] = ()
) -> Comparison:
    """Time the contenders; ResultsDiffer, before any is timed, when what they leave behind is not the same."""
    require_equal(name, _warm_up(contenders))
    seconds: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    cpu_s: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for number in range(1, rounds + 1):
        for contender in rotated(contenders, number):
            contender.prepare(number)
            started_cpu_s, started_s = _own_cpu_s(), time.perf_counter()
            contender.run(number)
            seconds[contender.name].append(time.perf_counter() - started_s)
            cpu_s[contender.name].append(_own_cpu_s() - started_cpu_s)
            contender.clean_up(number)
    timings = tuple(
        Timing(name=each.name, role=each.role, seconds=tuple(seconds[each.name]), cpu_s=tuple(cpu_s[each.name]))
        for each in contenders
    )
    return Comparison(name=name, amount=amount, unit=unit, timings=timings, notes=tuple(notes))


def rotated(contenders: Sequence[Contender], number: int) -> list[Contender]:
    """The contenders, beginning with a different one each round, so that none always comes after the same."""
    first = number % len(contenders)
    return [*contenders[first:], *contenders[:first]]


def require_equal(name: str, results: dict[str, str]) -> None:
    """ResultsDiffer, naming both, when a result is not that of the first."""
    (first, expected), *others = results.items()
    for other, result in others:
        if result != expected:
            raise ResultsDiffer(f"{name}: {first} left {expected[:200]!r} behind, {other} left {result[:200]!r}")


def _warm_up(contenders: Sequence[Contender]) -> dict[str, str]:
    """Let every contender do the work once; returns the results to compare, by name."""
    results: dict[str, str] = {}
    for contender in contenders:
        contender.prepare(WARM_UP)
        contender.run(WARM_UP)
        if contender.result is not None:
            results[contender.name] = contender.result()
        contender.clean_up(WARM_UP)
    return results


def _own_cpu_s() -> float:
    """CPU seconds of this process, and of children that it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
