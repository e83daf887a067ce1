"""What costs come to per vehicle-day, per 1,000 km, per clip and per label, and how much of them was for nothing.

A cost per unit is a rounded quotient. Whoever needs parts that add up, such as a cost for each clip, divides the cost
with `amounts.allocate_among`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from triggers.costs.amounts import allocate, unit_cost

METRES_PER_1000_KM = 1_000_000


@dataclass(frozen=True, slots=True)
class UnitCosts:
    """An amount by what it was spent for; None where there was nothing of it.

    >>> UnitCosts.of(Decimal("1.724"), vehicle_days=1, distance_m=250_000, clips=100, accepted_labels=0)
    ... # doctest: +NORMALIZE_WHITESPACE
    UnitCosts(amount=Decimal('1.724'), per_vehicle_day=Decimal('1.724000000'), per_1000_km=Decimal('6.896000000'),
              per_clip=Decimal('0.017240000'), per_accepted_label=None)
    """

    amount: Decimal
    per_vehicle_day: Decimal | None
    per_1000_km: Decimal | None
    per_clip: Decimal | None
    per_accepted_label: Decimal | None

    @classmethod
    def of(
        cls, amount: Decimal, *, vehicle_days: int, distance_m: int | None, clips: int, accepted_labels: int
    ) -> UnitCosts:
        """The quotients of an amount: days on which vehicles had the campaign, armed distance, clips and labels.

        `distance_m` is None for campaigns that are armed at the same time, whose distances do not add up.
        """
        return cls(
            amount,
            unit_cost(amount, vehicle_days),
            unit_cost(amount, distance_m or 0, per=METRES_PER_1000_KM),
            unit_cost(amount, clips),
            unit_cost(amount, accepted_labels),
        )


@dataclass(frozen=True, slots=True)
class Waste:
    """Clips that nobody opened, labelled or put in a dataset: how many, their bytes, and their part of an amount."""

    clips: int
    size_bytes: int
    amount: Decimal


def waste(amount: Decimal, *, size_bytes: int, unused_clips: int, unused_bytes: int) -> Waste:
    """What of an amount was spent on unused clips, each clip's part being by its bytes.

    `size_bytes` are those of all clips. What was spent without a clip, as on uploads that were given up, is in the
    amount, and so it is in the clips' parts; without any clip nothing is said to be wasted.

    >>> waste(Decimal("0.10"), size_bytes=3, unused_clips=1, unused_bytes=1)
    Waste(clips=1, size_bytes=1, amount=Decimal('0.033333333333333333'))
    """
    if size_bytes == 0:
        return Waste(0, 0, Decimal(0))
    part, _ = allocate(amount, [unused_bytes, size_bytes - unused_bytes])
    return Waste(unused_clips, unused_bytes, part)
