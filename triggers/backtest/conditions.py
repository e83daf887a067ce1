"""Conditions over drives: the share of time that each was true, false and unknown, and why one never fired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from triggers.backtest.result import DriveResult, DriveWeights
from triggers.backtest.unknown import MENTIONED, unknown_otherwise
from triggers.language.checks.conjuncts import Conjunct
from triggers.language.ir import Ir
from triggers.language.watched import WatchedTrigger, Weight, nodes_joined
from triggers.pages.shown_numbers import shown_number
from triggers.times import NS_PER_S

_MAX_NAMED = 3
_MAX_TEXT = 80


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of the time that a condition was true, false and unknown; None where no time was recorded."""

    true: float | None
    false: float | None
    unknown: float | None

    @classmethod
    def of(cls, weight: Weight) -> Shares:
        """The shares of what was weighed."""
        if not (total_ns := weight.total_ns):
            return cls(None, None, None)
        return cls(weight.true_ns / total_ns, weight.false_ns / total_ns, weight.unknown_ns / total_ns)


@dataclass(frozen=True, slots=True)
class PartShares:
    """One of the parts that a condition joins with `and`, as it is written, and its shares.

    A part that is a `let` comes before the parts of what it stands for, whose `depth` is one more. Where these are
    several, they are weighed and it is not: then its shares are None.
    """

    text: str
    true: float | None
    false: float | None
    unknown: float | None
    depth: int = 0


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """A part of a condition as it is written, `depth` lets deep; `weighed` is its index among the weighed parts."""

    text: str
    depth: int
    weighed: int | None


@dataclass(frozen=True, slots=True)
class WrittenParts:
    """The parts of a condition in the order of the text, each `let` before what it stands for."""

    rows: tuple[WrittenPart, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """How sentences name each of the weighed parts: as it is written, after the lets that it is written in.

        >>> braking = WrittenPart("hard_brake(ego, 3)", 0, None), WrittenPart("v.accel < -a", 1, 0)
        >>> WrittenParts((*braking, WrittenPart("armed", 0, 1))).names
        ('hard_brake(ego, 3): v.accel < -a', 'armed')
        """
        names: dict[int, str] = {}
        around: list[str] = []
        for row in self.rows:
            around[row.depth :] = [row.text]
            if row.weighed is not None:
                names.setdefault(row.weighed, ": ".join(around))
        return tuple(names[index] for index in sorted(names))


def written_parts(watched: WatchedTrigger, ir: Ir, conjuncts: Sequence[Conjunct], source: str) -> WrittenParts:
    """The parts of a condition by their texts in the source; none if it has none that are weighed."""
    weighed = {node: index for index, node in enumerate(watched.parts)}
    rows: list[WrittenPart] = []
    for part in conjuncts if weighed else ():
        text = " ".join(source[part.span.start : part.span.end].split())
        rows.append(WrittenPart(text, part.depth, weighed.get(part.node)))
        if part.node not in weighed and not part.is_let:  # a derived signal, whose own parts are not in the source
            inner = nodes_joined(ir, part.node)
            rows += [
                WrittenPart(f"{text} ({number} of {len(inner)})", part.depth + 1, weighed[node])
                for number, node in enumerate(inner, start=1)
            ]
    return WrittenParts(tuple(rows))


@dataclass(frozen=True, slots=True)
class Judged:
    """A trigger's condition over several drives; `parts` are weighed together, in the order of their texts."""

    condition: Weight
    parts: tuple[Weight, ...]
    unknown_with_ns: Counter[str]
    closest: tuple[DriveWeights, str] | None
    """The drive on which all parts but one were true first, with its name."""

    @classmethod
    def over(cls, trigger: str, drives: Sequence[DriveResult]) -> Judged:
        """What the drives that the trigger ran on say together."""
        found = [(drive.weights[trigger], drive.name) for drive in drives if trigger in drive.weights]
        weights = [weight for weight, _ in found]
        unknown_with_ns: Counter[str] = Counter()
        for weight in weights:
            unknown_with_ns.update(weight.unknown_with_ns)
        parts = zip(*(weight.parts for weight in weights), strict=True)
        return cls(
            condition=reduce(add, (weight.condition for weight in weights), Weight()),
            parts=tuple(reduce(add, part) for part in parts),
            unknown_with_ns=unknown_with_ns,
            closest=next(((weight, name) for weight, name in found if weight.closest is not None), None),
        )

    @property
    def unknown(self) -> dict[str, float]:
        """By signal, the share of the time in which the condition was unknown and the signal, too; largest first."""
        total_ns = self.condition.total_ns
        return {signal: ns / total_ns for signal, ns in self.unknown_with_ns.most_common() if ns and total_ns}


def why_not(judged: Judged, parts: Sequence[str], fires: int, *, in_drive: bool = True) -> str | None:
    """Why a trigger never fired, in a sentence; None if it did, or if nothing was recorded.

    `parts` are the texts of the condition's parts; `in_drive`: name the drive of the closest moment.
    """
    if fires or not judged.condition.total_ns:
        return None
    if judged.condition.true_ns:
        began = "it was never false before"
        if judged.condition.false_ns:
            began = "segments began with it true, or it was unknown until then"
        seconds = judged.condition.true_ns / NS_PER_S
        return f"it was true for {shown_number(seconds)} s, but it did not become true: {began}" + _gap(judged)
    sentences = [_never_true(judged, parts) + _gap(judged)]
    if judged.closest is not None:
        weights, drive = judged.closest
        if weights.closest is not None:
            where = f" of drive {drive}" if in_drive else ""
            t_s = weights.closest.t_ns / NS_PER_S
            missing = _quoted([parts[weights.closest.missing]])
            sentences.append(f"all but {missing} were true first at {t_s:.3f} s{where}")
    elif len(parts) > 1:
        sentences.append("at no time were all parts but one true")
    return "; ".join(sentences)


def _never_true(judged: Judged, parts: Sequence[str]) -> str:
    never = [(text, weight) for text, weight in zip(parts, judged.parts, strict=True) if not weight.true_ns]
    if not never:
        return "each part was true at some time, but never all of them at once" if parts else "it was never true"
    sentence = f"{_quoted([text for text, _ in never])} {'was' if len(never) == 1 else 'were'} never true"
    unknown = max(weight.unknown_ns / weight.total_ns for _, weight in never)
    if unknown < MENTIONED:
        return sentence
    most = "" if len(never) == 1 else "up to "
    return f"{sentence}, unknown for {most}{100 * unknown:.0f} % of the time"


def _gap(judged: Judged) -> str:
    """For how long it could not be judged, and by which signals."""
    share = judged.condition.unknown_ns / judged.condition.total_ns
    if share < MENTIONED:
        return ""
    signals = [f"`{name}`" for name, part in judged.unknown.items() if part >= MENTIONED][:_MAX_NAMED]
    whose = f" while {_listed(signals)} {'was' if len(signals) == 1 else 'were'} unknown" if signals else ""
    if otherwise := unknown_otherwise(share, judged.unknown):
        rest = f", and for at least {100 * otherwise:.0f} %" if signals else ""
        whose = f"{':' if signals else ''}{whose}{rest or ','} with every signal known"
    return f" (for {100 * share:.0f} % of the time the condition could not be judged{whose})"


def _quoted(texts: Sequence[str]) -> str:
    shown = [text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…" for text in texts[:_MAX_NAMED]]
    more = len(texts) - len(shown)
    return _listed([*(f"`{text}`" for text in shown), *([f"{more} more"] if more else [])])


def _listed(items: Sequence[str]) -> str:
    *first, last = items
    return f"{', '.join(first)} and {last}" if first else last


def parts_of(judged: Judged, written: WrittenParts) -> tuple[PartShares, ...]:
    """The shares of each part of a condition; none where the trigger ran on no drive."""
    return tuple(_part_shares(row, judged.parts) for row in written.rows) if judged.parts else ()


def _part_shares(row: WrittenPart, weights: Sequence[Weight]) -> PartShares:
    shares = Shares.of(Weight() if row.weighed is None else weights[row.weighed])
    return PartShares(row.text, shares.true, shares.false, shares.unknown, row.depth)
