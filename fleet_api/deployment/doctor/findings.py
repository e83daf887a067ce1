"""Findings of the doctor: one line per check, with its status and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

from triggers.errors import LongtailError


class FindingStatus(StrEnum):
    """How serious a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination."""

    check: str
    status: FindingStatus
    message: str
    remedy: str = ""

    def document(self) -> dict[str, str]:
        """As JSON values."""
        return asdict(self)


def ok(check: str, message: str) -> Finding:
    return Finding(check, FindingStatus.OK, message)


def warn(check: str, message: str, remedy: str) -> Finding:
    return Finding(check, FindingStatus.WARN, message, remedy)


def fail(check: str, message: str, remedy: str = "") -> Finding:
    return Finding(check, FindingStatus.FAIL, message, remedy)


def guarded(check: str, look: Callable[[], Finding]) -> Finding:
    """What `look` finds; a failure when it raises anything, so that the examination goes on."""
    try:
        return look()
    except LongtailError as error:
        return fail(check, error.message, error.remedy or "fix what this says, or change the setting")
    except Exception as error:  # noqa: BLE001 - a doctor that stops at the first surprise hides the others
        return _surprise(check, error)


def guarded_all(check: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings as they are made; an error ends only these, as a failure of `check`."""
    while True:
        try:
            finding = next(findings)
        except StopIteration:
            return
        except LongtailError as error:
            yield fail(check, error.message, error.remedy or "fix what this says, or change the setting")
            return
        except Exception as error:  # noqa: BLE001 - as above
            yield _surprise(check, error)
            return
        yield finding


def _surprise(check: str, error: Exception) -> Finding:
    reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else "no message"
    remedy = "fix what this says; if it is a mistake of Longtail, report it"
    return fail(check, f"the check itself failed: {type(error).__name__}, {reason}", remedy)
