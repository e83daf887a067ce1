"""`longtail labels`: the feed of label jobs, for the scripts of a labeler."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.connection import with_client, with_client_api_token
from fleet_api.cli.fleet.json_file import read_json_object
from fleet_api.cli.output import json_option, plain_text, print_json, print_result, print_table, remark

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleet_api.client import ApiClient

_file = click.Path(path_type=Path)
_lease_option = click.option(
    "--lease",
    "lease_s",
    type=click.IntRange(1, 86400),
    default=600,
    show_default=True,
    help="Length of the lease, in seconds from now.",
)


def _job_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what identifies a claimed job: its id, and the token that `claim` printed."""
    command = click.option(
        "--token", "job_token", type=click.IntRange(1, 2**63 - 1), required=True, help="The job's token, from `claim`."
    )(command)
    return click.argument("job", type=click.IntRange(1, 2**63 - 1))(command)


@click.group()
def labels() -> None:
    """Claim label jobs, and complete, keep or give back the jobs that you claimed."""


@labels.command(short_help="Claim jobs, and print them as JSON.")
@click.option("--task", default="auto", show_default=True, help="Kind of the jobs.")
@click.option("--labeler", required=True, help="Name of the labeler, the same every time.")
@click.option("--count", type=click.IntRange(1, 100), default=1, show_default=True, help="At most this many.")
@_lease_option
@with_client
def claim(client: ApiClient, task: str, labeler: str, count: int, lease_s: int) -> None:
    """Claim jobs, oldest first, and print them as JSON. They cannot be claimed again until the lease ends."""
    jobs = client.labels.claim(task, labeler, count=count, lease_s=lease_s)
    print_json([job.model_dump(mode="json") for job in jobs])


@labels.command(short_help="Hand in the labels of a claimed job.")
@_job_options
@click.option("--openlabel", type=_file, required=True, help="The file with the labels.")
@click.option("--provenance", type=_file, help="A JSON file that says who or what made the labels.")
@with_client_api_token
def complete(client: ApiClient, job: int, job_token: int, openlabel: Path, provenance: Path | None) -> None:
    """Hand in the labels of a claimed job: an ASAM OpenLABEL 1.0.0 document."""
    made_by = read_json_object(provenance) if provenance else {}
    client.labels.complete(job, job_token, read_json_object(openlabel), made_by)
    print_result(f"job {job} is done")


@labels.command()
@_job_options
@_lease_option
@with_client_api_token
def renew(client: ApiClient, job: int, job_token: int, lease_s: int) -> None:
    """Extend the lease of a claimed job."""
    until = client.labels.renew(job, job_token, lease_s=lease_s).lease_until
    print_result(f"job {job} is yours until {plain_text(until)}")


@labels.command()
@_job_options
@click.option("--reason", required=True, help="Why the job could not be done.")
@with_client_api_token
def fail(client: ApiClient, job: int, job_token: int, reason: str) -> None:
    """Give a claimed job back. It can be claimed again until its attempts are used up."""
    print_result(f"job {job} is {client.labels.fail(job, job_token, reason).state}")


@labels.command(short_help="Count jobs by task and state.")
@json_option
@with_client
def stats(client: ApiClient, as_json: bool) -> None:
    """Show how many jobs there are, by task and state."""
    answer = client.labels.stats()
    if as_json:
        print_json(answer.model_dump(mode="json"))
        return
    tasks = answer.tasks
    states = sorted({state for counts in tasks.values() for state in counts})
    if tasks:
        rows = [(task, *(counts.get(state, 0) for state in states)) for task, counts in sorted(tasks.items())]
        print_table("", ("task", *states), rows)
    else:
        remark("no label jobs yet; a clip gets one when it is ready")
