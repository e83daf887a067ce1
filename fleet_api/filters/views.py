"""The API's views of the functions of filters."""

from __future__ import annotations

from storage.clips.cql2.standard import Function
from triggers.contracts.api.clips import ArgumentView, FunctionView


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
