"""The diagnostics of the language: every code with what it means, as the reporter's methods say it, and its remedy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from triggers.language.text.diagnostics import Severity
from triggers.language.text.reporter import Reporter
from triggers.schema.remedies import REMEDIES

_MEANING = re.compile(r"(LT\d{3}): (.+)\.")
_FIRST_WARNING = "LT9"


@dataclass(frozen=True, slots=True)
class KnownDiagnostic:
    """A code, what it means, and what to do about it in general; a finding itself often has a proposal of its own."""

    code: str
    severity: Severity
    meaning: str
    remedy: str


@cache
def known_diagnostics() -> tuple[KnownDiagnostic, ...]:
    """Every code in the order of the codes."""
    meanings: dict[str, str] = {}
    for name in dir(Reporter):
        found = _MEANING.match(getattr(getattr(Reporter, name), "__doc__", None) or "")
        if found is not None:
            meanings[found[1]] = found[2]
    return tuple(
        KnownDiagnostic(code, _severity(code), meanings[code], REMEDIES.get(code, "")) for code in sorted(meanings)
    )


def _severity(code: str) -> Severity:
    return Severity.WARNING if code.startswith(_FIRST_WARNING) else Severity.ERROR
