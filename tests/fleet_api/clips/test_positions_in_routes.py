"""No route tells a precise position to one who may not see any: every operation of the document is asked.

A new route is asked, too, or somebody has decided that its answer has nothing of clips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import insert, select

from storage import tokens
from storage.tables import clip_fires, scan_hits
from tests.fleet_api.api.test_authorisation import ALLOWED, COLLECTION, DATASET, JOB, VERSION, Operation
from tests.fleet_api.api_server import Api
from tests.fleet_api.clips.positioned import EMBEDDING, add_positioned, tells
from triggers.contracts.users import Role

pytestmark = pytest.mark.integration
ROLES = [role for role in Role if role != Role.ADMIN]

BACKTEST = [f"/{{backtest_id}}{part}" for part in ("", "/fires", "/signals")]
QUERIES: dict[Operation, dict[str, Any]] = {
    ("get", "/v1/filter"): {"filter": "S_INTERSECTS(box, BBOX(11, 48, 12, 49))"},
    ("get", "/v1/clips/facets"): {"by": "place_cell,state,trigger,vehicle,tags,label,ego.speed.max,day"},
    ("get", f"{DATASET}/difference"): {"before": 1, "after": 2},
    ("get", f"{DATASET}/versions/{{version}}/members"): {"documents": "true"},
    ("delete", "/v1/clips/{clip_id}/tags"): {"tag": "wet"},
    ("delete", "/v1/clips/{clip_id}"): {"reason": "a test", "datasets": "cuts,more"},
}
BODIES: dict[Operation, Callable[[list[str]], dict[str, Any]]] = {
    ("post", "/v1/datasets"): lambda ids: {"name": "more", "filter": "vehicle = 'car-1'", "split": {"train": 100}},
    ("post", f"{DATASET}/versions"): lambda ids: {"clips": ids},
    **{("post", f"{DATASET}/{verb}"): lambda _: {"reason": "a test"} for verb in ("release", "keep")},
    ("post", "/v1/clips/similar"): lambda ids: {"like": ids[:1], "embedding": EMBEDDING},
    ("put", "/v1/clips/{clip_id}/vectors/{embedding_id}"): lambda _: {"vector": [1.0, 0.0]},
    ("post", "/v1/clips/{clip_id}/tags"): lambda _: {"tags": ["wet"]},
    ("post", "/v1/clips/{clip_id}/notes"): lambda _: {"text": "a bus"},
    ("post", "/v1/scans"): lambda _: {"when": "ego.speed > 3 m/s"},
    ("post", "/stac/search"): lambda ids: {"ids": ids},
    ("post", "/v1/searches"): lambda _: {"name": "bends", "filter": "vehicle = 'car-1'"},
    ("post", "/v1/label-jobs/claim"): lambda _: {"task": "auto", "labeler": "anna", "count": 2},
}
LAST = [
    ("delete", "/v1/clips/{clip_id}/tags"),
    ("delete", "/v1/searches/{name}"),
    ("delete", "/v1/scans/{scan_id}"),
    ("delete", "/v1/clips/{clip_id}"),
]
"""Asked after all others, which need what these remove."""
NOTHING_OF_CLIPS: set[Operation] = {
    # about campaigns, catalogs, keys and people
    ("post", "/v1/campaigns"),
    ("post", "/v1/authoring/check"),
    ("post", "/v1/authoring/vocabulary"),
    ("post", "/v1/signal-catalogs"),
    ("get", "/v1/signal-catalogs/{reference}"),
    *(("post", f"{VERSION}/{verb}") for verb in ("submit", "approve", "reject", "signatures")),
    *(("post", f"{VERSION}/{verb}") for verb in ("hold", "pause", "resume", "stop")),
    *(("get", f"{VERSION}/{part}") for part in ("course", "difference", "signatures", "vehicles")),
    # about drives of authors, of which tests/fleet_api/campaigns/test_reports.py asks
    *((method, f"{VERSION}/report") for method in ("get", "post")),
    ("get", f"{VERSION}/report/page"),
    ("get", "/v1/campaign-trails/{campaign}"),
    ("get", "/v1/trust"),
    ("post", "/v1/trust"),
    ("post", "/v1/logout"),
    *(("get", f"/v1/rates{which}") for which in ("", "/heads", "/events", "/comparison")),
    *(("get", f"/v1/forecasts{which}") for which in ("", "/kept")),
    *((method, "/v1/price-books") for method in ("get", "post")),
    *(("get", f"/v1/price-books/{which}") for which in ("newest", "{version}")),
    *(("get", f"/v1/costs/{which}") for which in ("focus", "months", "months/{month}")),
    ("get", "/v1/costs"),
    ("post", "/v1/costs/months/{month}/close"),
    ("post", "/v1/budget/limits"),
    ("post", "/v1/campaign-owners/{campaign}"),
    # about drives, and clips of which tests/fleet_api/backtests/test_positions.py asks
    *(("post", "/v1/backtests"), ("delete", "/v1/backtests/{backtest_id}")),
    *(("get", f"/v1/backtests{which}") for which in ("", *BACKTEST)),
    ("get", "/v1/drives"),
    # about vehicles: of their clips, numbers and digests
    ("post", "/v1/vehicles"),
    ("post", "/v1/enrolment-codes"),
    *(("post", f"/v1/vehicles/{{vehicle_id}}/{verb}") for verb in ("revoke", "quarantine", "release")),
    *(("post", f"/v1/vehicles/{{vehicle_id}}/{verb}") for verb in ("void-counts", "restore-counts")),
    ("delete", "/v1/vehicles/{vehicle_id}"),
    ("get", "/v1/vehicles/{vehicle_id}/erasure"),
    # what these answer with is a state, a time or a number
    ("post", "/v1/clips/{clip_id}/restore"),
    ("delete", "/v1/clips/{clip_id}/notes/{note_id}"),
    *(("post", f"{JOB}/{verb}") for verb in ("retry", "complete", "fail", "renew")),
    ("post", "/v1/dead-letters/{letter_id}/discard"),
}
TELLING: set[Operation] = {
    ("get", "/v1/clips"),
    ("get", "/v1/clips/{clip_id}"),
    ("post", "/v1/clips/similar"),
    ("get", "/stac/collections"),
    ("get", COLLECTION),
    ("get", f"{COLLECTION}/items"),
    ("get", f"{COLLECTION}/items/{{item_id}}"),
    ("get", "/stac/search"),
    ("post", "/stac/search"),
    ("get", f"{DATASET}/versions/{{version}}/members"),
    ("post", "/v1/label-jobs/claim"),
}
"""The operations that tell a precise position to those who may see it."""


class Walk:
    """Asks operations about clips that are there."""

    def __init__(self, api: Api, roles: list[Role]) -> None:
        self._api = api
        self._ids = add_positioned(api, 2)
        user = f"{roles[0]}-walker"
        with api.database.begin() as connection:
            self._headers = {"Authorization": f"Bearer {tokens.issue(connection, user, roles)}"}
        self._places = {
            "campaign": "braking",
            "version": "1",
            "vehicle_id": "car-1",
            "clip_id": self._ids[0],
            "item_id": self._ids[0],
            "collection_id": "braking",
            "name": "cuts",
            "embedding_id": "vit-1",
            "scan_id": self._scan(),
            "ordinal": str(self._ordinal()),
        }
        for path, body in (
            ("/v1/datasets", {"name": "cuts", "clips": self._ids[:1]}),
            ("/v1/datasets/cuts/versions", {"clips": self._ids}),
            ("/v1/searches", {"name": "cuts", "filter": "vehicle = 'car-1'"}),
        ):
            assert self._post(path, body).is_success

    def _post(self, path: str, body: dict[str, Any]) -> Response:
        response: Response = self._api.client.post(path, json=body, headers=self._headers)
        return response

    def _ordinal(self) -> int:
        """The number of the first clip's fire."""
        of_clip = select(clip_fires.c.ordinal).where(clip_fires.c.clip_id == self._ids[0])
        with self._api.database.begin() as connection:
            return int(connection.execute(of_clip).scalars().first() or 0)

    def _scan(self) -> str:
        """A scan that has found both clips."""
        begun = self._post("/v1/scans", {"when": "ego.speed > 3 m/s", "filter": "vehicle = 'nobody'"})
        assert begun.status_code == 201, begun.text
        scan_id: str = begun.json()["id"]
        hits = [
            {"scan_id": scan_id, "number": number, "clip_id": clip_id, "t_ns": [1], "instants": 1}
            for number, clip_id in enumerate(self._ids)
        ]
        with self._api.database.begin() as connection:
            connection.execute(insert(scan_hits), hits)
        return scan_id

    def ask(self, operation: Operation) -> Response:
        """The answer to an operation."""
        method, path = operation
        body = BODIES[operation](self._ids) if operation in BODIES else None
        places = self._places | ({"name": "bends"} if operation == ("delete", "/v1/searches/{name}") else {})
        response: Response = self._api.client.request(
            method, path.format(**places), headers=self._headers, json=body, params=QUERIES.get(operation)
        )
        return response


def operations(api: Api) -> Iterator[Operation]:
    """Those of the document that are for people, in an order in which each has what it needs."""
    paths = api.client.get("/openapi.json").json()["paths"]
    found = [
        (method, path)
        for path, item in paths.items()
        for method, operation in item.items()
        if method != "servers" and any("user_token" in scheme for scheme in operation.get("security", []))
    ]
    assert set(found) == set(ALLOWED)
    found.sort(key=lambda operation: (LAST.index(operation) + 1 if operation in LAST else 0, operation))
    return (operation for operation in found if operation not in NOTHING_OF_CLIPS)


def test_no_operation_tells_a_precise_position_to_one_who_may_not_see_any(api: Api) -> None:
    api.change_settings(position_roles="")
    walk = Walk(api, ROLES)
    for operation in operations(api):
        answer = walk.ask(operation)
        is_busy = operation == ("post", "/v1/scans") and answer.status_code == 429  # one scan at a time
        assert answer.is_success or is_busy, (operation, answer.text)
        assert not tells(answer.text), (operation, tells(answer.text), answer.text)


def test_the_same_walk_finds_positions_where_they_may_be_seen(api: Api) -> None:
    walk = Walk(api, [Role.ADMIN])
    assert {operation for operation in operations(api) if tells(walk.ask(operation).text)} >= TELLING
