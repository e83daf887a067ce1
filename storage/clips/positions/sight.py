"""What a user sees of where cars were: everything with the permission `positions`, otherwise place cells."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Connection

from storage.clips.cql2 import Filter, parse_filter
from storage.clips.details import ClipDetails, LabelRecord
from storage.clips.extraction_results import Asset
from storage.clips.marks.notes import Note
from storage.clips.positions.cells import bounds
from storage.clips.positions.documents import may_hold_position
from storage.clips.positions.filters import ASK_FOR, is_harmless, on_cells, require_harmless
from storage.clips.positions.signals import PositionSignals, is_position
from storage.clips.properties import Property
from storage.clips.query import ClipQuery
from storage.clips.records import Clip, ClipSummary
from triggers.clips.damage import Remark
from triggers.contracts import media_types
from triggers.contracts.api.clips import RECORDING_ASSET
from triggers.contracts.users import User
from triggers.errors import Forbidden, InvalidInput

_PICTURES = ("image/", "video/")
"""The media types of files that are made from cameras alone; every other file is taken to have signals."""
_QUOTED = re.compile(r" \(the first (?:at|is) [^()]*\)")
"""The position that a remark of extraction quotes."""
_Row = TypeVar("_Row", LabelRecord, Note)


@dataclass(frozen=True)
class Sight:
    """What one user sees: `precise` positions, or only cells; `declared` are the signals that are positions."""

    precise: bool
    declared: frozenset[str] = frozenset()

    def of_drives(self, columns: Mapping[str, Collection[str]], position: Collection[str]) -> Sight:
        """What the user sees by a catalog that may read signals from `columns` of drives, and declares its `position`.

        A column is named by who wrote the drive: `lat` says enough.
        """
        carried = {
            name
            for name, others in columns.items()
            if any(self.is_position(column) or self.is_position(f".{column}") for column in others)
        }
        return replace(self, declared=self.declared.union(carried, position))

    def query(self, query: ClipQuery) -> ClipQuery:
        """The query as this user may ask it; Forbidden for one that would find out more than this user may see."""
        self.require_harmless([query.order.by])
        return replace(query, filter=self.filter(query.filter))

    def filter(self, asked: Filter | None) -> Filter | None:
        """The filter as this user may ask it. Errors as in `query`."""
        return asked if self.precise or asked is None else on_cells(asked, self.is_position)

    def may_know(self, found_by: str) -> bool:
        """Whether this user may know which clips a CQL2 text found: it asked nothing of a place but its cell."""
        if self.precise:
            return True
        try:
            asked = parse_filter(found_by, "cql2-text")
            return on_cells(asked, self.is_position).tree == asked.tree
        except (Forbidden, InvalidInput):
            return False

    def require_harmless(self, asked: Iterable[Property]) -> None:
        """Forbidden for a property that this user may not sort or count by."""
        if not self.precise:
            require_harmless(asked, self.is_position)

    def may_ask_for(self, asked: Property) -> bool:
        """Whether this user may sort or count by a property."""
        return self.precise or is_harmless(asked, self.is_position)

    def require_condition(self, signals: Collection[str]) -> None:
        """Forbidden for a condition of the trigger language that reads a position, as `near` and `inside` do."""
        read = sorted(filter(self.is_position, signals))
        if read and not self.precise:
            raise Forbidden(
                f"the condition reads {', '.join(f'`{name}`' for name in read)}, and you see place cells only",
                remedy=f"give the place as a filter, such as S_INTERSECTS(box, BBOX(...)), or {ASK_FOR}",
            )

    def clip(self, clip: Clip) -> Clip:
        """The clip with no more of its place than this user may see: its cell, and the box around that."""
        return clip if self.precise else replace(clip, **self._coarse(clip))

    def summary(self, clip: ClipSummary) -> ClipSummary:
        """The same of a clip in short, which has no track then."""
        return clip if self.precise else clip._replace(**self._coarse(clip), track=None)

    def _coarse(self, clip: Clip | ClipSummary) -> dict[str, Any]:
        """What differs of a clip for one who sees cells only."""
        west, south, east, north = (None,) * 4 if clip.place_cell is None else bounds(clip.place_cell)
        return {
            "damage": self.damage(clip.damage),
            "min_longitude": west,
            "min_latitude": south,
            "max_longitude": east,
            "max_latitude": north,
        }

    def damage(self, text: str | None) -> str | None:
        """What was wrong with a clip, without what is quoted of it."""
        return text if self.precise or text is None else _QUOTED.sub("", text)

    def may_have(self, media_type: str) -> bool:
        """Whether this user may have files of this type: pictures, or all of them."""
        return self.precise or media_type.startswith(_PICTURES)

    def assets(self, assets: Sequence[Asset]) -> tuple[Asset, ...]:
        """Those of a clip's derived files that this user may have."""
        return tuple(asset for asset in assets if self.may_have(asset.media_type))

    def files_withheld(self, names: Iterable[tuple[str, str]]) -> list[str]:
        """Of a clip's recording and derived files, given by name and media type, those that this user may not have."""
        return [name for name, kind in [(RECORDING_ASSET, media_types.MCAP), *names] if not self.may_have(kind)]

    def may_read(self, document: Any, clip: Clip) -> bool:
        """Whether this user may read what was written about a clip.

        Not before extraction, as it is not known which numbers may be those of its place.
        """
        is_known = clip.place_cell is not None or clip.state == "ready"
        return self.precise or (is_known and not may_hold_position(document, clip.place_cell))

    def labels(self, documents: Sequence[LabelRecord], clip: Clip) -> tuple[LabelRecord, ...]:
        """Those of a clip's label documents that this user may read."""
        return tuple(each for each in documents if self.may_read([each.openlabel, each.provenance], clip))

    def notes(self, notes: Sequence[Note], clip: Clip) -> tuple[Note, ...]:
        """Those of a clip's notes that this user may read."""
        return tuple(note for note in notes if self.may_read(note.text, clip))

    def details(self, details: ClipDetails) -> ClipDetails:
        """The clip's details with no more of its place than this user may see; `withheld` says what is left out."""
        if self.precise:
            return details
        return replace(
            details,
            clip=self.clip(details.clip),
            track=None,
            remarks=tuple(map(_unquoted, details.remarks)),
            assets=self.assets(details.assets),
            statistics=tuple(row for row in details.statistics if not self.is_position(row.signal)),
            label_documents=self.labels(details.label_documents, details.clip),
            notes=self.notes(details.notes, details.clip),
        )

    def withheld(self, details: ClipDetails, shown: ClipDetails) -> list[str]:
        """What of a clip's details is not among those that are `shown`, by the names that it has there."""
        if self.precise:
            return []
        return [
            *(["track"] if details.track else []),
            *self.files_withheld((asset.name, asset.media_type) for asset in details.assets),
            *(f"statistics/{row.signal}" for row in details.statistics if row not in shown.statistics),
            *(f"label_documents/{row.id}" for row in missing(details.label_documents, shown.label_documents)),
            *(f"notes/{row.id}" for row in missing(details.notes, shown.notes)),
        ]

    def is_position(self, signal: str) -> bool:
        """Whether a signal is a position."""
        return is_position(signal, self.declared)


EVERYTHING = Sight(precise=True)
"""What the system itself sees."""


def sight_of(user: User, roles: Collection[str], known: PositionSignals, connection: Connection) -> Sight:
    """What a user sees when these roles have the permission; an administrator has it, too."""
    if user.is_admin or not user.roles.isdisjoint(roles):
        return EVERYTHING
    return Sight(precise=False, declared=known.declared(connection))


def missing(all_of: Sequence[_Row], shown: Sequence[_Row]) -> list[_Row]:
    """Those of all rows that are not shown, by their ids."""
    ids = {row.id for row in shown}
    return [row for row in all_of if row.id not in ids]


def _unquoted(remark: Remark) -> Remark:
    return replace(remark, message=_QUOTED.sub("", remark.message))
