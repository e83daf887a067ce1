"""`longtail campaign`: from a text to a running campaign, and what became of its fires."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.fleet.budget import account_rows
from fleet_api.cli.output import json_option, print_json, print_table, remark
from triggers.errors import Conflict, DiagnosticsError

if TYPE_CHECKING:
    from fleet_api.client.client import ApiClient

OUTCOMES = ("sampled_out", "refused", "dropped", "failed", "catalogued", "in_flight")
RUNNING = ("active", "paused")
OF_THE_RUNNING = ("pause", "resume", "stop")
"""Commands that mean the version that vehicles have, even when a newer one waits for approval."""
version_option = click.option("--version", type=click.IntRange(1), help="The version; by default the newest.")
running_option = click.option(
    "--version", type=click.IntRange(1), help="The version; by default the one that runs, else the newest."
)


@click.group()
def campaign() -> None:
    """Apply, approve, list and steer campaigns.

    A campaign goes from draft over submitted and approved to active; approval binds to the digest of its program.
    """


@campaign.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--signals", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
@click.option("--name", help="Only this campaign of the file; by default all of them.")
@click.option("--draft", is_flag=True, help="Keep it as a draft instead of submitting it for approval.")
@json_option
@with_client
def apply(client: ApiClient, *, file: Path, signals: Path, name: str | None, draft: bool, as_json: bool) -> int:
    """Compile FILE against the signal catalog and make a new version of each campaign in it.

    Applying the same text again changes nothing.
    """
    from fleet_api.client.campaign_files import apply_file

    try:
        applied = apply_file(client, file, signals, campaign=name, draft=draft)
    except DiagnosticsError as error:
        if as_json:
            print_json({"diagnostics": error.diagnostics})
        _show_diagnostics(error.diagnostics)
        return 1
    if as_json:
        print_json(applied)
        return 0
    for each in applied:
        _show_diagnostics(each["warnings"])
        remark(f"{each['campaign']} version {each['version']} is {each['state']}, digest {each['program_digest']}")
    return 0


def _state_command(verb: str, text: str) -> click.Command:
    """A command that moves a campaign version to another state."""

    @click.command(name=verb, help=text)
    @click.argument("name")
    @(running_option if verb in OF_THE_RUNNING else version_option)
    @json_option
    @with_client
    def command(client: ApiClient, name: str, version: int | None, as_json: bool) -> None:
        found = _find(client, name, version, running=verb in OF_THE_RUNNING)
        answer = _move(client, found, verb, {})
        if as_json:
            print_json(answer)
        remark(f"{name} version {found['version']} is {answer['state']}")

    return command


campaign.add_command(_state_command("submit", "Submit a draft for approval."))


@campaign.command()
@click.argument("name")
@version_option
@click.option("--digest", help="Refuse unless the version has this program digest (or one that begins so).")
@json_option
@with_client
def approve(client: ApiClient, name: str, version: int | None, digest: str | None, as_json: bool) -> None:
    """Approve a submitted version; vehicles get it from then on. Binds to the digest that is shown."""
    found = _find(client, name, version)
    if digest is not None and not found["program_digest"].startswith(digest.lower()):
        raise Conflict(
            f"{name} version {found['version']} has digest {found['program_digest']}, not {digest}",
            remedy="look at it again: longtail campaign show " + name,
        )
    remark(f"approving {name} version {found['version']} with digest {found['program_digest']}")
    answer = _move(client, found, "approve", {"digest": found["program_digest"]})
    if as_json:
        print_json(answer)
    remark(f"{name} version {found['version']} is {answer['state']}")


for _verb, _text in {
    "pause": "Pause an active campaign: vehicles stop watching for it until it is resumed.",
    "resume": "Let a paused campaign go on.",
    "stop": "End a campaign for good.",
}.items():
    campaign.add_command(_state_command(_verb, _text))


@campaign.command(name="list")
@json_option
@with_client
def list_(client: ApiClient, as_json: bool) -> None:
    """List the campaigns with their states."""
    found = client.get("/v1/campaigns")["campaigns"]
    if as_json:
        print_json(found)
        return
    if not found:
        remark("no campaigns yet; make one with `longtail campaign apply FILE --signals CATALOG`")
        return
    columns = ("campaign", "version", "state", "author", "approved by", "digest")
    print_table("", columns, [_row(each) for each in found])


def _row(each: dict[str, Any]) -> tuple[object, ...]:
    approved_by = each.get("approved_by")
    return (
        each["campaign"],
        each["version"],
        each["state"],
        each.get("author"),
        approved_by,
        each["program_digest"][:12],
    )


@campaign.command()
@click.argument("name")
@version_option
@json_option
@with_client
def show(client: ApiClient, name: str, version: int | None, as_json: bool) -> None:
    """Show a campaign version: its state, what became of its fires, what its heads compare to, and its budget's use."""
    found = _find(client, name, version)
    if as_json:
        print_json(found)
        return
    print_table(
        f"{name} version {found['version']}: {found['state']}",
        ("", ""),
        [(key, found[key]) for key in ("author", "approved_by", "program_digest", "ended_reason") if found.get(key)],
    )
    print_table("Fires", *_outcome_table(found["outcomes"]))
    if found["compared"]:
        print_table("Compared heads, in pairs of samples", *_compared_table(found["compared"]))
    columns = ("campaign", "account", "vehicle", "day", "limit", "reserved or used", "used")
    print_table("Budget", columns, account_rows(name, found["budget"]))


def _outcome_table(outcomes: dict[str, Any]) -> tuple[list[str], list[list[object]]]:
    """Columns and the row; fires that are unaccounted for have a column only where there are any."""
    keys = ["fired", *OUTCOMES, *(["unaccounted"] if outcomes["unaccounted"] else []), "suppressed"]
    return [key.replace("_", " ") for key in keys], [[_count(outcomes[key]) for key in keys]]


def _compared_table(compared: dict[str, dict[str, int]]) -> tuple[list[str], list[list[object]]]:
    """Columns and a row a head."""
    titles = {
        "neither": "both false",
        "only_shadow": "only shadow true",
        "only_active": "only active true",
        "both": "both true",
        "unknown": "unknown",
    }
    rows: list[list[object]] = [[head, *(pairs[key] for key in titles)] for head, pairs in compared.items()]
    return ["head", *titles.values()], rows


def _count(value: int | dict[str, int]) -> object:
    """A count, or counts by reason with their sum in front."""
    if isinstance(value, int):
        return value
    reasons = ", ".join(f"{reason} {count}" for reason, count in value.items())
    return f"{sum(value.values())} ({reasons})" if value else 0


def _find(client: ApiClient, name: str, version: int | None, *, running: bool = False) -> dict[str, Any]:
    """One version; without a number the newest, or with `running` the one that vehicles have, when there is one."""
    from fleet_api.client.client import segment

    if version is not None:
        answer = client.get(f"/v1/campaigns/{segment(name)}/{version}")
        return dict(answer)
    answer = client.get(f"/v1/campaigns/{segment(name)}")
    versions = answer["versions"]
    if running:
        versions = [each for each in versions if each["state"] in RUNNING] or versions
    chosen = max(each["version"] for each in versions)
    return dict(client.get(f"/v1/campaigns/{segment(name)}/{chosen}"))


def _move(client: ApiClient, found: dict[str, Any], verb: str, body: dict[str, Any]) -> dict[str, Any]:
    from fleet_api.client.client import segment

    return dict(client.post(f"/v1/campaigns/{segment(found['campaign'])}/{found['version']}/{verb}", body))


def _show_diagnostics(diagnostics: list[dict[str, Any]]) -> None:
    from triggers.language.text.diagnostics import Diagnostic

    for each in diagnostics:
        remark(Diagnostic(**each).render() + "\n")
