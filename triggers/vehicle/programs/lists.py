"""Lists of objects that campaigns capture: every campaign of a vehicle must mean the same fields by a name.

A sample of a list has its values by their places, so two catalogs that disagree would read each other's values.
"""

from __future__ import annotations

from collections.abc import Mapping

from triggers.contracts.bundle import Bundle
from triggers.errors import InvalidInput


def lists_of(bundle: Bundle) -> dict[str, tuple[str, ...]]:
    """The lists that a campaign's fires may ask for, each with its key and its value fields."""
    windows = [trigger.capture for trigger in bundle.settings.triggers]
    return {name: fields for window in windows for name, fields in window.lists.items()}


def check_lists(bundle: Bundle, known: Mapping[str, tuple[str, ...]]) -> None:
    """Raise InvalidInput if a campaign means other fields by a list's name than what is known on this vehicle."""
    expected = dict(known)
    for trigger in bundle.settings.triggers:
        for name, fields in trigger.capture.lists.items():
            if expected.setdefault(name, fields) != fields:
                theirs, ours = (", ".join(names)[:200] for names in (fields, expected[name]))
                raise InvalidInput(
                    f"its list {name} has the fields {theirs}, and on this vehicle {ours}",
                    remedy="compile it against the signal catalog of these vehicles",
                )
