"""Rules for label jobs, as pure functions: who may change a job, and what counts as OpenLABEL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet_api.labels import openlabel
from triggers.contracts.users import User
from triggers.errors import Forbidden, InvalidInput

MAX_TYPES = 1000
MAX_TYPE_CHARACTERS = 200
_TYPED = ("objects", "actions", "events", "contexts", "relations", "tags")
"""The parts of an OpenLABEL document whose members have a `type` (ASAM OpenLABEL 1.0.0, section 7)."""


def check_holder(job_id: int, *, claimed_by: str, user: User) -> None:
    """Forbidden unless the user claimed the job, or is an administrator, who may act for any user."""
    if claimed_by != user.name and not user.is_admin:
        raise Forbidden(f"job {job_id} was claimed by {claimed_by}, not by {user.name}", remedy="claim a job yourself")


def label_types(document: Mapping[str, Any]) -> list[str]:
    """The types that an OpenLABEL document names, sorted; InvalidInput when it is not a valid OpenLABEL document."""
    openlabel.check(document)
    root = document["openlabel"]
    types = {member["type"] for part in _TYPED for member in root.get(part, {}).values() if member["type"]}
    if len(types) > MAX_TYPES or any(len(kind) > MAX_TYPE_CHARACTERS for kind in types):
        raise InvalidInput(f"labels may name {MAX_TYPES} types of {MAX_TYPE_CHARACTERS} characters at most")
    return sorted(types)
