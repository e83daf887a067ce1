"""Who may do what at every listener: each route by every role, without a token, and with the other kind of token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from ingest.gateway.app import create_app as create_gateway
from ingest.health_app import create_app as create_health
from ingest.readiness import Readiness
from tests.fleet_api.api_server import SIGNALS, Api
from tests.storage.clips.catalog_support import OPENLABEL
from triggers.contracts.users import ROLES, Role

Operation = tuple[str, str]
"""Method and path."""
VERSION = "/v1/campaigns/{campaign}/{version}"
JOB = "/v1/label-jobs/{job_id}"
COLLECTION = "/stac/collections/{collection_id}"
DATASET = "/v1/datasets/{name}"

READERS = set(Role) - {Role.LABELER}
ALLOWED: dict[Operation, set[Role]] = {
    ("get", "/v1/campaigns"): READERS,
    ("get", "/v1/campaigns/{campaign}"): READERS,
    ("get", VERSION): READERS,
    **{("get", f"{VERSION}/{part}"): READERS for part in ("course", "difference", "signatures", "vehicles")},
    **{("get", f"{VERSION}/{part}"): READERS for part in ("report", "report/page")},
    ("post", f"{VERSION}/report"): {Role.AUTHOR},
    ("get", f"{VERSION}/other-vehicles"): READERS,
    ("get", "/v1/campaign-trails/{campaign}"): READERS,
    ("post", "/v1/campaigns"): {Role.AUTHOR},
    ("post", "/v1/authoring/check"): {Role.AUTHOR},
    ("post", "/v1/authoring/vocabulary"): READERS,
    ("get", "/v1/signal-catalogs"): READERS,
    ("get", "/v1/signal-catalogs/{reference}"): READERS,
    ("post", "/v1/signal-catalogs"): {Role.OPERATOR},
    ("post", "/v1/campaign-owners/{campaign}"): {Role.AUTHOR, Role.OPERATOR},
    ("post", f"{VERSION}/submit"): {Role.AUTHOR},
    ("post", f"{VERSION}/approve"): {Role.APPROVER},
    ("post", f"{VERSION}/reject"): {Role.APPROVER},
    ("post", f"{VERSION}/signatures"): {Role.AUTHOR, Role.APPROVER},
    ("get", "/v1/trust"): READERS,
    ("post", "/v1/trust"): set(),
    ("post", f"{VERSION}/hold"): {Role.AUTHOR, Role.APPROVER},
    ("post", f"{VERSION}/pause"): {Role.AUTHOR, Role.APPROVER},
    ("post", f"{VERSION}/resume"): {Role.APPROVER},
    ("post", f"{VERSION}/stop"): {Role.AUTHOR, Role.APPROVER},
    ("get", "/v1/budget"): READERS,
    ("get", "/v1/costs"): READERS,
    ("get", "/v1/costs/focus"): READERS,
    ("get", "/v1/costs/months"): READERS,
    ("get", "/v1/costs/months/{month}"): READERS,
    ("post", "/v1/costs/months/{month}/close"): {Role.OPERATOR},
    ("get", "/v1/budget/audit"): {Role.OPERATOR},
    ("post", "/v1/budget/limits"): {Role.AUTHOR, Role.APPROVER, Role.OPERATOR},
    ("get", "/v1/price-books"): READERS,
    ("get", "/v1/price-books/newest"): READERS,
    ("get", "/v1/price-books/{version}"): READERS,
    ("post", "/v1/price-books"): {Role.OPERATOR},
    ("get", "/v1/usage"): READERS,
    ("get", "/v1/vehicles"): READERS,
    ("get", "/v1/vehicles/{vehicle_id}"): READERS,
    ("post", "/v1/vehicles"): {Role.OPERATOR},
    ("post", "/v1/enrolment-codes"): {Role.OPERATOR},
    ("post", "/v1/vehicles/{vehicle_id}/revoke"): {Role.OPERATOR},
    ("post", "/v1/vehicles/{vehicle_id}/quarantine"): {Role.OPERATOR},
    ("post", "/v1/vehicles/{vehicle_id}/release"): {Role.OPERATOR},
    ("post", "/v1/vehicles/{vehicle_id}/void-counts"): {Role.OPERATOR},
    ("post", "/v1/vehicles/{vehicle_id}/restore-counts"): {Role.OPERATOR},
    ("delete", "/v1/vehicles/{vehicle_id}"): {Role.OPERATOR},
    ("get", "/v1/vehicles/{vehicle_id}/erasure"): {Role.OPERATOR},
    ("get", "/v1/clips"): READERS,
    ("get", "/v1/clips/count"): READERS,
    ("get", "/v1/clips/facets"): READERS,
    ("get", "/v1/clips/{clip_id}"): set(Role),
    ("get", "/v1/filter"): READERS,
    ("get", "/v1/functions"): READERS,
    ("get", "/v1/properties"): READERS,
    ("post", "/v1/clips/similar"): READERS,
    ("put", "/v1/clips/{clip_id}/vectors/{embedding_id}"): {Role.OPERATOR},
    ("delete", "/v1/clips/{clip_id}"): {Role.OPERATOR},
    ("post", "/v1/scans"): READERS,
    ("get", "/v1/scans"): READERS,
    ("get", "/v1/scans/{scan_id}"): READERS,
    ("delete", "/v1/scans/{scan_id}"): READERS,
    ("get", "/v1/drives"): {Role.AUTHOR},
    ("post", "/v1/backtests"): {Role.AUTHOR},
    ("get", "/v1/backtests"): {Role.AUTHOR},
    ("get", "/v1/backtests/{backtest_id}"): {Role.AUTHOR},
    ("get", "/v1/backtests/{backtest_id}/fires"): {Role.AUTHOR},
    ("get", "/v1/backtests/{backtest_id}/signals"): {Role.AUTHOR},
    ("delete", "/v1/backtests/{backtest_id}"): {Role.AUTHOR},
    ("get", "/stac"): READERS,
    ("get", "/stac/conformance"): READERS,
    ("get", "/stac/queryables"): READERS,
    ("get", "/stac/collections"): READERS,
    ("get", COLLECTION): READERS,
    ("get", f"{COLLECTION}/queryables"): READERS,
    ("get", f"{COLLECTION}/items"): READERS,
    ("get", f"{COLLECTION}/items/{{item_id}}"): READERS,
    ("get", "/stac/search"): READERS,
    ("post", "/stac/search"): READERS,
    ("get", "/v1/datasets"): READERS,
    ("get", "/v1/datasets/{name}"): READERS,
    ("get", f"{DATASET}/difference"): READERS,
    ("get", f"{DATASET}/versions/{{version}}"): READERS,
    ("get", f"{DATASET}/versions/{{version}}/members"): READERS,
    ("post", "/v1/datasets"): {Role.AUTHOR, Role.OPERATOR},
    ("post", f"{DATASET}/versions"): {Role.AUTHOR, Role.OPERATOR},
    ("post", f"{DATASET}/release"): {Role.OPERATOR},
    ("post", f"{DATASET}/keep"): {Role.OPERATOR},
    ("get", "/v1/searches"): READERS,
    ("get", "/v1/searches/{name}"): READERS,
    ("post", "/v1/searches"): READERS,
    ("delete", "/v1/searches/{name}"): READERS,
    ("post", "/v1/clips/{clip_id}/tags"): READERS,
    ("delete", "/v1/clips/{clip_id}/tags"): READERS,
    ("post", "/v1/clips/{clip_id}/notes"): READERS,
    ("delete", "/v1/clips/{clip_id}/notes/{note_id}"): READERS,
    ("post", "/v1/clips/{clip_id}/restore"): {Role.OPERATOR},
    ("post", "/v1/label-jobs/claim"): {Role.LABELER},
    ("get", "/v1/label-jobs/stats"): set(Role),
    ("get", "/v1/label-jobs"): set(Role),
    ("post", f"{JOB}/retry"): {Role.LABELER, Role.OPERATOR},
    ("post", f"{JOB}/complete"): {Role.LABELER},
    ("post", f"{JOB}/fail"): {Role.LABELER},
    ("post", f"{JOB}/renew"): {Role.LABELER},
    ("get", "/v1/audit"): {Role.OPERATOR},
    ("get", "/v1/me"): set(Role),
    ("post", "/v1/logout"): set(Role),
    ("get", "/v1/outcomes"): READERS,
    ("get", "/v1/alerts"): READERS,
    ("get", "/v1/rates"): READERS,
    ("get", "/v1/forecasts"): READERS,
    ("get", "/v1/forecasts/kept"): READERS,
    ("get", "/v1/rates/events"): READERS,
    ("get", "/v1/rates/heads"): READERS,
    ("get", "/v1/rates/comparison"): READERS,
    ("get", "/v1/clips/{clip_id}/history"): set(Role),
    ("get", "/v1/fires/{vehicle_id}/{campaign}/{version}/{ordinal}/history"): READERS,
    ("get", "/v1/latency"): READERS,
    ("get", "/v1/dead-letters"): READERS,
    ("post", "/v1/dead-letters/{letter_id}/discard"): {Role.OPERATOR},
}
"""By operation, the roles that may use it; an administrator may use all."""

OF_VEHICLES: set[Operation] = {
    ("post", "/v1/vehicles/{vehicle_id}/check-in"),
    ("post", "/v1/vehicles/{vehicle_id}/token"),
    ("get", "/v1/bundles/{digest}"),
    ("post", "/v1/vehicles/{vehicle_id}/telemetry"),
}
PUBLIC: set[Operation] = {
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/objects/{key}"),
    ("post", "/v1/vehicles/{vehicle_id}/key"),
    ("get", "/v1/login"),
    ("get", "/v1/login/callback"),
    ("get", "/v1/login/provider"),
    ("post", "/v1/login/code"),
    ("post", "/v1/login/token"),
}
"""Without a token: an object's link, an enrolment code and what a log-in brings back are their own permission."""
_DOCS = ("/docs", "/docs/start.js", "/docs/{asset}", "/openapi.json")
PAGES: set[Operation] = {("get", path) for path in (*_DOCS, "/", "/console", "/console/{page:path}")}
"""Of the route table and not of the document, without a token: the document itself, its pages, and the console."""

UPLOAD = "/v1/uploads/{upload_id}"
OF_THE_GATEWAY: dict[Operation, bool] = {
    ("post", "/v1/uploads"): True,
    ("head", UPLOAD): True,
    ("patch", UPLOAD): True,
    ("delete", UPLOAD): True,
    ("options", "/v1/uploads"): False,
    ("options", UPLOAD): False,
    ("get", "/healthz"): False,
    ("get", "/readyz"): False,
}
"""By operation, whether it is for vehicles; the others need no token."""
OF_INGEST: set[Operation] = {("get", "/healthz"), ("get", "/readyz")}
"""Without a token, and nothing else."""

QUERIES: dict[Operation, dict[str, Any]] = {
    ("get", "/v1/filter"): {"filter": "TRUE"},
    ("get", f"{DATASET}/difference"): {"before": 1, "after": 2},
    ("delete", "/v1/searches/{name}"): {},
    ("delete", "/v1/scans/{scan_id}"): {},
    ("delete", "/v1/backtests/{backtest_id}"): {},
    ("get", "/v1/backtests/{backtest_id}/signals"): {"drive": "a", "from_ns": 0, "to_ns": 1},
    ("delete", "/v1/clips/{clip_id}/tags"): {"tag": "a"},
    ("delete", "/v1/clips/{clip_id}/notes/{note_id}"): {},
    ("get", f"{VERSION}/difference"): {"since": 1},
    ("get", "/v1/rates/events"): {"campaign": "braking"},
    ("get", "/v1/rates/heads"): {"campaign": "braking"},
    ("get", "/v1/forecasts/kept"): {"campaign": "braking"},
    ("get", "/v1/rates/comparison"): {"campaign": "braking", "old": "1", "new": "2"},
}
"""What routes must be asked with, so that it is not the query that is refused."""

PLACES = {
    "campaign": "none",
    "version": "1",
    "vehicle_id": "car-1",
    "clip_id": "none",
    "scan_id": "none",
    "backtest_id": "none",
    "collection_id": "none",
    "item_id": "none",
    "job_id": "1",
    "letter_id": "1",
    "ordinal": "1",
    "note_id": "1",
    "digest": "0" * 64,
    "reference": "none",
    "name": "none",
    "embedding_id": "none",
    "month": "2026-01",
}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/campaigns": {"source": "trigger a {", "signals": SIGNALS},
    "/v1/clips/similar": {"like": ["none"]},
    "/v1/clips/{clip_id}/vectors/{embedding_id}": {"vector": [1.0, 0.0]},
    "/v1/authoring/check": {"source": "", "signals": SIGNALS},
    "/v1/authoring/vocabulary": {"signals": SIGNALS},
    "/v1/signal-catalogs": {"name": "fleet", "signals": "a mistake"},
    "/v1/price-books": {"prices": "a mistake"},
    "/v1/budget/limits": {"kind": "campaign_bytes", "name": "none", "amount": 1, "reason": "a test"},
    "/v1/campaign-owners/{campaign}": {"cost_centre": "maps"},
    f"{VERSION}/report": {"backtest": "none"},
    f"{VERSION}/approve": {"digest": "0" * 64},
    **{f"{VERSION}/{step}": {"reason": "a test"} for step in ("reject", "hold")},
    f"{VERSION}/signatures": {"key_id": "0" * 16, "signature": "A" * 86 + "=="},
    "/v1/trust": {"envelope": "AAAA"},
    "/v1/vehicles": {"id": "car-2"},
    **{
        f"/v1/vehicles/{{vehicle_id}}/{verb}": {"reason": "a test"}
        for verb in ("quarantine", "release", "void-counts", "restore-counts")
    },
    "/v1/enrolment-codes": {"id": "car-2"},
    "/v1/scans": {"when": "ego.speed > 3 m/s"},
    "/v1/backtests": {"programs": [{"source": "", "signals": SIGNALS}], "over": {"drives": ["none"]}},
    "/stac/search": {"limit": 1},
    "/v1/datasets": {"name": "none", "filter": "vehicle = 'car-1'"},
    f"{DATASET}/versions": {"filter": "vehicle = 'car-1'"},
    **{f"{DATASET}/{verb}": {"reason": "a test"} for verb in ("release", "keep")},
    "/v1/searches": {"name": "cuts", "filter": "vehicle = 'car-1'"},
    "/v1/clips/{clip_id}/tags": {"tags": ["a"]},
    "/v1/clips/{clip_id}/notes": {"text": "a"},
    "/v1/label-jobs/claim": {"task": "auto", "labeler": "anna"},
    f"{JOB}/complete": {"token": 1, "openlabel": OPENLABEL},
    f"{JOB}/fail": {"token": 1, "reason": "dark"},
    f"{JOB}/renew": {"token": 1},
    "/v1/vehicles/{vehicle_id}/check-in": {"vehicle_time_ns": 1},
    "/v1/vehicles/{vehicle_id}/telemetry": {"counts": [], "reported_at_ns": 1},
}


def send(api: Api, operation: Operation, headers: dict[str, str]) -> Response:
    """A request that only its sender's rights, or a thing that is not there, can stop."""
    method, path = operation
    body = BODIES.get(path) if method in ("post", "put") else None
    query = QUERIES.get(operation, {"reason": "a test"} if method == "delete" else None)
    answer: Response = api.client.request(method, path.format(**PLACES), headers=headers, json=body, params=query)
    return answer


def test_the_table_has_every_route_of_the_document(api: Api) -> None:
    document = api.client.get("/openapi.json").json()
    schemes = {
        (method, path): [name for scheme in operation.get("security", []) for name in scheme]
        for path, item in document["paths"].items()
        if "servers" not in item  # the gateway's
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    }
    assert {operation for operation, names in schemes.items() if names == ["user_token", "user_session"]} == set(
        ALLOWED
    )
    assert {operation for operation, names in schemes.items() if names == ["vehicle_token"]} == OF_VEHICLES
    assert {operation for operation, names in schemes.items() if not names} == PUBLIC


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_use_its_routes_and_no_others(api: Api, role: Role) -> None:
    headers = api.as_(role)
    for operation, roles in ALLOWED.items():
        answer = send(api, operation, headers)
        is_allowed = role in roles or role == Role.ADMIN
        assert (answer.status_code != 403) == is_allowed, (operation, answer.text)
        assert answer.status_code not in (401, 500), (operation, answer.text)


def test_no_route_of_users_or_vehicles_opens_without_a_token_or_with_one_of_the_other_kind(api: Api) -> None:
    user, vehicle = api.as_("admin"), api.enrol("car-1")
    senders = [(operation, headers) for operation in ALLOWED for headers in ({}, vehicle)]
    senders += [(operation, headers) for operation in OF_VEHICLES for headers in ({}, user)]
    for operation, headers in senders:
        answer = send(api, operation, headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), operation


def test_a_vehicle_uses_its_own_routes_and_not_those_of_another_vehicle(api: Api) -> None:
    own, other = api.enrol("car-1"), api.enrol("car-3")
    for operation in OF_VEHICLES:
        assert send(api, operation, own).status_code in (200, 201, 204, 404)
        of_all = operation[1] == "/v1/bundles/{digest}"
        assert send(api, operation, other).status_code == (404 if of_all else 403)


def test_the_table_has_every_route_of_every_listener(api: Api) -> None:
    assert set(operations_of(api.app.routes)) == {*ALLOWED, *OF_VEHICLES, *PUBLIC, *PAGES}
    assert set(operations_of(create_gateway(api.settings).routes)) == set(OF_THE_GATEWAY)
    assert set(operations_of(create_health(Readiness()).routes)) == OF_INGEST


def test_the_document_has_the_routes_of_the_gateway_and_says_which_need_a_token(api: Api) -> None:
    paths = api.client.get("/openapi.json").json()["paths"]
    documented = {
        (method, path): bool(operation["security"])
        for path, item in paths.items()
        if "servers" in item
        for method, operation in item.items()
        if method != "servers"
    }
    assert documented == {operation: needs for operation, needs in OF_THE_GATEWAY.items() if operation[0] != "get"}


def test_the_gateway_serves_vehicles_and_nobody_else(api: Api) -> None:
    own, revoked = api.enrol("car-1"), api.enrol("car-9")
    api.as_client("operator").vehicles.revoke("car-9")
    strangers = [{}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer lt_{'a' * 43}"}, revoked]
    strangers += [api.as_(role) for role in ROLES]
    with TestClient(create_gateway(api.settings)) as gateway:
        for operation, needs_vehicle in OF_THE_GATEWAY.items():
            for headers in strangers:
                status = send_to_gateway(gateway, operation, headers).status_code
                assert (status == 401) == needs_vehicle, (operation, status)
            assert send_to_gateway(gateway, operation, own).status_code not in (401, 403, 500), operation


def operations_of(routes: Iterable[Any], prefix: str = "") -> Iterator[Operation]:
    """Every operation of a route table, routers within routers included; HEAD comes with GET."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from operations_of(route.original_router.routes, prefix + route.include_context.prefix)
            continue
        for method in route.methods:
            if method != "HEAD" or "GET" not in route.methods:
                yield method.lower(), (prefix + route.path).replace("{key:path}", "{key}")


def send_to_gateway(gateway: TestClient, operation: Operation, headers: dict[str, str]) -> Response:
    """A request that only its sender's rights, or an upload that is not there, can stop."""
    method, path = operation
    tus = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Upload-Length": "1"}
    kinds = {"post": "application/json", "patch": "application/offset+octet-stream"}
    of_body = {"Content-Type": kinds[method]} if method in kinds else {}
    answer: Response = gateway.request(
        method,
        path.format(upload_id="0" * 32),
        headers={**tus, **of_body, **headers},
        content=b"{}" if method in kinds else None,
    )
    return answer
