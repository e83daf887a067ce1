"""The signal catalog: which signals exist, in what unit and at what rate, and which attributes vehicles have.

The YAML is read strictly: unknown keys, repeated keys, unknown units and contradictions are errors that name the file,
the line and the key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from triggers.contracts.base import Contract, Name, ShortText, SignalName
from triggers.contracts.campaign import DEFAULT_RECORDING_NS, MAX_CAPTURE_NS
from triggers.contracts.limits import MAX_CATALOG_BYTES, PROGRAM_OPERATIONS, PROGRAM_STATE_BYTES
from triggers.errors import InvalidInput
from triggers.signals.mistakes.catalog import (
    UNREADABLE,
    can_be_read,
    contradicting,
    in_words,
    listed,
    unknown_place,
    unknown_unit,
    unknown_units,
    unreadable_names,
)
from triggers.signals.mistakes.contradictions import WITHOUT_CONTRADICTION, contradictions
from triggers.signals.mistakes.lists import clashes
from triggers.signals.objects import MAX_LISTS, ObjectField, ObjectList
from triggers.signals.raw import RawForm, declared_form
from triggers.signals.recordings import Camera, Cameras, Column, TimeKey
from triggers.signals.units import parse_amount, parse_unit
from triggers.signals.values import MAX_INVALID, Limits, TextValue, exact
from triggers.strict_yaml import read_yaml
from triggers.times import NS_PER_S

MAX_SIGNALS = 20_000
MAX_COLUMNS = 100
MAX_DERIVED_CHARACTERS = 10_000
MIN_RATE_HZ = 1e-6
MAX_RATE_HZ = 100_000.0
SHORTEST_S = 1e-9
"""Times are in ns; anything shorter would be none at all."""
DEFAULT_MAX_AGE_S = 1.0
MAX_STATE_BYTES = 128 * 1024 * 1024
MAX_OPERATIONS = 1_000_000_000


AttributeType = Literal["text", "integer", "number", "bool", "version"]


class Signal(Contract):
    """The declaration of a signal; `rate` in Hz, `max_age` in seconds, `column` or `columns` of recorded drives.

    `scale`, `offset` and `invalid` say how raw values are read (see `triggers.signals.raw`); `min`, `max`, `yellow` and
    `red` are in its unit. `derived` is the expression of a signal that is computed from others.
    """

    type: Literal["number", "bool", "text"] = "number"
    unit: str = ""
    rate: Annotated[float, Field(ge=MIN_RATE_HZ, le=MAX_RATE_HZ)] | None = None
    max_age: Annotated[float, Field(ge=SHORTEST_S, le=86_400)] | None = None
    column: Column | None = None
    columns: Annotated[tuple[Column, ...], Field(max_length=MAX_COLUMNS)] = ()
    scale: float = 1.0
    offset: float = 0.0
    invalid: Annotated[tuple[float | TextValue, ...], Field(max_length=MAX_INVALID)] = ()
    min: float | None = None
    max: float | None = None
    yellow: Limits | None = None
    red: Limits | None = None
    derived: Annotated[str, StringConstraints(min_length=1, max_length=MAX_DERIVED_CHARACTERS)] | None = None
    update: Literal["on_change"] | None = None
    initial: Annotated[bool | float | TextValue | None, BeforeValidator(exact)] = None
    values: Annotated[tuple[TextValue, ...], Field(max_length=10_000)] = ()
    indexed: bool = False
    describe: ShortText = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        given = self.model_fields_set - WITHOUT_CONTRADICTION
        if given and (found := list(contradictions({key: getattr(self, key) for key in self.model_fields_set}))):
            raise PydanticCustomError("contradiction", "{what}", {"what": "; ".join(what for _, what in found)})
        if parse_unit(self.unit) is None:
            raise PydanticCustomError("unknown_unit", "{what}", {"what": unknown_unit(self.unit)})
        return self

    @property
    def max_age_ns(self) -> int | None:
        """How long a sample is valid, in ns; None: until its segment ends (`update: on_change`)."""
        if self.update == "on_change":
            return None
        if self.max_age is not None:
            return round(Fraction(str(self.max_age)) * NS_PER_S)
        if self.rate is not None:
            return max(1, round(3_000_000_000 / Fraction(str(self.rate))))
        return round(DEFAULT_MAX_AGE_S * NS_PER_S)

    @property
    def raw_form(self) -> RawForm:
        """How its raw values are read; those of a text signal are indexes here."""
        return declared_form(self)

    @property
    def limits(self) -> dict[str, tuple[float, float]]:
        """The limits that are declared for it, by colour; an open end is infinite."""
        declared = {"yellow": self.yellow, "red": self.red}
        return {
            colour: (-inf if ends[0] is None else ends[0], inf if ends[1] is None else ends[1])
            for colour, ends in declared.items()
            if ends is not None
        }

    @property
    def initial_sample(self) -> float | None:
        """`initial` as a number, as in a drive: bool as 0 or 1, text as its index in `values`."""
        if isinstance(self.initial, str):
            return float(self.values.index(self.initial))
        return None if self.initial is None else float(self.initial)


def _bytes(amount: Any) -> Any:
    """Convert an amount of data with its unit (`256 KiB`) to bytes; anything else is returned as it is."""
    size_bytes = parse_amount(amount, "B") if isinstance(amount, str) else None
    if size_bytes is None:
        return amount
    if size_bytes.denominator != 1:
        raise ValueError(f"`{amount[:40]}` is not a whole number of bytes; write a whole number, such as `256 KiB`")
    return int(size_bytes)


class ProgramLimits(Contract):
    """What one campaign's program may use on a vehicle: bytes of state, and WebAssembly operations per tick."""

    state: Annotated[
        int,
        BeforeValidator(_bytes),
        Field(ge=1, le=MAX_STATE_BYTES),
        WithJsonSchema({"type": ["integer", "string"], "examples": ["256 KiB"]}, mode="validation"),
    ] = PROGRAM_STATE_BYTES
    operations: Annotated[int, Field(ge=1, le=MAX_OPERATIONS)] = PROGRAM_OPERATIONS


_Path = tuple[str, ...]
_LINE_ENDS = re.compile("\r(?!\n)|[\x85\u2028\u2029]")
"""What YAML takes for the end of a line, besides `\\n`."""


@dataclass(frozen=True, slots=True)
class CatalogSource:
    """The text that a catalog was read from, for messages about it; left out of the equality of catalogs.

    `keys` has the line (from 1) and the range of characters of each key path; a catalog that was not read has none.
    """

    name: str = field(default="", compare=False)
    text: str = field(default="", compare=False, repr=False)
    keys: Mapping[_Path, tuple[int, int, int]] = field(default_factory=dict, compare=False, repr=False)
    expressions: Mapping[_Path, tuple[int, int]] = field(default_factory=dict, compare=False, repr=False)
    """The range of characters of each value of `derived`."""
    misleading: Sequence[tuple[int, int]] = field(default=(), compare=False, repr=False)
    """The range of characters of each number that YAML reads otherwise than people do."""

    def place(self, path: _Path) -> tuple[int, int] | None:
        """The line and the column of a key, from 1; None if it is not known."""
        if path not in self.keys:
            return None
        line, start, _ = self.keys[path]
        return line, start - self.text.rfind("\n", 0, start)

    def start_of(self, path: _Path, expression: str) -> int | None:
        """Where a value of `derived` begins in the text; None if it is not there as it is read, or on several lines."""
        start, end = self.expressions.get(path, (0, 0))
        written = self.text[start:end]
        if written == expression:
            return start
        return start + 1 if written[1:-1] == expression else None

    def characters(self, path: _Path) -> tuple[int, int]:
        """Where a key is in the text, as a range of characters; (0, 0) if that is not known."""
        return self.keys[path][1:] if path in self.keys else (0, 0)


class Position(Contract):
    """The signals that give the vehicle's position, in degrees."""

    latitude: SignalName
    longitude: SignalName


class SignalCatalog(Contract):
    """All signals, lists of objects, vehicle attributes and cameras a trigger file may name.

    `reported` are attributes of `vehicle` of which targets believe the vehicle. `max_gap` and `buffer` in seconds;
    `buffer` is the longest capture, before and after a fire together, that the fleet's vehicles record (their
    `max_recording_ns`). `limits` holds a campaign's program while it is compiled.
    """

    max_gap: Annotated[float, Field(ge=SHORTEST_S, le=3600)] = 2.0
    buffer: Annotated[float, Field(ge=SHORTEST_S, le=MAX_CAPTURE_NS / NS_PER_S)] = DEFAULT_RECORDING_NS / NS_PER_S
    limits: ProgramLimits = ProgramLimits()
    signals: Annotated[dict[SignalName, Signal], Field(min_length=1, max_length=MAX_SIGNALS)]
    objects: Annotated[dict[SignalName, ObjectList], Field(max_length=MAX_LISTS)] = {}
    position: Position | None = None
    vehicle: Annotated[dict[Name, AttributeType], Field(max_length=1000)] = {}
    reported: Annotated[tuple[Name, ...], Field(max_length=1000)] = ()
    cameras: Cameras = {}
    time: TimeKey = TimeKey()
    _source: CatalogSource = PrivateAttr(default=CatalogSource())

    @model_validator(mode="after")
    def _reported_are_declared(self) -> Self:
        for name in self.reported:
            if name not in self.vehicle:
                raise ValueError(f"`reported` names `{name}`, which `vehicle` does not declare")
        return self

    @model_validator(mode="after")
    def _signals_can_be_read(self) -> Self:
        for name in self.signals:
            if not can_be_read(name):
                raise ValueError(f"`{name}` {UNREADABLE}")
        return self

    @model_validator(mode="after")
    def _lists_can_be_read(self) -> Self:
        for name in self.objects:
            if not can_be_read(name):
                raise ValueError(f"`{name}` {UNREADABLE}")
        if self.objects and (found := list(clashes(self.signals, self.objects))):
            raise PydanticCustomError("contradiction", "{what}", {"what": "; ".join(what for _, what in found)})
        return self

    @model_validator(mode="after")
    def _position_is_declared(self) -> Self:
        for name in (self.position.latitude, self.position.longitude) if self.position else ():
            signal = self.signals.get(name)
            if signal is None or signal.unit != "deg" or signal.derived is not None:
                raise ValueError(f"`position` names `{name}`, which is not a declared signal with the unit deg")
        return self

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a catalog from a file; raises InvalidInput naming file, line and key."""
        return cls.parse(read_catalog_text(Path(path)), name=str(path))

    @classmethod
    def parse(cls, text: str, *, name: str) -> Self:
        """Read a catalog from YAML text; `name` stands for the file in messages."""
        document, source = _load_yaml(text, name)
        try:
            catalog = cls.model_validate_json(json.dumps(document, default=str))
        except ValidationError as error:
            raise InvalidInput(_mistakes(error, document, source)) from error
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidInput(f"{name}: {error}") from error
        catalog._source = source
        return catalog

    @property
    def source(self) -> CatalogSource:
        """The text that this catalog was read from."""
        return self._source

    def columns(self, signal: str) -> tuple[str, ...]:
        """The columns of recorded drives that may hold a signal, of which the first one present counts.

        That of its own name, as clips have it, is the last unless it is among the others. A derived signal has none.
        """
        declared = self.signals[signal]
        if declared.derived is not None:
            return ()
        return tuple(dict.fromkeys((*([declared.column] if declared.column else declared.columns), signal)))

    @property
    def max_gap_ns(self) -> int:
        """The longest gap between two rows of a segment, in ns."""
        return round(Fraction(str(self.max_gap)) * NS_PER_S)

    @property
    def buffer_ns(self) -> int:
        """The longest capture that the fleet's vehicles record, in ns."""
        return round(Fraction(str(self.buffer)) * NS_PER_S)

    @cached_property
    def heads(self) -> frozenset[str]:
        """Names H.F for which both `active.H.F` and `shadow.H.F` are declared and not derived."""
        active = {name.removeprefix("active.") for name in self.sampled if name.startswith("active.")}
        return frozenset(name for name in active if f"shadow.{name}" in self.sampled)

    @cached_property
    def sampled(self) -> frozenset[str]:
        """The signals with samples of their own: all but derived ones."""
        return frozenset(name for name, signal in self.signals.items() if signal.derived is None)

    @cached_property
    def carried(self) -> frozenset[str]:
        """What recordings carry samples of: `sampled` signals and lists of objects."""
        return self.sampled | self.objects.keys()


def read_catalog_text(path: Path) -> str:
    """The YAML text of a catalog file. Raises InvalidInput if it is too large, not UTF-8 or cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CATALOG_BYTES + 1)
        if len(data) > MAX_CATALOG_BYTES:
            raise InvalidInput(f"{path}: a signal catalog has at most {MAX_CATALOG_BYTES} bytes")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error


def _load_yaml(text: str, name: str) -> tuple[Any, CatalogSource]:
    """The document, and where its keys are."""
    read = read_yaml(text, name=name)
    expressions = read.ranges("signals", "*", "derived")
    text = _LINE_ENDS.sub("\n", text)  # whoever counts lines from here on need know one end only
    return read.document(), CatalogSource(name, text, read.keys, expressions, read.misleading())


def _mistakes(error: ValidationError, document: Any, source: CatalogSource) -> str:
    """All mistakes, each with its place and its key."""
    found = in_words(error.errors(include_url=False), _keys_at)
    found += [*unknown_units(document), *unreadable_names(document), *contradicting(document)]
    place = [mistake for mistake in unknown_place(document) if mistake[0] not in {path for path, _ in found}]
    told_apart = [(path, what) for path, what in found if path or not (place or unreadable_names(document))]
    return listed([*told_apart, *place], source.place, source.name)


def _keys_at(path: _Path) -> tuple[str, ...]:
    """The keys that the mapping at this path may have."""
    if path[:1] == ("objects",):
        return tuple((ObjectField if "fields" in path[2:] else ObjectList).model_fields)
    models: dict[str, type[Contract]] = {
        "signals": Signal, "position": Position, "limits": ProgramLimits, "cameras": Camera, "time": TimeKey,
    }  # fmt: skip
    return tuple((models.get(path[0], Signal) if path else SignalCatalog).model_fields)
