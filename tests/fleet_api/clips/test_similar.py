"""Similar clips over HTTP, by the client and on the command line; vectors of other models; and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from httpx import Response

from tests.fleet_api.api_server import Api
from tests.storage.clips.catalog_support import add_clip
from tests.storage.likeness.likeness_support import add_vector
from triggers.errors import Conflict, InvalidInput
from triggers.likeness.version import DIMENSIONS, EMBEDDING_ID


def toward(place: int, other: float = 0.0) -> tuple[float, ...]:
    """A vector of our own embedding that points along one axis, and a little along the next."""
    return tuple({place: 1.0, place + 1: other}.get(each, 0.0) for each in range(DIMENSIONS))


@pytest.fixture
def made(api: Api) -> list[str]:
    """Three clips: the second is near to the first, the third is far from both and of another region."""
    found = []
    with api.database.begin() as connection:
        for vector, region in ((toward(0), "EU"), (toward(0, 0.1), "EU"), (toward(5), "UK")):
            clip_id = add_clip(connection, attributes={"region": region}, fired=[("braking", "hard")])
            add_vector(connection, clip_id, vector, EMBEDDING_ID)
            found.append(clip_id)
    return found


def similar(api: Api, **body: Any) -> Response:
    return api.post("/v1/clips/similar", body, "viewer")


def put(api: Api, clip_id: str, vector: Any, embedding: str = "vit-b32.1") -> Response:
    path = f"/v1/clips/{clip_id}/vectors/{embedding}"
    response: Response = api.client.put(
        path,
        headers={**api.as_("operator"), "Content-Type": "application/json"},
        content=json.dumps({"vector": vector}),
    )
    return response


def test_similar_clips_come_nearest_first_with_distances_and_by_a_filter(api: Api, made: list[str]) -> None:
    answer = similar(api, like=[made[0]]).json()
    assert [clip["id"] for clip in answer["clips"]] == made[1:]
    assert answer["embedding"] == EMBEDDING_ID and answer["is_exact"] is True
    assert answer["clips"][0]["distance"] == pytest.approx(0.005, abs=1e-3)
    assert answer["clips"][0]["fires"][0]["trigger"] == "hard"
    british = similar(api, like=[made[0]], filter="vehicle.region = 'UK'").json()
    assert [clip["id"] for clip in british["clips"]] == [made[2]]
    unlike = similar(api, like=[made[1]], unlike=[made[0]]).json()
    assert [clip["id"] for clip in unlike["clips"]] == [made[2]]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"like": []}, 400),
        ({"like": ["a"] * 51}, 400),
        ({"like": ["a"], "limit": 0}, 400),
        ({"like": ["a"], "limit": 1_000_000}, 400),
        ({"like": ["a"], "filter": "trigger ="}, 400),
        ({"like": ["a"], "filter": "speeed > 3"}, 400),
        ({"like": ["a"], "embedding": "none"}, 400),
        ({"like": ["a'; DROP TABLE clips"]}, 400),
        ({"like": ["a"], "other": 1}, 400),
        ({"like": ["0" * 32]}, 404),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_question_that_cannot_be_answered_is_refused_with_what_to_do(
    api: Api, made: list[str], body: dict[str, Any], status: int
) -> None:
    answer = similar(api, **body)
    assert answer.status_code == status, answer.text
    assert answer.json()["remedy"]


def test_vectors_of_another_model_are_written_and_searched_under_its_own_id(api: Api, made: list[str]) -> None:
    first = put(api, made[0], [3.0, 4.0]).json()
    assert first == {"clip_id": made[0], "embedding": "vit-b32.1", "dimensions": 2, "is_first": True}
    assert put(api, made[2], [3.0, 5.0]).json()["is_first"] is False
    put(api, made[1], [-3.0, -4.0])
    answer = similar(api, like=[made[0]], embedding="vit-b32.1").json()
    assert [clip["id"] for clip in answer["clips"]] == [made[2], made[1]]
    assert answer["clips"][1]["distance"] == pytest.approx(2)


@pytest.mark.parametrize(
    ("vector", "embedding", "status", "says"),
    [
        ([1.0], "vit-1", 400, "vector"),
        ([1.0] * 2001, "vit-1", 400, "vector"),
        ([0.0, 0.0], "vit-1", 400, "no direction"),
        ([1.0, float("nan")], "vit-1", 400, ""),
        ([1.0, float("inf")], "vit-1", 400, ""),
        ([1.0, 1e300], "vit-1", 400, ""),
        ([1.0, "2"], "vit-1", 400, ""),
        (None, "vit-1", 400, ""),
        ([1.0, 2.0], "Vit 1", 400, "embedding_id"),
        ([1.0, 2.0], EMBEDDING_ID, 400, "written by Longtail alone"),
        ([1.0, 2.0, 3.0], "two-1", 409, "have 2 numbers, and this one has 3"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_vector_is_refused(
    api: Api, made: list[str], vector: Any, embedding: str, status: int, says: str
) -> None:
    put(api, made[0], [1.0, 0.0], "two-1")
    answer = put(api, made[1], vector, embedding)
    assert answer.status_code == status, answer.text
    assert says in answer.text
    missing = put(api, "0" * 32, [1.0, 2.0], "new-1")
    assert missing.status_code == 404
    assert "no vectors of the embedding 'new-1'" in similar(api, like=[made[0]], embedding="new-1").text


def test_the_client_finds_similar_clips_and_writes_vectors(api: Api, made: list[str]) -> None:
    client = api.as_client("operator")
    assert [clip.id for clip in client.clips.similar(made[0], limit=1).clips] == [made[1]]
    assert [clip.id for clip in client.clips.similar(made[0], filter_text="vehicle.region = 'UK'").clips] == [made[2]]
    assert client.clips.put_vector(made[0], "vit-1", [1, 0]).is_first
    assert client.clips.similar(made[0], embedding="vit-1").clips == []
    with pytest.raises(Conflict):
        client.clips.put_vector(made[1], "vit-1", [1, 0, 0])
    with pytest.raises(InvalidInput):
        client.clips.similar()


def test_a_near_duplicate_is_shown_with_its_original(api: Api, made: list[str]) -> None:
    with api.database.begin() as connection:
        copy = add_clip(connection, duplicate_of=made[0])
    assert api.get(f"/v1/clips/{copy}").json()["duplicate_of"] == made[0]
    found = api.get("/v1/clips", filter="duplicate_of IS NULL").json()["clips"]
    assert sorted(clip["id"] for clip in found) == sorted(made)
