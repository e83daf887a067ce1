"""The resources of the server: the schema of the language in parts, examples, and the signal catalog."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fleet_api.agents.compiling import catalog
from fleet_api.agents.protocol.messages import INVALID_PARAMS, ProtocolError, unknown
from fleet_api.agents.workspace import Workspace
from triggers.errors import LongtailError
from triggers.schema.catalog import catalog_lines, other_lines
from triggers.schema.documents import json_schemas
from triggers.schema.material import Example, example_signals, examples
from triggers.schema.text import PARTS, text_for_models

MAX_CHARACTERS = 2 * 1024**2
"""Of a resource; only a signal catalog can have more, and the tool `signals` finds what is in it."""
_MARKDOWN, _YAML, _TEXT, _JSON = "text/markdown", "application/yaml", "text/plain", "application/json"
_PARTS = tuple(name for name in PARTS if name != "catalog")


@dataclass(frozen=True, slots=True)
class Resource:
    """A text that can be read under its URI."""

    uri: str
    name: str
    description: str
    media_type: str
    read: Callable[[Workspace], str]

    def listed(self) -> dict[str, Any]:
        """The resource as a list of resources has it."""
        return {"uri": self.uri, "name": self.name, "description": self.description, "mimeType": self.media_type}


def resources(workspace: Workspace) -> dict[str, Resource]:
    """All resources by their URI."""
    found = [
        Resource(
            "longtail://schema",
            "The trigger language",
            "All that is needed to write trigger files: rules, words, units, grammar, diagnostics, examples.",
            _MARKDOWN,
            lambda _: text_for_models(None, _PARTS),
        ),
        *(_part(name) for name in _PARTS),
        *(_example(each) for each in examples()),
        Resource(
            "longtail://examples/signals.yaml",
            "Signal catalog of the examples",
            "The catalog that the examples compile against.",
            _YAML,
            lambda _: example_signals(),
        ),
        Resource(
            "longtail://json-schemas",
            "JSON Schemas",
            "Of a signal catalog, the settings of a campaign, and the report of a backtest.",
            _JSON,
            lambda _: json.dumps(json_schemas()),
        ),
    ]
    if workspace.signals is not None:
        found += [
            Resource(
                "longtail://signals",
                "The signal catalog in words",
                "The server's signal catalog: a line per signal; heads, cameras, attributes of vehicles, limits.",
                _TEXT,
                _catalog_in_words,
            ),
            Resource(
                "longtail://signals.yaml",
                "The signal catalog",
                "The server's signal catalog as it is written.",
                _YAML,
                lambda given: given.catalog_text(None, None),
            ),
        ]
    return {each.uri: each for each in found}


def contents(workspace: Workspace, uri: str) -> dict[str, Any]:
    """What a resource contains; ProtocolError for one that is not there, or cannot be read."""
    resource = resources(workspace).get(uri)
    if resource is None:
        raise unknown("resource", uri)
    try:
        text = resource.read(workspace)
    except LongtailError as error:
        raise ProtocolError(INVALID_PARAMS, str(error)) from error
    if len(text) > MAX_CHARACTERS:
        raise ProtocolError(
            INVALID_PARAMS, f"{uri} is too large to be read at once; the tool `signals` finds its parts"
        )
    return {"contents": [{"uri": uri, "mimeType": resource.media_type, "text": text}]}


def _part(name: str) -> Resource:
    title, _ = PARTS[name]
    description = f"A part of the schema of the language: {name}."
    return Resource(f"longtail://schema/{name}", title, description, _MARKDOWN, lambda _: text_for_models(None, [name]))


def _example(example: Example) -> Resource:
    uri = f"longtail://examples/{example.name}.trigger"
    return Resource(uri, f"Example {example.name}", example.about, _TEXT, lambda _: example.text)


def _catalog_in_words(workspace: Workspace) -> str:
    known = catalog(workspace.catalog_text(None, None))
    return "\n".join([*catalog_lines(known), "", *other_lines(known)]) + "\n"
