"""People cannot keep vehicles waiting, and no user has more than one costly request at a time."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from ingest.http.bounds.turns import Turns
from storage.database import Database
from tests.fleet_api.api_server import Api, campaign_text
from tests.support.fleet import enroll_vehicle
from triggers.errors import Overloaded, TooMany

CHECK_IN = {"vehicle_time_ns": 1}


def check_in(api: Api, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return api.client.post("/v1/vehicles/car-1/check-in", json=CHECK_IN, headers=headers).status_code


def test_vehicles_check_in_while_people_use_every_connection_of_theirs(api: Api, database: Database) -> None:
    with database.begin() as connection:
        token = enroll_vehicle(connection, "car-1")
    assert check_in(api, token) == 200
    people = api.app.state.services.database
    headers = api.as_("viewer")
    with ExitStack() as held:
        for _ in range(people.pool_size):
            held.enter_context(people.begin())
        assert check_in(api, token) == 200
        refused = api.client.get("/v1/campaigns", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert int(refused.headers["Retry-After"]) > 0


def test_vehicles_check_in_while_people_use_every_thread_of_theirs(api: Api, database: Database) -> None:
    with database.begin() as connection:
        token = enroll_vehicle(connection, "car-1")
    assert check_in(api, token) == 200
    author, people = api.as_("author"), api.app.state.services.database
    asking = [
        threading.Thread(target=api.client.get, args=("/v1/campaigns",), kwargs={"headers": author}) for _ in range(60)
    ]
    with ExitStack() as held:
        for _ in range(people.pool_size):
            held.enter_context(people.begin())
        for thread in asking:
            thread.start()
        assert check_in(api, token) == 200
    for thread in asking:
        thread.join(60)


@pytest.mark.parametrize("kind", ["search", "compilation"])
def test_a_user_has_one_search_and_one_compilation_at_a_time(api: Api, kind: str) -> None:
    services = api.app.state.services
    turns = {"search": services.searches, "compilation": services.compilations}[kind]
    role = {"search": "viewer", "compilation": "author"}[kind]

    def ask(role: str) -> tuple[int, str, str]:
        if kind == "search":
            answer = api.client.get("/v1/clips", headers=api.as_(role))
        else:
            body = {"source": campaign_text(), "signals": "signals: {}", "filename": "a.trigger"}
            answer = api.client.post("/v1/campaigns", json=body, headers=api.as_(role))
        return answer.status_code, answer.json().get("code", ""), answer.headers.get("Retry-After", "")

    with turns.turn(f"{role}-user"):
        status, code, again = ask(role)
        assert (status, code) == (429, "too_many")
        assert int(again) > 0
        assert ask("admin")[0] in {200, 422}
    assert ask(role)[0] in {200, 422}


def test_turns_are_bounded_in_all_and_no_refusal_names_another_caller() -> None:
    turns = Turns("search", in_all=2, retry_after_s=7)
    with turns.turn("alice"), turns.turn("bob"):
        with pytest.raises(TooMany) as own:
            turns.turn("alice").__enter__()
        with pytest.raises(Overloaded) as all_taken:
            turns.turn("carol").__enter__()
    for error in (own.value, all_taken.value):
        assert error.retry_after_s == 7
        assert not any(name in str(error) for name in ("alice", "bob", "carol"))
    with turns.turn("alice"):
        pass
