"""The API's views of what filters can name and call."""

from __future__ import annotations

from storage.clips.cql2.standard import Function
from storage.clips.properties import Property
from triggers.contracts.api.clips import ArgumentView, FunctionView, PropertyView


def property_view(described: Property) -> PropertyView:
    """A property in the list of them."""
    return PropertyView(
        name=described.name,
        kind=described.kind,
        title=described.title,
        description=described.description,
        unit=described.unit,
        sorts=described.sort is not None,
        values=list(described.values),
    )


def function_view(function: Function) -> FunctionView:
    """A function in the list of them."""
    return FunctionView(
        name=function.name,
        description=function.description,
        args=[
            ArgumentView(title=argument.title, description=argument.description, type=[argument.type])
            for argument in function.arguments
        ],
        returns=[function.returns],
    )
