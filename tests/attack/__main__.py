"""`python -m tests.attack`: the attack suite from the command line; `make attack` runs all of it."""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.attack.attacks.deck import chosen
from tests.attack.run import run
from tests.attack.target import target

SECONDS = 8.0


def main() -> int:
    """0 when every attack was withstood."""
    parser = argparse.ArgumentParser(prog="make attack", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long an attack goes on that goes on")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of what is random")
    parser.add_argument("--only", action="append", help="only attacks whose name contains this; may be repeated")
    parser.add_argument(
        "--untimed", action="store_true", help="on a busy machine: the witnesses' waiting is not judged"
    )
    given = parser.parse_args()
    attacks = chosen(given.only or ())
    if not attacks:
        parser.error(f"no attack has a name with one of {given.only}")
    print(f"seed {given.seed}, load {' '.join(f'{load:.1f}' for load in os.getloadavg())}", flush=True)
    began_s = time.monotonic()

    def report(text: str) -> None:
        print(f"{time.monotonic() - began_s:6.0f} s  {text}", flush=True)

    with target(given.seed) as attacked:
        outcome = run(attacked, attacks, seconds=given.seconds, report=report, timed=not given.untimed)
    for finding in outcome.findings:
        print(f"FAILED: {finding}")
    print(outcome.summary())
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
