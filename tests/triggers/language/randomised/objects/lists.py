"""Lists of objects of random catalogs."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from triggers.language.ir import Input, InputField

_AGES_S = ("0.035", "0.1", "0.2", "0.35", "1.0")
_FIELDS = "{id: {type: id}, x: {unit: m}, v: {unit: m/s}, seen: {type: bool}, kind: {type: text, values: [car, truck]}}"


@dataclass(frozen=True)
class DeclaredList:
    """A list of a random catalog; `rate` in Hz."""

    name: str
    most: int
    rate: int
    max_age_s: str

    def yaml(self) -> str:
        """Its line in the catalog."""
        age = f", max_age: {self.max_age_s}" if self.max_age_s else ""
        return f"  {self.name}: {{max: {self.most}, key: id, rate: {self.rate}{age}, fields: {_FIELDS}}}"

    @property
    def input(self) -> Input:
        """The list as an input of a program."""
        fields = (
            InputField("id", "id"),
            InputField("x", "number", "m"),
            InputField("v", "number", "m/s"),
            InputField("seen", "bool"),
            InputField("kind", "text", values=("car", "truck")),
        )
        return Input(self.name, "objects", "", None, None, (), self.most, fields)


def random_lists(random: Random) -> tuple[DeclaredList, ...]:
    """One list or two; their fields are the same."""
    return tuple(
        DeclaredList(name, random.choice((1, 2, 3, 5, 9)), random.choice((2, 10, 20)), random.choice(("", *_AGES_S)))
        for name in ("tracked", "seen.by.radar")[: random.choice((1, 1, 2))]
    )
