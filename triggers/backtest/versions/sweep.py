"""A sweep: a trigger file with several values of a param on the same drives, as a curve over the values.

At each value a trigger is compared with itself at the file's own value, as two versions are
(`triggers.backtest.versions.comparison`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from triggers.backtest.forecast import NS_PER_HOUR, ForecastFleet
from triggers.backtest.limits.budgets import BudgetUse, budget_uses
from triggers.backtest.versions.comparison import RanVersion, VersionFigures, compare_trigger
from triggers.language.compile import Compilation
from triggers.language.ir import OPERATIONS, Ir
from triggers.language.sources.sweeps import ParamSweep
from triggers.signals.catalog import SignalCatalog
from triggers.statistics.sequences import RatioInterval


@dataclass(frozen=True, slots=True)
class TriggerPoint:
    """A trigger at one value of a param, beside itself at the file's own value.

    `both` are fires that it has at both values, `only_here` at this one alone, `only_own` at the file's own alone.
    `ratio` is its rate at this value divided by that at the file's own, paired.
    """

    figures: VersionFigures
    both: int
    only_here: int
    only_own: int
    ratio: RatioInterval

    def to_json(self) -> dict[str, Any]:
        """The entry of a point in `triggers`; a ratio without an upper limit has null."""
        counts = {"both": self.both, "only_here": self.only_here, "only_own": self.only_own}
        return asdict(self.figures) | counts | {"ratio": self.ratio.to_json()}


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """What came of one value: of each trigger, and of the campaigns' budgets.

    `number` is the value in the unit of the sweep, None for a text, `true` and `false`. `programs` are the SHA-256 of
    the programs that ran.
    """

    value: str
    number: float | None
    is_own: bool
    programs: tuple[str, ...]
    triggers: dict[str, TriggerPoint]
    budgets: tuple[BudgetUse, ...]

    @property
    def shown(self) -> str:
        """The value in a table, with a mark if it is the file's own."""
        return f"{self.value} *" if self.is_own else self.value

    def to_json(self) -> dict[str, Any]:
        """The entry of a sweep in `points`."""
        return {
            "value": self.value,
            "number": self.number,
            "is_own": self.is_own,
            "programs": list(self.programs),
            "triggers": {name: each.to_json() for name, each in self.triggers.items()},
            "budgets": [use.to_json() for use in self.budgets],
        }


@dataclass(frozen=True, slots=True)
class Sweep:
    """The curve over a param's values: numbers from the lowest on, the file's own value among them.

    `moved` are the triggers that the param changes, which alone are in the points; `unmoved` are the others.
    `within_ns` is how far apart fires are the same, None: their capture windows touch.
    """

    file: str
    param: str
    unit: str | None
    within_ns: int | None
    drives: int
    hours: float
    moved: tuple[str, ...]
    unmoved: tuple[str, ...]
    points: tuple[SweepPoint, ...]
    failed_drives: tuple[str, ...]

    @property
    def own(self) -> SweepPoint:
        """The point of the file's own value."""
        return next(point for point in self.points if point.is_own)

    @property
    def is_complete(self) -> bool:
        """Whether every drive could be read, and every trigger that the param changes ran on one of them."""
        ran = all(each.figures.per_hour is not None for point in self.points for each in point.triggers.values())
        return not self.failed_drives and ran

    def to_json(self) -> dict[str, Any]:
        """The document that `longtail backtest --sweep --json` writes."""
        return {
            "file": self.file,
            "param": self.param,
            "unit": self.unit,
            "within_ns": self.within_ns,
            "drives": self.drives,
            "hours": self.hours,
            "moved": list(self.moved),
            "unmoved": list(self.unmoved),
            "points": [point.to_json() for point in self.points],
            "failed_drives": list(self.failed_drives),
        }


def make_sweep(
    swept: ParamSweep,
    versions: Sequence[RanVersion],
    moved: Sequence[str],
    fleet: ForecastFleet | None,
    catalog: SignalCatalog,
    *,
    within_ns: int | None = None,
) -> Sweep:
    """The curve of versions that ran together, one for each of the values; `moved` is from `moved_triggers`."""
    own = next(version for version, value in zip(versions, swept.values, strict=True) if value.is_own)
    drives = own.result.drives
    points = []
    for version, value in zip(versions, swept.values, strict=True):
        triggers = {}
        for name in moved:
            told = compare_trigger(name, version, own, fleet, catalog, within_ns=within_ns)
            triggers[name] = TriggerPoint(told.first, told.both, told.only_first, told.only_second, told.ratio)
        programs = tuple(hashlib.sha256(program).hexdigest() for program in version.plan.programs)
        budgets = budget_uses(version.plan.campaigns, version.result.drives, fleet, catalog)
        points.append(SweepPoint(value.text, value.number, value.is_own, programs, triggers, budgets))
    failures = dict.fromkeys(str(failure) for version in versions for failure in version.result.failures)
    return Sweep(
        own.name,
        swept.name,
        swept.unit,
        within_ns,
        drives=len(drives),
        hours=sum(drive.recorded_ns for drive in drives) / NS_PER_HOUR,
        moved=tuple(moved),
        unmoved=tuple(name for name in own.plan.settings if name not in moved),
        points=tuple(points),
        failed_drives=tuple(failures),
    )


def moved_triggers(compilations: Sequence[Compilation]) -> tuple[str, ...]:
    """The triggers whose conditions or settings are not the same in all of several compilations of one file."""
    known: dict[object, int] = {}
    forms: dict[str, set[object]] = {}
    for compilation in compilations:
        if (compiled := compilation.triggers) is None:
            continue
        nodes = _forms(compiled.ir, known)
        roots = {code.name: nodes[code.root] for code in compiled.ir.triggers}
        for settings in compiled.settings:
            forms.setdefault(settings.name, set()).add((roots[settings.name], settings.model_dump_json()))
    return tuple(name for name, different in forms.items() if len(different) > 1)


def _forms(ir: Ir, known: dict[object, int]) -> list[int]:
    """A number for each node, equal for those that compute the same, also of another program that shares `known`."""
    forms: list[int] = []
    for node in ir.nodes:
        names = OPERATIONS[node.op].parameters
        parameters = [
            ir.inputs[int(value)].name if name == "input" and isinstance(value, int) else value
            for name, value in zip(names, node.parameters, strict=True)
        ]
        form = (node.op, tuple(forms[argument] for argument in node.arguments), repr(parameters))
        forms.append(known.setdefault(form, len(known)))
    return forms
