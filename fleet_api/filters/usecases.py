"""Use cases for filters: translate one from how people write it, and list the functions that it can call."""

from __future__ import annotations

import time

from fleet_api.filters.views import function_view
from fleet_api.services import Services
from storage.clips.cql2 import parse_filter
from storage.clips.cql2.standard import FUNCTIONS
from storage.clips.cql2.written import translate
from storage.clips.plan import notes_of
from triggers.contracts.api.clips import FilterView, FunctionsView
from triggers.contracts.users import Role, User


def translate_filter(services: Services, user: User, source: str) -> FilterView:
    """The CQL2 text that a filter with units and relative times stands for, with what no index answers of it.

    InvalidInput for what is not understood.
    """
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        translated = translate(connection, source, now_ns=time.time_ns())
        notes = notes_of(connection, parse_filter(translated, "cql2-text").tree)
        return FilterView(filter=translated, notes=notes)


def list_functions(user: User) -> FunctionsView:
    """The functions of filters that CQL2 does not define."""
    user.require(Role.VIEWER)
    return FunctionsView(functions=[function_view(function) for function in FUNCTIONS])
