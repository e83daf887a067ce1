"""Use cases for filters: translate one from how people write it, and list the functions that it can call."""

from __future__ import annotations

import time

from fleet_api.filters.views import function_view
from fleet_api.services import Services
from storage.clips.cql2.standard import FUNCTIONS
from storage.clips.cql2.written import translate
from triggers.contracts.api.clips import FilterView, FunctionsView
from triggers.contracts.users import Role, User


def translate_filter(services: Services, user: User, source: str) -> FilterView:
    """The CQL2 text that a filter with units and relative times stands for; InvalidInput for what is not understood."""
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        return FilterView(filter=translate(connection, source, now_ns=time.time_ns()))


def list_functions(user: User) -> FunctionsView:
    """The functions of filters that CQL2 does not define."""
    user.require(Role.VIEWER)
    return FunctionsView(functions=[function_view(function) for function in FUNCTIONS])
