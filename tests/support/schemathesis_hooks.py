"""What schemathesis has to know of this API beside its document."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis import HookContext

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


@schemathesis.hook
def map_body(context: HookContext, body: Any) -> Any:
    """Whole numbers as everybody writes them: JSON Schema takes 1.0 for an integer, the contract types do not."""
    return _whole(body)


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
