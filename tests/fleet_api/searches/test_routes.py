"""Saved searches over HTTP: a link that finds the same clips for others, too, and names that nobody loses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from tests.fleet_api.api_server import Api
from tests.storage.clips.catalog_support import add_clip
from triggers.errors import Conflict, Forbidden, InvalidInput, NotFound

FILTER = "trigger = 'hard' AND size_bytes > 10"


def test_a_saved_search_has_a_link_that_finds_its_clips(api: Api) -> None:
    with api.database.begin() as connection:
        found = add_clip(connection, fired=[("braking", "hard")])
        add_clip(connection)
    saved = api.as_client("author").searches.save("hard-ones", FILTER, sortby="size_bytes")
    assert (saved.name, saved.filter, saved.sortby, saved.saved_by) == (
        "hard-ones",
        FILTER,
        "size_bytes",
        "author-user",
    )
    assert api.as_client("viewer").searches.get("hard-ones") == saved
    answer = api.client.get(saved.href, headers=api.as_("viewer"))
    assert [clip["id"] for clip in answer.json()["clips"]] == [found]
    assert urlsplit(saved.href).path == "/v1/clips"


def test_searches_are_listed_over_pages_and_deleted(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    client = api.as_client("viewer")
    monkeypatch.setattr("fleet_api.client.datasets.searches.PAGE", 2)
    for name in ("c", "a", "b"):
        client.searches.save(name, FILTER)
    assert [each.name for each in client.searches.list()] == ["a", "b", "c"]
    client.searches.delete("b")
    assert [each.name for each in client.searches.list()] == ["a", "c"]
    with pytest.raises(NotFound, match="there is no saved search 'b'"):
        client.searches.get("b")


def test_saving_the_same_again_changes_nothing_and_another_needs_replace(api: Api) -> None:
    client = api.as_client("viewer")
    saved = client.searches.save("mine", FILTER)
    assert client.searches.save("mine", FILTER) == saved
    with pytest.raises(Conflict, match="mine is another search already, saved by viewer-user"):
        client.searches.save("mine", "size_bytes > 11")
    assert client.searches.save("mine", "size_bytes > 11", replace=True).filter == "size_bytes > 11"
    saves = [entry for entry in api.as_client("operator").audit.list() if entry.action == "search.save"]
    assert len(saves) == 2


def test_a_search_is_changed_by_its_owner_and_operators_alone(api: Api) -> None:
    api.as_client("viewer").searches.save("mine", FILTER)
    with pytest.raises(Forbidden, match="mine is a search of viewer-user"):
        api.as_client("author").searches.save("mine", "size_bytes > 1", replace=True)
    with pytest.raises(Forbidden):
        api.as_client("author").searches.delete("mine")
    assert api.as_client("author").searches.save("mine", FILTER).saved_by == "viewer-user", "the same is nobody's loss"
    assert api.as_client("operator").searches.save("mine", "size_bytes > 1", replace=True).saved_by == "operator-user"
    api.as_client("operator").searches.delete("mine")


def test_two_people_who_save_the_same_name_at_once_get_one_search(api: Api) -> None:
    for attempt in range(4):
        clients = [api.as_client("viewer"), api.as_client("author")]

        def save(index: int, attempt: int = attempt, clients: list = clients) -> str:  # type: ignore[type-arg]
            try:
                return str(clients[index].searches.save(f"s{attempt}", f"size_bytes > {index}").filter)
            except Conflict:
                return ""

        with ThreadPoolExecutor(2) as pool:
            kept = [text for text in pool.map(save, range(2)) if text]
        assert kept == [api.as_client("viewer").searches.get(f"s{attempt}").filter]


@pytest.mark.parametrize(
    ("name", "cql2", "sortby"),
    [
        ("", FILTER, None),
        ("Has Blanks", FILTER, None),
        ("a" * 65, FILTER, None),
        ("a", "", None),
        ("a", "trigger =", None),
        ("a", "nothing = 1", None),
        ("a", "trigger = 'a\x00'", None),
        ("a", FILTER, "damage"),
        ("a", FILTER, "x" * 301),
    ],
)
def test_a_search_that_cannot_run_is_not_saved(api: Api, name: str, cql2: str, sortby: str | None) -> None:
    order = {} if sortby is None else {"sortby": sortby}
    with pytest.raises(InvalidInput):
        api.as_client("viewer").searches.save(name, cql2, **order)
    body = {"name": name, "filter": cql2, **order}
    assert api.post("/v1/searches", body, "viewer").status_code == 400
    assert list(api.as_client("viewer").searches.list()) == []
