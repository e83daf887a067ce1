"""`longtail dataset`: freeze clips under a name, add versions, show and compare them, export them to a folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.fleet.clips.filters import translated
from fleet_api.cli.given_file import read_limited
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import (
    Column,
    Form,
    counted,
    json_option,
    list_options,
    print_fields,
    print_json,
    print_list,
    print_result,
    print_table,
    remark,
    shown_bytes,
)

if TYPE_CHECKING:
    from fleet_api.client import Client
    from fleet_api.client.datasets.export.run import Progress
    from triggers.contracts.api.datasets.versions import DatasetView, MemberView, SplitRequest, VersionView

FORMATS = ("parquet", "mcap", "webdataset", "geoparquet")
MAX_FILE_BYTES = 16 * 1024**2
_SHARES = re.compile(r"\d{1,3}(/\d{1,3}){0,2}")
COLUMNS: tuple[Column[DatasetView], ...] = (
    Column("name", lambda dataset: dataset.name),
    Column("versions", lambda dataset: dataset.versions),
    Column("lets_expire", lambda dataset: dataset.lets_expire),
    Column("created_by", lambda dataset: dataset.created_by),
    Column("created_at", lambda dataset: dataset.created_at),
    Column("description", lambda dataset: dataset.description),
)
MEMBER_COLUMNS: tuple[Column[MemberView], ...] = (
    Column("clip", lambda member: member.clip_id),
    Column("split", lambda member: member.split),
    Column("size_bytes", lambda member: member.size_bytes),
    Column("labels", lambda member: len(member.labels)),
    Column("digest", lambda member: member.digest),
    Column("erased", lambda member: member.erased and f"{member.erased.cause} {member.erased.erased_at:%Y-%m-%d}"),
)
_VERSION_FIELDS = ("version", "clips", "size_bytes", "labels", "erased", "splits", "created_by", "created_at", "digest")
Command = Callable[..., Any]


class Choice(TypedDict):
    """Which clips a version has, as options of commands."""

    filter_text: str | None
    clips: Path | None
    diverse: int | None
    split: str | None
    split_by: Literal["place", "vehicle"] | None
    split_seed: str | None


_CHOICE: tuple[Callable[[Command], Command], ...] = (
    click.option("--filter", "filter_text", metavar="CQL2", help="The clips that match a CQL2 text."),
    click.option("--clips", type=click.Path(path_type=Path, dir_okay=False), help="Those in a file, one id per line."),
    click.option("--diverse", type=WholeNumber(1), help="So many different ones, among those of --filter or all."),
    click.option("--split", metavar="TRAIN/VAL/TEST", help="Shares in percent, such as 80/10/10."),
    click.option(
        "--split-by",
        type=click.Choice(["place", "vehicle"]),
        show_default="place",
        help="What is never on two sides of --split.",
    ),
    click.option("--split-seed", help="Another seed gives another --split."),
)


def _choice_options(command: Command) -> Command:
    """Add the options that choose a version's clips, in this order."""
    for option in reversed(_CHOICE):
        command = option(command)
    return command


@click.group()
def dataset() -> None:
    """Freeze clips under a name, as versions that never change, and export them.

    Retention erases no clip of a dataset, unless the dataset lets its clips expire.
    """


@dataset.command(short_help="Freeze clips as version 1 of a new dataset.")
@click.argument("name")
@_choice_options
@click.option("--description", default="", help="What it is for.")
@click.option("--let-expire", is_flag=True, help="Let retention erase its clips when their time is over.")
@click.option("--reason", help="Why, in at most 500 characters; it is in the audit log.")
@json_option
@with_client
def create(
    client: Client,
    *,
    name: str,
    description: str,
    let_expire: bool,
    reason: str | None,
    as_json: bool,
    **choice: Unpack[Choice],
) -> None:
    """Freeze the clips of a filter, of a list, or a diverse choice under a new NAME. Needs the role author or operator.

    The version has the hashes of its clips and of their files, and the labels that they have now.
    """
    made = client.datasets.create(
        name, description=description, lets_expire=let_expire, reason=reason, **_chosen(client, choice)
    )
    _print_made(made, as_json=as_json)


@dataset.command(short_help="Freeze clips as the next version of a dataset.")
@click.argument("name")
@_choice_options
@click.option("--add", "adds", is_flag=True, help="In addition to the clips of the newest version, with its split.")
@click.option("--reason", help="Why, in at most 500 characters; it is in the audit log.")
@json_option
@with_client
def add_version(
    client: Client, *, name: str, adds: bool, reason: str | None, as_json: bool, **choice: Unpack[Choice]
) -> None:
    """Freeze clips as the next version of NAME, as in `create`. Earlier versions stay as they are.

    The newest version stays the newest one if it has exactly these members.
    """
    made = client.datasets.add_version(name, adds=adds, reason=reason, **_chosen(client, choice))
    _print_made(made, as_json=as_json)


@dataset.command(name="list", short_help="List the datasets.")
@list_options
@with_client
def list_(client: Client, form: Form) -> None:
    """List the datasets by name."""
    print_list(form, client.datasets.list(), COLUMNS, none="no dataset yet; `longtail dataset create` makes one")


@dataset.command(short_help="Show a dataset with its versions.")
@click.argument("name")
@json_option
@with_client
def show(client: Client, *, name: str, as_json: bool) -> None:
    """Show a dataset with its versions: how many clips each has, how many were erased since, and what chose them."""
    found = client.datasets.get(name)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    print_fields(found.model_dump(exclude={"history"}))
    print_table(
        "Versions", _VERSION_FIELDS, [[getattr(row, name) for name in _VERSION_FIELDS] for row in found.history]
    )
    print_table("Recipes", ("version", "recipe"), [[row.version, row.recipe] for row in found.history])


@dataset.command(short_help="List the clips of a version, with their hashes.")
@click.argument("reference", metavar="NAME[@VERSION]")
@list_options
@with_client
def members(client: Client, reference: str, form: Form) -> None:
    """List the clips of a version (default: the newest), with their hashes, and which were erased and why."""
    print_list(form, client.datasets.members(reference), MEMBER_COLUMNS, none="no clips")


@dataset.command(short_help="Compare two versions of a dataset.")
@click.argument("name")
@click.argument("before", type=WholeNumber(1))
@click.argument("after", type=WholeNumber(1))
@json_option
@with_client
def diff(client: Client, *, name: str, before: int, after: int, as_json: bool) -> None:
    """Show which clips version AFTER has that BEFORE has not (+), the other way round (-), and which differ (~)."""
    found = client.datasets.difference(name, before, after)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    for sign, clip_ids in (("+", found.added), ("-", found.removed), ("~", found.changed)):
        for clip_id in clip_ids:
            print_result(f"{sign} {clip_id}")
    remark(f"{len(found.added)} added, {len(found.removed)} removed, {len(found.changed)} changed")


@dataset.command(short_help="Let retention erase a dataset's clips.")
@click.argument("name")
@click.option("--reason", required=True, help="Why; it is kept and shown.")
@with_client
def release(client: Client, *, name: str, reason: str) -> None:
    """Let retention erase clips of NAME when their time is over; they stay listed as erased.

    Needs the role operator.
    """
    client.datasets.release(name, reason=reason)
    print_result(f"retention may erase clips of {name}")


@dataset.command(short_help="Keep a dataset's clips from retention.")
@click.argument("name")
@click.option("--reason", required=True, help="Why; it is kept and shown.")
@with_client
def keep(client: Client, *, name: str, reason: str) -> None:
    """Keep the clips of NAME from retention. Needs the role operator."""
    client.datasets.keep(name, reason=reason)
    print_result(f"retention erases no clip of {name}")


@dataset.command(short_help="Export a version to a folder.")
@click.argument("reference", metavar="NAME[@VERSION]")
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, help="The folder.")
@click.option("--format", "kind", type=click.Choice(FORMATS), required=True, help="What to write.")
@with_client
def export(client: Client, *, reference: str, folder: Path, kind: Any) -> None:
    """Export a version (default: the newest) to a folder: a Parquet manifest, and the clips as MCAP files or in the tar
    files of a WebDataset; or GeoParquet of items.

    Every file is checked by its hash. An export that was cut off goes on when it is called again: what is whole in the
    folder is not fetched again.
    """
    from fleet_api.client.datasets.export.run import export as run

    done = run(client.datasets, reference, folder, kind, told=_Told())
    files = f"{counted(done.fetched, 'file')} written, {done.reused} there already"
    print_result(f"{folder} has {counted(done.clips - done.erased, 'clip')}: {files}")
    if done.erased:
        remark(f"{counted(done.erased, 'clip')} of this version were erased; the manifest says which and why")
    if done.superseded:
        remark(f"{counted(done.superseded, 'derived file')} left out: they are not those that were frozen")


class _Told:
    """Tells how far an export is, at each tenth of it."""

    def __init__(self) -> None:
        self._tenths = 0

    def __call__(self, progress: Progress) -> None:
        tenths = 10 * progress.done // max(1, progress.clips)
        if tenths > self._tenths:
            self._tenths = tenths
            remark(f"{progress.done} of {counted(progress.clips, 'clip')}, {shown_bytes(progress.fetched_bytes)} read")


def _chosen(client: Client, choice: Choice) -> dict[str, Any]:
    """The arguments of the client for options; UsageError for those that cannot be meant."""
    file = choice["clips"]
    return {
        "filter_text": translated(client, choice["filter_text"]),
        "clips": None if file is None else _ids_in(file),
        "diverse": choice["diverse"],
        "split": _split(choice),
    }


def _split(choice: Choice) -> SplitRequest | None:
    if choice["split"] is None:
        if choice["split_by"] is not None or choice["split_seed"] is not None:
            raise click.UsageError("--split-by and --split-seed need the shares: --split 80/10/10")
        return None
    if not _SHARES.fullmatch(choice["split"]):
        raise click.UsageError(f"--split {choice['split']}: give shares in percent, such as 80/10/10")
    from fleet_api.client.transport import request_of
    from triggers.contracts.api.datasets.versions import SplitRequest

    shares = dict(zip(("train", "val", "test"), map(int, choice["split"].split("/")), strict=False))
    return request_of(SplitRequest, by=choice["split_by"] or "place", seed=choice["split_seed"] or "", **shares)


def _ids_in(file: Path) -> list[str]:
    """The ids in a file, one per line; empty lines do not count."""
    content = read_limited(file, MAX_FILE_BYTES, remedy="give a file with one id per line")
    return [line.strip() for line in content.decode("utf-8", "replace").splitlines() if line.strip()]


def _print_made(made: VersionView, *, as_json: bool) -> None:
    if as_json:
        print_json(made.model_dump(mode="json"))
        return
    print_result(
        f"{made.name}@{made.version} has {counted(made.clips, 'clip')} ({shown_bytes(made.size_bytes)}), "
        f"{counted(made.labels, 'label')}, digest {made.digest}"
    )
    if made.splits:
        print_result(", ".join(f"{name} {count}" for name, count in made.splits.items()))
