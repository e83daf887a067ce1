"""Reads a JSON object from a file that the user names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from fleet_api.cli.given_file import read_limited
from triggers.contracts.base import members_once
from triggers.errors import InvalidInput

MAX_BYTES = 64 * 1024**2


def read_json_object(path: Path) -> dict[str, Any]:
    """The object in a file; raises InvalidInput, with the reason, if the file cannot be read as one."""
    data = read_limited(path, MAX_BYTES)
    try:
        value = json.loads(data, parse_constant=_refused, object_pairs_hook=members_once)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path}: this is not a JSON document ({error})") from error
    if not isinstance(value, dict):
        raise InvalidInput(f"{path}: this is not a JSON object")
    return value


def _refused(constant: str) -> NoReturn:
    """Refuse NaN and the infinities, which Python accepts and JSON does not have."""
    raise ValueError(f"{constant} is not a JSON value")
