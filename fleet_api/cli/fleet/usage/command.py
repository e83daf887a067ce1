"""`longtail usage`: its options, and the table with bars."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.fleet.usage.moments import FORMS, moment
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import (
    Column,
    Form,
    counted,
    form_options,
    print_json,
    print_list,
    print_result,
    print_table,
    remark,
    shown_bytes,
)
from triggers.contracts.api.usage.answers import UsageDimension, UsageKey, UsageTime, UsageView

if TYPE_CHECKING:
    from fleet_api.client import Client
    from fleet_api.client.volume.usage import UsageSums

MEASURES = (
    *("clip_bytes", "wire_bytes", "clips", "kept_fires", "fires", "suppressed"),
    *("sampled_out", "refused", "dropped", "failed", "armed_ns", "distance_m"),
)
MAX_GROUPS = 100_000
"""In a table, in JSON or in CSV; a Parquet file has all."""
BAR_CELLS = 20
_TIMES: tuple[str, ...] = get_args(UsageTime)
_KEYS: tuple[str, ...] = get_args(UsageKey)
_TIME_FORMS = {"month": "%Y-%m", "day": "%Y-%m-%d", "hour": "%Y-%m-%d %H:%M"}
_NS_PER_H = 3600 * 10**9


@click.command(short_help="Show what the fleet has used, by campaign, network or time.")
@click.option(
    "--by",
    default="campaign",
    show_default=True,
    help=f'What to sum by, one or more of {", ".join(_KEYS)}, as in campaign,network; "" for one sum.',
)
@click.option("--since", default="7d", show_default=True, help=f"From when on: {FORMS}.")
@click.option("--until", help="Until when, written likewise.  [default: now]")
@click.option("--campaign", help="Only this campaign.")
@click.option("--version", type=WholeNumber(0), help="Only this version.")
@click.option("--trigger", help='Only this trigger; "" for what is counted for a version as a whole.')
@click.option("--region", help='Only this region; "" for vehicles without one.')
@click.option("--model", help='Only this model of vehicles; "" for vehicles without one.')
@click.option("--network", help='Only wifi or cellular; "" for what vehicles report.')
@click.option(
    "--sort",
    type=click.Choice(MEASURES),
    show_default="clip_bytes",
    help="What the bars show. The largest comes first, unless the sums are over time.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write a Parquet file instead of printing."
)
@form_options("json", "csv")
@with_client
def usage(
    client: Client,
    *,
    by: str,
    since: str,
    until: str | None,
    sort: str | None,
    out: Path | None,
    form: Form,
    **only: Any,
) -> None:
    """Show clips, bytes and what vehicles reported, as sums of whole hours.

    `clip_bytes` is what stored clips are charged for, `wire_bytes` what came over the network, with what was sent again
    and what became no clip. `fires`, what did not become clips, armed time and distance are as vehicles reported them:
    these have no network, and of them only `fires` have a trigger.
    """
    if out is not None and sort is not None:
        raise click.UsageError("--out writes groups in the order of their keys; --sort cannot be combined with it")
    keys = cast(tuple[UsageKey, ...], tuple(name.strip() for name in by.split(","))) if by.strip() else ()
    now = datetime.now(UTC)
    where: dict[UsageDimension, str | int] = {
        cast(UsageDimension, name): value for name, value in only.items() if value is not None
    }
    sums = client.usage.sums(
        keys, since=moment(since, now=now), until=None if until is None else moment(until, now=now), where=where
    )
    if out is not None:
        _export(out, sums, keys, form)
    else:
        _print(sums, keys, form, sort or "clip_bytes")


def _export(out: Path, sums: UsageSums, keys: Sequence[UsageKey], form: Form) -> None:
    if form != "table":
        raise click.UsageError(f"--out writes a Parquet file; --{form} cannot be combined with it")
    from fleet_api.cli.fleet.usage.parquet import write

    print_result(f"{counted(write(out, sums, keys), 'group')} in {out}")


def _print(sums: UsageSums, keys: Sequence[UsageKey], form: Form, sort: str) -> None:
    groups: list[UsageView] = []
    for group in sums.groups:
        if len(groups) == MAX_GROUPS:
            remark(f"these are the first {MAX_GROUPS} groups; --out FILE.parquet has all")
            break
        groups.append(group)
    groups.sort(key=lambda group: _order(group, keys, sort))
    if form == "json":
        shown = [group.model_dump(mode="json", include={*keys, *MEASURES}) for group in groups]
        print_json({"since": sums.since.isoformat(), "until": sums.until.isoformat(), "groups": shown})
    elif form == "csv" or not groups:
        print_list(form, groups, [_column(name) for name in (*keys, *MEASURES)], none="nothing was used in this time")
    else:
        remark(f"from {sums.since:%Y-%m-%d %H:%M} to {sums.until:%Y-%m-%d %H:%M} UTC")
        _print_bars(groups, keys, sort)


def _order(group: UsageView, keys: Sequence[UsageKey], sort: str) -> tuple[Any, ...]:
    """Through time; in each time, or without times, the largest first; then by name."""
    named = [getattr(group, name) for name in keys]
    return (*(getattr(group, name) for name in _TIMES if name in keys), -getattr(group, sort), *named)


def _column(name: str) -> Column[UsageView]:
    return Column(name, lambda group: getattr(group, name))


def _print_bars(groups: Sequence[UsageView], keys: Sequence[UsageKey], sort: str) -> None:
    largest = max(getattr(group, sort) for group in groups)
    names = [*keys, "clips", "clip bytes", "wire bytes", "fires", "suppressed", "armed h", "km", sort]
    print_table("", names, [(*_cells(group, keys), _bar(getattr(group, sort), largest)) for group in groups])


def _cells(group: UsageView, keys: Sequence[UsageKey]) -> tuple[object, ...]:
    return (
        *(_named(name, getattr(group, name)) for name in keys),
        group.clips,
        shown_bytes(group.clip_bytes),
        shown_bytes(group.wire_bytes),
        group.fires,
        group.suppressed,
        round(group.armed_ns / _NS_PER_H, 1),
        round(group.distance_m / 1000, 1),
    )


def _named(name: UsageKey, value: object) -> object:
    """A key in a table: what is not known of a vehicle is `unknown`, what does not apply a dash."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(_TIME_FORMS[name])
    if value == "":
        return "unknown" if name in ("region", "model") else "-"
    return str(value)


def _bar(value: int, largest: int) -> str:
    """A bar of at most BAR_CELLS cells; what is not nothing has one cell at least."""
    cells = 0 if value <= 0 else max(1, round(BAR_CELLS * value / largest))
    return ("█" if "utf" in (sys.stdout.encoding or "").lower() else "#") * cells
