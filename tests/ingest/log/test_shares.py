"""Fair shares of a group's partitions: even, stable, and the same for everybody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.log.shares import fair_shares

MEMBERS = st.sets(st.sampled_from([f"worker-{number}" for number in range(8)]), min_size=1)


@st.composite
def groups(draw: st.DrawFn) -> tuple[dict[int, str | None], set[str]]:
    """Owners of some partitions (members, or nobody), and who is in the group."""
    members = draw(MEMBERS)
    owners = draw(st.lists(st.none() | st.sampled_from(sorted(members)), max_size=20))
    return dict(enumerate(owners)), members


@given(groups())
def test_every_partition_has_one_member_and_shares_differ_by_at_most_one(
    group: tuple[dict[int, str | None], set[str]],
) -> None:
    owners, members = group
    shares = fair_shares(owners, members)
    assert shares.keys() == owners.keys()
    counts = {member: list(shares.values()).count(member) for member in members}
    assert max(counts.values()) - min(counts.values()) <= 1
    assert sum(counts.values()) == len(owners)


@given(groups())
def test_no_more_partitions_move_than_must(group: tuple[dict[int, str | None], set[str]]) -> None:
    owners, members = group
    shares = fair_shares(owners, members)
    share, larger = divmod(len(owners), len(members))
    held = sorted((list(owners.values()).count(member) for member in members), reverse=True)
    can_stay = sum(min(count, share + (rank < larger)) for rank, count in enumerate(held))
    assert sum(shares[partition] == owner for partition, owner in owners.items()) == can_stay


@given(groups())
def test_shares_stay_while_partitions_are_handed_over_one_by_one(
    group: tuple[dict[int, str | None], set[str]],
) -> None:
    """The plan is made anew at every step of the hand-over; it must not change its mind on the way."""
    owners, members = group
    for partition, target in fair_shares(owners, members).items():
        if owners[partition] != target:
            owners = {**owners, partition: None}
            owners = {**owners, partition: fair_shares(owners, members)[partition]}
    assert fair_shares(owners, members) == owners


def test_members_beyond_the_partitions_get_none() -> None:
    assert fair_shares({0: None}, ["b", "a"]) == {0: "a"}


def test_a_topic_of_no_partitions_has_no_shares() -> None:
    assert fair_shares({}, ["a"]) == {}
