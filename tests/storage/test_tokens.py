"""Tokens of users and vehicles: only their hashes are kept, and revoked ones end."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import select

from storage import tokens, users
from storage.database import Database
from storage.labels import jobs as label_jobs
from storage.tables import api_tokens, vehicles
from storage.vehicles.authentication import authenticate_vehicle
from storage.vehicles.enrolment import enrol
from tests.storage.clips.catalog_support import add_clip
from triggers.errors import Conflict, InvalidInput, NotFound, Unauthenticated


def test_only_hashes_of_tokens_are_kept(database: Database) -> None:
    with database.begin() as connection:
        of_vehicle = enrol(connection, "car-1", {})
        of_user = tokens.issue(connection, "ann", ["author"])
        kept = [
            connection.execute(select(vehicles.c.token_hash)).scalar_one(),
            connection.execute(select(api_tokens.c.token_hash)).scalar_one(),
        ]
        assert authenticate_vehicle(connection, of_vehicle) == "car-1"
        user = tokens.authenticate(connection, of_user)
        assert (user.name, user.roles) == ("ann", {"author"}) and user.id and user.origin.token_id
        for token, wrong in ((of_vehicle, tokens.authenticate), (of_user, authenticate_vehicle)):
            with pytest.raises(Unauthenticated):
                wrong(connection, token)
    assert [bytes(each) for each in kept] == [hashlib.sha256(t.encode()).digest() for t in (of_vehicle, of_user)]
    assert all(len(each) == 46 for each in (of_vehicle, of_user))


@pytest.mark.parametrize("token", ["", "lt_", "x" * 46, "lt_" + "A" * 42, "lt_" + "A" * 44, "lt_" + "A" * 42 + "\n"])
def test_what_cannot_be_a_token_is_refused(database: Database, token: str) -> None:
    with database.begin() as connection:
        for check in (tokens.authenticate, authenticate_vehicle):
            with pytest.raises(Unauthenticated):
                check(connection, token)


def test_revoked_tokens_end(database: Database) -> None:
    with database.begin() as connection:
        first, second, third = (tokens.issue(connection, user, ["viewer"]) for user in ("ann", "ann", "bob"))
        tokens.revoke(connection, first)
        with pytest.raises(NotFound):
            tokens.revoke(connection, first)
        assert tokens.revoke_user(connection, "ann") == 1
        for gone in (first, second):
            with pytest.raises(Unauthenticated):
                tokens.authenticate(connection, gone)
        assert tokens.authenticate(connection, third).name == "bob"


def test_roles_and_names_are_checked(database: Database) -> None:
    with database.begin() as connection:
        for user, roles in (("ann", ["king"]), ("ann", []), ("", ["viewer"]), ("a\nb", ["viewer"])):
            with pytest.raises(InvalidInput):
                tokens.issue(connection, user, roles)


@pytest.mark.parametrize("other", ["Ann", "ANN", "aNn"])
def test_other_spellings_of_a_name_are_the_same_user(database: Database, other: str) -> None:
    with database.begin() as connection:
        first, second = (
            tokens.authenticate(connection, tokens.issue(connection, name, ["viewer"])) for name in ("ann", other)
        )
        assert (second.id, second.name) == (first.id, "ann")
        assert first.origin.token_id != second.origin.token_id
        assert tokens.revoke_user(connection, other.swapcase()) == 2


def test_a_user_who_is_renamed_keeps_id_tokens_and_claims_and_nobody_takes_anothers_name(database: Database) -> None:
    with database.begin() as connection:
        token = tokens.issue(connection, "ann", ["labeler"])
        before = tokens.authenticate(connection, token)
        label_jobs.ensure(connection, add_clip(connection), "auto")
        label_jobs.claim(connection, user="ann", task="auto", labeler="a", count=1, lease_s=60)
        assert users.rename(connection, "ANN", "ann@fleet.example") == before.id
        after = tokens.authenticate(connection, token)
        assert (after.id, after.name) == (before.id, "ann@fleet.example")
        claimed = label_jobs.lock_claim(connection, 1, token=1)
        assert claimed is not None and claimed.claimed_by == after.name
        tokens.issue(connection, "bob", ["viewer"])
    with database.begin() as connection, pytest.raises(Conflict, match="'Bob'"):
        users.rename(connection, "ann@fleet.example", "Bob")
    with database.begin() as connection, pytest.raises(NotFound):
        users.rename(connection, "ann", "carl")
