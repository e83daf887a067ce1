"""Who somebody is: one user for a person, also when the first two log-ins come at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from storage import audit
from storage.database import Database
from storage.logins import identities
from storage.logins.identities import Identity
from tests.support.locks import waits_for_a_lock
from tests.support.waiting import wait_for
from triggers.errors import Forbidden

ANN = Identity("https://login.example", "248289761001")


def log_in(database: Database, identity: Identity) -> int:
    with database.begin() as connection:
        return identities.user_of(connection, identity, lambda: "ann")[0]


def test_two_first_log_ins_of_a_person_at_once_are_one_user(database: Database) -> None:
    with ThreadPoolExecutor(1) as other:
        with database.begin() as connection:
            first = identities.user_of(connection, ANN, lambda: "ann")[0]
            second = other.submit(log_in, database, ANN)
            wait_for(lambda: waits_for_a_lock(database), within_s=30, what="that the second log-in waits for the first")
        assert second.result(60) == first


def test_of_two_people_who_want_one_name_at_once_the_second_is_refused(database: Database) -> None:
    with ThreadPoolExecutor(1) as other:
        with database.begin() as connection:
            identities.user_of(connection, ANN, lambda: "ann")
            second = other.submit(log_in, database, Identity(ANN.issuer, "another"))
            wait_for(lambda: waits_for_a_lock(database), within_s=30, what="that the second log-in waits for the first")
        with pytest.raises(Forbidden, match="it is not known to be you"):
            second.result(60)


def test_the_same_subject_at_another_issuer_is_another_person(database: Database) -> None:
    ann = log_in(database, ANN)
    with database.begin() as connection:
        other = identities.user_of(connection, Identity("https://other.example", ANN.subject), lambda: "bob")
        assert other[0] != ann
        assert [entry.action for entry in audit.listing(connection, audit.AuditFilter())] == []
