"""Saved searches: keep a filter and an order under a name, list, show and delete them."""

from __future__ import annotations

from collections.abc import Iterator

from fleet_api.client.transport import Transport, path_of, request_of
from triggers.contracts.api.clips import DEFAULT_SORT
from triggers.contracts.api.datasets.searches import (
    SavedSearchList,
    SavedSearchView,
    SaveSearchRequest,
    SearchDeletedView,
)

PAGE = 100


class Searches:
    """What `client.searches` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def save(
        self, name: str, filter_text: str, *, sortby: str = DEFAULT_SORT, replace: bool = False
    ) -> SavedSearchView:
        """Keep a CQL2 text and an order under a name; `replace` is needed to change a search of this name."""
        request = request_of(SaveSearchRequest, name=name, filter=filter_text, sortby=sortby, replace=replace)
        return self._transport.post(SavedSearchView, path_of("searches"), request)

    def list(self) -> Iterator[SavedSearchView]:
        """All saved searches, by name."""
        return self._transport.pages(
            SavedSearchList, path_of("searches"), lambda page: page.searches, by="after", size=PAGE
        )

    def get(self, name: str) -> SavedSearchView:
        """The search of this name, with its link."""
        return self._transport.get(SavedSearchView, path_of("searches", name))

    def delete(self, name: str) -> SearchDeletedView:
        """Delete a search, which its owner and operators may."""
        return self._transport.delete(SearchDeletedView, path_of("searches", name), {})
