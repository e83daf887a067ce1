"""What random expressions are made of: signals, constants and windows of a size that compiles, and the choices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from tests.triggers.language.randomised.catalogs import FAMILIES, RandomCatalog

CENTRE = (48.0, 11.5)
"""Where the places of random programs and the positions of random recordings are, in degrees."""

MAX_ENTRIES = 300
"""Entries of a ring that a random program asks for."""

WINDOWS = (
    "1 us", "1 ms", "10 ms", "20 ms", "35 ms", "50 ms", "100 ms", "150 ms", "0.2 s", "300 ms", "333333333 ns",
    "500 ms", "700 ms", "1 s", "1.5 s", "2 s", "3 s", "5 s", "0.2 min", "30 s",
)  # fmt: skip
PERIODS = ("200 ms", "250 ms", "333333333 ns", "0.5 s", "700 ms", "1 s", "1.7 s", "10 s")
"""Periods that begin anew within a recording, and one that does not in most."""
_LONG = (*WINDOWS, "2 min", "1 h", "2 d")
_SIZES = ("0", "1", "2", "0.5", "1.5", "3", "0.1", "-1", "-0.5", "-2")
_SECONDS = {"us": Fraction(1, 10**6), "ms": Fraction(1, 1000), "ns": Fraction(1, 10**9), "s": Fraction(1),
            "min": Fraction(60)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """An expression's text, its type (`bool`, `text` or the family of a number), and the signals that it reads."""

    text: str
    type: str
    signals: frozenset[str]


class Writer:
    """Writes expressions over a catalog; what it wrote may turn up again, so that programs share work."""

    def __init__(self, random: Random, catalog: RandomCatalog) -> None:
        self.random = random
        self.catalog = catalog
        self.fences: list[str] = []
        self.known: list[Made] = []

    # choices

    def chance(self, share: float) -> bool:
        """True in this share of the calls."""
        return self.random.random() < share

    def among(self, ways: Sequence[tuple[int, Callable[..., Made]]], *arguments: object) -> Made:
        """What one of these ways gives, chosen by weight."""
        (way,) = self.random.choices([way for _, way in ways], [weight for weight, _ in ways])
        return way(*arguments)

    def signal(self, names: Sequence[str]) -> Made:
        """One of these signals, mostly one of the program's few."""
        names = [self.catalog.name(name) for name in names]
        own = [name for name in names if name in self.catalog.palette]
        name = self.random.choice(own if own and self.chance(0.85) else names)
        declared = self.catalog.signals[name]
        return Made(name, declared.family or declared.type, frozenset([name]))

    def again(self, type_: str) -> Made | None:
        """Now and then an expression of this type that was written before."""
        known = [made for made in self.known if made.type == type_]
        return self.random.choice(known) if known and self.chance(0.2) else None

    def made(self, text: str, type_: str, *parts: Made) -> Made:
        """An expression of these parts, remembered."""
        result = Made(text, type_, frozenset().union(*(part.signals for part in parts)))
        if len(text) < 400:
            self.known.append(result)
        return result

    def long(self) -> str:
        """Any duration."""
        return self.random.choice(_LONG)

    def window(self, *parts: Made) -> str | None:
        """A window whose ring over these parts stays small; None where the catalog lacks a rate."""
        rates = [self.catalog.signals[name].rate for part in parts for name in part.signals]
        if None in rates:
            return None
        entries_a_second = Fraction(3, 2) * sum(rate for rate in rates if rate) + 10
        return self.random.choice([w for w in WINDOWS if _seconds(w) * entries_a_second < MAX_ENTRIES])

    def literal(self, family: str) -> str:
        """A constant of this family, of the size that recordings have."""
        unit = self.random.choice(FAMILIES[family])
        if family == "bare":
            return self.random.choice((*_SIZES, "-1e300", "1e-300")) if self.chance(0.2) else self._size()
        return f"{self._size()} {unit}" + self.random.choice((" * 3 / 7", "")) * (family != "temperature")

    def _size(self) -> str:
        return self.random.choice(_SIZES)

    def has_rates(self, *names: str) -> bool:
        """Whether the catalog declares a rate for all these signals."""
        return all(self.catalog.signals[name].rate for name in names)

    def heads(self, head: str) -> tuple[Made, Made]:
        """The active and the shadow signal of a head."""
        return self.signal([f"active.{head}"]), self.signal([f"shadow.{head}"])

    def skew(self, a: Made, b: Made) -> str:
        """How a pair of signals says how far apart its samples may lie; nothing where their rates tell it."""
        if self.has_rates(a.text, b.text) and self.chance(0.5):
            return ""
        return f" within {self.random.choice(WINDOWS)}"


def _seconds(duration: str) -> Fraction:
    number, unit = duration.split()
    return Fraction(number) * _SECONDS[unit]
