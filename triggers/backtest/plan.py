"""The plan of a backtest: the programs of a trigger file, byte for byte as vehicles would get them.

The file's campaigns run as they would be sent. If no campaign collects a trigger, a program of all triggers runs, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from triggers.contracts.campaign import CampaignSettings, TriggerSettings
from triggers.errors import InvalidInput
from triggers.language.compile import Compilation
from triggers.language.ir import Ir, mask_of
from triggers.signals.catalog import SignalCatalog

_ASKS_FOR_ABSENCE = frozenset(("missing", "age"))
"""Operations that are known even while the signal below them is not."""


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """The programs to run and the settings of each trigger by name. `one_in`: campaigns keep one of this many fires."""

    programs: tuple[bytes, ...]
    settings: dict[str, TriggerSettings]
    one_in: dict[str, int]
    signals: dict[str, frozenset[str]]
    """The signals that the condition of each trigger reads."""
    needs: dict[str, frozenset[str]]
    """Those of them without which the condition is unknown: not the ones that it only asks about with `missing`."""
    head_signals: dict[str, frozenset[str]] = field(default_factory=dict)
    """The signals of each compared head, by `compare HEAD` (see `compared`), and of compared events, by their key as a
    text."""
    campaigns: tuple[CampaignSettings, ...] = ()


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
            rate = campaign.settings.sample_one_in
            one_in[trigger.name] = min(rate, one_in.get(trigger.name, rate))
    programs = [campaign.program for campaign in compilation.campaigns.values()]
    if set(settings) - set(one_in):
        programs.append(compilation.triggers.program)
    ir = compilation.triggers.ir
    reads, needs = _masks(ir, frozenset()), _masks(ir, _ASKS_FOR_ABSENCE)
    return BacktestPlan(
        programs=tuple(dict.fromkeys(programs)),
        settings=settings,
        one_in={name: one_in.get(name, 1) for name in settings},
        signals={code.name: _names(ir, reads[code.root]) for code in ir.triggers},
        needs={code.name: _names(ir, needs[code.root]) for code in ir.triggers},
        head_signals={
            **{compared(code.head): _names(ir, reads[code.active] | reads[code.shadow]) for code in ir.compares},
            **{str(code.key): _names(ir, reads[code.first] | reads[code.second]) for code in ir.events},
        },
        campaigns=tuple(campaign.settings for campaign in compilation.campaigns.values()),
    )


def signals_needed(plan: BacktestPlan, catalog: SignalCatalog) -> frozenset[str]:
    """What the programs read, what triggers capture, and what the distance is measured by."""
    position = () if catalog.position is None else (catalog.position.latitude, catalog.position.longitude)
    captured = [settings.capture.signals for settings in plan.settings.values()]
    read = [*plan.signals.values(), *plan.head_signals.values()]
    return frozenset[str]().union(*read, *captured, position, {"ego.speed"} & catalog.sampled)


def _masks(ir: Ir, opaque: frozenset[str]) -> list[int]:
    """For each node, the inputs that it reads as a bit mask, without those that are below an opaque operation."""
    masks: list[int] = []
    for node in ir.nodes:
        masks.append(0 if node.op in opaque else mask_of(node, masks))
    return masks


def _names(ir: Ir, mask: int) -> frozenset[str]:
    return frozenset(item.name for index, item in enumerate(ir.inputs) if mask >> index & 1)
