"""Use cases for filters: translate one from how people write it, and list what it can name and call."""

from __future__ import annotations

import time

from fleet_api.filters.views import function_view, property_view
from fleet_api.services import Services
from storage.clips.cql2 import parse_filter
from storage.clips.cql2.standard import FUNCTIONS
from storage.clips.cql2.written import translate
from storage.clips.plan import notes_of
from storage.clips.properties import PROPERTIES
from storage.clips.properties.listed import known_properties
from triggers.contracts.api.clips import FilterView, FunctionsView, KnownSignalView, PropertiesView
from triggers.contracts.users import Role, User

MAX_LISTED = 5_000
"""Attributes, and signals, in one answer."""


def translate_filter(services: Services, user: User, source: str) -> FilterView:
    """The CQL2 text that a filter with units and relative times stands for, with what no index answers of it.

    InvalidInput for what is not understood.
    """
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        translated = translate(connection, source, now_ns=time.time_ns())
        notes = notes_of(connection, parse_filter(translated, "cql2-text").tree)
        return FilterView(filter=translated, notes=notes)


def list_properties(services: Services, user: User) -> PropertiesView:
    """What filters may name: the properties of all clips, and the attributes and signals that clips have had."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        known = known_properties(connection, limit=MAX_LISTED)
    return PropertiesView(
        properties=[property_view(described) for described in PROPERTIES],
        attributes=known.attributes,
        signals=[KnownSignalView.model_validate(signal) for signal in known.signals],
        capped=known.capped,
    )


def list_functions(user: User) -> FunctionsView:
    """The functions of filters that CQL2 does not define."""
    user.require(Role.VIEWER)
    return FunctionsView(functions=[function_view(function) for function in FUNCTIONS])
