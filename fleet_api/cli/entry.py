"""The entry of the command `longtail`: Ctrl-C while the first modules are still being imported is a line, too."""

from __future__ import annotations

import sys

EXIT_INTERRUPTED = 130


def run() -> int:
    """Run the command line; the exit status. Only what Python has loaded anyway is imported before this is called."""
    try:
        from fleet_api.cli.main import main

        return main()
    except KeyboardInterrupt:
        sys.stderr.write("longtail: interrupted\n")
        return EXIT_INTERRUPTED
