"""Arguments that several tools take: a trigger file, the signal catalog that it is compiled against, and its params."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fleet_api.agents.compiling import Asked
from fleet_api.agents.workspace import TRIGGER_SUFFIXES, Workspace
from triggers.contracts.base import Contract
from triggers.contracts.limits import MAX_CATALOG_BYTES, MAX_SOURCE_BYTES
from triggers.errors import InvalidInput

MAX_PATH_CHARACTERS = 1000
Path = Annotated[str, Field(min_length=1, max_length=MAX_PATH_CHARACTERS)]


class CatalogArguments(Contract):
    """A signal catalog; without one, that of the server."""

    signals: Annotated[
        str | None,
        Field(max_length=MAX_CATALOG_BYTES, description="Text of a signal catalog (YAML). Default: the server's own."),
    ] = None
    signals_path: Annotated[
        Path | None, Field(description="Instead: path of a catalog's .yaml file below the server's folders.")
    ] = None

    def catalog_text(self, workspace: Workspace) -> str:
        """The YAML of the catalog that is meant."""
        return workspace.catalog_text(self.signals, self.signals_path)


class FileArguments(Contract):
    """A trigger file, as its text or by its path."""

    text: Annotated[
        str | None, Field(max_length=MAX_SOURCE_BYTES, description="Text of a trigger file. Give this or `path`.")
    ] = None
    path: Annotated[
        Path | None,
        Field(description="Path of a .trigger file below the server's folders; what it imports is read, too."),
    ] = None

    def file(self, workspace: Workspace) -> tuple[str, str]:
        """The folder and the path in it; empty for a text. InvalidInput unless there is exactly one of both."""
        if (self.text is None) == (self.path is None):
            raise InvalidInput("give either `text`, the text of a trigger file, or `path`")
        if self.path is None:
            return "", ""
        root, path = workspace.file(self.path, TRIGGER_SUFFIXES)
        return str(root), str(path)


class ProgramArguments(FileArguments, CatalogArguments):
    """A trigger file with what it takes to compile it."""

    params: Annotated[
        dict[Annotated[str, Field(max_length=200)], Annotated[str, Field(max_length=1000)]],
        Field(max_length=1000, description='Other values for params of the file, such as {"hold": "500 ms"}.'),
    ] = {}

    def asked(self, workspace: Workspace) -> Asked:
        """What is to be compiled."""
        folder, path = self.file(workspace)
        values = tuple(f"{name}={value}" for name, value in self.params.items())
        return Asked(self.text, folder, path, self.catalog_text(workspace), values)
