"""`longtail clips`: search the catalog, look at a clip, fetch its files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.output import counted, json_option, print_json, print_table, remark, shown_bytes
from triggers.contracts.media_types import ENDINGS

if TYPE_CHECKING:
    from fleet_api.client.client import ApiClient
STATISTICS = ("samples", "min", "max", "mean")


@click.group()
def clips() -> None:
    """Search the catalog of clips."""


@clips.command()
@click.argument("cql2", required=False)
@click.option("--limit", type=click.IntRange(1), help="At most this many clips; by default all.")
@click.option("--sortby", help="A property, with - before it for falling order.")
@json_option
@with_client
def search(client: ApiClient, cql2: str | None, limit: int | None, sortby: str | None, as_json: bool) -> None:
    """List the clips for which the CQL2 text holds, as in "trigger = 'hard_braking' AND vehicle.region = 'EU'"."""
    found = list(client.search_clips(cql2, limit=limit, sortby=sortby))
    if as_json:
        print_json(found)
        return
    if not found:
        none = "no clips yet; they come when the trigger of an active campaign fires and its vehicle uploads"
        remark("no clip matches" if cql2 else none)
        return
    rows = [clip_row(clip) for clip in found]
    print_table("", ("clip", "state", "start", "s", "size", "vehicle", "triggers"), rows)
    remark(counted(len(found), "clip"))


def clip_row(clip: dict[str, Any]) -> tuple[object, ...]:
    """A clip in one line of a table."""
    triggers = ", ".join(sorted({fire["trigger"] for fire in clip["fires"]}))
    size, seconds = shown_bytes(clip["size_bytes"]), f"{clip['duration_s']:.1f}"
    return clip["id"], clip["state"], clip["start"], seconds, size, clip["vehicle"], triggers


@clips.command()
@click.argument("clip_id")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Fetch its files into this folder.")
@json_option
@with_client
def get(client: ApiClient, clip_id: str, out: Path | None, as_json: bool) -> None:
    """Show a clip with its fires, assets, statistics and labels."""
    from fleet_api.client.client import segment

    clip = client.get(f"/v1/clips/{segment(clip_id)}")
    if as_json:
        print_json(clip)
    else:
        _show(clip)
    if out is not None:
        _fetch(client, clip, out)


def _show(clip: dict[str, Any]) -> None:
    print_table("", ("clip", "state", "start", "s", "size", "vehicle", "triggers"), [clip_row(clip)])
    columns = ("campaign", "version", "trigger", "fire_time", "inclusion_probability")
    print_table("Fires", columns, [tuple(fire[column] for column in columns) for fire in clip["fires"]])
    assets = [(asset["name"], asset["media_type"], asset["size_bytes"]) for asset in clip["assets"]]
    print_table("Assets", ("name", "type", "bytes"), assets)
    print_table("Signals", ("signal", *STATISTICS), statistics_rows(clip["statistics"]))


def statistics_rows(statistics: Mapping[str, float | None]) -> list[tuple[object, ...]]:
    """The statistics of each signal in one line; signal and column, joined by a dot, are what a filter asks for."""
    by_signal: dict[str, dict[str, float | None]] = {}
    for name, value in statistics.items():
        signal, _, statistic = name.rpartition(".")
        by_signal.setdefault(signal, {})[statistic] = value
    return [(signal, *(values.get(column) for column in STATISTICS)) for signal, values in by_signal.items()]


def file_name(asset: str, media_type: str) -> str:
    """What a fetched file is called: by its asset, with the ending that other programs know its type by."""
    name = Path(asset).name
    return name if Path(name).suffix else name + ENDINGS.get(media_type, "")


def _fetch(client: ApiClient, clip: dict[str, Any], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for asset in clip["assets"]:
        target = out / file_name(asset["name"], asset["media_type"])
        client.download(asset["href"], target)
        remark(f"wrote {target}")
