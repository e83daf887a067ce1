"""Rules for label jobs, as pure functions: who may change a job, and what counts as OpenLABEL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from triggers.contracts.users import User
from triggers.errors import Forbidden, InvalidInput

MAX_TYPES = 1000
MAX_TYPE_CHARACTERS = 200
_VERSION = re.compile(r"\d{1,3}\.\d{1,3}\.\d{1,3}")
_TYPED = ("objects", "actions", "events", "contexts", "relations", "tags")
"""The parts of an OpenLABEL document whose members have a `type` (ASAM OpenLABEL 1.0.0, section 7)."""


def check_holder(job_id: int, *, claimed_by: str, user: User) -> None:
    """Forbidden unless the user claimed the job, or is an administrator, who may act for any user."""
    if claimed_by != user.name and not user.is_admin:
        raise Forbidden(f"job {job_id} was claimed by {claimed_by}, not by {user.name}", remedy="claim a job yourself")


def label_types(document: Mapping[str, Any]) -> list[str]:
    """The types that an OpenLABEL document names, sorted; InvalidInput when it is not an OpenLABEL document.

    The root (`openlabel`), `metadata.schema_version`, and the shape of the parts that contain types are checked.
    """
    root = document.get("openlabel")
    if set(document) != {"openlabel"} or not isinstance(root, dict):
        raise InvalidInput("labels must be one OpenLABEL document", remedy='send {"openlabel": {"metadata": ...}}')
    metadata = root.get("metadata")
    version = metadata.get("schema_version") if isinstance(metadata, dict) else None
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise InvalidInput(
            "the labels name no OpenLABEL schema version", remedy='set openlabel.metadata.schema_version to "1.0.0"'
        )
    types = {kind for part in _TYPED for kind in _types_in(part, root.get(part, {}))}
    if len(types) > MAX_TYPES or any(len(kind) > MAX_TYPE_CHARACTERS for kind in types):
        raise InvalidInput(f"labels may name {MAX_TYPES} types of {MAX_TYPE_CHARACTERS} characters at most")
    return sorted(types)


def _types_in(part: str, members: object) -> set[str]:
    if not isinstance(members, dict) or not all(isinstance(member, dict) for member in members.values()):
        raise InvalidInput(f"openlabel.{part} must map ids to objects")
    return {kind for member in members.values() if isinstance(kind := member.get("type"), str) and kind}
