"""Tokens of users and vehicles: only their hashes are kept, and those that are revoked or expired end."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from fleet_api.used_tokens import UsedTokens
from storage import tokens, users
from storage.database import Database
from storage.labels import jobs as label_jobs
from storage.settings import Settings
from storage.tables import api_tokens, vehicles
from storage.vehicles.authentication import authenticate_vehicle
from storage.vehicles.enrolment import enrol
from tests.storage.clips.catalog_support import add_clip
from triggers.errors import Conflict, InvalidInput, NotFound, Unauthenticated


def test_only_hashes_of_tokens_are_kept(database: Database) -> None:
    with database.begin() as connection:
        of_vehicle = enrol(connection, "car-1", {}).token
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
        for name in ("x" * 101, "a\nb"):
            with pytest.raises(InvalidInput):
                tokens.issue(connection, "ann", ["viewer"], name=name)


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


def test_an_expired_token_is_refused_by_a_message_that_says_so_and_how_to_get_a_new_one(database: Database) -> None:
    with database.begin() as connection:
        of_user = tokens.issue(connection, "ann", ["viewer"], ttl_s=60)
        of_vehicle = enrol(connection, "car-1", {}, ttl_s=60).token
        ago = timedelta(seconds=61)
        connection.execute(update(api_tokens).values(expires_at=api_tokens.c.expires_at - ago))
        connection.execute(update(vehicles).values(token_expires_at=vehicles.c.token_expires_at - ago))
        (known,) = tokens.list_tokens(connection, ended=True)
        assert tokens.list_tokens(connection) == []
        with pytest.raises(Unauthenticated, match=r"the token expired at 20\d\d-.* UTC") as refused:
            tokens.authenticate(connection, of_user)
        assert f"longtail token rotate {known.id}" in str(refused.value.remedy)
        with pytest.raises(Unauthenticated, match=r"the vehicle's token expired at .* UTC"):
            authenticate_vehicle(connection, of_vehicle)


def test_a_rotated_token_of_a_user_overlaps_with_its_successor_and_not_longer(database: Database) -> None:
    with database.begin() as connection:
        first = tokens.issue(connection, "ann", ["author"], name="laptop", ttl_s=3600)
        other = tokens.issue(connection, "ann", ["viewer"])
        (known, _) = tokens.list_tokens(connection, user="ann")
        former, second = tokens.rotate(connection, known.id, ttl_s=7200, overlap_s=60)
        assert [tokens.authenticate(connection, each).name for each in (first, second, other)] == ["ann"] * 3
        now = connection.execute(select(func.now())).scalar_one()
        assert former.expires_at == now + timedelta(seconds=60)
        successor = tokens.list_tokens(connection)[-1]
        assert (successor.name, successor.roles) == ("laptop", ["author"])
        assert successor.expires_at == now + timedelta(seconds=7200)
        assert tokens.rotate(connection, known.id, ttl_s=1, overlap_s=900)[0].expires_at == former.expires_at
        tokens.revoke_id(connection, known.id)
        for call in (lambda: tokens.revoke_id(connection, known.id), lambda: tokens.revoke_id(connection, 999)):
            with pytest.raises(NotFound):
                call()
        with pytest.raises(NotFound):
            tokens.rotate(connection, known.id, ttl_s=1, overlap_s=1)


def test_when_tokens_were_used_is_written_together_and_never_goes_back(database: Database) -> None:
    with database.begin() as connection:
        sent = [tokens.issue(connection, user, ["viewer"]) for user in ("ann", "bob")]
        ids = [tokens.authenticate(connection, token).origin.token_id for token in sent]
    used = UsedTokens(database, every_s=3600)
    noted = [each for each in ids if each is not None]
    used.note(noted[0])
    used.note(noted[1])
    assert [bool(each.last_used_at) for each in known_tokens(database)] == [True, False], "written once an hour"
    used.write()
    first, second = (each.last_used_at for each in known_tokens(database))
    assert first is not None and second is not None and first <= second
    with database.begin() as connection:
        tokens.mark_used(connection, {noted[0]: datetime(2020, 1, 1, tzinfo=UTC)})
    assert known_tokens(database)[0].last_used_at == first


def known_tokens(database: Database) -> list[tokens.TokenRecord]:
    with database.begin() as connection:
        return tokens.list_tokens(connection)


def test_no_token_is_issued_for_longer_than_the_settings_allow() -> None:
    settings = Settings(token_ttl_s=30 * 86400, token_max_ttl_s=20 * 86400)
    assert tokens.lifetime_s(settings, None) == 20 * 86400
    assert tokens.lifetime_s(settings, 20) == 20 * 86400
    with pytest.raises(InvalidInput, match="21 days"):
        tokens.lifetime_s(settings, 21)
