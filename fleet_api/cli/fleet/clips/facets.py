"""`longtail clips count` and `longtail clips facets`: how many clips there are, and how they are spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.fleet.clips.filters import translated
from fleet_api.cli.output import counted as of_things
from fleet_api.cli.output import json_option, print_json, print_result, print_table, remark

if TYPE_CHECKING:
    from fleet_api.client import Client
    from triggers.contracts.api.facets.answers import CountView, FacetView

BAR_CHARACTERS = 30
HEADINGS = ("", "clips", "share")


@click.command(short_help="Count the clips that match a CQL2 filter.")
@click.argument("cql2", required=False)
@json_option
@with_client
def count(client: Client, cql2: str | None, as_json: bool) -> None:
    """Count the clips that match a CQL2 text: exactly up to 10,000, above that an estimate with its 95 % interval."""
    counted = client.clips.count(translated(client, cql2))
    if as_json:
        print_json(counted.model_dump(mode="json"))
    else:
        print_result(shown_count(counted))


@click.command(short_help="Show how the clips that match a CQL2 filter are spread over properties.")
@click.argument("cql2", required=False)
@click.option(
    "--by", multiple=True, help="A property, or several with commas; NAME:20 for 20 values or bins, TIME:week."
)
@json_option
@with_client
def facets(client: Client, cql2: str | None, by: tuple[str, ...], as_json: bool) -> None:
    """Show how the clips that match a CQL2 text are spread over values and bins of properties."""
    found = client.clips.facets(translated(client, cql2), by=",".join(by) or None)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    print_result(shown_count(found.count))
    if found.capped:
        remark(f"the counts below are of the newest {found.looked_at:,} clips alone")
    for facet in found.facets:
        print_table(facet.by if facet.unit is None else f"{facet.by} [{facet.unit}]", HEADINGS, _rows(facet))


def shown_count(counted: CountView) -> str:
    """A number of clips as people read it."""
    if counted.exact:
        return of_things(counted.clips, "clip")
    return f"about {counted.clips:,} clips ({counted.low:,} to {counted.high:,})"


def _rows(facet: FacetView) -> list[tuple[object, ...]]:
    rows: list[tuple[str, int]] = [(_shown(each.value), each.clips) for each in facet.values]
    for each in facet.bins:
        rows.append(
            (f"{each.at_least} to {each.below}" if each.below is not None else f"{each.at_least} up", each.clips)
        )
    most = max((clips for _, clips in rows), default=0)
    shown: list[tuple[object, ...]] = [(name, f"{clips:,}", bar(clips, most)) for name, clips in rows]
    if facet.distinct is not None and facet.distinct > len(facet.values):
        shown.append((f"({facet.distinct - len(facet.values):,} more values)", "", ""))
    if facet.missing:
        shown.append(("(none)", f"{facet.missing:,}", ""))
    return shown


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def bar(clips: int, most: int) -> str:
    """A bar whose length says what part of the most frequent a count is; none for nothing.

    >>> bar(1, 100), len(bar(50, 100)), bar(0, 100)
    ('#', 15, '')
    """
    return "#" * max(round(BAR_CHARACTERS * clips / most), 1) if clips else ""
