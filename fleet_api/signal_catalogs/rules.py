"""Rules for signal catalogs, as pure functions: which limits one may set, and whose catalog a campaign may have."""

from __future__ import annotations

from collections.abc import Collection

from triggers.errors import Forbidden, InvalidInput
from triggers.signals.catalog import ProgramLimits


def check_limits(name: str, limits: ProgramLimits, *, state_bytes: int, operations: int) -> None:
    """InvalidInput for a catalog whose `limits` allow a program more than the deployment does."""
    for key, stated, allowed, what, setting in (
        ("operations", limits.operations, operations, "operations per tick", "LONGTAIL_PROGRAM_OPERATIONS"),
        ("state", limits.state, state_bytes, "bytes of state", "LONGTAIL_PROGRAM_STATE_BYTES"),
    ):
        if key in limits.model_fields_set and stated > allowed:  # what it does not say is not asked for
            raise InvalidInput(
                f"signal catalog {name}: `limits` allow a program {stated:,} {what}, and this deployment allows "
                f"{allowed:,}",
                remedy=f"lower `limits.{key}`, or raise {setting} for the API",
            )


def check_may_bring(published: bool, as_names: Collection[str], *, allowed: bool) -> None:
    """Forbidden to apply a text against a catalog of the author's own where operators have published theirs.

    `as_names` are the published versions that have the very text that came.
    """
    if published and not as_names and not allowed:
        raise Forbidden(
            "this deployment has published signal catalogs, and the one that came is none of them",
            remedy="apply against one of `longtail signals list` with `--catalog NAME`; for others, ask an operator to "
            "publish yours, or to set LONGTAIL_AUTHOR_CATALOGS=true for the API",
        )
