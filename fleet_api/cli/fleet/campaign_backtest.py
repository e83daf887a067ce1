"""`longtail campaign attach` and `report`: the report of a backtest that an approver sees beside a version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import counted, json_option, print_json, print_result, remark

if TYPE_CHECKING:
    from fleet_api.client import Client
    from triggers.contracts.api.campaigns import ReportSummaryView

version_option = click.option("--version", type=WholeNumber(1, 2**31 - 1), help="A version.  [default: the newest]")


@click.command(short_help="Attach the report of a backtest to a version.")
@click.argument("name")
@click.argument("file", metavar="REPORT", required=False, type=click.Path(path_type=Path))
@version_option
@click.option("--backtest", metavar="ID", help="Instead of a file: a backtest of your own on the deployment.")
@json_option
@with_client
def attach(
    client: Client, *, name: str, file: Path | None, version: int | None, backtest: str | None, as_json: bool
) -> None:
    """Attach REPORT, which `longtail backtest --json` wrote, to a version that is not approved yet.

    It must be of this very program. It takes the place of an earlier one.
    """
    if (file is None) == (backtest is None):
        raise click.UsageError("give either a REPORT, or --backtest ID")
    number = client.campaigns.version(name, version).version
    if file is not None:
        attached = attach_file(client, name, number, file)
    else:
        attached = client.campaigns.attach_report(name, number, backtest=backtest)
    if as_json:
        print_json(attached.model_dump(mode="json"))
    else:
        print_result(f"{name} version {number} has this report:")
        show_report(attached)


@click.command(short_help="Write the report of a version as a page.")
@click.argument("name")
@version_option
@click.option("--html", "html_file", type=click.Path(path_type=Path), help="Write the page to this file.")
@json_option
@with_client
def report(client: Client, *, name: str, version: int | None, html_file: Path | None, as_json: bool) -> None:
    """Show the report of a version, or write it as a page that needs nothing but itself."""
    from triggers.atomic_file import replace_bytes

    number = client.campaigns.version(name, version).version
    found = client.campaigns.report(name, number)
    if html_file is not None:
        replace_bytes(html_file, client.campaigns.report_page(name, number))
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        show_report(found.attached)


def attach_file(client: Client, name: str, version: int, file: Path) -> ReportSummaryView:
    """Attach the report in a file to a version."""
    from fleet_api.client.campaign_files import read_report

    return client.campaigns.attach_report(name, version, read_report(file))


def show_report(attached: ReportSummaryView | None) -> None:
    """The key figures of a version's report in a few lines; or that there is none."""
    if attached is None:
        remark("no report of a backtest is attached: nobody says what this version did on recorded drives")
        return
    from triggers.backtest.page.figures import number_range

    km = "" if attached.km is None else f", {attached.km:,.1f} km"
    who = f"attached by {attached.attached_by} at {attached.attached_at:%Y-%m-%d %H:%M} UTC"
    print_result(f"report of a backtest over {counted(attached.drives, 'drive')}, {attached.hours:,.2f} h{km}, {who}")
    for name, each in attached.triggers.items():
        rate = number_range(each.per_hour)
        print_result(f"  {name}: {counted(each.fires, 'fire')}{f', {rate} per hour' if rate else ''}")
    for line in attached.differences:
        remark(line)
    for line in attached.remarks:
        remark(line)
    if attached.more_remarks:
        remark(f"and {attached.more_remarks} more remarks: `longtail campaign report --html FILE` has them")
