"""A tool: its name, what it takes, and its run; and the one place where what goes wrong in one becomes an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from fleet_api.agents.protocol.calls import Call
from fleet_api.agents.protocol.versions import FIRST_WITH_STRUCTURE
from fleet_api.agents.workspace import Workspace
from triggers.contracts.base import Contract
from triggers.errors import DiagnosticsError, LongtailError
from triggers.foreign_text import escaped_lines
from triggers.remedies import first_mistake

MAX_ANSWER_CHARACTERS = 4 * 1024**2
Arguments = TypeVar("Arguments", bound=Contract)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool answers: a text for a model, and the same as data, with more detail."""

    text: str
    data: dict[str, Any] = field(default_factory=dict)
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Tool(Generic[Arguments]):
    """A tool. One that is not `read_only` changes something in the deployment."""

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    run: Callable[[Workspace, Arguments, Call], Answer]
    read_only: bool = True
    asks_deployment: bool = False

    def listed(self) -> dict[str, Any]:
        """The tool as a list of tools has it."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": _without_titles(self.arguments.model_json_schema()),
            "annotations": {
                "readOnlyHint": self.read_only,
                "destructiveHint": False,
                "idempotentHint": True,
                "openWorldHint": self.asks_deployment,
            },
        }

    def called(self, workspace: Workspace, arguments: dict[str, Any], call: Call) -> dict[str, Any]:
        """The result of a call. What goes wrong is a result, too, so that a model can read it and try again."""
        try:
            given = self.arguments.model_validate_json(json.dumps(arguments))
            answer = self.run(workspace, given, call)
        except ValidationError as error:
            place, wrong, remedy = first_mistake(error)
            answer = Answer(f"{place or 'the arguments'}: {wrong}{f'; {remedy}' if remedy else ''}", is_error=True)
        except DiagnosticsError as error:
            answer = Answer(str(error), {"diagnostics": error.diagnostics}, is_error=True)
        except LongtailError as error:
            answer = Answer(str(error), is_error=True)
        return _content(answer, call.version)


def counted(count: int, thing: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def _content(answer: Answer, version: str) -> dict[str, Any]:
    """The content of a result; older versions of the protocol have the data as a second text."""
    data = json.dumps(answer.data, allow_nan=False) if answer.data else ""
    if len(answer.text) + len(data) > MAX_ANSWER_CHARACTERS:
        too_long = Answer("the answer is too long; ask for less: fewer drives or clips, a shorter file", is_error=True)
        return _content(too_long, version)
    content = [{"type": "text", "text": escaped_lines(answer.text)}]
    if data and version < FIRST_WITH_STRUCTURE:
        content.append({"type": "text", "text": data})
    structured = {"structuredContent": answer.data} if data and version >= FIRST_WITH_STRUCTURE else {}
    return {"content": content, **structured, "isError": answer.is_error}


def _without_titles(schema: Any) -> Any:
    """A schema without the titles that only repeat names."""
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _without_titles(each) for name, each in value.items()}
        if key == "properties"
        else _without_titles(value)
        for key, value in schema.items()
        if key != "title" or not isinstance(value, str)
    }
