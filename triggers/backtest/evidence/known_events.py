"""Known events as ground truth: when something happened on a drive, and which trigger should have found it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from triggers.drives.names import FOLDER_FILE
from triggers.drives.times import Times

MAX_EVENTS = 100_000
"""Events of one file."""
MAX_JUDGED = 1_000_000
"""Events times triggers that are to find them."""


@dataclass(frozen=True, slots=True)
class EventSpans:
    """Events of a drive that one trigger should find: each from `t_ns` to `end_ns` of the drive's clock.

    They ascend by `t_ns`, then by `end_ns`. A fire from `window_ns` before an event to `window_ns` after it may have
    found it.
    """

    t_ns: Times
    end_ns: Times
    window_ns: int

    def __len__(self) -> int:
        return len(self.t_ns)

    @property
    def from_ns(self) -> Times:
        """The beginning of each event's window; before 0 for one at a drive's beginning."""
        return self.t_ns - self.window_ns

    @property
    def until_ns(self) -> Times:
        """The end of each event's window, which belongs to it."""
        return self.end_ns + np.minimum(self.window_ns, np.iinfo(np.int64).max - self.end_ns)


@dataclass(frozen=True, slots=True)
class KnownEvents:
    """The events of a file, by the name or path by which it calls their drives, and by the trigger that finds them.

    Each drive and trigger has (t, end) pairs in ns; None stands for every trigger of the trigger file.
    """

    window_ns: int
    by_drive: Mapping[str, Mapping[str | None, Sequence[tuple[int, int]]]]
    by_path: Mapping[str, Sequence[str]]
    """By real path, how the file calls what lies there."""
    named: frozenset[str | None]
    """The triggers that are to find some of the events."""
    count: int
    repeated: int = 0
    """Rows that repeat an event: the same drive, times and trigger. They count once."""
    of_no_trigger: tuple[tuple[str, int], ...] = ()
    """Types that no trigger of the trigger file finds, with the number of their events, which do not count."""

    def judges(self, trigger: str) -> bool:
        """Whether the file can say what this trigger should have found."""
        return trigger in self.named or None in self.named

    def names_of(self, name: str, path: Path) -> list[str]:
        """What the file calls a drive: its name in reports, or the path of its file or folder, however written."""
        paths = [path, path.parent] if path.name == FOLDER_FILE else [path]
        called = [text for each in paths for text in self.by_path.get(os.path.realpath(each), ())]
        return list(dict.fromkeys([*([name] if name in self.by_drive else []), *called]))

    def spans(self, name: str, path: Path, triggers: Sequence[str]) -> dict[str, EventSpans]:
        """The events of a drive for each of these triggers that is to find some of them."""
        found: dict[str, EventSpans] = {}
        called = self.names_of(name, path)
        for trigger in triggers if called else ():
            events = {event for text in called for key in (None, trigger) for event in self.by_drive[text].get(key, ())}
            if events:
                pairs = np.array(sorted(events), np.int64)
                found[trigger] = EventSpans(pairs[:, 0].copy(), pairs[:, 1].copy(), self.window_ns)
        return found
