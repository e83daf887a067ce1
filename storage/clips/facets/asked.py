"""What clips are counted by, from text: `trigger`, `vehicle.model:20`, `start:week`, `in_unit(ego.speed.max, 'km/h')`.

Texts, attributes and small numbers are counted by value, the most frequent first; numbers and times by bins. After a
colon comes how many values or bins there are at most, or the step of a time. A name may be in double quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from storage.clips.facets.bins import STEPS, Step
from storage.clips.properties import Property, in_unit, require_property
from triggers.errors import InvalidInput

MAX_BY = 20
MAX_BY_CHARACTERS = 4000
MAX_SHOWN = 100
"""Values or bins that may be asked for by their number."""
SHOWN = 10
BINS = 20
DEFAULT_BY = "campaign,trigger,version,state,damage,vehicle,label,tag,recorded"
"""What anybody may ask for of any clips: in days, clips of three years would have too many bins."""
_DAY = "day"
_IN_UNIT = re.compile(r"""in_unit\(\s*("(?:[^"]|"")+"|[^(),'"]+?)\s*,\s*'([^']+)'\s*\)""", re.IGNORECASE)
_ITEM = re.compile(r"""(?:[^,'"(]|'[^']*'|"[^"]*"|\((?:[^()'"]|'[^']*'|"[^"]*")*\))+""")
_QUOTED = re.compile(r'"((?:[^"]|"")+)"')
_NUMBER = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)


@dataclass(frozen=True)
class Asked:
    """One property to count by: as it was written, with how many values or bins there are, or the step of a time."""

    written: str
    about: Property
    shown: int
    step: Step | None = None

    @property
    def in_bins(self) -> bool:
        """Whether there are bins instead of values."""
        return self.about.kind == "time" or (self.about.kind == "number" and not self.about.few)


def parse_by(text: str) -> list[Asked]:
    """The properties of a list with commas; InvalidInput that names the item, and says what could be meant."""
    if len(text) > MAX_BY_CHARACTERS:
        raise InvalidInput(f"by has {len(text)} characters, more than {MAX_BY_CHARACTERS}", remedy="count by less")
    items = _items(text)
    if len(items) > MAX_BY:
        raise InvalidInput(f"by has {len(items)} properties, more than {MAX_BY}", remedy="ask in several requests")
    if twice := next((item for item in items if items.count(item) > 1), None):
        raise InvalidInput(f"by has {twice[:60]!r} twice", remedy="write it once")
    return [_asked(item, place) for place, item in enumerate(items, start=1)]


def _items(text: str) -> list[str]:
    """The parts between commas, those within parentheses and quotes left alone."""
    items, at = [], 0
    while True:
        match = _ITEM.match(text, at)
        if match is None or (match.end() < len(text) and text[match.end()] != ","):
            raise InvalidInput(
                f"by has no property at character {(match.end() if match else at) + 1}: {text[at : at + 30]!r}",
                remedy="write properties with commas, such as by=trigger,vehicle.model",
            )
        items.append(match[0].strip())
        if match.end() == len(text):
            return items
        at = match.end() + 1


def _asked(item: str, place: int) -> Asked:
    name, colon, how = ("", "", "") if item.endswith(('"', ")")) else item.rpartition(":")
    name, how = (name.strip(), how.strip()) if colon else (item, "")
    try:
        if name == _DAY and not how:
            return Asked(item, require_property("recorded"), BINS, "day")
        asked = Asked(item, _property(name), 0)
        return _shown(asked, how)
    except InvalidInput as error:
        raise InvalidInput(f"property {place} of by: {error.message}", remedy=error.remedy) from error


def _property(name: str) -> Property:
    converted = _IN_UNIT.fullmatch(name)
    found = require_property(_unquoted(converted[1] if converted else name))
    if converted:
        found = in_unit(found, converted[2])
    if found.kind in ("geometry", "box"):
        raise InvalidInput("clips cannot be counted by their boxes", remedy="count by place_cell, place_cell_5 or _3")
    if found.kind == "interval":
        raise InvalidInput(f"clips cannot be counted by `{found.name}`", remedy="count by start, end or recorded")
    return found


def _unquoted(name: str) -> str:
    quoted = _QUOTED.fullmatch(name)
    return quoted[1].replace('""', '"') if quoted else name


def _shown(asked: Asked, how: str) -> Asked:
    is_time = asked.about.kind == "time"
    if not how:
        return Asked(asked.written, asked.about, BINS if asked.in_bins else SHOWN)
    if _NUMBER.fullmatch(how) and int(how) <= MAX_SHOWN:
        return Asked(asked.written, asked.about, int(how))
    if is_time and how in STEPS:
        return Asked(asked.written, asked.about, BINS, how)
    what = "a number of bins" if asked.in_bins else "a number of values"
    steps = f", or one of {', '.join(STEPS)}" if is_time else ""
    near = get_close_matches(how.lower(), STEPS, n=1) if is_time else []
    meant = f"did you mean {near[0]}? " if near else ""
    raise InvalidInput(
        f"{how[:60]!r} after {asked.about.name} is not {what}",
        remedy=f"{meant}write 1 to {MAX_SHOWN}{steps}",
    )
