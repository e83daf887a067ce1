"""Rules of backtests, as pure functions: which fires of two programs are the same, and what that comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from triggers.backtest.versions.matching import Nearness
from triggers.backtest.versions.matching import matched as matched_times
from triggers.contracts.api.backtests.answers import ChangedFiresView
from triggers.contracts.api.backtests.versions import PairedRatioView
from triggers.statistics.paired import PairedFires, rate_ratio


@dataclass(frozen=True, slots=True)
class Moment:
    """A fire of a trigger on a drive."""

    trigger: str
    drive: str
    t_ns: int


@dataclass(frozen=True, slots=True)
class Pairing:
    """How a trigger of both programs is compared: what is near enough, and the drives on which it ran in both."""

    nearness: Nearness
    drives: Sequence[str]


def matched(
    pairings: Mapping[str, Pairing], first: Sequence[Moment], second: Sequence[Moment]
) -> tuple[list[bool | None], list[bool | None]]:
    """For each fire of either program, whether the other has it; None for one that is not compared.

    >>> touching = {"brake": Pairing(Nearness.within(10**9), ["a"])}
    >>> first = [Moment("brake", "a", t * 10**9) for t in (1, 5, 9)]
    >>> matched(touching, first, [Moment("brake", "a", 5_900_000_000), Moment("brake", "b", 9 * 10**9)])
    ([False, True, False], [True, None])
    """
    found: tuple[list[bool | None], list[bool | None]] = ([None] * len(first), [None] * len(second))
    places = _places(first), _places(second)
    for trigger, pairing in pairings.items():
        for drive in pairing.drives:
            mine, theirs = (of_one.get((trigger, drive), []) for of_one in places)
            times_ns = [first[place].t_ns for place in mine], [second[place].t_ns for place in theirs]
            for side, numbers, is_found in zip(
                found, (mine, theirs), matched_times(*times_ns, pairing.nearness), strict=True
            ):
                for place, is_in_both in zip(numbers, is_found, strict=True):
                    side[place] = is_in_both
    return found


def _places(fires: Sequence[Moment]) -> dict[tuple[str, str], list[int]]:
    """The places of the fires of each trigger and drive, in order of time."""
    places: dict[tuple[str, str], list[int]] = {}
    for place, fire in enumerate(fires):
        places.setdefault((fire.trigger, fire.drive), []).append(place)
    for of_one in places.values():
        of_one.sort(key=lambda place: fires[place].t_ns)
    return places


def changed_fires(
    pairings: Mapping[str, Pairing],
    first: Sequence[Moment],
    second: Sequence[Moment],
    *,
    complete: bool = True,
) -> list[ChangedFiresView]:
    """What became of the fires of triggers that both programs have: each over all drives, then by drive with a fire.

    So there are no more entries than triggers and fires, over however many drives. Rates are compared if the fires are
    `complete`.
    """
    counts: dict[str, dict[str, list[int]]] = {}
    sides = zip((first, second), matched(pairings, first, second), strict=True)
    for number, (fires, found) in enumerate(sides, start=1):
        for fire, is_in_both in zip(fires, found, strict=True):
            if is_in_both is None:
                continue
            of_drive = counts.setdefault(fire.trigger, {}).setdefault(fire.drive, [0, 0, 0])
            if not is_in_both:
                of_drive[number] += 1
            elif number == 1:
                of_drive[0] += 1
    views = []
    for trigger, pairing in pairings.items():
        of_drives = counts.get(trigger, {})
        total = _changed(trigger, None, [sum(each[kind] for each in of_drives.values()) for kind in range(3)])
        views.append(total.model_copy(update={"ratio": _ratio(of_drives.values()) if complete else None}))
        views += [_changed(trigger, drive, of_drives[drive]) for drive in pairing.drives if drive in of_drives]
    return views


def _changed(trigger: str, drive: str | None, counts: Sequence[int]) -> ChangedFiresView:
    both, only_first, only_second = counts
    return ChangedFiresView(trigger=trigger, drive=drive, both=both, only_first=only_first, only_second=only_second)


def _ratio(of_drives: Iterable[Sequence[int]]) -> PairedRatioView:
    """The rate of the second program divided by that of the first, from the counts of each drive."""
    ratio = rate_ratio(PairedFires(both, only_second, only_first) for both, only_first, only_second in of_drives)
    return PairedRatioView(**ratio.to_json())
