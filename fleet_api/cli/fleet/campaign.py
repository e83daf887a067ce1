"""`longtail campaign`: from a trigger file to a running campaign, and the steps of its life."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_api.cli.author.check import set_option
from fleet_api.cli.connection import with_client
from fleet_api.cli.fleet.campaign_backtest import attach, attach_file, report, version_option
from fleet_api.cli.fleet.campaign_report import CAMPAIGN_COLUMNS, VERSION_COLUMNS, show_details, show_review
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import (
    Form,
    json_option,
    list_options,
    print_json,
    print_list,
    print_result,
    remark,
    show_findings,
)
from fleet_api.cli.questions import ask
from triggers.errors import Conflict, DiagnosticsError

if TYPE_CHECKING:
    from fleet_api.client import Client
    from fleet_api.client.campaigns import Step
    from triggers.contracts.api.campaigns import CampaignDetails, CampaignView
    from triggers.contracts.api.trust import SignedView

OF_THE_RUNNING = ("pause", "resume", "stop")
"""Steps that by default apply to the active or paused version, even when a newer one waits for approval."""
running_option = click.option(
    "--version",
    type=WholeNumber(1, 2**31 - 1),
    help="A version.  [default: the active or paused one, else the newest]",
)
reason_option = click.option("--reason", help="Why, in at most 500 characters; it is in the audit log.")
key_option = click.option("--key", help="Also sign it with this Ed25519 key of your own: a PEM file or a pkcs11: URI.")


@click.group()
def campaign() -> None:
    """Apply, approve, list and control campaigns.

    A campaign goes from draft through submitted and approved to active. Approval is bound to a version and its
    digest, which covers all that vehicles get: program and settings.
    """


@campaign.command(short_help="Create a version of each campaign in a file.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--signals", type=click.Path(path_type=Path), help="The signal catalog, a YAML file.")
@click.option("--catalog", help="Or a published signal catalog: NAME, NAME@VERSION, or its digest.")
@click.option("--name", help="Only this campaign of the file.  [default: all of them]")
@click.option(
    "--backtest", type=click.Path(path_type=Path), help="The JSON report of a backtest, attached for approvers."
)
@click.option("--draft", is_flag=True, help="Keep it as a draft instead of submitting it for approval.")
@click.option(
    "--based-on",
    type=WholeNumber(0, 2**31 - 1),
    help="The campaign's newest version that you have seen, 0 for none: refused if somebody has applied another since.",
)
@set_option
@json_option
@with_client
def apply(
    client: Client,
    *,
    file: Path,
    signals: Path | None,
    catalog: str | None,
    name: str | None,
    backtest: Path | None,
    draft: bool,
    based_on: int | None,
    values: tuple[str, ...],
    as_json: bool,
) -> int:
    """Compile FILE against a signal catalog, and create a new version of each campaign in it.

    What is stored and shown to approvers is FILE with the files that it imports and with the values of --set.
    Applying the same text again changes nothing.
    """
    from fleet_api.client.campaign_files import apply_file

    if (signals is None) == (catalog is None):
        raise click.UsageError("give either --signals FILE or --catalog NAME")
    try:
        versions = apply_file(
            client,
            file,
            signals,
            catalog=catalog,
            campaign=name,
            draft=draft,
            based_on=based_on,
            backtest=backtest,
            values=values,
        )
    except DiagnosticsError as error:
        if as_json:
            print_json({"diagnostics": error.diagnostics})
        show_findings(error.diagnostics)
        return 1
    for version in versions:
        show_findings(version.warnings)
    if as_json:
        print_json([version.model_dump(mode="json") for version in versions])
        return 0
    for version in versions:
        print_result(
            f"{version.campaign} version {version.version} is {version.state}, digest {version.approval_digest}"
        )
    return 0


def _step_command(step: Step, text: str, rest: str = "") -> click.Command:
    """The command for one step in the life of a campaign version."""

    @click.command(name=step, short_help=text, help=f"{text} {rest}".strip())
    @click.argument("name")
    @(running_option if step in OF_THE_RUNNING else version_option)
    @reason_option
    @json_option
    @with_client
    def command(client: Client, *, name: str, version: int | None, reason: str | None, as_json: bool) -> None:
        chosen = client.campaigns.version(name, version, running=step in OF_THE_RUNNING)
        _show_step(client.campaigns.move(name, chosen.version, step, reason=reason), as_json)

    return command


@campaign.command(short_help="Submit a draft for approval.")
@click.argument("name")
@version_option
@click.option(
    "--report", type=click.Path(path_type=Path), help="Attach this report first: what `longtail backtest --json` wrote."
)
@reason_option
@json_option
@with_client
def submit(
    client: Client, *, name: str, version: int | None, report: Path | None, reason: str | None, as_json: bool
) -> None:
    """Submit a draft for approval, with the report of a backtest of its program if one is given."""
    chosen = client.campaigns.version(name, version)
    if report is not None:
        attach_file(client, name, chosen.version, report)
    _show_step(client.campaigns.move(name, chosen.version, "submit", reason=reason), as_json)


campaign.add_command(attach)
campaign.add_command(report)


@campaign.command(short_help="Approve a submitted version.")
@click.argument("name")
@version_option
@click.option("--digest", help="The version's digest, in full, as `campaign show` prints it.")
@click.option(
    "--backtest-digest", help="The digest of its report and forecast, in full, if `campaign show` prints one."
)
@key_option
@reason_option
@json_option
@with_client
def approve(
    client: Client,
    *,
    name: str,
    version: int | None,
    digest: str | None,
    backtest_digest: str | None,
    key: str | None,
    reason: str | None,
    as_json: bool,
) -> None:
    """Approve a submitted version, which vehicles then get.

    With --version and --digest (and --backtest-digest, if it has a report) it is approved at once. Without
    them it is shown first: its text, settings and cost, and how it differs from what runs. The text is compiled again
    on this machine, which must give the same digest.
    """
    if version is None or digest is None:
        if as_json:
            raise click.UsageError("--json needs --version and --digest, since nothing is asked then")
        details = client.campaigns.version(name, version)
        version, digest = _reviewed(details, digest)
        backtest_digest = backtest_digest or details.review.backtest_digest
    if key is not None:
        _sign(client, client.campaigns.version(name, version), key, digest=digest)
    if backtest_digest is not None:
        backtest_digest = backtest_digest.lower()
    approved = client.campaigns.approve(
        name, version, digest=digest.lower(), backtest_digest=backtest_digest, reason=reason
    )
    _show_step(approved, as_json)


def _reviewed(details: CampaignDetails, digest: str | None) -> tuple[int, str]:
    """Show a version and ask whether to approve it; its number and digest. Raises if the answer is not yes."""
    from fleet_api.client.campaign_files import check_compiles_to

    if digest is not None and digest.lower() != details.approval_digest:
        raise Conflict(
            f"{details.campaign} version {details.version} has digest {details.approval_digest}, not {digest}",
            remedy=f"review the version again: longtail campaign show {details.campaign}",
        )
    show_review(details)
    check_compiles_to(details)
    remark("the text above, compiled on this machine, gives this digest")
    chosen = f"--version {details.version} --digest {details.approval_digest}"
    if details.review.backtest_digest is not None:
        chosen += f" --backtest-digest {details.review.backtest_digest}"
    if not sys.stdin.isatty():
        raise click.UsageError(f"not approved: there is nobody to ask; approve it with {chosen}")
    question = f"Approve {details.campaign} version {details.version}, digest {details.approval_digest}? Type yes"
    if ask(question, otherwise=f"not approved; approve it with {chosen}") != "yes":
        raise click.UsageError("not approved: the answer was not yes")
    return details.version, details.approval_digest


@campaign.command(short_help="Return a submitted version to its author.")
@click.argument("name")
@version_option
@click.option("--reason", required=True, help="Why, in at most 500 characters; its author sees it.")
@json_option
@with_client
def reject(client: Client, *, name: str, version: int | None, reason: str, as_json: bool) -> None:
    """Return a submitted version to its author, as a draft. The reason is shown with it and in the audit log."""
    chosen = client.campaigns.version(name, version)
    _show_step(client.campaigns.reject(name, chosen.version, reason=reason), as_json)


@campaign.command(short_help="Sign a version with a key of your own.")
@click.argument("name")
@version_option
@click.option("--key", required=True, help="Your Ed25519 key: a PEM file, or the pkcs11: URI of one in hardware.")
@json_option
@with_client
def sign(client: Client, *, name: str, version: int | None, key: str, as_json: bool) -> None:
    """Sign a version with your own key, which stays on this machine; vehicles ask for as many signatures as their trust
    document says (`longtail trust show`).

    The text is compiled here, so the signature is over what it means and nothing else.
    """
    signed = _sign(client, client.campaigns.version(name, version), key)
    if as_json:
        print_json(signed.model_dump(mode="json"))
    else:
        print_result(f"{name} version {signed.version} has {signed.signatures} of {signed.needed} signatures")


def _sign(client: Client, details: CampaignDetails, key: str, *, digest: str | None = None) -> SignedView:
    """Sign a version; Conflict if it does not have `digest`, where one is given."""
    from fleet_api.cli.trust.keys import signing_key
    from fleet_api.client.campaign_files import signed_version

    if digest is not None and digest.lower() != details.approval_digest:
        raise Conflict(
            f"{details.campaign} version {details.version} has digest {details.approval_digest}, not {digest}",
            remedy=f"review the version again: longtail campaign show {details.campaign}",
        )
    signature = signed_version(details, signing_key(key))
    return client.campaigns.sign(details.campaign, details.version, signature)


campaign.add_command(
    _step_command("pause", "Pause an active campaign.", "Vehicles stop watching for it until it is resumed.")
)


@campaign.command(short_help="Hold a rollout in its stage.")
@click.argument("name")
@running_option
@click.option("--reason", required=True, help="Why, in at most 500 characters; it is shown until it is resumed.")
@json_option
@with_client
def hold(client: Client, *, name: str, version: int | None, reason: str, as_json: bool) -> None:
    """Keep an active campaign on the vehicles of the stage that its rollout has reached, until it is resumed."""
    chosen = client.campaigns.version(name, version, running=True)
    held = client.campaigns.hold(name, chosen.version, reason=reason)
    if as_json:
        print_json(held.model_dump(mode="json"))
    else:
        print_result(f"{name} version {held.version} is {held.state}, its rollout is held: {held.held_reason}")


campaign.add_command(
    _step_command("resume", "Resume a paused campaign, or a rollout that is held.", "One that is both is held still.")
)
campaign.add_command(_step_command("stop", "Stop a campaign for good."))


@campaign.command(short_help="Give a campaign another owner or cost centre.")
@click.argument("name")
@click.option("--owner", help="The name of the user who is to own it.")
@click.option("--cost-centre", help='The cost centre that pays for what it uploads from now on; "" for none.')
@click.option("--reason", help="Why, in at most 500 characters; it is in the audit log.")
@json_option
@with_client
def assign(
    client: Client, *, name: str, owner: str | None, cost_centre: str | None, reason: str | None, as_json: bool
) -> None:
    """Give a campaign another owner, another cost centre, or both; its owner may, and operators.

    Who applied a campaign first owns it. What was charged before stays with the cost centre of before.
    """
    if owner is None and cost_centre is None:
        raise click.UsageError("give --owner, --cost-centre, or both")
    assigned = client.campaigns.assign(name, owner=owner, cost_centre=cost_centre, reason=reason)
    if as_json:
        print_json(assigned.model_dump(mode="json"))
    else:
        pays = f"cost centre {assigned.cost_centre}" if assigned.cost_centre else "no cost centre"
        print_result(f"{assigned.campaign} belongs to {assigned.owner}, {pays}")


@campaign.command(name="list", short_help="List the campaigns with their states.")
@list_options
@with_client
def list_(client: Client, form: Form) -> None:
    """List the campaigns, each with its active or paused version, else with its newest."""
    none = "no campaigns yet; create one with `longtail campaign apply FILE --signals CATALOG`"
    print_list(form, client.campaigns.list(), CAMPAIGN_COLUMNS, none=none)


@campaign.command(short_help="List the versions of a campaign.")
@click.argument("name")
@list_options
@with_client
def versions(client: Client, name: str, form: Form) -> None:
    """List the versions of a campaign, newest first."""
    print_list(form, client.campaigns.versions(name).versions, VERSION_COLUMNS, none=f"{name} has no versions")


@campaign.command(short_help="Show a campaign version.")
@click.argument("name")
@version_option
@json_option
@with_client
def show(client: Client, name: str, version: int | None, as_json: bool) -> None:
    """Show a campaign version: its state, text, settings and cost, how it differs from the version that runs, the
    outcomes of its fires, its compared heads, and its use of the budget."""
    details = client.campaigns.version(name, version)
    if as_json:
        print_json(details.model_dump(mode="json"))
    else:
        show_details(details)


def _show_step(version: CampaignView, as_json: bool) -> None:
    if as_json:
        print_json(version.model_dump(mode="json"))
    else:
        print_result(f"{version.campaign} version {version.version} is {version.state}")
