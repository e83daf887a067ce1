"""Datasets over HTTP: versions freeze clips, hashes and labels, say what was erased, and refuse what cannot be."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import insert, text

from fleet_api.client import Client
from ingest.steward import erasure
from storage.database import SqlError
from storage.tables import clip_assets, dataset_members
from tests.fleet_api.api_server import Api
from tests.storage.clips.catalog_support import add_clip, add_labels
from tests.storage.likeness.likeness_support import add_vector
from tests.support.rows import add_row
from triggers.contracts.api.datasets.versions import SplitRequest, version_digest
from triggers.errors import Conflict, Erased, Forbidden, InvalidInput, NotFound, TooMany
from triggers.likeness.version import DIMENSIONS, EMBEDDING_ID

pytestmark = pytest.mark.integration


@pytest.fixture
def client(api: Api) -> Client:
    return api.as_client("admin")


def add(api: Api, count: int = 1, **columns: Any) -> list[str]:
    with api.database.begin() as connection:
        return [add_clip(connection, **columns) for _ in range(count)]


def members(client: Client, reference: str) -> list[str]:
    return [member.clip_id for member in client.datasets.members(reference)]


def test_a_filter_is_frozen_and_clips_that_come_later_are_in_the_next_version(api: Api, client: Client) -> None:
    first = add(api, 3, fired=[("braking", "hard")])
    add(api, 2)
    made = client.datasets.create("cuts", filter_text="trigger = 'hard'", description="hard braking")
    assert (made.name, made.version, made.clips, made.size_bytes, made.erased) == ("cuts", 1, 3, 3000, 0)
    assert made.recipe == {"filter": "trigger = 'hard'"} and made.created_by == "admin-user"
    later = add(api, fired=[("braking", "hard")])
    assert members(client, "cuts@1") == sorted(first)
    second = client.datasets.add_version("cuts", filter_text="trigger = 'hard'")
    assert (second.version, second.clips) == (2, 4)
    assert members(client, "cuts") == members(client, "cuts@2") == sorted(first + later)
    assert members(client, "cuts@1") == sorted(first)
    shown = client.datasets.get("cuts")
    assert [row.version for row in shown.history] == [2, 1] and shown.history[1] == made
    assert [row.name for row in client.datasets.list()] == ["cuts"]


def test_the_digest_of_a_version_is_that_of_its_members_as_they_are_listed(api: Api, client: Client) -> None:
    (one, two) = add(api, 2)
    with api.database.begin() as connection:
        add_row(connection, clip_assets, clip_id=one, name="b", digest="1" * 64, object_key="x/b")
        add_row(connection, clip_assets, clip_id=one, name="a", object_key="x/a")
        add_labels(connection, two, "car")
    made = client.datasets.create("cuts", clips=[two, one])
    listed = list(client.datasets.members("cuts", page=1))
    assert made.digest == version_digest(listed) and made.labels == 1
    by_id = {member.clip_id: member for member in listed}
    assert [(asset.name, asset.digest) for asset in by_id[one].assets] == [("a", None), ("b", "1" * 64)]
    assert set(by_id[one].links) == {"clip.mcap", "b"}
    again = client.datasets.create("same", clips=[one, two])
    assert again.digest == made.digest, "the name and the order of the list do not count"


def test_the_same_members_again_are_the_version_that_there_is(api: Api, client: Client) -> None:
    ids = add(api, 2)
    made = client.datasets.create("cuts", clips=ids)
    assert client.datasets.add_version("cuts", clips=ids[::-1]) == made
    answer = api.post("/v1/datasets/cuts/versions", {"clips": ids}, "author")
    assert answer.status_code == 200
    assert api.post("/v1/datasets/cuts/versions", {"clips": ids[:1]}, "author").status_code == 201


def test_clips_are_added_to_those_of_the_newest_version_with_its_split(api: Api, client: Client) -> None:
    one, two, three = (add(api, vehicle_id=vehicle)[0] for vehicle in ("car-1", "car-2", "car-3"))
    split = SplitRequest(by="vehicle", train=50, test=50)
    client.datasets.create("cuts", clips=[one, two], split=split, reason="for the lane model")
    with api.database.begin() as connection:
        connection.execute(text("UPDATE datasets SET lets_expire = true"))
    assert api.client.delete(f"/v1/clips/{two}?reason=a+face&datasets=cuts", headers=api.as_("operator")).is_success
    made = client.datasets.add_version("cuts", clips=[three], adds=True, reason="missed at night")
    assert (made.version, made.clips, sum(made.splits.values())) == (2, 2, 2)
    assert made.recipe == {"listed": 1, "added_to": 1, "split": split.model_dump()}
    assert members(client, "cuts") == sorted([one, three])
    assert client.datasets.add_version("cuts", clips=[three], adds=True) == made, "it has the clip already"
    assert api.get(f"/v1/clips/{three}").json()["datasets"] == {"cuts": [2]}
    assert api.get(f"/v1/clips/{one}").json()["datasets"] == {"cuts": [1, 2]}
    reasons = [entry.reason for entry in client.audit.list() if entry.action.startswith("dataset.")]
    assert reasons == ["for the lane model", "missed at night"]
    answer = api.post("/v1/datasets", {"name": "other", "clips": [one], "adds": True}, "author")
    assert answer.status_code == 400 and "adds" in answer.text, "there is nothing yet to add to"


def test_labels_are_pinned_and_later_ones_are_in_later_versions(api: Api, client: Client) -> None:
    (clip_id,) = add(api)
    with api.database.begin() as connection:
        add_labels(connection, clip_id, "car")
    client.datasets.create("cuts", clips=[clip_id])
    with api.database.begin() as connection:
        job = text("INSERT INTO label_jobs (clip_id, task) VALUES (:clip, 'other') RETURNING id")
        job_id = connection.execute(job, {"clip": clip_id}).scalar_one()
        label = text(
            "INSERT INTO labels (job_id, clip_id, labeler, openlabel, provenance) VALUES (:j,:c,'x','{}','{}')"
        )
        connection.execute(label, {"j": job_id, "c": clip_id})
    client.datasets.add_version("cuts", clips=[clip_id])
    (one,) = client.datasets.members("cuts@1", documents=True)
    (two,) = client.datasets.members("cuts@2", documents=True)
    assert [label.id for label in one.label_documents] == [label.id for label in one.labels]
    assert one.label_documents[0].types == ["car"]
    assert len(two.label_documents) == 2
    assert client.datasets.difference("cuts", 1, 2).changed == [clip_id]


def test_the_difference_of_versions_says_what_came_and_what_went(api: Api, client: Client) -> None:
    one, two, three = add(api, 3)
    client.datasets.create("cuts", clips=[one, two])
    client.datasets.add_version("cuts", clips=[two, three])
    found = client.datasets.difference("cuts", 1, 2)
    assert (found.added, found.removed, found.changed) == ([three], [one], [])
    back = client.datasets.difference("cuts", 2, 1)
    assert (back.added, back.removed) == ([one], [three])
    with pytest.raises(NotFound, match="dataset cuts has no version 3"):
        client.datasets.difference("cuts", 1, 3)


def test_splits_keep_vehicles_on_one_side_in_every_version(api: Api, client: Client) -> None:
    for number in range(12):
        add(api, 2, vehicle_id=f"car-{number}")
    split = SplitRequest(by="vehicle", train=50, val=25, test=25)
    made = client.datasets.create("cuts", filter_text="size_bytes > 0", split=split)
    assert sum(made.splits.values()) == 24 and len(made.splits) > 1
    sides = {member.clip.vehicle: member.split for member in client.datasets.members("cuts") if member.clip}
    for member in client.datasets.members("cuts"):
        assert member.clip is not None and member.split == sides[member.clip.vehicle]
    for side, count in made.splits.items():
        of_side = [member.split for member in client.datasets.members("cuts", split=side, page=2)]
        assert of_side == [side] * count
    assert api.get("/v1/datasets/cuts/versions/1/members", split="dev").status_code == 400
    add(api, 3, vehicle_id="car-0")
    client.datasets.add_version("cuts", filter_text="size_bytes > 0", split=split)
    for member in client.datasets.members("cuts@2"):
        assert member.clip is not None and member.split == sides[member.clip.vehicle]


def test_splits_keep_places_on_one_side(api: Api, client: Client) -> None:
    for number in range(10):
        for vehicle in ("car-1", "car-2"):
            add(api, vehicle_id=vehicle, box=(13.0 + number, 52.0, 13.001 + number, 52.001))
    client.datasets.create("cuts", filter_text="size_bytes > 0", split=SplitRequest(train=50, test=50))
    sides: dict[object, set[str | None]] = {}
    for member in client.datasets.members("cuts"):
        assert member.clip is not None
        sides.setdefault(member.clip.box, set()).add(member.split)
    assert len(sides) == 10 and all(len(of_place) == 1 for of_place in sides.values())


def test_a_diverse_choice_takes_one_clip_of_each_kind(api: Api, client: Client) -> None:
    kinds = {}
    for speed in (0.0, 20.0, 40.0, 60.0):
        for clip_id in add(api, 4, statistics={"ego.speed": (speed, speed + 1, speed)}, fired=[("braking", "hard")]):
            kinds[clip_id] = speed
    add(api, 3, statistics={"ego.speed": (100.0, 100.0, 100.0)})
    made = client.datasets.create("cuts", filter_text="trigger = 'hard'", diverse=4)
    assert Counter(kinds[clip_id] for clip_id in members(client, "cuts")) == {0.0: 1, 20.0: 1, 40.0: 1, 60.0: 1}
    assert made.recipe["diverse"] == 4 and made.recipe["matching"] == made.recipe["compared"] == 16
    assert client.datasets.create("same", filter_text="trigger = 'hard'", diverse=4).digest == made.digest
    assert client.datasets.create("all", diverse=19).clips == 19
    with pytest.raises(InvalidInput, match="a diverse choice of 20 among 19 clips"):
        client.datasets.create("more", diverse=20)


def test_a_diverse_choice_takes_what_happened_from_vectors_where_clips_have_them(api: Api, client: Client) -> None:
    kinds = {}
    for kind in range(4):
        for clip_id in add(api, 3, statistics={"ego.speed": (0.0, 30.0, 10.0)}):
            vector = [float(number == kind) for number in range(DIMENSIONS)]
            with api.database.begin() as connection:
                add_vector(connection, clip_id, vector, EMBEDDING_ID)
            kinds[clip_id] = kind
    made = client.datasets.create("cuts", diverse=4)
    assert sorted(kinds[clip_id] for clip_id in members(client, "cuts")) == [0, 1, 2, 3]
    assert (made.recipe["embedding"], made.recipe["vectors"], made.recipe["compared"]) == (EMBEDDING_ID, 12, 12)


def test_an_erased_clip_stays_in_the_list_with_the_reason(api: Api, client: Client) -> None:
    one, two = add(api, 2)
    made = client.datasets.create("cuts", clips=[one, two])
    with pytest.raises(Conflict, match=f"clip {one} is in dataset cuts"):
        client.clips.erase(one, reason="a face")
    with pytest.raises(Conflict):
        client.clips.erase(one, reason="a face", datasets=["other"])
    client.clips.erase(one, reason="a face", datasets=["cuts"])
    by_id = {member.clip_id: member for member in client.datasets.members("cuts@1")}
    gone = by_id[one].erased
    assert gone is not None and (gone.cause, gone.reason, gone.erased_by) == ("erased", "a face", "admin-user")
    assert by_id[one].clip is None and by_id[one].links == {}
    assert by_id[two].erased is None
    shown = client.datasets.version("cuts@1")
    assert (shown.digest, shown.clips, shown.erased) == (made.digest, 2, 1)
    assert version_digest(by_id[clip_id] for clip_id in sorted(by_id)) == made.digest
    with pytest.raises(Erased, match="a face"):
        client.datasets.add_version("cuts", clips=[one])


def test_erasing_a_vehicle_needs_no_dataset_named_and_is_recorded_with_them(api: Api, client: Client) -> None:
    (mine,) = add(api, vehicle_id="car-7")
    (other,) = add(api, vehicle_id="car-8")
    client.datasets.create("cuts", clips=[mine, other])
    client.datasets.create("others", clips=[other])
    client.vehicles.erase("car-7", reason="sold")
    while erasure.erase_vehicles(api.database):
        pass
    by_id = {member.clip_id: member for member in client.datasets.members("cuts")}
    gone = by_id[mine].erased
    assert gone is not None and gone.cause == "vehicle_erased" and by_id[other].erased is None
    (entry,) = [entry for entry in client.audit.list() if entry.action == "vehicle.erase"]
    assert entry.before == {"datasets": ["cuts"]}
    with api.database.begin() as connection:
        for table in ("dataset_members", "dataset_versions", "datasets"):
            rows = connection.execute(text(f"SELECT CAST(t AS text) FROM {table} t")).scalars()
            assert not any("car-7" in row for row in rows)


def test_two_people_who_create_the_same_name_get_one_dataset(api: Api) -> None:
    ids = add(api, 40)
    for _ in range(3):
        name = f"cuts{_}"
        together = threading.Barrier(2)

        def create(role: str, name: str = name, together: threading.Barrier = together) -> str:
            client = api.as_client(role)
            together.wait(timeout=30)
            try:
                client.datasets.create(name, clips=ids)
            except Conflict as error:
                return error.message
            return "made"

        for role in ("author", "operator"):
            api.as_(role)
        with ThreadPoolExecutor(2) as pool:
            ended = sorted(pool.map(create, ["author", "operator"]))
        assert ended == ["made", f"there is a dataset {name} already"]
        assert [row.version for row in api.as_client("viewer").datasets.get(name).history] == [1]
        assert len(members(api.as_client("viewer"), name)) == 40


def test_versions_that_are_added_at_once_have_numbers_of_their_own(api: Api) -> None:
    ids = add(api, 6)
    api.as_client("author").datasets.create("cuts", clips=ids[:1])
    clients = {role: api.as_client(role) for role in ("author", "operator", "admin")}

    def extend(given: tuple[str, int]) -> int:
        role, count = given
        return clients[role].datasets.add_version("cuts", clips=ids[: count + 2]).version

    with ThreadPoolExecutor(3) as pool:
        made = sorted(pool.map(extend, zip(clients, range(3), strict=True)))
    assert made == [2, 3, 4]


@pytest.mark.parametrize("table", ["dataset_versions", "dataset_members"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET digest = 'x'", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_nobody_changes_a_version(api: Api, client: Client, table: str, statement: str) -> None:
    client.datasets.create("cuts", clips=add(api))
    with pytest.raises(SqlError, match="never changed"), api.database.begin() as connection:
        connection.execute(text(statement.format(table)))


def test_members_without_a_version_cannot_be_written(api: Api, client: Client) -> None:
    client.datasets.create("cuts", clips=add(api))
    row = {
        "name": "cuts",
        "version": 2,
        "clip_id": "0" * 32,
        "digest": "d",
        "size_bytes": 1,
        "assets": [],
        "labels": [],
    }
    with pytest.raises(SqlError, match="fk_dataset_members_name_version"), api.database.begin() as connection:
        connection.execute(insert(dataset_members).values(**row))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "cuts"}, "say which clips"),
        ({"name": "Cuts", "filter": "id = 'a'"}, "name"),
        ({"name": "a/b", "filter": "id = 'a'"}, "name"),
        ({"name": "n" * 65, "filter": "id = 'a'"}, "name"),
        ({"name": "cuts", "filter": "trigger ="}, "filter"),
        ({"name": "cuts", "filter": "nothing = 1"}, "nothing"),
        ({"name": "cuts", "filter": "f" * 10_001}, "filter"),
        ({"name": "cuts", "filter": "id = 'a'", "clips": ["0" * 32]}, "cannot be combined"),
        ({"name": "cuts", "clips": []}, "clips"),
        ({"name": "cuts", "clips": ["x"]}, "clips"),
        ({"name": "cuts", "clips": ["0" * 32, "0" * 32]}, "more than once"),
        ({"name": "cuts", "diverse": 0}, "diverse"),
        ({"name": "cuts", "diverse": 1001}, "diverse"),
        ({"name": "cuts", "filter": "id = 'a'", "split": {"train": 80}}, "add up to 80 percent"),
        ({"name": "cuts", "filter": "id = 'a'", "split": {"train": 100, "by": "day"}}, "split"),
        ({"name": "cuts", "filter": "id = 'a'"}, "no clip matches"),
        ({"name": "cuts", "diverse": 1}, "no clip matches"),
        ({"name": "cuts", "filter": "id = 'a'", "description": "a\x00b"}, "U\\+0000"),
    ],
)
def test_what_cannot_be_a_dataset_is_refused_and_leaves_none(api: Api, body: dict[str, Any], said: str) -> None:
    answer = api.post("/v1/datasets", body, "author")
    assert answer.status_code == 400, answer.text
    assert said.replace("\\", "") in answer.text
    assert api.get("/v1/datasets").json() == {"datasets": [], "next": None}


def test_clips_and_datasets_that_are_not_there_are_not_found(api: Api, client: Client) -> None:
    known = add(api)
    with pytest.raises(NotFound, match=f"there is no clip '{'0' * 32}'"):
        client.datasets.create("cuts", clips=[*known, "0" * 32])
    with pytest.raises(NotFound, match="there is no dataset 'cuts'"):
        client.datasets.get("cuts")
    for path in ("/v1/datasets/a%00b", "/v1/datasets/cuts/versions/1", "/v1/datasets/cuts/versions/1/members"):
        assert api.get(path).status_code in (400, 404), path
    for version in ("0", "-1", "1001", "99999999999999999999", "x"):
        assert api.get(f"/v1/datasets/cuts/versions/{version}").status_code == 400
    client.datasets.create("cuts", clips=known)
    with pytest.raises(NotFound, match="dataset cuts has no version 2"):
        list(client.datasets.members("cuts@2"))
    with pytest.raises(InvalidInput, match="is not NAME@VERSION"):
        client.datasets.version("cuts@two")
    for limit in (0, 201, 10**30):
        assert api.get("/v1/datasets/cuts/versions/1/members", limit=limit).status_code == 400


def test_more_clips_than_a_dataset_may_have_are_refused(
    api: Api, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(api, 4)
    monkeypatch.setattr("storage.datasets.selection.MAX_MEMBERS", 3)
    with pytest.raises(InvalidInput, match="more than 3 clips match"):
        client.datasets.create("cuts", filter_text="size_bytes > 0")
    monkeypatch.setattr("storage.datasets.freezing.MAX_VERSIONS", 1)
    ids = [clip.id for clip in client.clips.search()]
    client.datasets.create("cuts", clips=ids)
    with pytest.raises(Conflict, match="has 1 versions"):
        client.datasets.add_version("cuts", clips=ids[:1])


def test_a_list_may_be_longer_than_a_statement_has_parameters(api: Api) -> None:
    known = add(api)
    body = {"name": "cuts", "clips": [*known, *(f"{number:032x}" for number in range(2**40, 2**40 + 70_000))]}
    assert api.post("/v1/datasets", body, "author").status_code == 404


def test_one_user_makes_one_version_at_a_time(api: Api, client: Client) -> None:
    ids = add(api)
    services = api.app.state.services
    with services.searches.turn("admin-user"), pytest.raises(TooMany):
        client.datasets.create("cuts", clips=ids)


def test_whoever_only_reads_makes_no_dataset(api: Api) -> None:
    with pytest.raises(Forbidden, match="author or operator"):
        api.as_client("viewer").datasets.create("cuts", clips=add(api))


def test_a_released_dataset_says_who_released_it_and_why(api: Api, client: Client) -> None:
    client.datasets.create("cuts", clips=add(api))
    released = client.datasets.release("cuts", reason="the model is retired")
    assert released.lets_expire and released.changed_by == "admin-user"
    assert released.change_reason == "the model is retired" and released.changed_at is not None
    assert not client.datasets.keep("cuts", reason="it is not").lets_expire
    with pytest.raises(NotFound):
        client.datasets.release("others", reason="r")
