"""Lists of objects of the campaigns on a vehicle: each campaign must mean the same fields by a list's name.

A sample of a list has its values by their places, so two catalogs that disagree would read each other's values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from triggers.contracts.bundle import Bundle
from triggers.errors import InvalidInput
from triggers.language.webassembly.host.manifest import Manifest


def captured_by(bundle: Bundle) -> dict[str, tuple[str, ...]]:
    """The lists that a campaign's fires may ask for, each with its key and its value fields."""
    windows = [trigger.capture for trigger in bundle.settings.triggers]
    return {name: fields for window in windows for name, fields in window.lists.items()}


def lists_of(bundle: Bundle, program: Manifest) -> dict[str, tuple[str, ...]]:
    """The lists that a campaign's program reads, and those that its fires may ask for."""
    return dict(_named(bundle, program))


def check_lists(bundle: Bundle, program: Manifest, known: Mapping[str, tuple[str, ...]]) -> None:
    """Raise InvalidInput if a campaign means other fields by a list's name than what is known on this vehicle."""
    expected = dict(known)
    for name, fields in _named(bundle, program):
        if expected.setdefault(name, fields) != fields:
            theirs, ours = (", ".join(names)[:200] for names in (fields, expected[name]))
            raise InvalidInput(
                f"its list {name} has the fields {theirs}, and on this vehicle {ours}",
                remedy="compile it against the signal catalog of these vehicles",
            )


def _named(bundle: Bundle, program: Manifest) -> Iterator[tuple[str, tuple[str, ...]]]:
    for item in program.lists:
        keys = [field.name for field in item.fields if field.type == "id"]
        yield item.input, (*keys, *(field.name for field in item.fields if field.type != "id"))
    for trigger in bundle.settings.triggers:
        yield from trigger.capture.lists.items()
