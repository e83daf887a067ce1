"""Use cases for saved searches: keep, replace, list, show and forget them. Each is one transaction."""

from __future__ import annotations

from urllib.parse import urlencode

from fleet_api.services import Services
from storage import audit
from storage.datasets import searches
from storage.datasets.searches import SavedSearch
from triggers.contracts.api.datasets.searches import (
    SavedSearchList,
    SavedSearchView,
    SaveSearchRequest,
    SearchDeletedView,
)
from triggers.contracts.users import Role, User
from triggers.errors import Conflict, Forbidden


def save(services: Services, user: User, request: SaveSearchRequest) -> SavedSearchView:
    """Keep a search under a name. InvalidInput for a filter that cannot be used; Conflict when the name stands for
    another search and this is not to replace it; Forbidden when that is another user's."""
    user.require(Role.VIEWER)
    searches.check(request.filter, request.sortby)
    given = {"filter_source": request.filter, "sortby": request.sortby}
    with services.database.begin() as connection:
        is_new = searches.add(connection, request.name, user=user, **given)
        before = searches.find(connection, request.name, lock=True)
        is_same = (before.filter, before.sortby) == (request.filter, request.sortby)
        if not is_new and not is_same:
            if not request.replace:
                raise Conflict(
                    f"{request.name} is another search already, saved by {before.saved_by}",
                    remedy="choose another name, or replace it: `--replace`",
                )
            _require_own(user, before)
            searches.replace(connection, request.name, user=user, **given)
        saved = searches.find(connection, request.name)
        if is_new or not is_same:
            told = {"filter": request.filter, "sortby": request.sortby}
            audit.record(connection, user, "search.save", "search", request.name, after=told)
    return _view(saved)


def list_searches(services: Services, user: User, *, after: str, limit: int) -> SavedSearchList:
    """Searches whose name sorts after `after`, by name; at most `limit`."""
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        found = searches.list_searches(connection, after=after, limit=limit)
    return SavedSearchList(
        searches=[_view(each) for each in found], next=found[-1].name if len(found) == limit else None
    )


def show(services: Services, user: User, name: str) -> SavedSearchView:
    """The search of this name, or NotFound."""
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        return _view(searches.find(connection, name))


def forget(services: Services, user: User, name: str) -> SearchDeletedView:
    """Forget a search, which its owner and operators may; or NotFound."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        before = searches.find(connection, name, lock=True)
        _require_own(user, before)
        searches.remove(connection, name)
        told = {"filter": before.filter, "sortby": before.sortby}
        audit.record(connection, user, "search.delete", "search", name, before=told)
    return SearchDeletedView(name=name)


def _require_own(user: User, search: SavedSearch) -> None:
    if not user.owns(search.saved_by_id):
        raise Forbidden(
            f"{search.name} is a search of {search.saved_by}",
            remedy="ask its owner or an operator, or save yours under another name",
        )


def _view(search: SavedSearch) -> SavedSearchView:
    query = urlencode({"filter": search.filter, "filter-lang": "cql2-text", "sortby": search.sortby})
    return SavedSearchView(
        name=search.name,
        filter=search.filter,
        sortby=search.sortby,
        href=f"/v1/clips?{query}",
        saved_by=search.saved_by,
        saved_at=search.saved_at,
    )
