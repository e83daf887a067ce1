"""`longtail clips`: search the catalog, find similar clips, show a clip, download its files, mark and erase clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.fleet.clips import facets
from fleet_api.cli.fleet.clips.filters import translated
from fleet_api.cli.fleet.clips.part import Part, show_part
from fleet_api.cli.fleet.clips.when import search_when
from fleet_api.cli.folders import make_folder
from fleet_api.cli.numbers import Seconds, WholeNumber
from fleet_api.cli.output import (
    Column,
    Form,
    counted,
    json_option,
    list_options,
    plain_text,
    print_fields,
    print_json,
    print_list,
    print_result,
    print_table,
    remark,
    shown_bytes,
)
from fleet_api.cli.questions import ask
from triggers.contracts.media_types import with_ending

if TYPE_CHECKING:
    from fleet_api.client import Client
    from triggers.contracts.api.clips import ClipDetailsView, ClipView, SimilarClip

STATISTICS = ("samples", "min", "max", "mean")
COLUMNS: tuple[Column[ClipView], ...] = (
    Column("id", lambda clip: clip.id),
    Column("state", lambda clip: clip.state),
    Column("start", lambda clip: clip.start),
    Column("duration_s", lambda clip: clip.duration_s),
    Column("size_bytes", lambda clip: clip.size_bytes),
    Column("vehicle", lambda clip: clip.vehicle),
    Column("trigger", lambda clip: sorted({fire.trigger for fire in clip.fires})),
)


@click.group()
def clips() -> None:
    """Search the catalog of clips, show clips, download their files, tag them, write notes, and erase them."""


clips.add_command(facets.count)
clips.add_command(facets.facets)


@clips.command(short_help="List the clips that match a CQL2 filter.")
@click.argument("cql2", required=False)
@click.option("--limit", type=WholeNumber(1), help="At most this many clips.  [default: all]")
@click.option("--sortby", help="A property to sort by; a leading - reverses the order.  [default: -recorded]")
@click.option("--explain", is_flag=True, help="Only print the filter as the API takes it, and what in it has no index.")
@click.option(
    "--when", help="A condition of the trigger language: list the clips, and the instants, where it became true."
)
@list_options
@with_client
def search(
    client: Client,
    cql2: str | None,
    *,
    limit: int | None,
    sortby: str | None,
    explain: bool,
    when: str | None,
    form: Form,
) -> int:
    """List the clips that match a CQL2 text, such as "trigger = 'hard_braking' AND vehicle.region = 'EU'".

    A number may have a unit, and a time may be relative to now: "ego.speed.max > 80 km/h AND start > now - 7 d". With
    --when, look into their signals, for something like "rate(ego.speed over 1.5 s) < -3 m/s^2". Ctrl-C ends that.
    """
    if explain:
        asked = None if form == "table" else form
        _refuse_with("--explain", "it only prints the filter", when=when, limit=limit, sortby=sortby, **{form: asked})
        print_result(translated(client, cql2, note=remark) or "TRUE")
        return 0
    cql2 = translated(client, cql2)
    if when is not None:
        _refuse_with("--when", "a scan goes from the latest clip back", sortby=sortby)
        return search_when(client, cql2, when, limit=limit, form=form)
    none = "no clips yet; they arrive after a trigger of an active campaign has fired and the vehicle has uploaded"
    print_list(
        form,
        client.clips.search(cql2, limit=limit, sortby=sortby, note=remark),
        COLUMNS,
        none="no clip matches" if cql2 else none,
    )
    return 0


@clips.command(short_help="List the clips that are like others.")
@click.argument("clip_id", metavar="ID")
@click.option("--like", multiple=True, metavar="ID", help="Another example. May be repeated.")
@click.option("--unlike", multiple=True, metavar="ID", help="A counter-example. May be repeated.")
@click.option("--filter", "cql2", help="Only clips for which this CQL2 text is true; units and `now` as in search.")
@click.option("--embedding", help="The vectors to compare.  [default: Longtail's own]")
@click.option("--limit", type=WholeNumber(1, 200), default=20, show_default=True, help="At most this many clips.")
@list_options
@with_client
def similar(
    client: Client,
    clip_id: str,
    *,
    like: tuple[str, ...],
    unlike: tuple[str, ...],
    cql2: str | None,
    embedding: str | None,
    limit: int,
    form: Form,
) -> None:
    """List the clips in which much the same happened as in clip ID, nearest first.

    Distances are from 0 (the same) to 2. The beginning of an ID is enough if it is unique.
    """
    examples = [client.clips.resolve(each) for each in (clip_id, *like)]
    counter_examples = [client.clips.resolve(each) for each in unlike]
    found = client.clips.similar(
        *examples, unlike=counter_examples, filter_text=translated(client, cql2), embedding=embedding, limit=limit
    )
    shown: list[Column[SimilarClip]] = [Column(column.name, column.value) for column in COLUMNS]
    shown.insert(1, Column("distance", lambda clip: clip.distance, shown=lambda distance: round(distance, 4)))
    print_list(form, found.clips, shown, none="no other clip has a vector" if cql2 is None else "no clip matches")


@clips.command(short_help="Show a clip, and download its files or a part of them.")
@click.argument("clip_id", metavar="ID")
@click.option("--out", type=click.Path(path_type=Path), help="Download its files into this folder.")
@click.option("--signals", multiple=True, help="Only these signals, such as ego.*; may be repeated.")
@click.option("--video", multiple=True, metavar="CAMERA", help="Only this camera's pictures; may be repeated.")
@click.option("--from", "from_s", type=Seconds(), help="Only from this time after the clip's start, such as 2s.")
@click.option("--to", "to_s", type=Seconds(), help="Only up to this time after the clip's start, such as 8s.")
@json_option
@with_client
def get(
    client: Client,
    clip_id: str,
    *,
    out: Path | None,
    signals: tuple[str, ...],
    video: tuple[str, ...],
    from_s: float | None,
    to_s: float | None,
    as_json: bool,
) -> None:
    """Show a clip with its fires, files, statistics and labels. The beginning of an ID is enough if it is unique.

    With --signals, --video, --from or --to, only that part of its signals and pictures is fetched: it is printed, or,
    with --out, written as `signals.parquet` and one file per camera.
    """
    clip = client.clips.get(client.clips.resolve(clip_id))
    if signals or video or from_s is not None or to_s is not None:
        show_part(clip, Part(signals, video, from_s, to_s), out, as_json=as_json)
        return
    if as_json:
        print_json(clip.model_dump(mode="json"))
    else:
        _show(clip)
    if out is not None:
        _fetch(client, clip, out)


@clips.command(short_help="Have an archived recording readable for some days.")
@click.argument("clip_id", metavar="ID")
@with_client
def restore(client: Client, clip_id: str) -> None:
    """Have the recording of a clip in an archive tier readable for some days. Needs the role operator."""
    told = client.clips.restore(client.clips.resolve(clip_id))
    print_result(f"{told.id} can be read from {plain_text(told.readable_at)} at the latest, for {told.days} days")


@clips.command(short_help="Erase clips for good.")
@click.argument("clip_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why; it is shown to whoever asks for the clip.")
@click.option("--yes", is_flag=True, help="Do not ask whether to erase them.")
@click.option("--from", "datasets", metavar="DATASET", multiple=True, help="A dataset that they are in; repeatable.")
@with_client
def erase(client: Client, *, clip_ids: tuple[str, ...], reason: str, yes: bool, datasets: tuple[str, ...]) -> None:
    """Erase clips for good, with their labels and everything derived from them. Their fires are still counted.

    Needs the role operator. Each ID must be given in full. It stops at the first that cannot be erased. A clip that is
    in datasets is erased only if each of them is named with --from; they list it as erased from then on.
    """
    if not yes:
        typed = ask(f"Erase {counted(len(clip_ids), 'clip')} for good? [y/N]")
        if typed.strip().lower() not in ("y", "yes"):
            raise click.UsageError("nothing was erased")
    for clip_id in clip_ids:
        erased = client.clips.erase(clip_id, reason=reason, datasets=datasets)
        print_result(f"{clip_id} is erased ({shown_bytes(erased.size_bytes)})")


@clips.command(short_help="Add tags to a clip.")
@click.argument("clip_id", metavar="ID")
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
@with_client
def tag(client: Client, clip_id: str, tags: tuple[str, ...]) -> None:
    """Add tags to a clip, which filters find as they find those of triggers. The beginning of an ID is enough."""
    tagged = client.clips.tag(client.clips.resolve(clip_id), *tags)
    print_result(f"{tagged.id} has the tags {', '.join(tagged.tags)}")


@clips.command(short_help="Remove tags that people have added to a clip.")
@click.argument("clip_id", metavar="ID")
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
@with_client
def untag(client: Client, clip_id: str, tags: tuple[str, ...]) -> None:
    """Remove tags that people have added to a clip. It stops at the first that cannot be removed."""
    whole = client.clips.resolve(clip_id)
    for each in tags:
        left = client.clips.untag(whole, each)
        stays = " as a trigger's" if each in left.tags else ""
        print_result(f"the tag {each} is {'still there' if stays else 'gone'}{stays}")


@clips.command(short_help="Write a note on a clip, or remove one.")
@click.argument("clip_id", metavar="ID")
@click.argument("text", required=False)
@click.option("--remove", type=WholeNumber(1), metavar="NUMBER", help="Remove the note of this number instead.")
@with_client
def note(client: Client, clip_id: str, text: str | None, remove: int | None) -> None:
    """Write a note on a clip, or remove one: your own, or any with the role operator."""
    if (text is None) == (remove is None):
        raise click.UsageError("give either a TEXT or --remove NUMBER")
    whole = client.clips.resolve(clip_id)
    if remove is not None:
        client.clips.remove_note(whole, remove)
        print_result(f"note {remove} is gone")
    elif text is not None:
        print_result(f"note {client.clips.note(whole, text).id} is on {whole}")


def _refuse_with(option: str, why: str, **others: object) -> None:
    """A usage error for options that were given with one that does not go with them."""
    for name, given in others.items():
        if given is not None:
            raise click.UsageError(f"{option} and --{name} cannot be combined: {why}")


def _show(clip: ClipDetailsView) -> None:
    names = ("end", "stored_at", "expires_at", "duplicate_of", "tags", "labels", "box", "place_cell")
    others = {name: getattr(clip, name) for name in names}
    print_fields(
        {column.name: column.value(clip) for column in COLUMNS}
        | others
        | {"damage": clip.damage, "digest": clip.digest, "derived_bytes": clip.derived_bytes}
        | clip.attributes
    )
    _print_parts("Fires", ("campaign", "version", "trigger", "fire_time", "inclusion_probability"), clip.fires)
    _print_parts("Files", ("name", "media_type", "size_bytes"), clip.assets)
    if clip.withheld:
        _print_parts("Withheld", ("name", "reason", "remedy"), clip.withheld)
    rows = statistics_rows(clip.statistics, clip.units, clip.mean_over)
    print_table("Signals", ("signal", *STATISTICS, "unit", "mean_over"), rows)
    if clip.remarks:
        _print_parts("Remarks", ("reason", "message", "count", "remedy"), clip.remarks)
    if clip.added_tags:
        _print_parts("Tags of people", ("tag", "by", "added_at"), clip.added_tags)
    if clip.notes:
        _print_parts("Notes", ("id", "text", "by", "created_at"), clip.notes)
    if clip.label_documents:
        _print_parts("Labels", ("labeler", "types", "created_at"), clip.label_documents)


def _print_parts(title: str, names: Sequence[str], parts: Sequence[object]) -> None:
    """Print parts of a clip as a table with a column per attribute."""
    print_table(title, names, [[getattr(part, name) for name in names] for part in parts])


def statistics_rows(
    statistics: Mapping[str, float | None], units: Mapping[str, str | None], mean_over: Mapping[str, str]
) -> list[tuple[object, ...]]:
    """One row per signal; its name and a column's, joined by a dot, are the property's name in a filter.

    `units` and `mean_over` are by the signals' own names, without the prefix that some have in filters.
    """
    by_name: dict[str, dict[str, float | None]] = {}
    for property_name, value in statistics.items():
        name, _, statistic = property_name.rpartition(".")
        by_name.setdefault(name, {})[statistic] = value
    signals = {name: name.removeprefix("signal.") for name in by_name}
    return [
        (
            name,
            *(values.get(column) for column in STATISTICS),
            units.get(signals[name]),
            mean_over.get(signals[name]),
        )
        for name, values in by_name.items()
    ]


def file_name(asset: str, media_type: str) -> str:
    """The name of a downloaded file: its asset's, with the suffix by which other programs know its type."""
    return with_ending(Path(asset).name, media_type)


def _fetch(client: Client, clip: ClipDetailsView, out: Path) -> None:
    make_folder(out)
    for asset in clip.assets:
        target = out / file_name(asset.name, asset.media_type)
        client.clips.download(asset.href, target)
        remark(f"wrote {target}")
    for part in clip.withheld:
        remark(f"{part.name} is withheld: {part.reason}; {part.remedy}")
