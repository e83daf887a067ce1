"""A sweep in a backtest's process: the program with each value of one of its params, and the curve that they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fleet_api.backtest_processes.tasks import Program
from triggers.backtest.forecast import ForecastFleet
from triggers.backtest.plan import BacktestPlan, make_plan
from triggers.backtest.result import BacktestResult
from triggers.backtest.versions.comparison import RanVersion
from triggers.backtest.versions.sweep import make_sweep, moved_triggers
from triggers.errors import InvalidInput
from triggers.language.compile import Compilation, compile_source
from triggers.language.sources.sweeps import ParamSweep, swept_values
from triggers.language.sources.values import with_values
from triggers.language.sources.whole_text import WholeText
from triggers.language.text.diagnostics import Diagnostic
from triggers.signals.catalog import SignalCatalog

MAX_VALUES = 20
"""Values of a sweep over HTTP: each is a program that runs in the memory of the process."""


@dataclass(frozen=True)
class PreparedSweep:
    """The values of a param, and for each the program with it as it is compiled, and its plan."""

    swept: ParamSweep
    compilations: tuple[Compilation, ...]
    plans: tuple[BacktestPlan, ...]

    @property
    def others(self) -> list[BacktestPlan]:
        """The plans of the values that are not the text's own."""
        return [plan for plan, value in zip(self.plans, self.swept.values, strict=True) if not value.is_own]

    def document(
        self,
        name: str,
        own: BacktestResult,
        others: Sequence[BacktestResult],
        fleet: ForecastFleet | None,
        catalog: SignalCatalog,
    ) -> dict[str, Any]:
        """The curve over the values, as a document, from the results of the text's own value and of `others`."""
        results = self.swept.in_order(own, others)
        versions = [RanVersion(name, plan, result) for plan, result in zip(self.plans, results, strict=True)]
        return make_sweep(self.swept, versions, moved_triggers(self.compilations), fleet, catalog).to_json()


def prepare_sweep(
    program: Program, sweep: str, own: tuple[Compilation, BacktestPlan], catalog: SignalCatalog
) -> PreparedSweep:
    """Compile a program with each value of `NAME=VALUES`; `own` is the program with the text's own value.

    DiagnosticsError for values that do not fit, InvalidInput for more of them than a process runs.
    """
    whole = WholeText(program.source, program.filename)
    swept, diagnostics = swept_values(whole, sweep)
    _refuse(diagnostics)
    assert swept is not None  # noqa: S101 - else there are diagnostics
    if len(swept.values) > MAX_VALUES:
        raise InvalidInput(
            f"the sweep has {len(swept.values)} values, the text's own among them, and a backtest over HTTP at most "
            f"{MAX_VALUES}",
            remedy="give fewer, or use `longtail backtest --sweep`",
        )
    others = []
    for value in swept.others:
        changed, diagnostics = with_values(whole, [f"{swept.name}={value.text}"])
        _refuse(diagnostics)
        compilation = compile_source(changed.text, filename=program.filename, catalog=catalog)
        compilation.require_ok(f"{program.filename} with {swept.name} = {value.text}")
        others.append((compilation, make_plan(compilation)))
    compilations, plans = zip(*swept.in_order(own, others), strict=True)
    return PreparedSweep(swept, compilations, plans)


def _refuse(diagnostics: Sequence[Diagnostic]) -> None:
    """DiagnosticsError if there are any."""
    Compilation(tuple(diagnostics), ok=not diagnostics).require_ok("the sweep")
