"""The plan of a backtest: the programs of a trigger file, byte for byte as vehicles would get them.

The file's campaigns run as they would be sent. If no campaign collects a trigger, a program of all triggers runs, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from triggers.backtest.conditions import WrittenParts, written_parts
from triggers.contracts.campaign import CampaignSettings, TriggerSettings
from triggers.errors import InvalidInput
from triggers.language.compile import Compilation, CompiledCampaign, CompiledTriggers
from triggers.language.ir import Ir
from triggers.language.text.syntax import SUN_WORDS
from triggers.language.watched import WatchedTrigger, masks_of, watched
from triggers.signals.catalog import SignalCatalog


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """The programs to run and the settings of each trigger by name. `one_in`: campaigns keep one of this many fires."""

    programs: tuple[bytes, ...]
    settings: dict[str, TriggerSettings]
    one_in: dict[str, int]
    signals: dict[str, frozenset[str]]
    """The signals that the condition of each trigger reads."""
    watched: tuple[tuple[WatchedTrigger, ...], ...]
    """For each of the programs, the conditions that are weighed."""
    parts: dict[str, WrittenParts]
    """By trigger, the parts of its condition as they are written; what is weighed of them says `WatchedTrigger`."""
    head_signals: dict[str, frozenset[str]] = field(default_factory=dict)
    """The signals of each compared head, by `compare HEAD` (see `compared`), and of compared events, by their key as a
    text."""
    campaigns: tuple[CampaignSettings, ...] = ()
    fields: dict[str, frozenset[str]] = field(default_factory=dict)
    """Of each list of objects that conditions read, the fields that they read."""
    of_the_sun: frozenset[str] = frozenset()
    """The triggers whose conditions need Unix time, for `solar_time` or `sun_elevation`."""


def compared(head: str) -> str:
    """How a compared head is named beside triggers, one of which may have the head's name."""
    return f"compare {head}"


def make_plan(compilation: Compilation) -> BacktestPlan:
    """The programs of a compiled file; every trigger is in at least one of them."""
    if compilation.triggers is None:
        raise InvalidInput("the trigger file has errors", remedy="see its diagnostics")
    settings = {trigger.name: trigger for trigger in compilation.triggers.settings}
    one_in: dict[str, int] = {}
    for campaign in compilation.campaigns.values():
        for trigger in campaign.settings.triggers:
            rate = campaign.settings.one_in(trigger)
            one_in[trigger.name] = min(rate, one_in.get(trigger.name, rate))
    compiled: list[CompiledCampaign | CompiledTriggers] = list(compilation.campaigns.values())
    if set(settings) - set(one_in):
        compiled.append(compilation.triggers)
    programs: dict[bytes, CompiledCampaign | CompiledTriggers] = {}
    for each in compiled:
        programs.setdefault(each.program, each)
    ir = compilation.triggers.ir
    reads = masks_of(ir)
    return BacktestPlan(
        programs=tuple(programs),
        settings=settings,
        one_in={name: one_in.get(name, 1) for name in settings},
        signals={code.name: _names(ir, reads[code.root]) for code in ir.triggers},
        watched=tuple(watched(each.ir) for each in programs.values()),
        parts={
            found.trigger: written_parts(found, each.ir, each.conjuncts[found.trigger], compilation.source)
            for each in programs.values()
            for found in watched(each.ir)
        },
        head_signals={
            **{compared(code.head): _names(ir, reads[code.active] | reads[code.shadow]) for code in ir.compares},
            **{str(code.key): _names(ir, reads[code.first] | reads[code.second]) for code in ir.events},
        },
        campaigns=tuple(campaign.settings for campaign in compilation.campaigns.values()),
        fields=_fields_read(ir),
        of_the_sun=_of_the_sun(ir),
    )


def signals_needed(plan: BacktestPlan, catalog: SignalCatalog) -> frozenset[str]:
    """What the programs read, what triggers capture, and what the distance is measured by."""
    position = () if catalog.position is None else (catalog.position.latitude, catalog.position.longitude)
    captured = [settings.capture.signals for settings in plan.settings.values()]
    read = [*plan.signals.values(), *plan.head_signals.values()]
    return frozenset[str]().union(*read, *captured, position, {"ego.speed"} & catalog.sampled)


def fields_needed(plans: Iterable[BacktestPlan]) -> dict[str, frozenset[str]]:
    """Of the lists of objects that are needed, the fields that any condition reads; of one without an entry none."""
    fields: dict[str, frozenset[str]] = {}
    for plan in plans:
        for name, read in plan.fields.items():
            fields[name] = fields.get(name, frozenset()) | read
    return fields


def _fields_read(ir: Ir) -> dict[str, frozenset[str]]:
    read: dict[str, set[str]] = {}
    for node in ir.nodes:
        if node.op == "object_field":
            item = ir.inputs[node.integer("input")]
            read.setdefault(item.name, set()).add(item.fields[node.integer("field")].name)
    return {name: frozenset(fields) for name, fields in read.items()}


def _of_the_sun(ir: Ir) -> frozenset[str]:
    reads: list[bool] = []
    for node in ir.nodes:  # each after its arguments
        reads.append(node.op in SUN_WORDS or any(reads[argument] for argument in node.arguments))
    return frozenset(code.name for code in ir.triggers if reads[code.root])


def _names(ir: Ir, mask: int) -> frozenset[str]:
    return frozenset(item.name for index, item in enumerate(ir.inputs) if mask >> index & 1)
