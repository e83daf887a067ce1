"""`longtail labels`: the feed for labeling, as a labeler's scripts use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.connection import with_client, with_client_api_token
from fleet_api.cli.output import json_option, print_json, print_table, remark
from triggers.errors import InvalidInput

if TYPE_CHECKING:
    from fleet_api.client.client import ApiClient

MAX_OPENLABEL_BYTES = 64 * 1024**2


@click.group()
def labels() -> None:
    """Claim and complete label jobs."""


@labels.command()
@click.option("--task", default="auto", show_default=True, help="Which kind of jobs.")
@click.option("--labeler", required=True, help="Who labels: a name that stays the same.")
@click.option("--count", type=click.IntRange(1, 100), default=1, show_default=True)
@click.option("--lease", "lease_s", type=click.IntRange(1, 86400), default=600, show_default=True, help="Seconds.")
@with_client
def claim(client: ApiClient, task: str, labeler: str, count: int, lease_s: int) -> None:
    """Take jobs, and print them as JSON. Nobody else gets them until the lease ends."""
    body = {"task": task, "labeler": labeler, "count": count, "lease_s": lease_s}
    print_json(client.post("/v1/label-jobs/claim", body)["jobs"])


@labels.command()
@click.argument("job", type=int)
@click.option("--token", "job_token", type=int, required=True, help="The job's token, as `claim` printed it.")
@click.option(
    "--openlabel", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True, help="The labels."
)
@click.option(
    "--provenance", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="JSON: who or what made them."
)
@with_client_api_token
def complete(client: ApiClient, job: int, job_token: int, openlabel: Path, provenance: Path | None) -> None:
    """Hand in the labels of a claimed job: an ASAM OpenLABEL 1.0.0 document."""
    made_by = _json_file(provenance) if provenance else {}
    body = {"token": job_token, "openlabel": _json_file(openlabel), "provenance": made_by}
    client.post(f"/v1/label-jobs/{job}/complete", body)
    remark(f"job {job} is done")


@labels.command()
@json_option
@with_client
def stats(client: ApiClient, as_json: bool) -> None:
    """Show how many jobs there are, by task and state."""
    answer = client.get("/v1/label-jobs/stats")
    if as_json:
        print_json(answer)
        return
    tasks = answer["tasks"]
    states = sorted({state for counts in tasks.values() for state in counts})
    rows = [(task, *(counts.get(state, 0) for state in states)) for task, counts in sorted(tasks.items())]
    print_table("", ("task", *states), rows)


def _json_file(path: Path) -> Any:
    if path.stat().st_size > MAX_OPENLABEL_BYTES:
        raise InvalidInput(f"{path} has more than {MAX_OPENLABEL_BYTES} bytes")
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise InvalidInput(f"{path} is no JSON document: {error}") from error
