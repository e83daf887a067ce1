"""Rules of campaigns without a database: submitting again, the approver's digest, four eyes."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from fleet_api.campaigns.rules import check_digest, check_four_eyes, is_submitted_now
from triggers.contracts.campaign import CampaignState
from triggers.errors import Conflict, Forbidden


def test_only_a_draft_is_submitted_and_only_unless_it_is_to_stay_one() -> None:
    submitted = [
        (state, draft) for state in CampaignState for draft in (False, True) if is_submitted_now(state, draft=draft)
    ]
    assert submitted == [(CampaignState.DRAFT, False)]


@pytest.mark.parametrize(
    ("seen", "sent", "refusal"),
    [
        ("a", "a", ""),
        ("b", "a", f"{'a' * 64}, not {'b' * 64}"),
        ("p", "a", "only the program"),
        ("a", "c", "c"),
    ],
)
def test_approval_needs_the_digest_of_all_that_vehicles_get(seen: str, sent: str, refusal: str) -> None:
    with pytest.raises(Conflict, match=refusal) if refusal else nullcontext():
        check_digest(
            "braking",
            1,
            seen_digest=seen * 64,
            approval_digest="a" * 64,
            program_digest="p" * 64,
            sent_digest=sent * 64,
        )


@pytest.mark.parametrize(
    ("author", "submitted_by", "refused"),
    [("ann", "ann", True), ("ann", "bob", True), ("bob", "ann", True), ("bob", "carl", False), ("bob", None, False)],
)
def test_nobody_approves_alone_what_they_wrote_or_submitted(author: str, submitted_by: str, refused: bool) -> None:
    def check(*, allowed: bool) -> None:
        check_four_eyes(
            "braking", 1, approver="ann", author=author, submitted_by=submitted_by, allow_self_approval=allowed
        )

    check(allowed=True)
    if refused:
        with pytest.raises(Forbidden, match="ann wrote or submitted braking version 1"):
            check(allowed=False)
    else:
        check(allowed=False)
