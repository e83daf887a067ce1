"""Whether clips can be extracted in isolation on this system, and whether to go on where they cannot."""

from __future__ import annotations

import os
from collections.abc import Sequence

from storage.settings import Settings
from triggers.errors import Misconfigured
from triggers.processes.jail import parts
from triggers.processes.jail.isolation import Isolation
from triggers.processes.jail.parts import Lack
from triggers.processes.jail.privileges import Account, account

_OR_ACCEPT = "or, if you trust every vehicle, set LONGTAIL_EXTRACTION_ISOLATION=best_effort"


def extraction_user(settings: Settings) -> Account | None:
    """Whom extracting children become: the configured user if this process is root, else nobody else.

    Misconfigured if that is no unprivileged user.
    """
    return account(settings.extraction_user) if os.geteuid() == 0 else None


def require_isolation(settings: Settings) -> list[Lack]:
    """What is missing, if that is accepted; Misconfigured if it is not. Nothing is where no clip is extracted."""
    if not settings.extraction_workers:
        return []
    extraction_user(settings)
    lacks = parts.lacking()
    if lacks and settings.extraction_isolation is Isolation.REQUIRE:
        raise not_isolated(lacks)
    return lacks


def not_isolated(lacks: Sequence[Lack]) -> Misconfigured:
    """The error that names everything that is missing."""
    what = "; ".join(map(str, lacks))
    remedy = "; ".join([*dict.fromkeys(lack.remedy for lack in lacks), _OR_ACCEPT])
    return Misconfigured(f"an extractor that a hostile clip takes over cannot be contained: {what}", remedy=remedy)
