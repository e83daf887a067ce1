"""Use cases for counts of clips: how many a filter finds, and how they are spread over properties."""

from __future__ import annotations

from fleet_api.facets.views import count_view, facets_view
from fleet_api.services import Services
from storage.clips import facets
from storage.clips.cql2 import Filter, Language, parse_filter
from triggers.contracts.api.facets.answers import CountView, FacetsView
from triggers.contracts.users import Role, User


def count_clips(services: Services, user: User, *, filter_source: str | None, language: Language) -> CountView:
    """How many clips a filter finds; InvalidInput for one that cannot be used, Forbidden for one that tells of a place.

    Overloaded when it takes too long; TooMany while another search of this user runs.
    """
    user.require(Role.VIEWER)
    query = _filter(filter_source, language)
    with services.searches.turn(user.name), services.database.snapshot() as connection:
        return count_view(facets.count(connection, services.sight_of(user, connection).filter(query)))


def facets_of_clips(
    services: Services, user: User, *, filter_source: str | None, language: Language, by: str | None
) -> FacetsView:
    """How the clips of a filter are spread over properties; without `by` over those of DEFAULT_BY that the user sees.

    Errors as in `count_clips`.
    """
    user.require(Role.VIEWER)
    query, asked = _filter(filter_source, language), facets.parse_by(facets.DEFAULT_BY if by is None else by)
    with services.searches.turn(user.name), services.database.snapshot() as connection:
        sight = services.sight_of(user, connection)
        if by is None:
            asked = [each for each in asked if sight.may_ask_for(each.about)]
        sight.require_harmless(each.about for each in asked)
        return facets_view(facets.facets(connection, sight.filter(query), asked))


def _filter(source: str | None, language: Language) -> Filter | None:
    return None if source is None else parse_filter(source, language)
