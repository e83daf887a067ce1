"""What a labeler and an operator see of label jobs on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from storage.labels import jobs
from tests.fleet_api.api_server import Api
from tests.fleet_api.cli.conftest import Longtail
from tests.storage.clips.catalog_support import add_clip


@pytest.fixture
def clip_id(api: Api) -> str:
    """A clip with a job."""
    with api.database.begin() as connection:
        clip_id = add_clip(connection)
        jobs.ensure(connection, clip_id, "auto")
    return clip_id


def claimed(longtail: Longtail) -> tuple[str, str]:
    """Id and token of a job."""
    (job,) = longtail("labels", "claim", "--labeler", "ann").json()
    return str(job["id"]), str(job["token"])


@pytest.mark.parametrize("command", ["renew", "complete", "fail"])
@pytest.mark.parametrize("option", ["--token", "--job-token"])
def test_a_secret_that_is_given_in_the_wrong_place_is_not_printed(
    longtail: Longtail, clip_id: str, tmp_path: Path, command: str, option: str
) -> None:
    secret = "lt_" + "s" * 40
    more = {"complete": ["--openlabel", str(tmp_path / "x")], "fail": ["--reason", "x"]}.get(command, [])
    shown = longtail("labels", command, "1", option, secret, *more)
    assert shown.status == 2
    assert secret not in shown.out + shown.err
    assert "--job-token" in shown.err


def test_a_mistake_in_the_labels_is_named_and_the_job_stays_with_its_labeler(
    longtail: Longtail, clip_id: str, tmp_path: Path
) -> None:
    job, token = claimed(longtail)
    document = tmp_path / "labels.json"
    complete = ("labels", "complete", job, "--job-token", token, "--openlabel", str(document))
    metadata = {"schema_version": "1.0.0"}
    document.write_text(json.dumps({"openlabel": {"metadata": metadata, "objcts": {}}}))
    shown = longtail(*complete)
    assert shown.status == 1
    assert "openlabel has an unknown member 'objcts' (did you mean `objects`?)" in shown.err
    document.write_text(json.dumps({"openlabel": {"metadata": metadata, "objects": {}}}))
    assert longtail(*complete).out == f"job {job} is done\n"


def test_failed_jobs_are_listed_with_their_reasons_and_tried_again(api: Api, longtail: Longtail, clip_id: str) -> None:
    job, token = claimed(longtail)
    assert longtail("labels", "fail", job, "--job-token", token, "--reason", "no GPU").out == f"job {job} is ready\n"
    assert longtail("labels", "claim", "--labeler", "ann").json() == []
    (listed,) = longtail("labels", "list", "--json").json()
    assert (listed["state"], listed["attempts"], listed["reason"], listed["clip_id"]) == ("ready", 1, "no GPU", clip_id)
    assert longtail("labels", "list", "--state", "failed").err == "no such label jobs\n"
    early = longtail("labels", "retry", job)
    assert early.status == 1 and f"job {job} is ready, not failed" in early.err
    with api.database.begin() as connection:
        connection.exec_driver_sql("UPDATE label_jobs SET state = 'failed', attempts = 5")
    assert longtail("labels", "list", "--state", "failed", "--ids").out == f"{job}\n"
    assert longtail("labels", "retry", job).out == f"job {job} can be claimed again\n"
    assert claimed(longtail)[0] == job


def test_counts_stand_in_the_order_of_a_jobs_life(longtail: Longtail, clip_id: str) -> None:
    heading, row = longtail("labels", "stats").out.splitlines()
    assert heading.split() == ["task", "ready", "leased", "expired", "done", "failed"]
    assert row.split() == ["auto", "1", "0", "0", "0", "0"]
