"""Keys of a running deployment are stolen and replaced, its signer dies, its database is restored: vehicles go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from fleet_api.cli.trust.draft import Draft
from fleet_api.client.campaigns import Step
from fleet_api.deployment.deployment import Deployment
from fleet_api.deployment.doctor.database import check_revision
from fleet_api.deployment.keys import create_key
from fleet_api.deployment.restore import move_on_after_restore
from storage.database import Database
from tests.support.keys import role
from tests.support.waiting import wait_for
from tests.support.whole_system import admin, deployment, enrol, run_campaign
from triggers.contracts.checkin import AssignmentList, revision_at
from triggers.contracts.signing import ASSIGNMENTS, load_private_key, seal
from triggers.contracts.trust import RoleKeys
from triggers.errors import LongtailError, Untrusted
from triggers.vehicle.agent import VehicleAgent

pytestmark = pytest.mark.integration
RUNNING = (("loss_free", 1),)
DAY_NS = 86_400 * 10**9
STEPS: tuple[Step, ...] = ("pause", "resume")


@pytest.fixture(scope="module")
def running() -> Iterator[Deployment]:
    with deployment() as made:
        run_campaign(admin(made))
        yield made


@pytest.fixture
def agent(running: Deployment, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[VehicleAgent]:
    config = enrol(admin(running), f"car-{request.node.name[:40]}", tmp_path)
    with VehicleAgent(config) as made:
        made.check_in()
        assert made.status().campaigns == RUNNING
        yield made


def key_file(running: Deployment, name: str) -> Path:
    return running.data_dir / "keys" / name


def publish(running: Deployment, change: Callable[[Draft], Draft]) -> None:
    """Publish the next trust document, signed by the root key that `longtail up` made."""
    client = admin(running)
    newest = client.trust.newest()
    assert newest is not None
    changed = change(Draft.after(newest, days=300))
    client.trust.publish(changed.signed(load_private_key(key_file(running, "root.pem"))).envelope())


def rotate_list_key(running: Deployment) -> RoleKeys:
    """Give the signer another key and let vehicles trust it alone."""
    later = role(create_key(key_file(running, f"list-{time.time_ns()}.pem")))
    publish(running, lambda draft: draft.with_role("lists", later))
    return later


def test_a_stolen_list_key_is_replaced_and_vehicles_recover_from_what_the_thief_did(
    running: Deployment, tmp_path: Path
) -> None:
    stolen = load_private_key(max(running.data_dir.glob("keys/list*.pem")))
    config = enrol(admin(running), "car-robbed", tmp_path)
    with VehicleAgent(config) as agent:
        agent.check_in()
    thief = Thief(stolen)
    with VehicleAgent(config, transport=httpx.MockTransport(thief)) as agent:
        for _ in range(3):
            agent.check_in()
        assert agent.status().campaigns == (), "the thief withholds everything"
    with VehicleAgent(config) as agent:
        with pytest.raises(Untrusted, match="older than revision"):
            agent.check_in()
        rotate_list_key(running)
        agent.check_in()
        assert agent.status().campaigns == RUNNING
    with VehicleAgent(config, transport=httpx.MockTransport(thief)) as agent:
        with pytest.raises(Untrusted, match="does not trust"):
            agent.check_in()
        assert agent.status().campaigns == RUNNING


class Thief:
    """Answers check-ins of `car-robbed` with empty lists, each as far ahead as a vehicle accepts."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def __call__(self, _: httpx.Request) -> httpx.Response:
        ahead_ns = time.time_ns() + 3500 * 10**9
        listed = AssignmentList(
            vehicle_id="car-robbed",
            revision=revision_at(ahead_ns),
            issued_at_ns=ahead_ns,
            expires_at_ns=ahead_ns + 29 * DAY_NS,
            assignments=(),
        )
        sealed = seal(listed.canonical_json(), purpose=ASSIGNMENTS, key=self._key)
        return httpx.Response(200, stream=httpx.ByteStream(sealed))


def test_a_bundle_key_is_replaced_while_the_campaign_runs(running: Deployment, agent: VehicleAgent) -> None:
    mine = Ed25519PrivateKey.generate()
    own = load_private_key(running.settings.effective_signing_key())
    publish(running, lambda draft: draft.with_role("bundles", role(mine)))
    agent.check_in()
    assert agent.status().campaigns == (), "what only the old key has signed stops"
    publish(running, lambda draft: draft.with_role("bundles", role(mine, own)))
    agent.check_in()
    assert agent.status().campaigns == RUNNING


def test_the_signer_is_started_again_when_it_dies(running: Deployment, agent: VehicleAgent) -> None:
    before = running.pid("signer")
    running.kill("signer")
    wait_for(lambda: running.pid("signer") not in (None, before), within_s=30, what="another signer")
    admin(running).campaigns.move("loss_free", 1, "pause")
    try:
        wait_for(lambda: checked_in(agent) and agent.status().campaigns == (), within_s=30, what="a list")
    finally:
        admin(running).campaigns.move("loss_free", 1, "resume")


def checked_in(agent: VehicleAgent) -> bool:
    try:
        agent.check_in()
    except LongtailError:
        return False
    return True


def test_a_database_that_was_restored_is_noticed_and_vehicles_go_on_once_it_has_moved_on(
    running: Deployment, agent: VehicleAgent
) -> None:
    client, database = admin(running), Database(running.settings.require_database_url(), pool_size=1)
    try:
        with database.begin() as connection:
            backup = connection.execute(text("SELECT revision FROM assignment_revision")).scalar_one()
        for step in STEPS:
            client.campaigns.move("loss_free", 1, step)
            agent.check_in()
        with database.begin() as connection:  # as last night's dump has it
            connection.execute(text("UPDATE assignment_revision SET revision = :it"), {"it": backup})
        before = running.pid("api")
        running.kill("api")
        wait_for(lambda: running.pid("api") not in (None, before), within_s=30, what="another API")
        wait_for(lambda: checked_in(agent), within_s=30, what="a check-in")
        found = check_revision(database)
        assert found.status == "fail" and "longtail restored" in found.remedy
        assert move_on_after_restore(running.settings).version_floor == 1000
        agent.check_in()
        assert check_revision(database).status == "ok"
        client.campaigns.move("loss_free", 1, "pause")
        wait_for(lambda: agent.check_in() or agent.status().campaigns == (), within_s=30, what="the pause")
        assert agent.status().campaigns == ()
        client.campaigns.move("loss_free", 1, "resume")
    finally:
        database.close()
