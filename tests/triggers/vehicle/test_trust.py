"""A vehicle follows the chain of trust documents: keys are replaced, thefts end, and nothing else is believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.keys import a_document, role, sealed_document
from tests.triggers.vehicle.cloud import EPOCH_NS, VEHICLE, Cloud
from tests.triggers.vehicle.conftest import MakeConfig
from tests.triggers.vehicle.support import BRAKING, ManualClock, compiled, offer_sealed
from triggers.contracts.bundle import Bundle
from triggers.contracts.signing import BUNDLE, envelope_of, sign
from triggers.contracts.trust import with_steps
from triggers.errors import InvalidInput, Untrusted
from triggers.times import NS_PER_MS, NS_PER_S
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.config import VehicleConfig

DAY_S = 86_400
NOW_MS = EPOCH_NS // NS_PER_MS
ROOT, ROOT_2, AUTHOR, APPROVER, LISTS, LISTS_2 = (
    Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(11, 17)
)
RUNNING = (("braking", 1),)


@pytest.fixture
def config(make_config: MakeConfig) -> VehicleConfig:
    return make_config(trusted_keys=role(ROOT).raw)


@pytest.fixture
def agent(config: VehicleConfig, clock: ManualClock) -> Iterator[VehicleAgent]:
    with VehicleAgent(config, clock=clock) as running:
        yield running


def step(version: int, *signers: Ed25519PrivateKey, **changes: Any) -> bytes:
    """A document with the usual keys, and changes; signed by ROOT unless others are named."""
    values = {"root": role(ROOT), "bundles": role(AUTHOR), "lists": role(LISTS), **changes}
    return sealed_document(a_document(version, **values), *(signers or (ROOT,)))


def offer(
    cloud: Cloud,
    *steps: bytes,
    signers: Sequence[Ed25519PrivateKey] = (AUTHOR,),
    lists: Ed25519PrivateKey = LISTS,
    revision: int = NOW_MS,
    now_ns: int = EPOCH_NS,
    run: bool = True,
) -> None:
    """Let the cloud answer with these steps and a list of the campaign `braking`, or of nothing."""
    bundle = compiled(BRAKING)
    bundles: list[tuple[Bundle, bytes]] = [(bundle, signed(bundle, *signers))] if run else []
    offer_sealed(cloud, lists, bundles, revision=revision, now_ns=now_ns, vehicle_id=VEHICLE)
    assert cloud.assignments is not None
    cloud.assignments = with_steps(steps, cloud.assignments)


def signed(bundle: Bundle, *signers: Ed25519PrivateKey) -> bytes:
    payload = bundle.canonical_json()
    return envelope_of(payload, [sign(payload, purpose=BUNDLE, key=key) for key in signers])


def test_it_follows_the_chain_keeps_it_and_tells_where_it_is(
    cloud: Cloud, config: VehicleConfig, clock: ManualClock
) -> None:
    with VehicleAgent(config, clock=clock) as agent:
        offer(cloud, step(1), step(2))
        agent.check_in()
        assert agent.status().campaigns == RUNNING
    with VehicleAgent(config, clock=clock) as agent:
        assert agent.status().campaigns == RUNNING
        offer(cloud)
        agent.check_in()
    assert [check_in.trust for check_in in cloud.check_ins] == [0, 2]


def test_root_keys_do_not_sign_lists_once_there_is_a_document(cloud: Cloud, agent: VehicleAgent) -> None:
    offer(cloud, step(1))
    agent.check_in()
    for thief in (ROOT, AUTHOR, LISTS_2):
        offer(cloud, lists=thief, revision=NOW_MS + 1)
        with pytest.raises(Untrusted, match="does not trust"):
            agent.check_in()
    offer(cloud, signers=[LISTS], revision=NOW_MS + 1)
    agent.check_in()
    assert agent.status().campaigns == (), "a list key signs no bundles"


def test_k_of_n_keys_sign_a_bundle(cloud: Cloud, agent: VehicleAgent) -> None:
    offer(cloud, step(1, bundles=role(AUTHOR, APPROVER, threshold=2)))
    agent.check_in()
    assert agent.status().campaigns == ()
    offer(cloud, signers=[AUTHOR, APPROVER], revision=NOW_MS + 1)
    agent.check_in()
    assert agent.status().campaigns == RUNNING
    assert "signed by 1 of the 2 trusted keys" in cloud.check_ins[1].problems[0]


def test_a_bundle_key_is_replaced_and_what_it_signed_stops(cloud: Cloud, agent: VehicleAgent) -> None:
    offer(cloud, step(1))
    agent.check_in()
    offer(cloud, step(2, bundles=role(AUTHOR, APPROVER)), signers=[AUTHOR, APPROVER], revision=NOW_MS + 1)
    agent.check_in()
    assert agent.status().campaigns == RUNNING
    offer(cloud, step(3, bundles=role(APPROVER)), signers=[AUTHOR, APPROVER], revision=NOW_MS + 2)
    agent.check_in()
    assert agent.status().campaigns == RUNNING
    offer(cloud, step(4, bundles=role(ROOT_2)), signers=[AUTHOR, APPROVER], revision=NOW_MS + 3)
    agent.check_in()
    assert agent.status().campaigns == ()


def test_keys_that_are_taken_out_count_no_more_although_the_list_beside_them_is_refused(
    cloud: Cloud, agent: VehicleAgent
) -> None:
    offer(cloud, step(1))
    agent.check_in()
    assert agent.status().campaigns == RUNNING
    offer(cloud, step(2, bundles=role(APPROVER)), lists=LISTS_2)
    with pytest.raises(Untrusted):
        agent.check_in()
    assert agent.status().campaigns == ()


def test_the_theft_of_a_list_key_ends_with_the_key(cloud: Cloud, config: VehicleConfig, clock: ManualClock) -> None:
    """A thief goes as far ahead as a vehicle allows, over and over, and withholds a stop; then the key is replaced."""
    with VehicleAgent(config, clock=clock) as agent:
        offer(cloud, step(1))
        agent.check_in()
        for hour in range(1, 100):
            ahead_ns = hour * 3600 * NS_PER_S
            offer(cloud, revision=(EPOCH_NS + ahead_ns) // NS_PER_MS, now_ns=EPOCH_NS + ahead_ns)
            agent.check_in()
        offer(cloud, revision=NOW_MS + 1, run=False)
        with pytest.raises(Untrusted, match=r"older than revision|expired"):
            agent.check_in()
    with VehicleAgent(config, clock=clock) as agent:
        offer(cloud, step(2, lists=role(LISTS_2)), lists=LISTS_2, revision=NOW_MS + 1, run=False)
        agent.check_in()
        assert agent.status().campaigns == ()
        assert not agent.status().suspended
        offer(cloud, lists=LISTS_2, revision=NOW_MS + 2)
        agent.check_in()
        assert agent.status().campaigns == RUNNING
        offer(cloud, revision=NOW_MS + 3)
        with pytest.raises(Untrusted, match="does not trust"):
            agent.check_in()


def test_a_list_key_that_is_added_does_not_let_old_lists_back(cloud: Cloud, agent: VehicleAgent) -> None:
    offer(cloud, step(1))
    agent.check_in()
    offer(cloud, step(2, lists=role(LISTS, LISTS_2)), revision=NOW_MS - 1)
    with pytest.raises(Untrusted, match="older than"):
        agent.check_in()
    assert cloud.check_ins[-1].trust == 1
    offer(cloud, revision=NOW_MS, lists=LISTS_2)
    agent.check_in()
    assert cloud.check_ins[-1].trust == 2, "the step was kept although the list was refused"


def test_root_keys_are_replaced_and_a_vehicle_that_was_away_catches_up(cloud: Cloud, agent: VehicleAgent) -> None:
    offer(
        cloud,
        step(1),
        step(2, ROOT, ROOT_2, root=role(ROOT_2)),
        step(3, ROOT_2, root=role(ROOT_2), lists=role(LISTS_2)),
        lists=LISTS_2,
    )
    agent.check_in()
    assert agent.status().campaigns == RUNNING
    offer(cloud, step(4), lists=LISTS_2)
    with pytest.raises(Untrusted, match="does not trust"):
        agent.check_in()


@pytest.mark.parametrize("wrong", ["gap", "rollback", "stranger", "old root alone", "new root alone", "damaged", "cut"])
def test_a_step_that_must_not_be_taken_is_refused_and_reported(cloud: Cloud, agent: VehicleAgent, wrong: str) -> None:
    offer(cloud, step(1), step(2))
    agent.check_in()
    good = step(3)
    steps = {
        "gap": step(4),
        "rollback": step(1),
        "stranger": step(3, LISTS),
        "old root alone": step(3, ROOT, root=role(ROOT_2)),
        "new root alone": step(3, ROOT_2, root=role(ROOT_2)),
        "damaged": good[:-2] + bytes([good[-2] ^ 1]) + good[-1:],
        "cut": good,
    }
    offer(cloud, steps[wrong], revision=NOW_MS + 1)
    if wrong == "cut":
        assert cloud.assignments is not None
        cloud.assignments = cloud.assignments[: len(good) // 2]
    with pytest.raises((Untrusted, InvalidInput)) as refused:
        agent.check_in()
    assert agent.status().campaigns == RUNNING
    offer(cloud, step(3), revision=NOW_MS + 1)
    agent.check_in()
    assert str(refused.value)[:60] in cloud.check_ins[-1].problems[0]
    assert cloud.check_ins[-1].trust == 2


def test_with_an_expired_document_nothing_new_is_accepted_and_a_renewed_one_goes_on(
    cloud: Cloud, agent: VehicleAgent, clock: ManualClock
) -> None:
    end_ns = EPOCH_NS + 10 * NS_PER_S
    offer(cloud, step(1, expires_at_ns=5), step(2, expires_at_ns=end_ns))
    agent.check_in()
    clock.pass_time(11)
    offer(cloud, revision=NOW_MS + 1, run=False)
    with pytest.raises(Untrusted, match="trust document 2 expired"):
        agent.check_in()
    assert agent.status().campaigns == RUNNING, "until its list expires"
    offer(cloud, step(3), revision=NOW_MS + 1, run=False)
    agent.check_in()
    assert agent.status().campaigns == ()


def test_a_vehicle_begins_with_the_document_of_its_enrolment_and_no_older_one(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock
) -> None:
    chain = [step(1, LISTS_2, root=role(LISTS_2)), step(2, LISTS_2, ROOT), step(3)]
    config = make_config(trusted_keys=role(ROOT).raw, trust_version=3)
    with VehicleAgent(config, clock=clock) as agent:
        offer(cloud, chain[1])
        with pytest.raises(Untrusted, match="no trust document in the answer"):
            agent.check_in()
        assert cloud.check_ins[-1].trust == 2
        offer(cloud, *chain)
        agent.check_in()
        assert agent.status().campaigns == RUNNING


def test_a_workshop_that_gives_other_keys_starts_afresh(
    cloud: Cloud, make_config: MakeConfig, config: VehicleConfig, clock: ManualClock
) -> None:
    with VehicleAgent(config, clock=clock) as agent:
        offer(cloud, step(1), revision=NOW_MS + 1000)
        agent.check_in()
    with VehicleAgent(make_config(trusted_keys=role(ROOT_2).raw), clock=clock) as agent:
        assert agent.status().campaigns == ()
        offer(cloud, step(1, ROOT_2, root=role(ROOT_2), lists=role(LISTS_2)), lists=LISTS_2, revision=NOW_MS)
        agent.check_in()
        assert agent.status().campaigns == RUNNING


def test_thresholds_hold_from_the_enrolment_on(cloud: Cloud, make_config: MakeConfig, clock: ManualClock) -> None:
    roots = role(ROOT, ROOT_2, threshold=2)
    with VehicleAgent(make_config(trusted_keys=roots.raw, trust_threshold=2), clock=clock) as agent:
        offer(cloud, lists=ROOT)
        with pytest.raises(Untrusted, match="1 of the 2"):
            agent.check_in()
        offer(cloud, step(1, root=roots))
        with pytest.raises(Untrusted, match="no trust document"):
            agent.check_in()
        offer(cloud, step(1, ROOT, ROOT_2, root=roots))
        agent.check_in()
        assert agent.status().campaigns == RUNNING
