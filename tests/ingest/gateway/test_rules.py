"""Which fires the gateway accepts, decided without a database."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.gateway.rules import check_fires, check_storable
from storage.uploads.creation import ApprovedVersion
from tests.support.fleet import PROGRAM_DIGEST, TRIGGER, fire, manifest_of
from triggers.errors import ManifestInvalid

APPROVED = {("braking", 1): ApprovedVersion(PROGRAM_DIGEST, frozenset({TRIGGER, "other"}))}


def test_fires_of_an_approved_version_pass() -> None:
    check_fires([fire("braking", 1), fire("braking", 1, trigger="other")], APPROVED, {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "this version was never approved"),
        ({"campaign": "unheard_of"}, "this version was never approved"),
        ({"program_digest": "0" * 64}, "is not the approved one"),
        ({"trigger": "third"}, "the campaign has no trigger third"),
    ],
)
def test_one_wrong_fire_refuses_the_manifest(change: dict[str, Any], message: str) -> None:
    wrong = fire("braking", 1).model_copy(update=change)
    with pytest.raises(ManifestInvalid, match=message):
        check_fires([fire("braking", 1), wrong], APPROVED, {})


@pytest.mark.parametrize(("t_offset_ns", "trigger"), [(1, TRIGGER), (0, "other")])
def test_the_ordinal_of_another_fire_shows_a_lost_journal(t_offset_ns: int, trigger: str) -> None:
    first = fire("braking", 1)
    key = (first.campaign, first.version, first.ordinal)
    check_fires([first], APPROVED, {key: (first.t_ns, first.trigger)})
    with pytest.raises(ManifestInvalid, match=f"fire {first.ordinal} of braking version 1") as refused:
        check_fires([first], APPROVED, {key: (first.t_ns + t_offset_ns, trigger)})
    assert "enrol it under a new id" in (refused.value.remedy or "")


def test_a_text_that_the_database_cannot_hold_refuses_the_manifest() -> None:
    with pytest.raises(ManifestInvalid, match="the manifest"):
        check_storable(manifest_of(b"x", [fire("braking", 1)], attributes={"region": "a\x00b"}))
