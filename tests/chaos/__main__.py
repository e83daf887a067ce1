"""`python -m tests.chaos`: the chaos suite from the command line; `make chaos` runs it for half an hour."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.chaos.run import run
from tests.chaos.stage import stage

MINUTES = 30.0
LONGEST_S = 120.0


def main() -> int:
    """0 when every fault was survived."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long faults are played")
    parser.add_argument("--longest", type=float, default=LONGEST_S, help="seconds of the longest fault")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="repeats a run fault for fault")
    parser.add_argument("--only", action="append", help="only faults whose name contains this; may be repeated")
    parser.add_argument("--logs", type=Path, help="a folder for the logs of all processes, if a fault is not survived")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    began_s = time.monotonic()

    def report(text: str) -> None:
        print(f"{time.monotonic() - began_s:6.0f} s  {text}", flush=True)

    with stage(given.seed) as playing:
        survived = run(playing, for_s=given.minutes * 60, longest_s=given.longest, report=report, only=given.only or ())
        if survived.findings and given.logs:
            playing.keep_logs(given.logs)
    for reason in survived.left_out:
        print(f"left out: {reason}")
    for finding in survived.findings:
        print(f"FAILED: {finding}")
    print(survived.summary())
    return 1 if survived.findings else 0


if __name__ == "__main__":
    sys.exit(main())
