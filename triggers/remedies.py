"""What is wrong with a value that a contract type refuses, and what to do about it, in Longtail's own words.

Every message about such a value is made here, by the kind of the mistake: the words of the library that checks types
are meant for programmers, and change with its version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

from pydantic import ValidationError
from pydantic_core.core_schema import ErrorType

from triggers.foreign_text import foreign_name

_OF_LIBRARY = frozenset(get_args(ErrorType)) - {"value_error", "assertion_error"}
"""Kinds whose words are the library's; all others are messages of Longtail."""
_WHAT = {
    "missing": "it is missing",
    "extra_forbidden": "there is no such field",
    "json_invalid": "not JSON: {error}",
    "literal_error": "it must be {expected}",
    "enum": "it must be {expected}",
    "string_type": "it must be a text",
    "string_unicode": "it must be UTF-8 text",
    "string_too_short": "the text is too short: the least number of characters is {min_length}",
    "string_too_long": "the text is too long: the largest number of characters is {max_length}",
    "string_pattern_mismatch": "the text does not have the form {pattern}",
    "too_short": "it has too few entries: the least number is {min_length}",
    "too_long": "it has too many entries: the largest number is {max_length}",
    "greater_than": "it must be more than {gt}",
    "greater_than_equal": "it must be at least {ge}",
    "less_than": "it must be less than {lt}",
    "less_than_equal": "it must be at most {le}",
    "multiple_of": "it must be a multiple of {multiple_of}",
    "finite_number": "it must be a finite number",
    "float_type": "it must be a number",
    "float_parsing": "it must be a number",
    "bool_type": "it must be true or false",
    "bool_parsing": "it must be true or false",
    "list_type": "it must be a list",
    "tuple_type": "it must be a list",
    "set_type": "it must be a list",
    "frozen_set_type": "it must be a list",
    "dict_type": "it must be an object",
    "model_type": "it must be an object",
    "model_attributes_type": "it must be an object",
}
_WHAT_BY_PREFIX = {
    "int_": "it must be a whole number",
    "date_": "it must be a date such as 2026-01-31",
    "datetime_": "it must be a time such as 2026-01-31T12:00:00Z",
    "timezone_": "it must be a time with its offset, such as 2026-01-31T12:00:00Z",
    "union_tag_": "its kind is missing or unknown",
}
_WHAT_OTHERWISE = "its value is not valid"
_REMEDIES = {
    "missing": "add it",
    "extra_forbidden": "remove it; unknown fields are refused, as they would be ignored",
    "json_invalid": "send one JSON document",
    "literal_error": "write one of these values",
    "enum": "write one of these values",
    "string_pattern_mismatch": "use the characters and the form that the pattern allows",
    "finite_number": "write a finite number",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "string_type": "write a text in double quotes",
}
_REMEDIES_BY_PREFIX = {
    "int_": "write a whole number in digits, without a decimal point",
    "float_": "write a number",
    "string_too_": "give a text of this length",
    "too_": "give this many",
    "greater_than": "stay within the limit",
    "less_than": "stay within the limit",
}
_REMEDY_OTHERWISE = "correct this value; /openapi.json has the schema"


class Mistake(NamedTuple):
    """The first mistake in a document: where (`fires.0.ordinal`, or empty for the whole), what, and what to do."""

    place: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}" if self.place else self.what


def first_mistake(error: ValidationError) -> Mistake:
    """The first mistake that a validation found."""
    return mistake_of(error.errors(include_url=False, include_input=False)[0])


def mistake_of(found: Mapping[str, Any]) -> Mistake:
    """One entry of a validation's list of errors as a mistake."""
    kind = str(found["type"])
    place = ".".join(foreign_name(part) if isinstance(part, str) else str(part) for part in found["loc"])
    return Mistake(place, what_is_wrong(found), _by_kind(kind, _REMEDIES, _REMEDIES_BY_PREFIX, _REMEDY_OTHERWISE))


def what_is_wrong(found: Mapping[str, Any]) -> str:
    """What is wrong with a value: an entry of a validation's list of errors in words, without its place."""
    kind = str(found["type"])
    if kind not in _OF_LIBRARY:
        return str(found["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    form = _by_kind(kind, _WHAT, _WHAT_BY_PREFIX, _WHAT_OTHERWISE)
    return form.format(**found.get("ctx", {}))


def _by_kind(kind: str, exact: Mapping[str, str], by_prefix: Mapping[str, str], otherwise: str) -> str:
    """The entry for a kind of error such as `missing` or `int_type`."""
    prefixed = (words for prefix, words in by_prefix.items() if kind.startswith(prefix))
    return exact.get(kind) or next(prefixed, otherwise)
