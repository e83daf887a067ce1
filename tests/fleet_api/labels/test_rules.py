"""Rules of label jobs without a database: holders, and what counts as OpenLABEL."""

from __future__ import annotations

from typing import Any

import pytest

from fleet_api.labels.rules import MAX_TYPES, check_holder, label_types
from tests.storage.clips.catalog_support import OPENLABEL
from triggers.contracts.users import Role, User
from triggers.errors import Forbidden, InvalidInput


def document(**parts: Any) -> dict[str, Any]:
    """An OpenLABEL document with these parts."""
    return {"openlabel": {"metadata": {"schema_version": "1.0.0"}, **parts}}


def test_a_job_is_its_claimers_and_an_administrators() -> None:
    for user in (User("lab", frozenset({Role.LABELER})), User("root", frozenset({Role.ADMIN}))):
        check_holder(7, claimed_by="lab", user=user)


@pytest.mark.parametrize("name", ["la", "anna", "lab/anna", "LAB"])
def test_no_other_users_name_opens_a_job(name: str) -> None:
    with pytest.raises(Forbidden, match="job 7 was claimed by lab"):
        check_holder(7, claimed_by="lab", user=User(name, frozenset({Role.LABELER})))


def test_types_of_all_parts_are_named_once_and_sorted() -> None:
    assert label_types(OPENLABEL) == ["braking", "car"]
    members = {str(uid): {"name": f"n{uid}", "type": kind} for uid, kind in enumerate(["b", "a", "b", ""])}
    assert label_types(document(objects=members, contexts=members, events=members)) == ["a", "b"]


@pytest.mark.parametrize(
    "wrong",
    [
        document(objects={str(number): {"name": "n", "type": str(number)} for number in range(MAX_TYPES + 1)}),
        document(objects={"0": {"name": "n", "type": "x" * 201}}),
    ],
)
def test_types_without_number_or_length_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="1000 types of 200 characters"):
        label_types(wrong)
