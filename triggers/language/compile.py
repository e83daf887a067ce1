"""From a trigger file to campaigns: the passes in their order, and what they give.

No text makes it raise: every mistake becomes a diagnostic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from triggers.contracts.campaign import MAX_TRIGGERS, CampaignSettings, TriggerSettings
from triggers.language.checks.campaigns import campaign_settings, check_collected
from triggers.language.checks.checker import check_definitions, check_names, lower
from triggers.language.checks.limits import Subject, check_alone, check_limits
from triggers.language.ir import MAX_NODES, Ir
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Diagnostic, Source, Span
from triggers.language.text.parser import parse
from triggers.language.text.reporter import Reporter
from triggers.language.text.source_file import MAX_SOURCE_BYTES, decoded, read_bytes
from triggers.signals.catalog import Limits, SignalCatalog

MAX_CAMPAIGNS = 1_000
MAX_FILE_NODES = 10 * MAX_NODES
"""Of all campaigns of a file: what compiling it may take is bounded, however they share triggers."""


@dataclass(frozen=True)
class CompiledCampaign:
    """A campaign's settings and its program (the triggers it collects, the heads it compares, nothing else)."""

    settings: CampaignSettings
    ir: Ir
    """The typed form."""
    spans: tuple[Span | None, ...] = ()
    """Where in the source each node of it stands first."""

    @cached_property
    def program(self) -> bytes:
        """The module that vehicles run."""
        return _emitted(self.ir, self.settings.triggers)

    @property
    def digest(self) -> str:
        """SHA-256 of the module, in lower-case hex."""
        return hashlib.sha256(self.program).hexdigest()


@dataclass(frozen=True)
class CompiledTriggers:
    """All triggers and compared heads of a file as one program, so that a file without campaign can be backtested."""

    settings: tuple[TriggerSettings, ...]
    ir: Ir
    spans: tuple[Span | None, ...] = ()

    @cached_property
    def program(self) -> bytes:
        """The module."""
        return _emitted(self.ir, self.settings)


@dataclass(frozen=True, slots=True)
class Compilation:
    """What compiling a file gave; without errors `triggers` is there, and every campaign of the file."""

    diagnostics: tuple[Diagnostic, ...]
    ok: bool
    campaigns: dict[str, CompiledCampaign] = field(default_factory=dict)
    triggers: CompiledTriggers | None = None
    source: str = field(default="", repr=False)
    """The file's text, in which spans are places."""


def compile_file(path: Path, catalog: SignalCatalog) -> Compilation:
    """Compile a trigger file; InvalidInput where it cannot be read, every other mistake is a diagnostic."""
    return compile_bytes(read_bytes(path), filename=str(path), catalog=catalog)


def compile_bytes(data: bytes, *, filename: str, catalog: SignalCatalog) -> Compilation:
    """Compile a file's bytes; bytes that are not UTF-8 or too many are diagnostics, too."""
    text, diagnostics = decoded(data, filename)
    if diagnostics:
        return Compilation(diagnostics, ok=False)
    return compile_source(text, filename=filename, catalog=catalog)


def compile_source(source: str, *, filename: str, catalog: SignalCatalog) -> Compilation:
    """Compile a file's text: parse, check names and definitions, lower triggers, campaigns, check limits."""
    if len(source.encode("utf-8", "surrogatepass")) > MAX_SOURCE_BYTES:
        report = Reporter(Source("", filename))
        report.too_large(Span(0, 0), MAX_SOURCE_BYTES)
        return Compilation(report.diagnostics, ok=False)
    report = Reporter(Source(source, filename))
    file = parse(report.source, report)
    if _is_too_long(file, report):
        return Compilation(report.diagnostics, ok=False)
    check_names(file, report)
    check_definitions(file, catalog, report)
    heads = [head for campaign in file.campaigns for head in campaign.compare]
    lowered = lower(file, file.triggers, heads, catalog, report)
    checked = {c.name.text: campaign_settings(c, file, lowered.settings, catalog, report) for c in file.campaigns}
    check_collected(file, report)
    if report.has_errors:
        return Compilation(report.diagnostics, ok=False)
    campaigns = _campaigns([s for s in checked.values() if s is not None], file, catalog, report)
    if report.has_errors:
        return Compilation(report.diagnostics, ok=False)
    triggers = CompiledTriggers(lowered.settings, lowered.ir, lowered.spans)
    _check_limits(file, campaigns, triggers, catalog.limits, report)
    if report.has_errors:
        return Compilation(report.diagnostics, ok=False)
    return Compilation(report.diagnostics, ok=True, campaigns=campaigns, triggers=triggers, source=source)


def _is_too_long(file: syntax.File, report: Reporter) -> bool:
    """Whether the file has too many blocks to be checked any further, which then is reported."""
    if len(file.campaigns) > MAX_CAMPAIGNS:
        report.too_many(file.campaigns[-1].name.span, "campaigns", len(file.campaigns), MAX_CAMPAIGNS, "a file")
    if len(file.triggers) > MAX_TRIGGERS:
        report.too_many(file.triggers[-1].name.span, "triggers", len(file.triggers), MAX_TRIGGERS, "a file")
    return len(file.campaigns) > MAX_CAMPAIGNS or len(file.triggers) > MAX_TRIGGERS


def _campaigns(
    settings: Sequence[CampaignSettings], file: syntax.File, catalog: SignalCatalog, report: Reporter
) -> dict[str, CompiledCampaign]:
    """Each campaign's own program; a file whose programs are too much work altogether is reported."""
    campaigns: dict[str, CompiledCampaign] = {}
    nodes = 0
    for each in settings:
        campaigns[each.name] = compiled = _compiled(each, file, catalog, report)
        nodes += len(compiled.ir.nodes)
        if nodes > MAX_FILE_NODES:
            span = next(block.name.span for block in file.campaigns if block.name.text == each.name)
            report.too_many(span, "sub-expressions of all campaigns", nodes, MAX_FILE_NODES, "a file")
            break
    return campaigns


def _compiled(
    settings: CampaignSettings, file: syntax.File, catalog: SignalCatalog, report: Reporter
) -> CompiledCampaign:
    collected = {trigger.name for trigger in settings.triggers}
    triggers = [trigger for trigger in file.triggers if trigger.name.text in collected]
    heads = [head for campaign in file.campaigns if campaign.name.text == settings.name for head in campaign.compare]
    lowered = lower(file, triggers, heads, catalog, report)
    return CompiledCampaign(settings, lowered.ir, lowered.spans)


def _check_limits(
    file: syntax.File,
    campaigns: Mapping[str, CompiledCampaign],
    triggers: CompiledTriggers,
    limits: Limits,
    report: Reporter,
) -> None:
    """Each campaign keeps the limits; a trigger that none collects keeps them by itself, so that one could."""
    for block in file.campaigns:
        compiled = campaigns[block.name.text]
        name = f"campaign `{block.name.text}`"
        check_limits(Subject(name, block.name.span, compiled.ir, compiled.spans), limits, report)
    collected = {trigger.name for each in campaigns.values() for trigger in each.settings.triggers}
    alone = [(t.name.text, t.name.span) for t in file.triggers if t.name.text not in collected]
    if alone:
        check_alone(alone, Subject("the file", alone[0][1], triggers.ir, triggers.spans), limits, report)


def _emitted(ir: Ir, settings: Sequence[TriggerSettings]) -> bytes:
    from triggers.language.webassembly.emitter import emit  # noqa: PLC0415 - who only checks a file needs no emitter

    return emit(ir, settings)
