"""`python -m fleet_api.cli`: the command line as a module, which is how the supervisor starts its child processes."""

from __future__ import annotations

import sys

from fleet_api.cli.entry import run

sys.exit(run())
