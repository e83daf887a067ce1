"""What a trigger text may name: words of the language, units, and what a signal catalog declares."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from triggers.contracts.api.base import View
from triggers.contracts.api.campaigns import CatalogRequest


class VocabularyRequest(CatalogRequest):
    """The signal catalog that a text is to be compiled against."""


class WordView(View):
    """A word of the language: where it stands, the forms in which it is written, and what it means."""

    text: str
    kind: Literal["block", "trigger clause", "capture clause", "campaign clause", "operator", "function"]
    forms: list[str]
    summary: str


class SignalView(BaseModel):
    """A signal that a catalog declares. `rate` in Hz; `values` are the texts that a text signal may have."""

    name: str
    type: Literal["number", "bool", "text"]
    unit: str
    rate: float | None
    values: list[str]
    describe: str


class ObjectFieldView(BaseModel):
    """A field of the objects of a list; the type `id` is that of the key, which tells them apart."""

    name: str
    type: Literal["id", "number", "bool", "text"]
    unit: str
    values: list[str]
    describe: str


class ObjectListView(BaseModel):
    """A list of objects that a catalog declares. `rate` in Hz; a program keeps `max` objects apart."""

    name: str
    max: int
    rate: float | None
    fields: list[ObjectFieldView]
    describe: str


class VocabularyView(BaseModel):
    """What a text that is compiled against a signal catalog may name.

    `heads` are the names for `compare`, `disagree` and `divergence`; `attributes` are those of vehicles, with their
    types. `units` have a symbol of their own; products, quotients and powers of them are units, too.
    """

    digest: Annotated[str, Field(description="SHA-256 of the catalog's text.")]
    words: list[WordView]
    units: list[str]
    signals: list[SignalView]
    objects: list[ObjectListView]
    heads: list[str]
    attributes: dict[str, str]
    cameras: list[str]
