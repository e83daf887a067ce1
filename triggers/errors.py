"""The one error hierarchy of Longtail; each edge (command line, HTTP) translates it once, from one table.

An error says what was wrong, where, and what to do: `message` is one line for the person who reads it,
`remedy` is the step that mends it. `code` is stable and machine-readable.
"""

from __future__ import annotations


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


class NotFound(LongtailError):
    """The named thing does not exist (or the caller may not know that it does)."""

    code = "not_found"


class Conflict(LongtailError):
    """The state of the thing does not allow the step asked for (compare-and-swap lost, already there)."""

    code = "conflict"


class Unauthenticated(LongtailError):
    """Nobody the deployment knows: the token is missing, malformed, expired or revoked."""

    code = "unauthenticated"


class Forbidden(LongtailError):
    """Known, but not allowed to do this."""

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


class Unreachable(LongtailError):
    """A part this process depends on does not answer; the message names its address and the setting."""

    code = "unreachable"


class Untrusted(LongtailError):
    """A signature, digest, expiry or counter check failed: what was received must not be used."""

    code = "untrusted"


class Misconfigured(LongtailError):
    """A setting is missing or cannot work; the message names the setting, the remedy a value that does."""

    code = "misconfigured"
