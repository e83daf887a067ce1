"""The one error hierarchy of Longtail; each edge (command line, HTTP) translates it once, from one table.

LongtailError                what this product raises on purpose
├─ InvalidInput              what came from outside breaks a rule; the same input cannot succeed
│  ├─ DiagnosticsError       a trigger text has mistakes; carries all of them
│  ├─ ManifestInvalid        a clip's manifest breaks a rule
│  ├─ BadHeader              a header is missing or malformed
│  ├─ WrongProtocolVersion   the client speaks another version of tus
│  ├─ UnsupportedBody        another media type or encoding than the route takes
│  ├─ TooLarge               the body is larger than allowed
│  └─ WrongRange             the range of bytes is not in the object
├─ NotFound                  there is no such thing, or the caller may not know of it
├─ Conflict                  the state of the thing does not allow the step
│  ├─ ClipFailed             the clip came before and could not be stored
│  ├─ UploadGone             the upload was closed before it was whole
│  ├─ WrongOffset            the bytes do not start where the stored ones end
│  ├─ Fenced                 another request has begun to write this upload
│  └─ LeaseLost              the job was finished, or given to another worker
├─ Unauthenticated           no valid token
├─ Forbidden                 a valid token that does not allow this
├─ BudgetExhausted           a budget refused a reservation
├─ Overloaded                a bound is reached for the moment
├─ TooSlow                   the body stopped coming
├─ Unreachable               a part this process depends on does not answer
├─ Untrusted                 a signature, digest, expiry or counter check failed
└─ Misconfigured             a setting is missing or cannot work

An error says what was wrong, where, and what to do: `message` is one line for the person who reads it, `remedy` is
the step that fixes it. `code` is stable and machine-readable. Errors that never leave the process live beside the code
that raises them; those above travel over HTTP as problem documents (`triggers/contracts/problem.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class LongtailError(Exception):
    """Base of every error this product raises on purpose."""

    code = "internal"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


class InvalidInput(LongtailError):
    """What came from outside breaks a rule; retrying the same input cannot succeed."""

    code = "invalid_input"


class DiagnosticsError(InvalidInput):
    """A trigger text has mistakes; `diagnostics` are all of them as JSON values, with their places."""

    code = "diagnostics"

    def __init__(
        self, message: str, *, diagnostics: Sequence[dict[str, Any]], remedy: str = "fix the marked places"
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.diagnostics = list(diagnostics)


class ManifestInvalid(InvalidInput):
    """A clip's manifest breaks a rule; the clip can never be accepted as it is."""

    code = "manifest_invalid"


class BadHeader(InvalidInput):
    """A header is missing, or is not what the protocol wants."""

    code = "bad_header"


class WrongProtocolVersion(InvalidInput):
    """The client speaks another version of tus."""

    code = "wrong_protocol_version"


class UnsupportedBody(InvalidInput):
    """The body's media type or encoding is not the one this route takes."""

    code = "unsupported_media_type"


class TooLarge(InvalidInput):
    """The body, or what it announces, is larger than is allowed."""

    code = "too_large"


class WrongRange(InvalidInput):
    """The range of bytes that was asked for is not in the object, which has `size_bytes`."""

    code = "wrong_range"

    def __init__(self, message: str, *, size_bytes: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy or f"the object has {size_bytes} bytes")
        self.size_bytes = size_bytes


class NotFound(LongtailError):
    """The named thing does not exist (or the caller may not know that it does)."""

    code = "not_found"


class Conflict(LongtailError):
    """The state of the thing does not allow the step asked for (compare-and-swap lost, already there)."""

    code = "conflict"


class ClipFailed(Conflict):
    """The clip was uploaded before and could not be stored: sending it again cannot succeed."""

    code = "clip_failed"


class UploadGone(Conflict):
    """The upload was closed before it was whole (expired, terminated, failed); begin a new one."""

    code = "upload_gone"


class WrongOffset(Conflict):
    """The bytes do not start where the stored ones end, at `offset`."""

    code = "wrong_offset"

    def __init__(self, message: str, *, offset: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy or f"continue at offset {offset}")
        self.offset = offset


class Fenced(Conflict):
    """Another request has begun to write this upload since: this one's offset counts no more."""

    code = "fenced"


class LeaseLost(Conflict):
    """The job was given to another worker, or finished: this worker's result no longer counts."""

    code = "lease_lost"


class Unauthenticated(LongtailError):
    """The token is missing, malformed, expired or revoked."""

    code = "unauthenticated"


class Forbidden(LongtailError):
    """The caller is known, but not allowed to do this."""

    code = "forbidden"


class BudgetExhausted(LongtailError):
    """A reservation was refused by a budget.

    `accounts` names the exhausted accounts, `campaigns` the campaigns they concern, and `retry_after_s`
    (seconds, None: not before the limit is raised) when a new attempt can succeed.
    """

    code = "budget_exhausted"

    def __init__(
        self,
        message: str,
        *,
        accounts: tuple[str, ...],
        campaigns: tuple[str, ...],
        retry_after_s: int | None,
        remedy: str = "",
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.accounts = accounts
        self.campaigns = campaigns
        self.retry_after_s = retry_after_s


class Overloaded(LongtailError):
    """A bound was reached for the moment (bytes in flight, spool, leases): come back after `retry_after_s`."""

    code = "overloaded"

    def __init__(self, message: str, *, retry_after_s: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_s = retry_after_s


class TooSlow(LongtailError):
    """The body stopped coming, or comes too slowly to hold memory for it."""

    code = "too_slow"


class Unreachable(LongtailError):
    """A part this process depends on does not answer; the message names its address and the setting."""

    code = "unreachable"


class Untrusted(LongtailError):
    """A signature, digest, expiry or counter check failed: what was received must not be used."""

    code = "untrusted"


class Misconfigured(LongtailError):
    """A setting is missing or cannot work; the message names the setting, the remedy a value that does."""

    code = "misconfigured"
