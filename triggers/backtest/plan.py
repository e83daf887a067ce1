"""The plan of a backtest: the programs of a trigger file, byte for byte as vehicles would get them.

The file's campaigns run as they would be sent. If no campaign collects a trigger, a program of all triggers runs, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from triggers.contracts.campaign import TriggerSettings
from triggers.errors import InvalidInput
from triggers.language.compile import Compilation


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """The programs to run and the settings of each trigger by name. `one_in`: campaigns keep one of this many fires."""

    programs: tuple[bytes, ...]
    settings: dict[str, TriggerSettings]
    one_in: dict[str, int]


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
    return BacktestPlan(tuple(dict.fromkeys(programs)), settings, {name: one_in.get(name, 1) for name in settings})
