"""Saved searches in the API: a filter and an order under a name, with the link that runs them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from triggers.contracts.api.base import View
from triggers.contracts.api.clips import DEFAULT_SORT, MAX_FILTER_CHARACTERS
from triggers.contracts.api.datasets.versions import DatasetName
from triggers.contracts.base import Contract


class SaveSearchRequest(Contract):
    """A search to keep under a name. `replace` is needed to change one that has this name already."""

    name: DatasetName
    filter: Annotated[str, Field(min_length=1, max_length=MAX_FILTER_CHARACTERS)]
    sortby: Annotated[str, Field(min_length=1, max_length=300)] = DEFAULT_SORT
    replace: bool = False


class SavedSearchView(View):
    """A saved search. `href` leads to its first page, relative to the API's address."""

    name: str
    filter: str
    sortby: str
    href: str
    saved_by: str
    saved_at: datetime


class SavedSearchList(BaseModel):
    """Saved searches by name. `next` continues the list as `after`; null on the last page."""

    searches: list[SavedSearchView]
    next: str | None = None


class SearchDeletedView(BaseModel):
    """The name of a saved search that is no longer kept."""

    name: str
