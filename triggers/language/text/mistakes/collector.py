"""The collector of a file's findings, and the phrases that several messages share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from triggers.language.text.diagnostics import Diagnostic, Severity, Source, Span, diagnostic_at

MAX_DIAGNOSTICS = 200


def quoted(names: Iterable[str], word: str = "or") -> str:
    """`a`, `b` or `c`."""
    shown = [f"`{name}`" for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {word} {shown[-1]}" if shown else ""


def did_you_mean(nearest: Sequence[str]) -> str:
    """A proposal that lists the nearest names; empty if there are none."""
    return f"did you mean {quoted(nearest)}?" if nearest else ""


def _order(finding: Diagnostic) -> tuple[bool, int, int, str]:
    return finding.severity is not Severity.ERROR, finding.line, finding.column, finding.code


class Collector:
    """Collects the findings of one file. Each code is reported at most once per place."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.names_compared = 0
        """How many comparisons of names were made so far to propose the nearest ones."""
        self._findings: dict[tuple[str, Span], Diagnostic] = {}

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The errors and then the warnings, each in order of place; at most MAX_DIAGNOSTICS of them."""
        return tuple(sorted(self._findings.values(), key=_order)[:MAX_DIAGNOSTICS])

    @property
    def has_errors(self) -> bool:
        """True if a finding prevents the file from being compiled."""
        return any(d.severity is Severity.ERROR for d in self._findings.values())

    def _error(self, code: str, span: Span, message: str, proposal: str = "") -> None:
        self._add(code, Severity.ERROR, span, message, proposal)

    def _warning(self, code: str, span: Span, message: str, proposal: str = "") -> None:
        self._add(code, Severity.WARNING, span, message, proposal)

    def _add(self, code: str, severity: Severity, span: Span, message: str, proposal: str) -> None:
        if ("LT101", span) in self._findings:  # whatever else is wrong with these characters follows from that
            return
        finding = diagnostic_at(self.source, span, code=code, severity=severity, message=message, proposal=proposal)
        known = self._findings.setdefault((code, span), finding)
        if proposal and not known.proposal:
            self._findings[code, span] = finding
