"""Rules of backtests, as pure functions: which fires of two programs are the same, and what that comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from triggers.contracts.api.backtests.answers import MATCH_NS, ChangedFiresView


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
    triggers: Iterable[str], drives: Sequence[str], first: Sequence[Moment], second: Sequence[Moment]
) -> list[ChangedFiresView]:
    """What became of the fires of triggers that both programs have: each over all drives, then drive by drive."""
    in_first, in_second = matched(first, second)
    both, alone = Counter[tuple[str, str]](), (Counter[tuple[str, str]](), Counter[tuple[str, str]]())
    for fires, found, counts in ((first, in_first, alone[0]), (second, in_second, alone[1])):
        for fire, is_in_both in zip(fires, found, strict=True):
            if not is_in_both:
                counts[fire.trigger, fire.drive] += 1
            elif counts is alone[0]:
                both[fire.trigger, fire.drive] += 1
    views = []
    for trigger in triggers:
        of_drives = [
            ChangedFiresView(
                trigger=trigger,
                drive=drive,
                both=both[trigger, drive],
                only_first=alone[0][trigger, drive],
                only_second=alone[1][trigger, drive],
            )
            for drive in drives
        ]
        total = ChangedFiresView(
            trigger=trigger,
            drive=None,
            both=sum(each.both for each in of_drives),
            only_first=sum(each.only_first for each in of_drives),
            only_second=sum(each.only_second for each in of_drives),
        )
        views += [total, *of_drives]
    return views
