"""The second vehicle against a real API and gateway: enrolled, checked in, and its clip in the catalog, undamaged."""

from __future__ import annotations

import base64
import hashlib
import random
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleet_api.deployment.deployment import Deployment
from tests.second_vehicle.vehicle import Campaign, Clip, Row
from tests.second_vehicle.wire import CELL_BYTES, Cloud, Role, Trust, clip_id, have, opened_bundle, opened_list, parts
from tests.support.waiting import wait_for
from tests.support.whole_system import admin, deployment, recording, run_campaign

pytestmark = pytest.mark.integration

CATALOG = "max_gap: 2.0\nsignals:\n  ego.brake: {unit: '%', rate: 100}\n" + "".join(
    f"  noise.n{index}: {{rate: 100}}\n" for index in range(100)
)
SOURCE = """
trigger hard_brake {
    when ego.brake > 50 %
    capture 4 s before, 4 s after { signals ego.brake, noise.* }
    tags "braking"
}
campaign second { collect hard_brake budget 1 GB total }
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Deployment]:
    with deployment() as started:
        run_campaign(admin(started), SOURCE, CATALOG)
        yield started


def rows(end_ns: int) -> list[Row]:
    """Twenty seconds at 100 Hz that end at `end_ns`, with a brake after ten; the noise does not compress."""
    drawn = random.Random(1)
    begin_ns = end_ns - 20 * 10**9
    return [
        (
            begin_ns + index * 10**7,
            {"ego.brake": 90.0 if 1000 <= index < 1020 else 0.0}
            | {f"noise.n{number}": drawn.random() for number in range(100)},
        )
        for index in range(2000)
    ]


def enrolled(running: Deployment, vehicle_id: str) -> tuple[Cloud, Trust]:
    """A vehicle that has what enrolment gives."""
    given = admin(running).vehicles.enrol(vehicle_id, {"region": "EU"})
    keys = [base64.b64decode(key) for key in given.public_keys]
    cloud = Cloud(vehicle_id, given.token, given.api_url, given.gateway_url)
    return cloud, Trust(Role(keys, given.trust_threshold), given.trust_version)


def enrolled_with_code(running: Deployment, vehicle_id: str) -> tuple[Cloud, Trust]:
    """A vehicle that has made its own key, and signs its requests."""
    code, key = admin(running).vehicles.issue_code(vehicle_id, {"region": "EU"}), Ed25519PrivateKey.generate()
    given = Cloud(vehicle_id, "", code.api_url, "").enrol(code.code, key)
    keys = [base64.b64decode(each) for each in given["public_keys"]]
    cloud = Cloud(vehicle_id, "", given["api_url"], given["gateway_url"], key)
    return cloud, Trust(Role(keys, given["trust_threshold"]), given["trust_version"])


def drive(cloud: Cloud, trust: Trust) -> tuple[Campaign, Clip]:
    """Check in, run what is assigned, and drive; the campaign and its only clip."""
    now_ns = time.time_ns()
    body = {"attributes": {"hardware": 4}, "software": {"agent": "second 1.0"}, "vehicle_time_ns": now_ns}
    answer = cloud.check_in({**body, "trust": trust.version})
    assert answer is not None
    steps, sealed = parts(answer)
    for step in steps:
        trust.follow(step)
    assert trust.document is not None
    listed = opened_list(sealed, trust.role("lists"), cloud.vehicle_id, now_ns)
    now = {"have": have(listed), "trust": trust.version, "revision": listed["revision"]}
    assert cloud.check_in({**body, **now}) is None
    (assignment,) = listed["assignments"]
    bundle, program = opened_bundle(cloud.bundle(assignment["bundle_digest"]), trust.role("bundles"), assignment)
    campaign = Campaign(cloud.vehicle_id, bundle, program, {"attributes": {"region": "EU"}})
    (clip,) = campaign.drive(rows(now_ns), {})
    return campaign, clip


def test_its_clip_is_in_the_catalog_undamaged_and_its_counts_add_up(running: Deployment) -> None:
    cloud, trust = enrolled(running, "second-1")
    campaign, clip = drive(cloud, trust)
    assert len(clip.data) > CELL_BYTES
    cloud.report([campaign.counts()], time.time_ns())
    cloud.upload(clip.manifest, clip.data, "wifi", cells_per_request=1)
    campaign.handed(clip)
    cloud.report([campaign.counts()], time.time_ns())
    client, name = admin(running), clip_id(clip.manifest)
    wait_for(lambda: any(found.id == name for found in client.clips.search()), within_s=60, what="the clip")
    wait_for(lambda: client.clips.get(name).state != "stored", within_s=120, what="the extraction")
    details = client.clips.get(name)
    assert (details.state, details.damage, details.tags) == ("ready", None, ["braking"])
    assert recording(client, name) == clip.data
    assert hashlib.sha256(clip.data[:CELL_BYTES]).hexdigest() == clip.manifest["cells"][0]
    counted = client.campaigns.version("second", 1).outcomes
    assert (counted.fired, counted.catalogued, counted.in_flight) == (1, 1, 0)


def test_with_a_key_of_its_own_it_needs_no_token_at_either_server(running: Deployment) -> None:
    cloud, trust = enrolled_with_code(running, "second-3")
    campaign, clip = drive(cloud, trust)
    cloud.report([campaign.counts()], time.time_ns())
    cloud.upload(clip.manifest, clip.data, "wifi", cells_per_request=1)
    client, name = admin(running), clip_id(clip.manifest)
    wait_for(lambda: any(found.id == name for found in client.clips.search()), within_s=60, what="the clip")
    stranger = replace(cloud, key=Ed25519PrivateKey.generate())
    with pytest.raises(ConnectionError, match="401"):
        stranger.upload(clip.manifest, clip.data, "wifi")


def test_announced_again_the_same_clip_is_the_same_upload(running: Deployment) -> None:
    cloud, trust = enrolled(running, "second-2")
    _, clip = drive(cloud, trust)
    for _ in range(3):
        cloud.upload(clip.manifest, clip.data, "wifi")
    client, name = admin(running), clip_id(clip.manifest)
    wait_for(lambda: any(found.id == name for found in client.clips.search()), within_s=60, what="the clip")
