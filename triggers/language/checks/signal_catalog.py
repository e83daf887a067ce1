"""Warnings about the signal catalog that a file is compiled against, with their places in its text."""

from __future__ import annotations

from triggers.language.checks.context import shown_time
from triggers.language.rows import HEARTBEAT_NS
from triggers.language.text.diagnostics import Diagnostic, Source, Span
from triggers.language.text.reporter import Reporter
from triggers.signals.catalog import SignalCatalog

NOTICED_NS = 2 * HEARTBEAT_NS
"""The longest time from the latest sample to the heartbeat that notices the silence."""


def catalog_warnings(catalog: SignalCatalog) -> tuple[Diagnostic, ...]:
    """Each stated `max_age` that is shorter than can be noticed."""
    source = catalog.source
    report = Reporter(Source(source.text, source.name or "signal catalog"))
    for name, signal in catalog.signals.items():
        if signal.max_age is not None and (signal.max_age_ns or 0) < NOTICED_NS:
            span = Span(*source.characters(("signals", name, "max_age")))
            report.short_max_age(span, name, shown_time(signal.max_age_ns or 0))
    return report.diagnostics
