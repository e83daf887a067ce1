"""Run as a process by the crash tests: works on a journal in a loop and says what was committed, until it is killed."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.triggers.vehicle.support import a_fire, footage
from triggers.times import NS_PER_S
from triggers.vehicle.journal.fires import NewFire, RunIncrement
from triggers.vehicle.journal.journal import Journal
from triggers.vehicle.recording.clips import RecordingContext, make_clip
from triggers.vehicle.uploads.clip_queue import ClipQueue


def say(what: str) -> None:
    sys.stdout.write(what + "\n")
    sys.stdout.flush()


def main(directory: Path) -> None:
    journal = Journal(directory / "j.sqlite")
    queue = ClipQueue(journal, directory / "clips", max_bytes=10**9, max_age_ns=10**18)
    context = RecordingContext(vehicle_id="car", max_span_ns=60 * NS_PER_S)
    held = footage(0, 6, hz=2)
    handed_over = sum(counts.handed_over for counts in journal.counts())
    while True:
        ordinal = journal.fired("braking", 1) + 1
        fire = a_fire(float(ordinal % 6), ordinal=ordinal)
        journal.record([RunIncrement("braking", 1, fires=(NewFire(fire, sampled_in=True),))])
        say(f"fired {ordinal}")
        queue.add(make_clip(directory / "clips", [fire], held, context), ordinal)
        if ordinal % 3 == 0:
            queue.hand_over(queue.all()[0])
            handed_over += 1
            say(f"handed_over {handed_over}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
