"""`make bench`: run the comparisons, print tables, write JSON.

`python -m bench.run [--only log,objects,loop,ledger,extraction,scans,language,speed] [--quick] [--json FILE]`;
`--quick` shows within a minute that everything works, with sizes too small to draw conclusions from.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from rich.console import Console

from bench import report
from bench.engines import Engines
from bench.machine import load, machine, versions
from bench.measure import Comparison, ResultsDiffer
from tests.support.servers.java_server import JavaMissing, ServerFailed
from tools.fetch_jars import JarsChanged, JarsMissing
from triggers.errors import LongtailError

AREAS = ("log", "objects", "loop", "ledger", "extraction", "scans", "language", "speed")
DEFAULT_JSON = Path(".cache/bench.json")
_NO_USE = (JavaMissing, JarsMissing, JarsChanged, ServerFailed, LongtailError, ResultsDiffer)

Area = Callable[..., Iterator[Comparison]]


def areas(text: str) -> list[str]:
    """The areas in a list with commas, in the order of AREAS."""
    asked = {name.strip() for name in text.split(",") if name.strip()}
    if unknown := asked - set(AREAS):
        raise argparse.ArgumentTypeError(f"no benchmark {', '.join(sorted(unknown))}: choose from {', '.join(AREAS)}")
    return [area for area in AREAS if area in asked]


def run(chosen: list[str], *, quick: bool, console: Console) -> dict[str, list[Comparison]]:
    """Run areas one after the other, showing results as they come."""
    found: dict[str, list[Comparison]] = {}
    with Engines() as engines:
        for area in chosen:
            found[area] = []
            compare: Area = import_module(f"bench.{area}.comparisons").run
            for comparison in compare(engines, quick=quick):
                report.show(console, comparison)
                found[area].append(comparison)
    return found


def main(argv: list[str]) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", type=areas, default=list(AREAS), help=f"some of {','.join(AREAS)}")
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds: does everything work?")
    parser.add_argument("--json", type=Path, default=DEFAULT_JSON, help="where the figures go (default: %(default)s)")
    options = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # servers and folders are cleaned up
    console = Console(width=None if sys.stdout.isatty() else 140)
    try:
        java = not {"ledger", "extraction", "scans", "language", "speed"}.issuperset(options.only)
        surroundings = {"machine": machine(), "load_before": load(), "versions": versions(with_java=java)}
        console.print(surroundings)
        found = run(options.only, quick=options.quick, console=console)
    except _NO_USE as problem:
        sys.stderr.write(f"bench: {problem}\n")
        return 1
    surroundings["load_after"] = load()
    report.write(options.json, report.document(found, surroundings=surroundings, quick=options.quick))
    console.print(f"load averages before {surroundings['load_before']}, after {surroundings['load_after']}")
    console.print(f"written to {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
