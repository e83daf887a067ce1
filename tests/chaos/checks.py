"""The rules of the audit: functions of plain values, each of which says in sentences what does not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from triggers.contracts.api.clips import ClipView
from triggers.contracts.api.outcomes import OutcomesView

WARNINGS_THAT_COUNT = frozenset({"uploads", "extraction", "fires", "ledger", "full: objects without a row"})
"""What the doctor only warns of, and what must not be there once all work is done."""


@dataclass(frozen=True)
class Amounts:
    """Amounts of the ledger's accounts of one kind, campaign and vehicle, in the unit of the kind."""

    held: int = 0
    settled: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(self.held + other.held, self.settled + other.settled)


Account = tuple[str, str, str]
"""Kind, campaign and vehicle of accounts; days are summed up."""


def twice(clips: Iterable[ClipView]) -> Iterator[str]:
    """Clips that the catalog holds more than once."""
    for digest, count in Counter(clip.digest for clip in clips).items():
        if count > 1:
            yield f"the catalog holds clip {digest} {count} times"


def lost(
    acknowledged: Collection[str], catalogued: Collection[str], *, at_risk: Collection[str], failed_fires: int
) -> Iterator[str]:
    """Clips that the gateway said it has all of, and that are not in the catalog.

    Clips `at_risk` were under way when the log itself was destroyed: of these, as many may be missing as fires count as
    failed.
    """
    missing = set(acknowledged) - set(catalogued)
    if surely := sorted(missing - set(at_risk)):
        yield f"{len(surely)} acknowledged clips are not in the catalog, such as {surely[0]}"
    if len(missing & set(at_risk)) > failed_fires:
        yield f"{len(missing)} clips are gone with the topic, but only {failed_fires} fires count as failed"


def vanished(recorded: Collection[str], catalogued: Collection[str], *, other_ends: int) -> Iterator[str]:
    """Clips that were queued on a vehicle, are not in the catalog, and of which no count says what became of them."""
    missing = sorted(set(recorded) - set(catalogued))
    if len(missing) > other_ends:
        yield (
            f"{len(missing)} recorded clips are not in the catalog, such as {missing[0]}, "
            f"but only {other_ends} fires ended otherwise"
        )


def damaged(clips: Iterable[ClipView]) -> Iterator[str]:
    """Clips that could not be extracted completely; all are recorded whole."""
    for clip in clips:
        if clip.state != "ready":
            yield f"clip {clip.id} is {clip.state}: {clip.damage}"


def other_bytes(clips: Iterable[ClipView], stored: Mapping[str, str]) -> Iterator[str]:
    """Clips whose stored recording has another digest than the manifest; `stored` has the digests found, by id."""
    for clip in clips:
        if stored.get(clip.id) != clip.digest:
            yield f"the recording of clip {clip.id} is not what its manifest says: {stored.get(clip.id)}"


def wrong_counts(counted: Mapping[str, OutcomesView]) -> Iterator[str]:
    """Campaigns whose fires did not all end in exactly one way; names to their counts."""
    for name, counts in counted.items():
        ends = [counts.sampled_out, counts.catalogued, counts.in_flight]
        ends += [*counts.refused.values(), *counts.dropped.values(), *counts.failed.values()]
        if sum(ends) != counts.fired or counts.in_flight or counts.unaccounted:
            yield f"the counts of {name} do not add up: {counts}"


def uncounted(counted: Iterable[OutcomesView], clips: Iterable[ClipView]) -> Iterator[str]:
    """Whether as many fires count as catalogued as the clips have."""
    told = sum(counts.catalogued for counts in counted)
    there = sum(len(clip.fires) for clip in clips)
    if told != there:
        yield f"{told} fires count as catalogued, and the clips have {there}"


def wrong_ledger(
    accounts: Mapping[Account, Amounts], clips: Iterable[ClipView], received: Mapping[Account, int] = {}
) -> Iterator[str]:
    """Accounts of every kind whose `held` or `settled` is not what the catalogued clips cost and `received`.

    `received` is what came of uploads that gave no clip.
    """
    costs: Counter[Account] = Counter(received)
    for clip in clips:
        costs["fleet", "", ""] += clip.size_bytes
        if ("fleet_month", "", "") in accounts:
            costs["fleet_month", "", ""] += clip.size_bytes
        for campaign in {fire.campaign for fire in clip.fires}:
            charged_bytes = sum(fire.charged_bytes for fire in clip.fires if fire.campaign == campaign)
            costs["campaign_bytes", campaign, ""] += charged_bytes
            if ("campaign_vehicle_bytes", campaign, clip.vehicle) in accounts:  # where the total has a limit
                costs["campaign_vehicle_bytes", campaign, clip.vehicle] += charged_bytes
            costs["campaign_clips", campaign, ""] += 1
            if ("campaign_vehicle_clips", campaign, clip.vehicle) in accounts:
                costs["campaign_vehicle_clips", campaign, clip.vehicle] += 1
            costs["campaign_vehicle_day", campaign, clip.vehicle] += charged_bytes
            if ("campaign_vehicle_day_clips", campaign, clip.vehicle) in accounts:
                costs["campaign_vehicle_day_clips", campaign, clip.vehicle] += 1
    for account in sorted({*accounts, *costs}):
        amounts, cost = accounts.get(account, Amounts()), costs[account]
        if amounts != Amounts(cost, cost):
            name = ":".join(filter(None, account))
            yield f"the account {name}: {amounts.held} held, {amounts.settled} settled, {cost} stored"


def left_over(kind: str, names: Sequence[str]) -> Iterator[str]:
    """Something of which nothing may be left."""
    if names:
        yield f"{len(names)} {kind} were left, such as {names[0]}"


def unfinished(rows: Mapping[str, int]) -> Iterator[str]:
    """Rows of work under way, by what they are, once there is no work any more."""
    for kind, count in rows.items():
        if count:
            yield f"{count} {kind} are still there"


def complaints(findings: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """What the doctor found that must not be."""
    for finding in findings:
        if finding["status"] == "fail" or (finding["status"] == "warn" and finding["check"] in WARNINGS_THAT_COUNT):
            yield f"doctor: {finding['check']}: {finding['message']}"
