"""Fair shares: assigns partitions evenly to the members of a group, and moves as few as possible."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def fair_shares(owners: Mapping[int, str | None], members: Collection[str]) -> dict[int, str]:
    """The member each partition should go to, given its owner now (None: no live member).

    With P partitions and M members each member gets P // M of them, and P % M members one more. Members keep their
    partitions up to their share, so that none moves without need. All members compute the same shares.
    """
    held: dict[str, list[int]] = {member: [] for member in members}
    for partition, owner in sorted(owners.items()):
        if owner in held:
            held[owner].append(partition)
    share, larger_shares = divmod(len(owners), len(members))
    ranked = sorted(members, key=lambda member: (-len(held[member]), member))
    quotas = {member: share + (rank < larger_shares) for rank, member in enumerate(ranked)}
    kept = {partition: member for member in ranked for partition in held[member][: quotas[member]]}
    wanting = [member for member in ranked for _ in range(quotas[member] - len(held[member]))]
    free = [partition for partition in sorted(owners) if partition not in kept]
    return kept | dict(zip(free, wanting, strict=True))
