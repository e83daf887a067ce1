"""Dataclasses and rows: each field is read from the column of its name, and written to it."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pytest
from pydantic import BaseModel
from sqlalchemy import Column, Integer, MetaData, Table

from storage.clips.records import CLIP_COLUMNS, Clip
from storage.rows import columns_of, values_of

_metadata = MetaData()
BOXES = Table("boxes", _metadata, Column("width", Integer), Column("height", Integer), Column("id", Integer))
LIDS = Table("lids", _metadata, Column("color", Integer), Column("height", Integer))


@dataclass
class Box:
    """A box with a lid."""

    height: int
    color: int
    width: int


class Lid(BaseModel):
    """A lid, with something that no column holds."""

    color: int
    weight: int = 3


def test_columns_stand_in_the_order_of_the_fields_and_come_from_the_first_table_that_has_them() -> None:
    assert columns_of(Box, BOXES, LIDS) == (BOXES.c.height, LIDS.c.color, BOXES.c.width)
    assert columns_of(Box, BOXES, without=("color",)) == (BOXES.c.height, BOXES.c.width)


def test_a_field_without_a_column_is_found_when_the_columns_are_looked_up() -> None:
    with pytest.raises(KeyError, match="color in boxes"):
        columns_of(Box, BOXES)


def test_values_are_those_that_the_table_has_a_column_for() -> None:
    assert values_of(Box(height=1, color=2, width=3), BOXES) == {"height": 1, "width": 3}
    assert values_of(Lid(color=2), LIDS) == {"color": 2}


def test_what_a_clip_reads_elsewhere_are_its_last_fields() -> None:
    names = [field.name for field in fields(Clip)]
    assert [column.name for column in CLIP_COLUMNS] + ["fires", "labels"] == names
