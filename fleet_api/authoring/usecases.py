"""Use cases of authoring: check a text, and list what it may name. They change nothing."""

from __future__ import annotations

from fleet_api.authoring.aside import Asked, check_aside, vocabulary_aside
from fleet_api.services import Services
from fleet_api.signal_catalogs.texts import catalog_text
from triggers.contracts.api.authoring.checks import CheckRequest, CheckView
from triggers.contracts.api.authoring.vocabulary import VocabularyRequest, VocabularyView
from triggers.contracts.users import Role, User


def check(services: Services, user: User, request: CheckRequest) -> CheckView:
    """Every finding about a text, and on request its format and its costs.

    InvalidInput for a signal catalog with mistakes; NotFound and Forbidden as when it is applied; TooMany while
    another check of this user is not over.
    """
    user.require(Role.AUTHOR)
    signals = catalog_text(services, signals=request.signals, catalog=request.catalog)
    asked = Asked(request.source, request.filename, signals, request.formatted, request.explained, request.constants)
    with services.checks.turn(user.name):
        return check_aside(asked)


def vocabulary(services: Services, user: User, request: VocabularyRequest) -> VocabularyView:
    """What a text may name that is compiled against a catalog; errors as in `check`."""
    user.require(Role.VIEWER)
    signals = catalog_text(services, signals=request.signals, catalog=request.catalog)
    with services.checks.turn(user.name):
        return vocabulary_aside(signals)
