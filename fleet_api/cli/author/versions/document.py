"""The document that a backtest gives: written as JSON to a file or to standard output, or shown to people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fleet_api.cli.output import print_json

STANDARD_OUTPUT = Path("-")


def give(document: Mapping[str, Any], show: Callable[[], None], json_file: Path | None) -> None:
    """Write the document as JSON if `json_file` is given, and show the report unless that goes to standard output."""
    import json

    from triggers.backtest.tables import written_whole

    if json_file == STANDARD_OUTPUT:
        print_json(document)
        return
    if json_file is not None:
        with written_whole(json_file) as partial:
            partial.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    show()
