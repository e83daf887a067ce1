"""Rules of backtests, as pure functions: which fires of two programs are the same, and what that comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from triggers.contracts.api.backtests.answers import MATCH_NS, ChangedFiresView, PairedRatioView
from triggers.statistics.paired import PairedFires, rate_ratio


@dataclass(frozen=True, slots=True)
class Moment:
    """A fire of a trigger on a drive."""

    trigger: str
    drive: str
    t_ns: int


def matched(first: Sequence[Moment], second: Sequence[Moment]) -> tuple[list[bool], list[bool]]:
    """For each fire of either program, whether the other has it: one fire for one, in order of time, 1 s apart at most.

    >>> first = [Moment("brake", "a", t * 10**9) for t in (1, 5, 9)]
    >>> matched(first, [Moment("brake", "a", 5_900_000_000), Moment("brake", "b", 9 * 10**9)])
    ([False, True, False], [True, False])
    """
    found = [False] * len(first), [False] * len(second)
    others = _places(second)
    for key, mine in _places(first).items():
        theirs = others.get(key, [])
        i = j = 0
        while i < len(mine) and j < len(theirs):
            apart_ns = second[theirs[j]].t_ns - first[mine[i]].t_ns
            if abs(apart_ns) <= MATCH_NS:
                found[0][mine[i]] = found[1][theirs[j]] = True
                i, j = i + 1, j + 1
            elif apart_ns < 0:
                j += 1
            else:
                i += 1
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
    triggers: Iterable[str],
    drives: Sequence[str],
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
    for number, (fires, found) in enumerate(zip((first, second), matched(first, second), strict=True), start=1):
        for fire, is_in_both in zip(fires, found, strict=True):
            of_drive = counts.setdefault(fire.trigger, {}).setdefault(fire.drive, [0, 0, 0])
            if not is_in_both:
                of_drive[number] += 1
            elif number == 1:
                of_drive[0] += 1
    places = {drive: place for place, drive in enumerate(drives)}
    views = []
    for trigger in triggers:
        of_drives = {drive: each for drive, each in counts.get(trigger, {}).items() if drive in places}
        total = _changed(trigger, None, [sum(each[kind] for each in of_drives.values()) for kind in range(3)])
        views.append(total.model_copy(update={"ratio": _ratio(of_drives.values()) if complete else None}))
        views += [_changed(trigger, drive, of_drives[drive]) for drive in sorted(of_drives, key=places.__getitem__)]
    return views


def _changed(trigger: str, drive: str | None, counts: Sequence[int]) -> ChangedFiresView:
    both, only_first, only_second = counts
    return ChangedFiresView(trigger=trigger, drive=drive, both=both, only_first=only_first, only_second=only_second)


def _ratio(of_drives: Iterable[Sequence[int]]) -> PairedRatioView:
    """The rate of the second program divided by that of the first, from the counts of each drive."""
    ratio = rate_ratio(PairedFires(both, only_second, only_first) for both, only_first, only_second in of_drives)
    return PairedRatioView(**ratio.to_json())
