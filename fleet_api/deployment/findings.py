"""Findings of the doctor: one line per check, with its status and a remedy."""

from __future__ import annotations

from collections.abc import Callable
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
    """What `look` finds; a failure when it raises a LongtailError."""
    try:
        return look()
    except LongtailError as error:
        return fail(check, error.message, error.remedy or "fix what this says, or change the setting")
