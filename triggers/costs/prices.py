"""The price book: what transfer, requests and storage cost, by the days on which each price holds.

A book has one currency and one order of tiers. Its tariffs follow each other without gap or overlap, and each has every
price: of transfer for every class of network, of every kind of request, of every tier. `reader` makes one from YAML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from triggers.contracts.campaign import Network
from triggers.costs.months import DAY, months_later
from triggers.costs.storage_classes import AS_STORED, STORAGE_CLASSES
from triggers.errors import InvalidInput


class RequestKind(StrEnum):
    """What a request to the object store does, as far as its price differs."""

    WRITE = "write"
    READ = "read"
    TRANSITION = "transition"


@dataclass(frozen=True, slots=True)
class Stay:
    """How long a clip stays somewhere: calendar months, then days."""

    months: int = 0
    days: int = 0

    def after(self, day: date) -> date:
        """The day on which a stay that begins on `day` is over."""
        return months_later(day, self.months) + timedelta(days=self.days)

    def __str__(self) -> str:
        parts = [(self.months, "month"), (self.days, "day")]
        return " and ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count) or "0 days"

    def __add__(self, other: Stay) -> Stay:
        return Stay(self.months + other.months, self.days + other.days)


@dataclass(frozen=True, slots=True)
class TierPrice:
    """A tier of storage: its price per GB-month, and how long clips stay before they go on to the next.

    The last tier may have no `stays`: clips are kept there until they are erased.
    """

    name: str
    per_gb_month: Decimal
    stays: Stay | None


@dataclass(frozen=True, slots=True)
class Tariff:
    """All prices from the day `start` until before `end`; without an `end` they hold until further notice."""

    start: date
    end: date | None
    transfer_per_gb: Mapping[Network, Decimal]
    per_1000_requests: Mapping[RequestKind, Decimal]
    tiers: tuple[TierPrice, ...]

    def tier_spans(self, arrived: date) -> Iterator[tuple[TierPrice, date, date | None]]:
        """Each tier with the days, end exclusive, that what arrived on a day spends there; in the last without end.

        Every boundary is counted from the day of arrival, so that short months do not add up.
        """
        total, start = Stay(), arrived
        for number, tier in enumerate(self.tiers, 1):
            if number == len(self.tiers) or tier.stays is None:
                yield tier, start, None
                return
            total += tier.stays
            end = total.after(arrived)
            yield tier, start, end
            start = end

    @property
    def stays(self) -> Stay | None:
        """How long a clip is kept in all tiers together; None: until it is erased."""
        total = Stay()
        for tier in self.tiers:
            if tier.stays is None:
                return None
            total += tier.stays
        return total


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Prices in one currency, as tariffs in the order of their days.

    `storage_classes` says in which tier objects of a storage class are.
    """

    currency: str
    tiers: tuple[str, ...]
    tariffs: tuple[Tariff, ...]
    storage_classes: Mapping[str, str] = field(default_factory=dict)

    def tier_of(self, storage_class: str) -> str:
        """The tier of objects that lie in a storage class. InvalidInput if the book does not say it.

        Objects that were never moved are in the first tier, and so is STANDARD, unless the book says otherwise.
        """
        if storage_class == AS_STORED:
            return self.tiers[0]
        tier = self.storage_classes.get(storage_class)
        if tier is None and storage_class != STORAGE_CLASSES[0]:
            example = f"storage_classes: {{{self.tiers[-1]}: [{storage_class}]}}"
            raise InvalidInput(
                f"recordings lie in the storage class {storage_class}, and the price book does not say in which tier",
                remedy=f"publish it again with that class, such as `{example}`",
            )
        return tier or self.tiers[0]

    def tariff_on(self, day: date) -> Tariff:
        """The tariff of a day. InvalidInput if the book has no prices for it."""
        for tariff in self.tariffs:
            if tariff.start <= day and (tariff.end is None or day < tariff.end):
                return tariff
        first, last = self.tariffs[0], self.tariffs[-1]
        if day < first.start:
            raise InvalidInput(
                f"the price book has no prices for {day}: its first are from {first.start}",
                remedy=f"add an entry under `prices` with `from: {day}` or earlier",
            )
        assert last.end is not None  # noqa: S101 - a day after the last tariff: tariffs have no gaps
        raise InvalidInput(
            f"the price book has no prices for {day}: its last are through {last.end - DAY}",
            remedy="add an entry under `prices` for the time after, or leave out `through` of the last one",
        )

    def parts(self, start: date, end: date) -> Iterator[tuple[Tariff, date, date]]:
        """The days from `start` until before `end`, divided where prices change; each part with its tariff."""
        while start < end:
            tariff = self.tariff_on(start)
            part_end = end if tariff.end is None else min(tariff.end, end)
            yield tariff, start, part_end
            start = part_end
