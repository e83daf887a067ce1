"""Isolation: whether extractors on this machine can be confined, and which parts of the jail the system lacks."""

from __future__ import annotations

from collections.abc import Iterator

from fleet_api.deployment.doctor.findings import Finding, fail, ok, warn
from ingest.extraction.sandbox.isolation import extraction_user
from storage.settings import Settings
from triggers.processes.jail import landlock, parts
from triggers.processes.jail.isolation import Isolation


def check(settings: Settings) -> Iterator[Finding]:
    """Each part that is missing, a failure if it is required; as seen by who runs the doctor, on this machine."""
    if not settings.extraction_workers:
        yield ok("isolation", "no clip is extracted by this configuration")
        return
    user = extraction_user(settings)
    lacks = parts.lacking()
    if not lacks:
        become = "" if user is None else f", as user {user.uid}"
        message = f"extractors run without privileges{become}, behind Landlock {landlock.version()} and seccomp"
        yield ok("isolation", message)
    required = settings.extraction_isolation is Isolation.REQUIRE
    for lack in lacks:
        finding = fail if required else warn
        effect = "clips are not extracted" if required else "nothing stops a clip that takes over its extractor"
        yield finding(f"isolation: {lack.part}", f"{effect}: {lack}", lack.remedy)
