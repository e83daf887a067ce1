"""What to do about a value that a contract type refuses, by the kind of the mistake."""

from __future__ import annotations

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
_BY_PREFIX = {
    "int_": "write a whole number in digits, without a decimal point",
    "float_": "write a number",
    "string_too_": "give a text of this length",
    "too_": "give this many",
    "greater_than": "stay within the limit",
    "less_than": "stay within the limit",
}
_OTHERWISE = "correct this value; /openapi.json has the schema"


def remedy_of(kind: str) -> str:
    """The remedy for a kind of pydantic's errors, such as `missing` or `int_type`."""
    prefixed = (remedy for prefix, remedy in _BY_PREFIX.items() if kind.startswith(prefix))
    return _REMEDIES.get(kind) or next(prefixed, _OTHERWISE)
