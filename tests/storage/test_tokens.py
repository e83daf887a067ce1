"""Tokens of users and vehicles: only their hashes are kept, and revoked ones end."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import select

from storage import tokens
from storage.database import Database
from storage.tables import api_tokens, vehicles
from storage.vehicles.authentication import authenticate_vehicle
from storage.vehicles.enrolment import enrol
from triggers.contracts.users import User
from triggers.errors import InvalidInput, NotFound, Unauthenticated


def test_only_hashes_of_tokens_are_kept(database: Database) -> None:
    with database.begin() as connection:
        of_vehicle = enrol(connection, "car-1", {})
        of_user = tokens.issue(connection, "ann", ["author"])
        kept = [
            connection.execute(select(vehicles.c.token_hash)).scalar_one(),
            connection.execute(select(api_tokens.c.token_hash)).scalar_one(),
        ]
        assert authenticate_vehicle(connection, of_vehicle) == "car-1"
        assert tokens.authenticate(connection, of_user) == User("ann", frozenset({"author"}))
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
