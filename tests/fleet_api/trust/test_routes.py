"""Trust documents over HTTP: who may publish which, what becomes of bundles, and signatures of people."""

from __future__ import annotations

import base64
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from httpx import Response

from fleet_api.client.campaign_files import signed_version
from fleet_api.deployment.keys import create_key
from fleet_api.deployment.trust import ensure_trust, root_key_of
from storage.settings import Settings
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.support.keys import a_document, role, sealed_document
from triggers.contracts.bundle import open_bundle
from triggers.contracts.signing import BUNDLE, load_private_key, sign
from triggers.contracts.trust import RoleKeys, TrustDocument, open_own, steps_and_list
from triggers.errors import Conflict, Untrusted

ANN, BOB, THIEF = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(21, 24))


class Published:
    """A deployment as `longtail up` makes it, and its next documents."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.said: list[str] = []
        self.signing = api.settings.effective_signing_key()
        self.signing.unlink()
        ensure_trust(api.settings, api.database, self.said.append)
        self.root = load_private_key(root_key_of(api.settings))
        self.lists = load_private_key(api.settings.require_data_dir() / "keys" / "list.pem")
        api.restart()

    @property
    def document(self) -> TrustDocument:
        newest = self.api.as_client("viewer").trust.newest()
        assert newest is not None
        return open_own(newest)

    def next(self, *signers: Ed25519PrivateKey, **changes: RoleKeys) -> bytes:
        """The next document, with changes, signed by the root key unless others are named."""
        now = self.document
        roles = {"root": now.root, "bundles": now.bundles, "lists": now.lists, **changes}
        return sealed_document(a_document(now.version + 1, **roles), *(signers or (self.root,)))

    def publish(self, envelope: bytes) -> Response:
        return self.api.post("/v1/trust", {"envelope": base64.b64encode(envelope).decode()}, "admin")


@pytest.fixture
def published(api: Api) -> Published:
    return Published(api)


def bundle_of(api: Api, vehicle: dict[str, str], document: TrustDocument) -> int:
    """The version in the bundle that the vehicle gets, opened as the document asks; 0 without an assignment."""
    _, sealed = steps_and_list(api.check_in(vehicle).content)
    (assigned,) = api.opened(sealed, document.lists).assignments
    answer = api.client.get(f"/v1/bundles/{assigned.bundle_digest}", headers=vehicle)
    return open_bundle(answer.content, document.bundles.trusted, threshold=document.bundles.threshold).version


def test_a_new_deployment_has_a_root_key_of_its_own_and_says_so_once(published: Published) -> None:
    (said,) = published.said
    assert str(root_key_of(published.api.settings)) in said and "offline" in said
    ensure_trust(published.api.settings, published.api.database, published.said.append)
    assert len(published.said) == 1
    document = published.document
    assert (document.version, len({*document.root.raw, *document.bundles.raw, *document.lists.raw})) == (1, 3)
    enrolled = published.api.as_client("operator").vehicles.enrol("car-1")
    assert enrolled.public_keys == list(document.root.keys)
    assert (enrolled.trust_version, enrolled.trust_threshold) == (1, 1)


def test_a_deployment_from_before_goes_on_with_its_key_and_gets_a_root_key_above_it(api: Api) -> None:
    """Its vehicles trust the signing key alone, so version 1 is signed by that."""
    before = api.enrol()
    api.activate(campaign_text())
    key = load_private_key(api.settings.effective_signing_key())
    ensure_trust(api.settings, api.database, lambda _: None)
    api.restart()
    steps, sealed = steps_and_list(api.check_in(before, trust=0).content)
    first, second = (open_own(step) for step in steps)
    assert (first.root, second.bundles, second.lists) == (role(key),) * 3
    assert second.root == role(load_private_key(root_key_of(api.settings)))
    assert api.opened(sealed, second.lists).assignments
    assert bundle_of(api, before, second) == 1


def test_check_in_brings_the_steps_that_a_vehicle_lacks(published: Published) -> None:
    vehicle = published.api.enrol()
    published.publish(published.next())
    lists = [steps_and_list(published.api.check_in(vehicle, trust=known).content)[0] for known in (0, 1, 2, 7)]
    assert [len(steps) for steps in lists] == [2, 1, 0, 0]
    _, sealed = steps_and_list(published.api.check_in(vehicle).content)
    digest = published.api.opened(sealed, published.document.lists).content_digest
    assert published.api.check_in(vehicle, trust=2, have=digest).status_code == 304
    assert published.api.check_in(vehicle, trust=1, have=digest).status_code == 200


@pytest.mark.parametrize("wrong", ["stranger", "gap", "again", "new root alone", "list key elsewhere", "soon expired"])
def test_a_document_that_vehicles_would_refuse_is_not_published(published: Published, wrong: str) -> None:
    now = published.document
    roles = {"root": now.root, "bundles": now.bundles, "lists": now.lists}
    soon_ns = time.time_ns() + 3600 * 10**9
    envelopes = {
        "stranger": published.next(THIEF),
        "gap": sealed_document(a_document(3, **roles), published.root),
        "again": sealed_document(a_document(1, **roles), published.root),
        "new root alone": published.next(THIEF, root=role(THIEF)),
        "list key elsewhere": published.next(lists=role(THIEF)),
        "soon expired": sealed_document(a_document(2, **roles, expires_at_ns=soon_ns), published.root),
    }
    refused = published.publish(envelopes[wrong])
    assert refused.status_code in (409, 422), refused.text
    assert refused.json()["detail"] and published.document == now
    assert published.publish(published.next()).status_code == 200


def test_bundles_of_a_threshold_need_the_keys_of_author_and_approver(published: Published) -> None:
    api = published.api
    answer = published.publish(published.next(bundles=role(ANN, BOB, threshold=2)))
    assert answer.json() == {"version": 2, "sealed_again": 0, "unsigned": []}
    author, approver = api.as_client("author").campaigns, api.as_client("approver").campaigns
    applied = author.apply(campaign_text(), SIGNALS)
    details = author.version("braking", 1)
    with pytest.raises(Conflict, match="0 of the 2 bundle keys"):
        approver.approve("braking", 1, digest=applied.approval_digest)
    assert author.sign("braking", 1, signed_version(details, ANN)).signatures == 1
    with pytest.raises(Conflict, match="1 of the 2 bundle keys"):
        approver.approve("braking", 1, digest=applied.approval_digest)
    with pytest.raises(Untrusted, match="no bundle key of trust document 2"):
        approver.sign("braking", 1, signed_version(details, THIEF))
    with pytest.raises(Untrusted, match="over another bundle"):
        approver.sign("braking", 1, sign(b"another", purpose=BUNDLE, key=BOB))
    signed = approver.sign("braking", 1, signed_version(details, BOB))
    assert (signed.signatures, signed.needed) == (2, 2)
    assert approver.approve("braking", 1, digest=applied.approval_digest).state == "active"
    assert bundle_of(api, api.enrol(), published.document) == 1


def test_a_signature_is_over_what_the_text_compiles_to_here(published: Published) -> None:
    published.api.as_client("author").campaigns.apply(campaign_text(), SIGNALS)
    details = published.api.as_client("viewer").campaigns.version("braking", 1)
    with pytest.raises(Conflict, match="do not approve or sign"):
        signed_version(details.model_copy(update={"source": details.source.replace("-4", "-3")}), ANN)


def test_a_bundle_key_is_replaced_and_what_runs_is_sealed_again_once_it_can_be(published: Published) -> None:
    api = published.api
    api.activate(campaign_text())
    vehicle = api.enrol()
    before = published.document
    taken_out = published.publish(published.next(bundles=role(ANN))).json()
    unsigned = {"campaign": "braking", "version": 1, "signatures": 0, "needed": 1}
    assert taken_out == {"version": 2, "sealed_again": 0, "unsigned": [unsigned]}
    assert bundle_of(api, vehicle, before) == 1
    author = api.as_client("author").campaigns
    author.sign("braking", 1, signed_version(author.version("braking", 1), ANN))
    assert bundle_of(api, vehicle, published.document) == 1
    both = published.publish(published.next(bundles=role(ANN, load_private_key(published.signing)))).json()
    assert both == {"version": 3, "sealed_again": 1, "unsigned": []}
    assert bundle_of(api, vehicle, published.document) == 1


def test_a_list_key_is_replaced_by_one_that_the_signer_finds(published: Published, settings: Settings) -> None:
    vehicle = published.api.enrol()
    later = create_key(settings.require_data_dir() / "keys" / "list-2.pem")
    assert published.publish(published.next(lists=role(later))).status_code == 200
    steps, sealed = steps_and_list(published.api.check_in(vehicle, trust=1).content)
    assert open_own(steps[0]).lists == role(later)
    assert published.api.opened(sealed, role(later)).vehicle_id == "car-1"
    with pytest.raises(Untrusted):
        published.api.opened(sealed, role(published.lists))


def test_the_first_document_of_a_deployment_with_vehicles_is_signed_by_what_they_trust(api: Api) -> None:
    api.enrol()
    key = load_private_key(api.settings.effective_signing_key())
    roles = {"bundles": role(key), "lists": role(key)}
    strange = sealed_document(a_document(1, root=role(ANN), **roles), ANN)
    body = {"envelope": base64.b64encode(strange).decode()}
    assert api.post("/v1/trust", body, "admin").status_code == 422
    good = sealed_document(a_document(1, root=role(ANN, key), **roles), key)
    assert api.post("/v1/trust", {"envelope": base64.b64encode(good).decode()}, "admin").status_code == 200
