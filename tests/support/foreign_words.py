"""Words of the libraries that check types and values, which no message to people may have: ours say what to do."""

from __future__ import annotations

import re

FOREIGN_WORDS = re.compile(
    r"(?:Input|String|Value|List|Tuple|Dictionary|Set|Field|Number|Date|Datetime|Bytes|Decimal|URL) (?:should|must) "
    r"|Field required|Extra inputs|Value error|[Vv]alidation error|Invalid JSON|string_pattern|pydantic"
)
