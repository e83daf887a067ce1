"""`longtail simulate`: simulated vehicles that play drives against a running deployment."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.author.drives_option import SpreadDrives
from fleet_api.cli.connection import with_client
from fleet_api.cli.interrupts import interrupt_on_sigterm
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import counted, json_option, print_json, print_table, remark, shown_bytes

if TYPE_CHECKING:
    from fleet_api.client import Client
    from fleet_api.simulation.simulate import VehicleResult

path_type = click.Path(path_type=Path, exists=True)


@click.command(cls=SpreadDrives)
@click.option("--vehicles", type=WholeNumber(1, 1000), default=4, show_default=True, help="How many vehicles.")
@click.option(
    "--drives",
    type=path_type,
    multiple=True,
    required=True,
    help="Recorded drives; takes every word up to the next option.",
)
@click.option("--signals", type=path_type, required=True, help="Signal catalog of the drives.")
@click.option("--seed", type=WholeNumber(), default=1, show_default=True, help="Seed of the vehicles' attributes.")
@click.option(
    "--prefix", default="sim", show_default=True, help="What the vehicles' names begin with; --state is kept by name."
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder in which vehicles keep their journals between runs.",
)
@click.option(
    "--threads",
    type=WholeNumber(1, 32),
    default=2,
    show_default=True,
    help="How many vehicles run at the same time.",
)
@click.option(
    "--speed-signal",
    help="The signal from which vehicles count their distance.  [default: ego.speed, if it is a speed]",
)
@json_option
@with_client
def simulate(client: Client, *, state: Path | None, as_json: bool, **options: Any) -> int:
    """Enrol simulated vehicles, let them play the drives, and upload their clips. Needs the role operator.

    The same seed, drives and campaigns give the same clips.

    A vehicle numbers its fires in a journal. Without --state, the journal is deleted at the end, and in the next run a
    vehicle of the same name counts from 1 again. Playing the same drives then repeats the same fires, which is
    harmless; the fires of other drives collide with the old ones and are rejected. To play other drives, give another
    --prefix, or use --state from the first run on.
    """
    interrupt_on_sigterm()
    kept = True
    with ExitStack() as stack:
        if state is None:
            state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="longtail-simulate-")))
            kept = False
        results = _run(client, state, options)
    if as_json:
        print_json({"vehicles": [result.document() for result in results]})
    else:
        _show(results)
    queued = sum(result.queued for result in results)
    if queued and not kept:
        remark(
            f"{counted(queued, 'clip')} not uploaded, and deleted with the vehicles' state; --state DIRECTORY keeps it"
        )
    return 1 if queued else 0


def _run(client: Client, state: Path, options: dict[str, Any]) -> list[VehicleResult]:
    from fleet_api.simulation.needed_signals import check_drives, need_of
    from fleet_api.simulation.simulate import SimulatedFleet, draw_attributes, plan_fleet
    from triggers.drives.find import find_drives
    from triggers.signals.catalog import SignalCatalog

    catalog = SignalCatalog.load(options["signals"])
    running = [version for version in client.campaigns.list() if version.state == "active"]
    if not running:
        remark("no campaign is active, so the vehicles have nothing to run")
    needs = [need_of(client.campaigns.version(version.campaign, version.version)) for version in running]
    targets = [need.target for need in needs]
    attributes = [
        draw_attributes(catalog, targets, seed=options["seed"], number=number) for number in range(options["vehicles"])
    ]
    plan = plan_fleet(find_drives(options["drives"]), attributes, prefix=options["prefix"])
    check_drives(plan, needs, catalog, speed_signal=options["speed_signal"])
    fleet = SimulatedFleet(
        client,
        catalog,
        state,
        speed_signal=options["speed_signal"],
        progress=lambda vehicle, step: remark(f"{vehicle} {step}"),
    )
    return fleet.run(plan, threads=options["threads"])


def _show(results: list[VehicleResult]) -> None:
    rows = [
        (
            result.id,
            ", ".join(result.drives),
            ", ".join(result.campaigns),
            sum(count.watermark for count in result.counts),
            result.handed_over,
            shown_bytes(result.uploaded_bytes),
            result.queued,
        )
        for result in results
    ]
    print_table(
        "", ("vehicle", "drives", "campaigns", "fired", "clips uploaded", "bytes uploaded", "clips queued"), rows
    )
    for result in results:
        for problem in dict.fromkeys(result.problems):
            remark(f"{result.id}: {problem}")
