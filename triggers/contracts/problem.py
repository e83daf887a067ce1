"""Errors over HTTP as problem documents (RFC 9457), written and read by one table.

`problem_of` and `headers_of` turn an error into a response, and `error_of` turns the response back into the error.
Server, client and vehicle share them, so an error arrives as the class that was raised, with all its attributes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from triggers import errors
from triggers.errors import LongtailError

MEDIA_TYPE = "application/problem+json"
TUS_VERSION = "1.0.0"
UNREACHABLE_RETRY_AFTER_S = 5
DEFAULT_RETRY_AFTER_S = 30
"""When to try again if a busy server does not say."""
MAX_RETRY_AFTER_S = 86_400
MAX_SHOWN_CHARACTERS = 4000
_TYPE_PREFIX = "urn:longtail:problem:"

STATUSES: Mapping[type[LongtailError], int] = {
    LongtailError: 500,
    errors.InvalidInput: 422,
    errors.DiagnosticsError: 422,
    errors.ManifestInvalid: 422,
    errors.NotAssigned: 422,
    errors.AssignmentOver: 422,
    errors.BadHeader: 400,
    errors.WrongProtocolVersion: 412,
    errors.UnsupportedBody: 415,
    errors.TooLarge: 413,
    errors.ChecksumMismatch: 460,  # tus 1.0.0, extension "checksum"
    errors.WrongRange: 416,
    errors.NotFound: 404,
    errors.Erased: 410,
    errors.Conflict: 409,
    errors.ClipFailed: 409,
    errors.UploadGone: 410,
    errors.WrongOffset: 409,
    errors.Fenced: 409,
    errors.LeaseLost: 409,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.Quarantined: 403,
    errors.BudgetExhausted: 403,
    errors.Overloaded: 503,
    errors.TooMany: 429,
    errors.TooSlow: 408,
    errors.Unreachable: 503,
    errors.Untrusted: 422,
    errors.Misconfigured: 503,
}
"""The HTTP status of every error that is sent. A subclass that is not listed is sent as its nearest base."""

_CARRIED: Mapping[type[LongtailError], tuple[str, ...]] = {
    errors.DiagnosticsError: ("diagnostics",),
    errors.WrongRange: ("size_bytes",),
    errors.ChecksumMismatch: ("offset",),
    errors.WrongOffset: ("offset",),
    errors.BudgetExhausted: ("accounts", "campaigns", "triggers", "retry_after_s"),
    errors.Overloaded: ("retry_after_s",),
}
"""The further attributes of an error, which are also its arguments and the members of its document."""

_WITH_OFFSET: Mapping[type[LongtailError], Callable[..., LongtailError]] = {
    errors.WrongOffset: errors.WrongOffset,
    errors.ChecksumMismatch: errors.ChecksumMismatch,
}

_BY_CODE: Mapping[str, type[LongtailError]] = {kind.code: kind for kind in STATUSES}
_BY_STATUS: Mapping[int, type[LongtailError]] = {
    401: errors.Unauthenticated,
    403: errors.Forbidden,
    404: errors.NotFound,
    408: errors.TooSlow,
    410: errors.UploadGone,
    429: errors.TooMany,
    503: errors.Overloaded,
}
"""The meaning of a refusal without a problem document, which comes from a proxy or from some other server.

409 and 413 are missing on purpose: they judge what was sent, and only a problem document may do that.
"""
_BASE_BY_STATUS = {**_BY_STATUS, 409: errors.Conflict, 413: errors.TooLarge}
"""The class of a problem with an unknown `code`."""


class Problem(BaseModel):
    """A problem document. `code` tells programs what happened, `detail` and `remedy` tell people."""

    model_config = ConfigDict(strict=True, frozen=True)

    type: str = "about:blank"
    title: str = ""
    status: int
    detail: str
    code: str
    remedy: str = ""
    retry_after_s: Annotated[int | None, Field(ge=0, description="Seconds after which to try again.")] = None
    accounts: Annotated[list[str] | None, Field(description="Exhausted accounts of the ledger.")] = None
    campaigns: Annotated[list[str] | None, Field(description="Campaigns that the exhausted accounts concern.")] = None
    triggers: Annotated[
        list[str] | None, Field(description="Triggers, as CAMPAIGN.TRIGGER, whose own budgets are exhausted.")
    ] = None
    diagnostics: Annotated[list[dict[str, Any]] | None, Field(description="Mistakes in a trigger text.")] = None
    size_bytes: Annotated[int | None, Field(ge=0, description="Size of the object.")] = None
    offset: Annotated[int | None, Field(ge=0, description="Offset at which to continue, in bytes.")] = None

    def to_json(self) -> dict[str, Any]:
        """The members of the document; members that are None are left out."""
        return self.model_dump(mode="json", exclude_none=True)


def status_of(error: LongtailError) -> int:
    """The HTTP status of the error's class, or of its nearest base in the table."""
    return status_of_class(type(error))


def status_of_class(kind: type[LongtailError]) -> int:
    """The HTTP status of a class of errors."""
    return next(STATUSES[base] for base in kind.__mro__ if base in STATUSES)


def problem_of(error: LongtailError) -> Problem:
    """The problem document of an error."""
    return Problem(
        type=_TYPE_PREFIX + error.code,
        title=_title(type(error)),
        status=status_of(error),
        detail=error.message,
        code=error.code,
        remedy=error.remedy,
        **{name: _json_value(getattr(error, name)) for name in _carried(type(error))},
    )


def headers_of(error: LongtailError) -> dict[str, str]:
    """The headers that HTTP and tus require in addition to the document."""
    headers: dict[str, str] = {}
    unavailable = isinstance(error, errors.Unreachable | errors.Misconfigured)
    retry_after_s = UNREACHABLE_RETRY_AFTER_S if unavailable else None
    if isinstance(error, errors.Overloaded | errors.BudgetExhausted):
        retry_after_s = error.retry_after_s
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.WrongRange):
        headers["Content-Range"] = f"bytes */{error.size_bytes}"
    if isinstance(error, errors.WrongOffset | errors.ChecksumMismatch):
        headers["Upload-Offset"] = str(error.offset)
    if isinstance(error, errors.WrongProtocolVersion):
        headers["Tus-Version"] = TUS_VERSION
    return headers


def error_of(status: int, headers: Mapping[str, str], body: bytes, *, what: str) -> LongtailError:
    """The error in a refusal: the one that was raised, or one by status if the body is not a problem document.

    `what` names the server in the message if the refusal does not say why. `headers` must be case-insensitive, like
    those of an HTTP client. Nothing in a refusal is trusted: a document with members of the wrong type is treated as
    missing, and times are bounded.
    """
    problem = _parsed(body)
    if problem is None:
        kind = _BY_STATUS.get(status, errors.Unreachable if status >= 500 else errors.InvalidInput)
        return _made(kind, f"{what} answered {status}{_first_line(body)}", "", {}, headers)
    kind = _BY_CODE.get(problem.code) or _BASE_BY_STATUS.get(status) or _nearest(status)
    carried = {name: getattr(problem, name) for name in _carried(kind)}
    detail, remedy = problem.detail[:MAX_SHOWN_CHARACTERS], problem.remedy[:MAX_SHOWN_CHARACTERS]
    return _made(kind, detail, remedy, carried, headers)


def retry_after_s(headers: Mapping[str, str]) -> int:
    """The seconds that a busy server asks to wait (RFC 9110, section 10.2.3; no HTTP dates), at most a day."""
    text = headers.get("Retry-After", "")
    return min(int(text), MAX_RETRY_AFTER_S) if re.fullmatch(r"[0-9]{1,9}", text) else DEFAULT_RETRY_AFTER_S


def _made(
    kind: type[LongtailError], message: str, remedy: str, carried: Mapping[str, Any], headers: Mapping[str, str]
) -> LongtailError:
    """An error of this class, or of its base if the refusal lacks what the class must carry."""
    if kind is errors.BudgetExhausted:
        return errors.BudgetExhausted(
            message,
            accounts=tuple(carried.get("accounts") or ()),
            campaigns=tuple(carried.get("campaigns") or ()),
            triggers=tuple(carried.get("triggers") or ()) or None,
            retry_after_s=_bounded(carried.get("retry_after_s")),
            remedy=remedy,
        )
    if issubclass(kind, errors.Overloaded):
        wait_s = _bounded(carried.get("retry_after_s"))
        return kind(message, retry_after_s=retry_after_s(headers) if wait_s is None else wait_s, remedy=remedy)
    if kind is errors.DiagnosticsError:
        return errors.DiagnosticsError(message, diagnostics=carried.get("diagnostics") or (), remedy=remedy)
    if kind in _WITH_OFFSET and carried.get("offset") is not None:
        return _WITH_OFFSET[kind](message, offset=carried["offset"], remedy=remedy)
    if kind is errors.WrongRange and carried.get("size_bytes") is not None:
        return errors.WrongRange(message, size_bytes=carried["size_bytes"], remedy=remedy)
    if kind is errors.WrongOffset:
        return errors.Conflict(message, remedy=remedy)
    if kind in (errors.WrongRange, errors.ChecksumMismatch):
        return errors.InvalidInput(message, remedy=remedy)
    return kind(message, remedy=remedy)


def _carried(kind: type[LongtailError]) -> tuple[str, ...]:
    return next((_CARRIED[base] for base in kind.__mro__ if base in _CARRIED), ())


def _nearest(status: int) -> type[LongtailError]:
    return LongtailError if status >= 500 else errors.InvalidInput


def _parsed(body: bytes) -> Problem | None:
    try:
        return Problem.model_validate_json(body)
    except ValidationError:
        return None


def _first_line(body: bytes) -> str:
    lines = body[:MAX_SHOWN_CHARACTERS].decode("utf-8", "replace").strip().splitlines()
    return f": {lines[0][:200]}" if lines else ""


def _bounded(seconds: int | None) -> int | None:
    return None if seconds is None else min(seconds, MAX_RETRY_AFTER_S)


def _json_value(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _title(kind: type[LongtailError]) -> str:
    """`BudgetExhausted` as "Budget exhausted"."""
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", kind.__name__).lower()
    return words.capitalize()
