"""`python -m fleet_api.cli`: the command line by its module, as the supervisor starts its children."""

from __future__ import annotations

import sys

from fleet_api.cli.main import main

sys.exit(main())
