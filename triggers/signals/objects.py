"""Lists of objects in a signal catalog, such as the tracked ones around a vehicle, and the samples that they have.

One sample is the whole list at one time. An object is told from the others by its key, an integer of 64 bits, and is
present in a sample if its key is there. See docs/language.md, Lists of objects.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from triggers.contracts.base import Contract, Name, ShortText
from triggers.signals.mistakes.catalog import unknown_unit
from triggers.signals.mistakes.contradictions import WITHOUT_CONTRADICTION, contradictions
from triggers.signals.mistakes.lists import list_contradictions
from triggers.signals.raw import RawForm, declared_form, held_or_refused
from triggers.signals.recordings import Column
from triggers.signals.units import parse_unit
from triggers.signals.values import MAX_INVALID, TextValue
from triggers.times import NS_PER_S

MAX_LISTS = 100
MAX_OBJECTS = 256
"""The most objects of a list that a program keeps apart."""
MAX_CARRIED_OBJECTS = 4096
"""The most objects in one sample, in drives, on vehicles and in clips; a program counts those beyond `max`."""
MAX_FIELDS = 64
MIN_KEY, MAX_KEY = -(1 << 63), (1 << 63) - 1
DEFAULT_MAX_AGE_S = 1.0


class ObjectField(Contract):
    """A field of the objects of a list. The type `id` is that of the key: an integer of 64 bits.

    `column` is its name among the fields of a drive's structs; where a drive has none, it has its own. `scale`,
    `offset`, `invalid`, `min` and `max` are as those of signals.
    """

    type: Literal["id", "number", "bool", "text"] = "number"
    unit: str = ""
    values: Annotated[tuple[TextValue, ...], Field(max_length=10_000)] = ()
    column: Column | None = None
    scale: float = 1.0
    offset: float = 0.0
    invalid: Annotated[tuple[int | float | TextValue, ...], Field(max_length=MAX_INVALID)] = ()
    """Numbers as floats; those of a key, which are compared exactly, as integers."""
    min: float | None = None
    max: float | None = None
    describe: ShortText = ""

    @field_validator("invalid")
    @classmethod
    def _floats(cls, invalid: tuple[float | str, ...], info: ValidationInfo) -> tuple[float | str, ...]:
        if info.data.get("type") == "id":
            return invalid
        if any(type(each) is int and abs(each) >= 2**1023 for each in invalid):
            raise ValueError("a number in `invalid` is larger than any raw value; leave it out")
        return tuple(float(each) if type(each) is int else each for each in invalid)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        keys = {key: getattr(self, key) for key in self.model_fields_set}
        if keys.keys() - WITHOUT_CONTRADICTION and (found := list(contradictions(keys, "field"))):
            raise PydanticCustomError("contradiction", "{what}", {"what": "; ".join(what for _, what in found)})
        if parse_unit(self.unit) is None:
            raise PydanticCustomError("unknown_unit", "{what}", {"what": unknown_unit(self.unit)})
        return self

    @property
    def invalid_keys(self) -> frozenset[int]:
        """The keys that are none, exactly, also those beyond 64 bits."""
        return frozenset(int(each) for each in self.invalid if not isinstance(each, str) and each % 1 == 0)

    @property
    def raw_form(self) -> RawForm:
        """How its raw values are read; those of a text are indexes here."""
        return declared_form(self)


class ObjectList(Contract):
    """The declaration of a list of objects: `max` objects are kept apart; `rate` in Hz, `max_age` in seconds.

    `column` is the column of recorded drives, a list of structs; else that of the list's own name, or a column per
    field of each place (`tracked.0.x`).
    """

    max: Annotated[int, Field(ge=1, le=MAX_OBJECTS)]
    key: Name
    fields: Annotated[dict[Name, ObjectField], Field(min_length=1, max_length=MAX_FIELDS)]
    rate: Annotated[float, Field(ge=1e-6, le=100_000.0)] | None = None
    max_age: Annotated[float, Field(ge=1e-9, le=86_400)] | None = None
    column: Column | None = None
    describe: ShortText = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        fields = {name: {"type": field.type, "column": field.column} for name, field in self.fields.items()}
        if found := list(list_contradictions({"key": self.key, "fields": fields})):
            raise PydanticCustomError("contradiction", "{what}", {"what": "; ".join(what for _, what in found)})
        return self

    @property
    def max_age_ns(self) -> int:
        """How long a sample is valid, and how long an object may be absent before it is taken for a new one, in ns."""
        if self.max_age is not None:
            return round(Fraction(str(self.max_age)) * NS_PER_S)
        if self.rate is not None:
            return max(1, round(3_000_000_000 / Fraction(str(self.rate))))
        return round(DEFAULT_MAX_AGE_S * NS_PER_S)

    @property
    def value_fields(self) -> tuple[str, ...]:
        """The fields in their order, without the key."""
        return tuple(name for name in self.fields if name != self.key)

    @property
    def names(self) -> tuple[str, ...]:
        """The key and the value fields, in the order in which samples have them."""
        return self.key, *self.value_fields


@dataclass(frozen=True, slots=True)
class ObjectSample:
    """One sample of a list: the objects in the list's own order.

    `values` has, for each object, a number per value field in the order of the declaration, in the field's unit: NaN
    where it is null, infinite where it was measured but cannot be (unknown either way); bools as 0 and 1, texts as the
    index of their value.
    """

    keys: tuple[int, ...]
    values: tuple[tuple[float, ...], ...]


def held_sample(sample: ObjectSample, names: Sequence[str], refused: MutableMapping[str, int]) -> ObjectSample:
    """A sample whose numbers are as a float64 holds them: integers that it would round are infinite.

    `refused` counts these by the `names` of the value fields.
    """
    if set(map(type, chain.from_iterable(sample.values))) <= {float}:
        return sample
    values = []
    for each in sample.values:
        told = [held_or_refused(value) for value in each]
        for name, (_, is_refused) in zip(names, told, strict=True):
            if is_refused:
                refused[name] = refused.get(name, 0) + 1
        values.append(tuple(held for held, _ in told))
    return ObjectSample(sample.keys, tuple(values))
