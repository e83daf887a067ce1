"""What a backtest of several versions gives: a comparison or a sweep, with remarks, and the exit status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fleet_api.cli.author.backtest_page import write_html
from fleet_api.cli.author.backtest_remarks import tell_remarks
from fleet_api.cli.author.versions.against import show_comparison
from fleet_api.cli.author.versions.curve import show_sweep
from fleet_api.cli.author.versions.document import give
from fleet_api.cli.author.versions.options import AskedVersions
from fleet_api.cli.output import remark
from triggers.backtest.page import sweep as sweep_page
from triggers.backtest.page.versions import page

if TYPE_CHECKING:
    from triggers.backtest.forecast import ForecastFleet
    from triggers.backtest.result import BacktestResult
    from triggers.backtest.versions.comparison import RanVersion
    from triggers.language.compile import Compilation
    from triggers.signals.catalog import SignalCatalog


def give_versions(
    versions: AskedVersions,
    ran: Sequence[tuple[Compilation, BacktestResult]],
    fleet: ForecastFleet | None,
    catalog: SignalCatalog,
    *,
    json_file: Path | None,
    html_file: Path | None,
) -> int:
    """Give what was asked for of versions that ran together, FILE first; the exit status."""
    if versions.sweep is not None:
        return _give_sweep(versions, ran, fleet, catalog, json_file=json_file, html_file=html_file)
    from triggers.backtest.versions.comparison import compare

    first, second = _named(versions.names, ran)
    comparison = compare(first, second, fleet, catalog, within_ns=versions.within_ns)
    _tell((first, second), comparison.failed_drives, fleet, catalog)
    if html_file is not None:
        write_html(html_file, page(comparison))
    give(comparison.to_json(), lambda: show_comparison(comparison), json_file)
    return 0 if comparison.is_complete else 1


def _give_sweep(
    versions: AskedVersions,
    ran: Sequence[tuple[Compilation, BacktestResult]],
    fleet: ForecastFleet | None,
    catalog: SignalCatalog,
    *,
    json_file: Path | None,
    html_file: Path | None,
) -> int:
    from triggers.backtest.versions.sweep import make_sweep, moved_triggers

    swept, _ = versions.swept()
    assert swept is not None  # noqa: S101 - else nothing would have run
    own, *others = _named([versions.names[0]] * len(ran), ran)
    moved = moved_triggers([compilation for compilation, _ in ran])
    sweep = make_sweep(swept, swept.in_order(own, others), moved, fleet, catalog, within_ns=versions.within_ns)
    _tell((own,), sweep.failed_drives, fleet, catalog)
    if html_file is not None:
        write_html(html_file, sweep_page.page(sweep))
    give(sweep.to_json(), lambda: show_sweep(sweep), json_file)
    return 0 if sweep.is_complete else 1


def _named(names: Sequence[str], ran: Sequence[tuple[Compilation, BacktestResult]]) -> list[RanVersion]:
    from triggers.backtest.plan import make_plan
    from triggers.backtest.versions.comparison import RanVersion

    return [RanVersion(name, make_plan(each), result) for name, (each, result) in zip(names, ran, strict=True)]


def _tell(
    versions: Iterable[RanVersion],
    failed_drives: Iterable[str],
    fleet: ForecastFleet | None,
    catalog: SignalCatalog,
) -> None:
    """Print what the figures do not say: the drives that were left out, and remarks on these versions."""
    from triggers.backtest.report import make_report

    for failure in failed_drives:
        remark(f"left out: {failure}")
    tell_remarks(*(make_report(each.plan, each.result, fleet, catalog) for each in versions))
