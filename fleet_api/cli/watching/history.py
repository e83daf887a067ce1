"""`longtail history` and `longtail latency`: what happened to a clip or a fire, and how long clips take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import Column, Form, form_options, print_json, print_list, print_result, print_table, remark

if TYPE_CHECKING:
    from fleet_api.client import Client
    from triggers.contracts.api.watching.history import LatencyView, Percentiles

MAX_HOURS = 24 * 366


@click.command()
@click.argument("subject", metavar="CLIP|FIRE")
@form_options("json")
@with_client
def history(client: Client, subject: str, form: Form) -> None:
    """Show what happened to a clip or a fire, when, and why it is not there yet.

    A clip is named by its id, whether or not it has come; a fire as VEHICLE/CAMPAIGN/VERSION/ORDINAL. Times are those
    of the deployment, but that of a fire is its vehicle's.
    """
    found = client.history.of(subject)
    if form == "json":
        print_json(found.model_dump(mode="json"))
        return
    if found.events:
        rows = [(event.at.isoformat(timespec="milliseconds"), event.what, event.detail) for event in found.events]
        print_table("", ("time", "event", "detail"), rows)
    clips = f" (clip {', '.join(found.clip_ids)})" if found.clip_ids else ""
    print_result(f"{subject}: {found.stage}{clips}")
    print_result(f"waits for {found.waits_for}" if found.waits_for else "nothing is left to do")


@click.command()
@click.argument("campaign", required=False)
@click.option(
    "--hours", type=WholeNumber(1, MAX_HOURS), default=24, show_default=True, help="Clips stored in so many hours."
)
@form_options("json", "csv")
@with_client
def latency(client: Client, campaign: str | None, hours: int, form: Form) -> None:
    """Show how long after their first fire clips were stored, ready and labelled.

    For each campaign (or one) and network: seconds that a half, nine tenths and 99 of 100 clips took at most. Clips
    whose vehicle's clock cannot have been right are left out.
    """
    found = client.history.latency(campaign, hours=hours)
    if form == "json":
        print_json(found.model_dump(mode="json"))
    else:
        print_list(form, found.rows, COLUMNS, none=f"no clip was stored in the last {hours} hours")
    if found.capped:
        remark("there are more clips than can be looked at; these are of the newest")


def _seconds(stage: str, quantile: str) -> Column[LatencyView]:
    def value(row: LatencyView) -> float | None:
        percentiles: Percentiles = getattr(row, stage)
        seconds: float | None = getattr(percentiles, quantile)
        return None if seconds is None else round(seconds, 3)

    return Column(f"{stage}_{quantile}_s", value)


COLUMNS: tuple[Column[LatencyView], ...] = (
    Column("campaign", lambda row: row.campaign),
    Column("network", lambda row: row.network),
    Column("clips", lambda row: row.clips),
    *(_seconds(stage, quantile) for stage in ("stored", "ready", "labelled") for quantile in ("p50", "p90", "p99")),
)
