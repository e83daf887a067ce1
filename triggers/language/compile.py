"""The compiler of trigger files: its passes in order, and the compiled campaigns that they give.

It never raises because of a file's text: every mistake becomes a diagnostic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from triggers.contracts.campaign import MAX_TRIGGERS, CampaignSettings, TriggerSettings
from triggers.contracts.limits import MAX_CONDITION_BYTES, MAX_SOURCE_BYTES
from triggers.errors import DiagnosticsError, InvalidInput
from triggers.language.checks.calls.table import FORMS
from triggers.language.checks.campaigns.blocks import (
    campaign_settings,
    check_budget,
    check_collected,
    check_own_budgets,
    check_places,
)
from triggers.language.checks.checker import check_definitions, check_names, lower
from triggers.language.checks.conjuncts import Conjunct
from triggers.language.checks.expressions import check as check_expression
from triggers.language.checks.limits import LimitedProgram, check_limits, check_uncollected
from triggers.language.checks.signal_catalog import catalog_findings, derived_findings
from triggers.language.expansion.definitions import Outside
from triggers.language.expansion.files import expand
from triggers.language.ir import MAX_NODES, Ir
from triggers.language.sources.imports import read_whole
from triggers.language.sources.values import with_values
from triggers.language.sources.whole_text import WholeText
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Diagnostic, Severity, Source, SourcePart, Span
from triggers.language.text.mistakes.collector import Enough
from triggers.language.text.parser import parse, parse_condition
from triggers.language.text.reporter import Reporter
from triggers.language.text.source_file import decoded
from triggers.signals.catalog import SignalCatalog

CONDITION = "condition"
"""The name of the trigger of a condition that is compiled alone."""
MAX_CAMPAIGNS = 1_000
MAX_FILE_NODES = 10 * MAX_NODES
"""The limit for all campaigns of a file together, which bounds the work of compiling however they share triggers."""


@dataclass(frozen=True)
class CompiledCampaign:
    """A campaign's settings and its program: only the triggers that it collects and the heads that it compares."""

    settings: CampaignSettings
    ir: Ir
    spans: tuple[Span | None, ...] = ()
    """Where each node of `ir` first appears in the source."""
    conjuncts: Mapping[str, tuple[Conjunct, ...]] = field(default_factory=dict)
    """By trigger, the parts that its condition joins with `and`, as they are written."""

    @cached_property
    def program(self) -> bytes:
        """The module that vehicles run; compiling the file has checked that the program fits into a module."""
        return _emitted(self.ir, self.settings.triggers)

    @property
    def digest(self) -> str:
        """SHA-256 of the program, in lower-case hex."""
        return hashlib.sha256(self.program).hexdigest()


@dataclass(frozen=True)
class CompiledTriggers:
    """All triggers and compared heads of a file as one program, so that a file without campaigns can be backtested."""

    settings: tuple[TriggerSettings, ...]
    ir: Ir
    spans: tuple[Span | None, ...] = ()
    conjuncts: Mapping[str, tuple[Conjunct, ...]] = field(default_factory=dict)

    @cached_property
    def program(self) -> bytes:
        """The module. Its size was checked, unless campaigns collect all triggers, in which case nothing runs it."""
        return _emitted(self.ir, self.settings)


@dataclass(frozen=True, slots=True)
class Compilation:
    """The result of compiling a file; without errors it has `triggers` and every campaign of the file."""

    diagnostics: tuple[Diagnostic, ...]
    ok: bool
    campaigns: dict[str, CompiledCampaign] = field(default_factory=dict)
    triggers: CompiledTriggers | None = None
    source: str = field(default="", repr=False)
    """The file's text with its imports, which spans refer to; empty if its bytes could not be decoded."""
    parts: tuple[SourcePart, ...] = field(default=(), repr=False)
    """Which parts of it are imported files."""

    def require_ok(self, filename: str) -> None:
        """DiagnosticsError, with every diagnostic of the file, if it has a mistake; warnings alone do not count."""
        if self.ok:
            return
        errors = sum(diagnostic.severity == "error" for diagnostic in self.diagnostics)
        mistakes = "1 mistake" if errors == 1 else f"{errors} mistakes"
        diagnostics = [diagnostic.to_json() for diagnostic in self.diagnostics]
        raise DiagnosticsError(f"{filename} has {mistakes}", diagnostics=diagnostics)


def compile_file(path: Path, catalog: SignalCatalog, *, values: Sequence[str] = ()) -> Compilation:
    """Compile a trigger file with the files that it imports, its params set to `values`, each as in `hold=500 ms`.

    Raises InvalidInput if the file itself cannot be read; every other mistake is a diagnostic.
    """
    whole, diagnostics = read_whole(path)
    if not diagnostics and values:
        whole, diagnostics = with_values(whole, values)
    if diagnostics:
        return Compilation(diagnostics, ok=False)
    return _compile_whole(whole, catalog)


def compile_bytes(data: bytes, *, filename: str, catalog: SignalCatalog) -> Compilation:
    """Compile a file's bytes; bytes that are not UTF-8, or too many bytes, are diagnostics, too."""
    text, diagnostics = decoded(data, filename)
    if diagnostics:
        return Compilation(diagnostics, ok=False)
    return compile_source(text, filename=filename, catalog=catalog)


def compile_source(source: str, *, filename: str, catalog: SignalCatalog) -> Compilation:
    """Compile a file's text: parse it, run CHECKS, and, if it has no error, BUILDS.

    >>> catalog = SignalCatalog.parse("signals: {ego.speed: {unit: m/s, rate: 10}}", name="signals.yaml")
    >>> fast = compile_source("trigger fast { when ego.speed > 36 km/h }", filename="a.trigger", catalog=catalog)
    >>> [(node.op, node.arguments, node.parameters) for node in fast.triggers.ir.nodes]
    [('input', (), (0,)), ('number', (), (10.0,)), ('gt', (0, 1), ())]
    >>> wrong = compile_source("trigger fast { when ego.speed > 36 }", filename="a.trigger", catalog=catalog)
    >>> print(wrong.diagnostics[0].render())
    a.trigger:1:33: error: `ego.speed` is a speed in m/s [LT301]
        trigger fast { when ego.speed > 36 }
                                        ^^
        help: write `36 km/h` or `36 m/s`
    """
    return _compile_whole(WholeText(source, filename), catalog)


def _compile_whole(whole: WholeText, catalog: SignalCatalog) -> Compilation:
    if len(whole.text.encode("utf-8", "surrogatepass")) > MAX_SOURCE_BYTES:
        report = Reporter(Source("", whole.filename))
        report.too_large(Span(0, 0), MAX_SOURCE_BYTES)
        return Compilation(report.diagnostics, ok=False)
    report = Reporter(whole.source(), stops=True)
    return _compiled(report, lambda: parse(report.source, report), catalog, catalog_findings(catalog, check_expression))


def compile_condition(source: str, *, filename: str, catalog: SignalCatalog) -> Compilation:
    """Compile the text of one condition, as after `when`, into a program with the one trigger CONDITION.

    It has the checks and limits of a trigger file, and its places are those in this text.

    >>> catalog = SignalCatalog.parse("signals: {ego.speed: {unit: m/s, rate: 10}}", name="signals.yaml")
    >>> fast = compile_condition("ego.speed > 36 km/h", filename="--when", catalog=catalog)
    >>> [trigger.name for trigger in fast.triggers.settings], len(fast.triggers.ir.nodes)
    (['condition'], 3)
    """
    report = Reporter(Source(source, filename), stops=True, alone=True)
    if len(source.encode("utf-8", "surrogatepass")) > MAX_CONDITION_BYTES:
        report.too_large(Span(0, 0), MAX_CONDITION_BYTES)
        return Compilation(report.diagnostics, ok=False)
    return _compiled(
        report,
        lambda: parse_condition(report.source, report, CONDITION),
        catalog,
        derived_findings(catalog, check_expression),
    )


def expanded(file: syntax.File, catalog: SignalCatalog, report: Reporter) -> syntax.File:
    """A parsed file with what they stand for in the place of its own words, which no later pass knows."""
    outside = Outside(signals=catalog.signals, lists=catalog.objects, operators=FORMS)
    return expand(file, outside=outside, report=report)


def require_sound(catalog: SignalCatalog) -> None:
    """InvalidInput, with a line for each mistake and its place, if a derived signal cannot be computed."""
    found = derived_findings(catalog, check_expression)
    lines = [
        f"{each.file}:{each.line}:{each.column}: {each.message}{f'; {each.proposal}' if each.proposal else ''}"
        for each in found
        if each.severity is Severity.ERROR
    ]
    if lines:
        raise InvalidInput("\n".join(lines))


def _compiled(
    report: Reporter, parsed: Callable[[], syntax.File], catalog: SignalCatalog, of_catalog: Sequence[Diagnostic]
) -> Compilation:
    """Parse, and run the passes over what was parsed; `of_catalog` is what was found in the catalog."""
    draft = None
    with suppress(Enough):
        draft = _Draft(parsed(), catalog, report)
        _run_passes(draft)
        of_catalog = of_catalog or draft.of_catalog
    diagnostics = (*report.diagnostics, *of_catalog)
    source, parts = report.source.text, tuple(report.source.parts)
    if draft is None or report.has_errors or any(each.severity is Severity.ERROR for each in of_catalog):
        return Compilation(diagnostics, ok=False, source=source, parts=parts)
    campaigns, triggers = draft.campaigns, draft.triggers
    return Compilation(diagnostics, ok=True, campaigns=campaigns, triggers=triggers, source=source, parts=parts)


def _run_passes(draft: _Draft) -> None:
    if _is_too_long(draft.file, draft.report):
        return
    for check in CHECKS:
        check(draft)
    for build in BUILDS:
        if not draft.report.has_errors:
            build(draft)


@dataclass(slots=True)
class _Draft:
    """A parsed file, and the results of the passes so far."""

    file: syntax.File
    catalog: SignalCatalog
    report: Reporter
    triggers: CompiledTriggers | None = None
    of_catalog: tuple[Diagnostic, ...] = ()
    """What the file's triggers found in the catalog; without it none of them may be left out."""
    settings: list[CampaignSettings] = field(default_factory=list)
    """The settings of the campaigns without mistakes."""
    campaigns: dict[str, CompiledCampaign] = field(default_factory=dict)


def _check_names(draft: _Draft) -> None:
    check_names(draft.file, draft.report)


def _expand(draft: _Draft) -> None:
    draft.file = expanded(draft.file, draft.catalog, draft.report)


def _check_definitions(draft: _Draft) -> None:
    check_definitions(draft.file, draft.catalog, draft.report)


def _lower_triggers(draft: _Draft) -> None:
    """Lower all triggers as one program, whether a campaign collects them or not."""
    compare = [compared for campaign in draft.file.campaigns for compared in campaign.compare]
    lowered = lower(draft.file, draft.file.triggers, compare, draft.catalog, draft.report)
    draft.triggers = CompiledTriggers(lowered.settings, lowered.ir, lowered.spans, lowered.conjuncts)
    draft.of_catalog = lowered.of_catalog


def _check_campaigns(draft: _Draft) -> None:
    sound = draft.triggers.settings if draft.triggers is not None else ()
    for campaign in draft.file.campaigns:
        settings = campaign_settings(campaign, draft.file, sound, draft.catalog, draft.report)
        if settings is not None:
            draft.settings.append(settings)


def _check_collected(draft: _Draft) -> None:
    check_collected(draft.file, draft.report)


def _lower_campaigns(draft: _Draft) -> None:
    """Lower each campaign's own program; a file whose programs are too much work together is reported.

    A campaign is lowered from its triggers, not extracted from the program of the whole file, so that nodes and inputs
    are in the order in which this campaign first uses them. Therefore its bytes, and with them its digest, do not
    change when something changes that it does not collect.
    """
    nodes = 0
    blocks = {block.name.text: block for block in draft.file.campaigns}
    for settings in draft.settings:
        block = blocks[settings.name]
        collected = {trigger.name for trigger in settings.triggers}
        triggers = [trigger for trigger in draft.file.triggers if trigger.name.text in collected]
        lowered = lower(draft.file, triggers, block.compare, draft.catalog, draft.report)
        draft.campaigns[settings.name] = CompiledCampaign(settings, lowered.ir, lowered.spans, lowered.conjuncts)
        nodes += len(lowered.ir.nodes)
        if nodes > MAX_FILE_NODES:
            draft.report.too_many(block.name.span, "sub-expressions of all campaigns", nodes, MAX_FILE_NODES, "a file")
            return


def _check_limits(draft: _Draft) -> None:
    """Check the limits of each campaign, and of each uncollected trigger as if a campaign collected it alone."""
    limits, report = draft.catalog.limits, draft.report
    for block in draft.file.campaigns:
        compiled = draft.campaigns[block.name.text]
        name = f"campaign `{block.name.text}`"
        check_limits(LimitedProgram(name, block.name.span, compiled.ir, compiled.spans), limits, report)
    collected = {trigger.name for settings in draft.settings for trigger in settings.triggers}
    uncollected = [trigger.name for trigger in draft.file.triggers if trigger.name.text not in collected]
    if uncollected and draft.triggers is not None:
        whole = LimitedProgram("the file", uncollected[0].span, draft.triggers.ir, draft.triggers.spans)
        check_uncollected(uncollected, whole, limits, report)


def _check_budgets(draft: _Draft) -> None:
    blocks = {block.name.text: block for block in draft.file.campaigns}
    for settings in draft.settings:
        check_budget(blocks[settings.name], settings, draft.catalog, draft.report)
    collected = (trigger for settings in draft.settings for trigger in settings.triggers)
    check_own_budgets(draft.file, collected, draft.catalog, draft.report)


def _check_places(draft: _Draft) -> None:
    check_places(draft.file, draft.settings, draft.catalog, draft.report)


CHECKS: tuple[Callable[[_Draft], None], ...] = (
    _check_names,
    _expand,
    _check_definitions,
    _lower_triggers,
    _check_campaigns,
    _check_collected,
)
"""The passes that find mistakes; each runs whatever the ones before it have reported."""

BUILDS: tuple[Callable[[_Draft], None], ...] = (_lower_campaigns, _check_limits, _check_budgets, _check_places)
"""The passes that make programs; none runs once there is an error."""


def _is_too_long(file: syntax.File, report: Reporter) -> bool:
    """Whether the file has too many blocks to be checked further; if so, that is reported."""
    if len(file.campaigns) > MAX_CAMPAIGNS:
        report.too_many(file.campaigns[-1].name.span, "campaigns", len(file.campaigns), MAX_CAMPAIGNS, "a file")
    if len(file.triggers) > MAX_TRIGGERS:
        report.too_many(file.triggers[-1].name.span, "triggers", len(file.triggers), MAX_TRIGGERS, "a file")
    return len(file.campaigns) > MAX_CAMPAIGNS or len(file.triggers) > MAX_TRIGGERS


def _emitted(ir: Ir, settings: Sequence[TriggerSettings]) -> bytes:
    from triggers.language.webassembly.emitter import emit  # noqa: PLC0415 - `longtail check` needs no emitter

    return emit(ir, settings)
