"""The audit log: it is only appended to, in one chain whatever happens at once, and every change of it is found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage import audit
from storage.audit import AuditFilter
from storage.database import Database
from tests.support.fleet import a_user
from triggers.contracts.api.audit import FIRST, AuditChain, AuditEntryView
from triggers.contracts.users import Origin, User
from triggers.errors import InvalidInput

ROOT = User("root (at the machine)", frozenset(), origin=Origin(7, "10.0.0.1", "r-1"))


def record(database: Database, object_id: str = "braking/1", **values: Any) -> None:
    with database.begin() as connection:
        audit.record(connection, values.pop("user", ROOT), "campaign.pause", "campaign", object_id, **values)


def entries(database: Database, **chosen: Any) -> list[AuditEntryView]:
    with database.begin() as connection:
        return audit.listing(connection, AuditFilter(**chosen))


def tamper(database: Database, statement: str) -> None:
    """Change the log as only an administrator of the database can."""
    with database.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(statement))


def test_an_entry_has_who_did_what_from_where_and_what_changed(database: Database) -> None:
    record(database, before={"state": "active"}, after={"state": "paused", "share": 0.1}, reason="too many clips")
    (entry,) = entries(database)
    assert (entry.sequence, entry.user_id, entry.user_name, entry.token_id) == (1, None, ROOT.name, 7)
    assert (entry.address, entry.request_id, entry.reason) == ("10.0.0.1", "r-1", "too many clips")
    assert (entry.before, entry.after) == ({"state": "active"}, {"state": "paused", "share": 0.1})
    assert (entry.previous_hash, entry.hash) == (FIRST, entry.computed_hash())
    assert abs(entry.at - datetime.now(UTC)) < timedelta(hours=1)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET reason = 'x'", "DELETE FROM audit", "TRUNCATE audit", "DELETE FROM audit WHERE false"],
)
def test_entries_are_neither_changed_nor_deleted(database: Database, statement: str) -> None:
    record(database)
    with pytest.raises(DBAPIError, match="can only be appended to"), database.begin() as connection:
        connection.execute(text(statement))
    assert len(entries(database)) == 1


def test_an_entry_is_written_with_what_it_records_or_not_at_all(database: Database) -> None:
    with pytest.raises(RuntimeError), database.begin() as connection:
        audit.record(connection, ROOT, "campaign.pause", "campaign", "braking/1")
        raise RuntimeError
    record(database)
    assert [entry.sequence for entry in entries(database)] == [1]


def test_entries_that_are_written_at_once_are_one_chain(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: record(database, f"braking/{number}"), range(24)))
    with database.begin() as connection:
        chain, broken = audit.walk(connection)
    assert (chain.entries, broken) == (24, None)
    assert {entry.object for entry in entries(database)} == {f"braking/{number}" for number in range(24)}


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET reason = 'harmless' WHERE sequence = 2", "entry 2 was changed"),
        ("UPDATE audit SET at = at + interval '1 us' WHERE sequence = 3", "entry 3 was changed"),
        ("DELETE FROM audit WHERE sequence = 2", "entry 2 is missing"),
        ("DELETE FROM audit WHERE sequence = 1", "entry 1 is missing"),
    ],
)
def test_a_walk_names_the_first_entry_that_was_changed(database: Database, statement: str, broken: str) -> None:
    for number in range(4):
        record(database, f"braking/{number}")
    tamper(database, statement)
    with database.begin() as connection:
        _, found = audit.walk(connection)
    assert found is not None and found.startswith(broken)


def test_entries_are_found_by_time_by_spellings_of_a_name_by_id_and_by_what_they_are_about(database: Database) -> None:
    with database.begin() as connection:
        ann = a_user(connection, "ann")
    record(database, user=ann)
    record(database, "braking/12")
    record(database, "braking_hard/1")
    record(database, audit.vehicle_object("car-1"))
    for chosen, found in (
        ({"who": "ANN"}, [1]),
        ({"who": str(ann.id)}, [1]),
        ({"who": ROOT.name}, [2, 3, 4]),
        ({"who": "nobody"}, []),
        ({"about": "braking"}, [1, 2]),
        ({"about": "braking/12"}, [2]),
        ({"about": "car-1"}, [4]),
        ({"about": "b%"}, []),
        ({"since": datetime.now(UTC) + timedelta(days=1)}, []),
        ({"since": entries(database)[2].at}, [3, 4]),
    ):
        assert [entry.sequence for entry in entries(database, **chosen)] == found, chosen


def test_states_are_bounded_and_text_that_cannot_be_stored_is_refused(database: Database) -> None:
    record(database, after={"settings": "x" * audit.MAX_STATE_BYTES})
    (entry,) = entries(database)
    assert entry.after is not None and entry.after.keys() == {"bytes", "sha256"}
    with pytest.raises(InvalidInput):
        record(database, after={"a": "\x00"})


_states = st.none() | st.dictionaries(
    st.text(max_size=3), st.integers() | st.text(max_size=3) | st.floats(0, 1), max_size=2
)
_drafts = st.tuples(_states, _states, st.none() | st.text(max_size=4), st.none() | st.integers(1, 9))


def chained(drafts: list[tuple[Any, Any, str | None, int | None]]) -> list[AuditEntryView]:
    """Entries that are a chain."""
    made: list[AuditEntryView] = []
    for before, after, reason, token_id in drafts:
        entry = AuditEntryView(
            sequence=len(made) + 1,
            at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=len(made)),
            user_id=1,
            user_name="ann",
            token_id=token_id,
            address=None,
            action="a",
            kind="k",
            object="o",
            before=before,
            after=after,
            reason=reason,
            request_id=None,
            previous_hash=made[-1].hash if made else FIRST,
            hash="",
        )
        made.append(entry.model_copy(update={"hash": entry.computed_hash()}))
    return made


@given(st.lists(_drafts, min_size=2, max_size=6), st.data())
def test_any_change_of_any_entry_is_found_at_the_first_entry_that_it_concerns(
    drafts: list[tuple[Any, Any, str | None, int | None]], data: st.DataObject
) -> None:
    log = chained(drafts)
    sent = [AuditEntryView.model_validate_json(entry.model_dump_json()) for entry in log]
    assert AuditChain().broken(sent) is None
    where = data.draw(st.integers(0, len(log) - 1))
    changes = {"reason": "another", "user_id": 2, "after": {"x": 1.5}, "at": log[where].at + timedelta(microseconds=1)}
    name = data.draw(st.sampled_from(sorted(changes)))
    forged = log[where].model_copy(update={name: changes[name]})
    rehashed = forged.model_copy(update={"hash": forged.computed_hash()})
    for changed, first in (
        ([*log[:where], forged, *log[where + 1 :]], where + 1),
        ([*log[:where], rehashed, *log[where + 1 :]], where + 2),
        ([*log[:where], *log[where + 1 :]], where + 1),
    ):
        found = AuditChain().broken(changed)
        if first > len(changed):
            assert found is None, "the end can be cut off or written anew: see `longtail audit --verify --head`"
        else:
            assert found is not None and found.startswith(f"entry {first} ")
