"""Rules of tiers, as LONGTAIL_OBJECT_TIERS writes them: from which age on recordings have which storage class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from triggers.costs.storage_classes import STORAGE_CLASSES

MAX_TIERS = 8
MAX_DAYS = 36_500
ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes of S3 whose objects cannot be read at once: they are restored first, for some days."""
_RULE = re.compile(r"([1-9][0-9]{0,5}):([A-Z_]+)")


@dataclass(frozen=True, slots=True)
class Tier:
    """From `after` a clip was stored on, its recording has this storage class."""

    after: timedelta
    storage_class: str


def parse_tiers(text: str) -> tuple[Tier, ...]:
    """The tiers of a text such as `30:STANDARD_IA,365:DEEP_ARCHIVE` (days, class), the earliest first.

    ValueError says what is wrong: what is no rule or no class, and rules whose later class costs more to keep.

    >>> [(tier.after.days, tier.storage_class) for tier in parse_tiers("30:STANDARD_IA, 365:DEEP_ARCHIVE")]
    [(30, 'STANDARD_IA'), (365, 'DEEP_ARCHIVE')]
    """
    tiers: list[Tier] = []
    for rule in filter(None, map(str.strip, text.split(","))):
        match = _RULE.fullmatch(rule)
        if match is None or int(match[1]) > MAX_DAYS:
            raise ValueError(f"{rule[:60]!r} is not a rule such as 30:STANDARD_IA (1 to {MAX_DAYS} days, class)")
        if match[2] not in STORAGE_CLASSES:
            raise ValueError(f"{match[2][:40]!r} is not a storage class; choose from {', '.join(STORAGE_CLASSES)}")
        tiers.append(Tier(timedelta(days=int(match[1])), match[2]))
    if len(tiers) > MAX_TIERS:
        raise ValueError(f"there are {len(tiers)} rules; give at most {MAX_TIERS}")
    costs = [STORAGE_CLASSES.index(tier.storage_class) for tier in tiers]
    if [tier.after for tier in tiers] != sorted({tier.after for tier in tiers}) or costs != sorted(set(costs)):
        raise ValueError("each rule must have more days than the one before, and a class that costs less to keep")
    if any(tier.storage_class in ARCHIVES for tier in tiers[:-1]):
        raise ValueError(f"no rule can follow {' or '.join(sorted(ARCHIVES))}: S3 copies nothing out of an archive")
    return tuple(tiers)
