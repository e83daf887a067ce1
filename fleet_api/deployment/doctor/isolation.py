"""Isolation: which users the processes are, and whether extractors can be confined or the system lacks parts of it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from fleet_api.deployment.doctor.findings import Finding, fail, ok, warn
from fleet_api.deployment.users.process_users import PROCESSES, obstacle, users_of
from ingest.extraction.sandbox.isolation import extraction_user
from storage.settings import Settings
from triggers.processes.jail import landlock, parts
from triggers.processes.jail.isolation import Isolation


def check_users(settings: Settings) -> Iterator[Finding]:
    """Whether root's processes become users of their own, and what is in the way; as seen by who runs the doctor."""
    if os.geteuid() != 0:
        message = (
            f"all processes of user {os.geteuid()} can reach each other's files; root would give each its own user"
        )
        yield ok("users", message)
        return
    users = users_of(settings)
    stuck = {user.process: why for user in users if (why := obstacle(user, settings))}
    become = [f"{user.process} {user.account.uid}" for user in users if user.process not in stuck]
    stay = sorted(set(PROCESSES) - {user.process for user in users})
    said = [f"when root starts them, processes become users: {', '.join(become)}"] if become else []
    said += [f"root by their settings: {', '.join(stay)}"] if stay else []
    if said:
        yield ok("users", "; ".join(said))
    if stuck:
        yield warn(
            "users: root",
            f"root, although they should not be: {', '.join(stuck)}: {next(iter(stuck.values()))}",
            "install Longtail and its Python where every user can read them (not below root's home), let users pass "
            "through the folders above the data directory, or run longtail as an ordinary user",
        )


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
