"""`longtail labels`: the feed of label jobs, for the scripts of a labeler."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.connection import with_client
from fleet_api.cli.fleet.json_file import read_json_object
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import (
    Column,
    Form,
    json_option,
    list_options,
    plain_text,
    print_json,
    print_list,
    print_result,
    print_table,
    remark,
)
from triggers.contracts.api.labels import JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleet_api.client import Client
    from triggers.contracts.api.labels import JobRecordView

MAX_JOB_TOKEN = 2**63 - 1
STATES = ("ready", "leased", "expired", "done", "failed")
"""The columns of `stats`, in the order of a job's life."""
COLUMNS: tuple[Column[JobRecordView], ...] = (
    Column("id", lambda job: job.id),
    Column("task", lambda job: job.task),
    Column("state", lambda job: job.state),
    Column("attempts", lambda job: job.attempts),
    Column("labeler", lambda job: f"{job.claimed_by}/{job.labeler}" if job.claimed_by else None),
    Column("clip", lambda job: job.clip_id),
    Column("created_at", lambda job: job.created_at),
    Column("reason", lambda job: job.reason),
)
_file = click.Path(path_type=Path)
_lease_option = click.option(
    "--lease",
    "lease_s",
    type=WholeNumber(1, 86400),
    default=600,
    show_default=True,
    help="Length of the lease, in seconds from now.",
)


class JobToken(click.ParamType[int]):
    """The number that a claim gave. A mistake does not repeat what was given: it may be somebody's secret token."""

    name = "integer"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, or a usage error that does not show the value."""
        text = str(value)
        if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 19 and 1 <= int(text) <= MAX_JOB_TOKEN):
            self.fail("a job's token is the number that `claim` printed as `token`", param, ctx)
        return int(text)


def _job_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what identifies a claimed job: its id, and the token that `claim` printed."""
    command = click.option("--job-token", type=JobToken(), required=True, help="The job's token, from `claim`.")(
        command
    )
    return click.argument("job", type=WholeNumber(1, 2**63 - 1))(command)


@click.group()
def labels() -> None:
    """Claim label jobs; complete, keep or give back the jobs that you claimed; list and retry jobs."""


@labels.command(short_help="Claim jobs, and print them as JSON.")
@click.option("--task", default="auto", show_default=True, help="Kind of the jobs.")
@click.option("--labeler", required=True, help="Name of the labeler, the same every time.")
@click.option("--count", type=WholeNumber(1, 100), default=1, show_default=True, help="At most this many.")
@click.option("--duplicates", is_flag=True, help="Also jobs of near duplicates of other clips, last.")
@_lease_option
@with_client
def claim(client: Client, *, task: str, labeler: str, count: int, lease_s: int, duplicates: bool) -> None:
    """Claim jobs, those free for longest first, and print them as JSON.

    They cannot be claimed again until the lease ends.
    """
    jobs = client.labels.claim(task, labeler, count=count, lease_s=lease_s, duplicates=duplicates)
    print_json([job.model_dump(mode="json") for job in jobs])


@labels.command(short_help="Hand in the labels of a claimed job.")
@_job_options
@click.option("--openlabel", type=_file, required=True, help="The file with the labels.")
@click.option("--provenance", type=_file, help="A JSON file that says who or what made the labels.")
@with_client
def complete(client: Client, job: int, job_token: int, openlabel: Path, provenance: Path | None) -> None:
    """Hand in the labels of a claimed job: an ASAM OpenLABEL 1.0.0 document."""
    made_by = read_json_object(provenance) if provenance else {}
    client.labels.complete(job, job_token, read_json_object(openlabel), made_by)
    print_result(f"job {job} is done")


@labels.command()
@_job_options
@_lease_option
@with_client
def renew(client: Client, job: int, job_token: int, lease_s: int) -> None:
    """Extend the lease of a claimed job."""
    until = client.labels.renew(job, job_token, lease_s=lease_s).lease_until
    print_result(f"job {job} is yours until {plain_text(until)}")


@labels.command()
@_job_options
@click.option("--reason", required=True, help="Why the job could not be done.")
@with_client
def fail(client: Client, job: int, job_token: int, reason: str) -> None:
    """Give a claimed job back. After a pause it can be claimed again, until its attempts are used up."""
    print_result(f"job {job} is {client.labels.fail(job, job_token, reason).state}")


@labels.command(name="list", short_help="List jobs with their states and reasons.")
@click.option("--task", help="Only jobs of this kind.")
@click.option("--state", type=click.Choice([state.value for state in JobState]), help="Only jobs in this state.")
@click.option("--limit", type=WholeNumber(1), default=100, show_default=True, help="At most this many.")
@list_options
@with_client
def list_(client: Client, task: str | None, state: JobState | None, limit: int, form: Form) -> None:
    """List jobs, newest first."""
    print_list(form, client.labels.list(task=task, state=state, limit=limit), COLUMNS, none="no such label jobs")


@labels.command(short_help="Let failed jobs be claimed again.")
@click.argument("jobs", metavar="JOB...", nargs=-1, required=True, type=WholeNumber(1, 2**63 - 1))
@with_client
def retry(client: Client, jobs: tuple[int, ...]) -> None:
    """Let jobs that used up their attempts be claimed again, with all their attempts.

    Needs the role operator or labeler. `labels list --state failed --ids` prints what to give here.
    """
    for job in jobs:
        client.labels.retry(job)
        print_result(f"job {job} can be claimed again")


@labels.command(short_help="Count jobs by task and state.")
@json_option
@with_client
def stats(client: Client, as_json: bool) -> None:
    """Show how many jobs there are, by task and state."""
    answer = client.labels.stats()
    if as_json:
        print_json(answer.model_dump(mode="json"))
        return
    tasks = answer.tasks
    if tasks:
        rows = [(task, *(counts.get(state, 0) for state in STATES)) for task, counts in sorted(tasks.items())]
        print_table("", ("task", *STATES), rows)
    else:
        remark("no label jobs yet; a clip gets one when it is ready")
