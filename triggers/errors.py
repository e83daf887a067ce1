"""The error hierarchy of Longtail; each edge (command line, HTTP) translates it in one place, from one table.

LongtailError                what this product raises on purpose
├─ InvalidInput              what came from outside breaks a rule; the same input cannot succeed
│  ├─ DiagnosticsError       a trigger file has mistakes; carries all of them
│  ├─ ManifestInvalid        a clip's manifest breaks a rule
│  │  └─ NotAssigned         its fires are of a campaign that the vehicle was not given
│  │     └─ AssignmentOver   they are of one that ended for it too long ago
│  ├─ BadHeader              a header is missing or malformed
│  ├─ WrongProtocolVersion   the client uses another version of tus
│  ├─ UnsupportedBody        the route does not take this media type or encoding
│  ├─ TooLarge               the body is larger than allowed
│  ├─ ChecksumMismatch       the bytes that arrived are not the ones that were announced
│  └─ WrongRange             the range of bytes is not in the object
├─ NotFound                  it does not exist, or the caller may not know that it does
│  └─ Erased                 it was erased, on purpose and for good
├─ Conflict                  the current state does not allow the step
│  ├─ ClipFailed             the clip was uploaded before and could not be stored
│  ├─ UploadGone             the upload was closed before it was complete
│  ├─ WrongOffset            the bytes do not start where the stored ones end
│  ├─ Fenced                 another request has begun to write this upload
│  └─ LeaseLost              the job was finished, or given to another worker
├─ Unauthenticated           no valid token
├─ Forbidden                 a valid token that does not allow this
│  └─ Quarantined            the vehicle sent junk, and what it sends is refused until an operator lifts it
├─ BudgetExhausted           a budget refused a reservation
├─ Overloaded                a limit is reached for the moment
│  └─ TooMany             the caller has as many at once, or as many a second, as one caller may
├─ TooSlow                   the body stopped arriving
├─ Unreachable               a service that this process depends on does not answer
├─ Untrusted                 a signature, digest, expiry or counter check failed
└─ Misconfigured             a setting is missing or cannot work

An error says what was wrong, where, and what to do: `message` is one line for people, and `remedy` is the step
that fixes it. `code` is stable and machine-readable. Errors that never leave the process are defined beside the code
that raises them; those above are sent over HTTP as problem documents (`triggers/contracts/problem.py`).
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
    """A trigger file has mistakes; `diagnostics` has all of them as JSON values, with their places."""

    code = "diagnostics"

    def __init__(
        self, message: str, *, diagnostics: Sequence[dict[str, Any]], remedy: str = "fix the marked places"
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.diagnostics = list(diagnostics)


class ManifestInvalid(InvalidInput):
    """A clip's manifest breaks a rule; the clip can never be accepted as it is."""

    code = "manifest_invalid"


class NotAssigned(ManifestInvalid):
    """A clip has fires of a campaign version that its vehicle was never given."""

    code = "not_assigned"


class AssignmentOver(NotAssigned):
    """A clip has fires of a campaign version that ended for its vehicle too long ago."""

    code = "assignment_over"


class BadHeader(InvalidInput):
    """A header is missing or does not follow the protocol."""

    code = "bad_header"


class WrongProtocolVersion(InvalidInput):
    """The client uses another version of tus."""

    code = "wrong_protocol_version"


class UnsupportedBody(InvalidInput):
    """The route does not take the body's media type or encoding."""

    code = "unsupported_media_type"


class TooLarge(InvalidInput):
    """The body, or the size it announces, is larger than allowed."""

    code = "too_large"


class ChecksumMismatch(InvalidInput):
    """The bytes that arrived have another checksum than announced; send them again from `offset`."""

    code = "checksum_mismatch"

    def __init__(self, message: str, *, offset: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy or f"send the bytes from offset {offset} again")
        self.offset = offset


class WrongRange(InvalidInput):
    """The requested range of bytes is not within the object, which has `size_bytes`."""

    code = "wrong_range"

    def __init__(self, message: str, *, size_bytes: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy or f"the object has {size_bytes} bytes")
        self.size_bytes = size_bytes


class NotFound(LongtailError):
    """What the caller named does not exist, or the caller may not know that it does."""

    code = "not_found"


class Erased(NotFound):
    """What the caller named was erased, on purpose and for good; the message says when and why."""

    code = "erased"


class Conflict(LongtailError):
    """The current state does not allow the requested step (a lost compare-and-swap, an existing name)."""

    code = "conflict"


class ClipFailed(Conflict):
    """The clip was uploaded before and could not be stored; sending it again cannot succeed."""

    code = "clip_failed"


class UploadGone(Conflict):
    """The upload was closed before it was complete (expired, terminated, failed); begin a new one."""

    code = "upload_gone"


class WrongOffset(Conflict):
    """The bytes do not start where the stored ones end, at `offset`."""

    code = "wrong_offset"

    def __init__(self, message: str, *, offset: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy or f"continue at offset {offset}")
        self.offset = offset


class Fenced(Conflict):
    """Another request has since begun to write this upload, so the offset of this request is void."""

    code = "fenced"


class LeaseLost(Conflict):
    """The job was given to another worker or is finished, so this worker's result no longer counts."""

    code = "lease_lost"


class Unauthenticated(LongtailError):
    """The token is missing, malformed, expired or revoked."""

    code = "unauthenticated"


class Forbidden(LongtailError):
    """The caller is known, but not allowed to do this."""

    code = "forbidden"


class Quarantined(Forbidden):
    """The vehicle is in quarantine: its uploads and reports are refused until an operator releases it."""

    code = "quarantined"


class BudgetExhausted(LongtailError):
    """A reservation was refused by a budget.

    `accounts` names the exhausted accounts, `campaigns` the campaigns that they belong to, and `triggers`
    (`CAMPAIGN.TRIGGER`; None: none) those whose own budgets they are. A new attempt can succeed after `retry_after_s`
    seconds (None: not before the limit is raised).
    """

    code = "budget_exhausted"

    def __init__(
        self,
        message: str,
        *,
        accounts: tuple[str, ...],
        campaigns: tuple[str, ...],
        retry_after_s: int | None,
        triggers: tuple[str, ...] | None = None,
        remedy: str = "",
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.accounts = accounts
        self.campaigns = campaigns
        self.triggers = triggers
        self.retry_after_s = retry_after_s


class Overloaded(LongtailError):
    """A limit is reached for the moment (bytes in flight, spool, leases); try again after `retry_after_s`."""

    code = "overloaded"

    def __init__(self, message: str, *, retry_after_s: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_s = retry_after_s


class TooMany(Overloaded):
    """This caller has as many requests of a kind at once, or as many per second, as one caller may."""

    code = "too_many"


class TooSlow(LongtailError):
    """The body stopped arriving, or arrives too slowly to keep memory reserved for it."""

    code = "too_slow"


class Unreachable(LongtailError):
    """A service that this process depends on does not answer; the message names its address and the setting."""

    code = "unreachable"


class Untrusted(LongtailError):
    """A check of a signature, digest, expiry or counter failed; what was received must not be used."""

    code = "untrusted"


class Misconfigured(LongtailError):
    """A setting is missing or cannot work; the message names it, and the remedy gives a value that works."""

    code = "misconfigured"
