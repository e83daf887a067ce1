"""The base of the contract types: strict, immutable, limited in size, with one canonical JSON form."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, WithJsonSchema

from triggers.errors import InvalidInput
from triggers.foreign_text import escaped
from triggers.remedies import first_mistake

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""Name of a trigger, campaign or fence."""

SignalName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$", max_length=200)]
"""Dotted name of a signal, as in the signal catalog."""

VehicleId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
"""Identity of a vehicle; safe in paths, URLs and log lines."""

Sha256Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def text_digest(text: str) -> str:
    """SHA-256 of a text, as published texts are known by."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


MAX_SHORT_TEXT = 1000
MAX_ATTRIBUTE_TEXT = 200
AttributeName = Annotated[str, StringConstraints(max_length=MAX_ATTRIBUTE_TEXT)]
"""Name of a vehicle's attribute: indexes of the database take no long ones."""
ShortText = Annotated[str, StringConstraints(max_length=MAX_SHORT_TEXT)]


def _not_rounded(value: Any) -> Any:
    """Refuse integers beyond int64, which would become the nearest float without a word."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("an integer must lie between -2^63 and 2^63 - 1; write it as text")
    return value


AttributeValue = Annotated[
    bool
    | Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
    | Annotated[float, WithJsonSchema({"type": "number", "not": {"multipleOf": 1}})]
    | Annotated[str, StringConstraints(max_length=MAX_ATTRIBUTE_TEXT)],
    BeforeValidator(_not_rounded),
]
"""Value of a vehicle's attribute; numbers are limited to what the database can store."""
ShownAttribute = bool | int | float | str
"""The same in answers, where a large number is a float that is shown as it is stored, such as 1e308."""


class Contract(BaseModel):
    """Base of every contract type: immutable, no unknown fields, no NaN, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def canonical_json(self) -> bytes:
        """The canonical bytes of this value, which digests and signatures cover: UTF-8 JSON, sorted keys, no blanks."""
        return canonical_json(self.model_dump(mode="json"))

    @classmethod
    def from_json(cls, data: bytes, *, what: str) -> Self:
        """Parse bytes from outside. Raises InvalidInput for a mistake; `what` names the document in its message.

        An object that has a key twice is refused, too.
        """
        parsed = cls.from_stored_json(data, what=what)
        _require_members_once(data, what)
        return parsed

    @classmethod
    def from_stored_json(cls, data: bytes, *, what: str) -> Self:
        """Parse bytes that were accepted before, maybe by an older version: the last of repeated keys counts."""
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            place, wrong, remedy = first_mistake(error)
            raise InvalidInput(f"{what}: {place or 'the whole document'}: {wrong}", remedy=remedy) from error


def _require_members_once(data: bytes, what: str) -> None:
    """Raise InvalidInput if an object in a valid JSON document has a key twice; numbers are not converted."""
    try:
        json.loads(data, parse_int=str, parse_float=str, object_pairs_hook=members_once)
    except ValueError as error:
        raise InvalidInput(f"{what}: {error}", remedy="write it once, as one would be ignored") from error
    except RecursionError as error:
        raise InvalidInput(f"{what}: it is nested too deeply", remedy="send less deeply nested JSON") from error


def members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of a JSON object, for `object_pairs_hook`; ValueError if a name is there twice.

    Parsers keep one of the two, and not the same one, so what was sent would be ignored in part without a word.
    """
    members = dict(pairs)
    if len(members) < len(pairs):
        repeated = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key `{escaped(repeated[:80])}` is given twice in one object")
    return members


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no blanks; raises ValueError on NaN and infinities."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
