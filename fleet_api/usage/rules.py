"""Rules for usage, as pure functions: what it can be grouped by, and where the next page of groups begins."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast, get_args

from triggers.contracts.api.usage.answers import UsageKey, UsageTime
from triggers.errors import InvalidInput
from triggers.times import NS_PER_S, parse_time

_KEYS: tuple[UsageKey, ...] = get_args(UsageKey)
_TIMES: tuple[UsageTime, ...] = get_args(UsageTime)
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)
"""Between these every hour and day has an end that can be written."""
Key = tuple[str | int | datetime, ...]


def parse_by(text: str) -> tuple[UsageKey, ...]:
    """The keys of a list such as `campaign,network`; none for an empty text, which asks for one sum.

    >>> parse_by("network, campaign")
    ('network', 'campaign')
    """
    names = tuple(name.strip() for name in text.split(",")) if text.strip() else ()
    unknown = [name for name in names if name not in _KEYS]
    if unknown:
        raise InvalidInput(f"usage is not counted by {unknown[0][:64]!r}", remedy=f"choose from {', '.join(_KEYS)}")
    if len(set(names)) < len(names):
        raise InvalidInput("usage is grouped by the same thing twice", remedy="name each once")
    return cast(tuple[UsageKey, ...], names)


def parse_moment(text: str, *, what: str) -> datetime:
    """A time in UTC, to the second; InvalidInput, naming the parameter, for what no usage can be of."""
    try:
        moment = datetime.fromtimestamp(parse_time(text) // NS_PER_S, UTC)
    except (InvalidInput, OverflowError, ValueError):
        moment = None
    if moment is None or not EARLIEST <= moment <= LATEST:
        raise InvalidInput(f"{what} is not a time: {text[:64]!r}", remedy="write it like 2026-11-28T09:00:00Z")
    return moment


def write_after(by: Sequence[UsageKey], key: Key) -> str:
    """The token of the page after a group; it says what groups are told by."""
    values = [value.isoformat() if isinstance(value, datetime) else value for value in key]
    fields = json.dumps([list(by), values])
    return base64.urlsafe_b64encode(fields.encode()).decode().rstrip("=")


def read_after(token: str, by: Sequence[UsageKey]) -> Key:
    """The key after which the page begins; InvalidInput for anything but a token of a page with these keys."""
    damaged = InvalidInput("`after` is no `next` of a page", remedy="send a page's `next`, or begin without it")
    try:
        fields = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
        written_for, values = fields
        if written_for != list(by):
            raise InvalidInput("`after` is of a page with another `by`", remedy="send the same `by` as before")
        return tuple(_value(name, value) for name, value in zip(by, values, strict=True))
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise damaged from error


def _value(name: UsageKey, value: object) -> str | int | datetime:
    if name == "version":
        if type(value) is not int or not 0 <= value < 2**31:
            raise ValueError(value)
        return value
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError(value)
    value.encode()  # no halves of surrogate pairs
    if name not in _TIMES:
        return value
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment
