"""Giving up root: a process that root has started becomes its own user, for good, once its socket is bound."""

from __future__ import annotations

import logging
import os
import signal

from fleet_api.deployment.users.ownership import let_pass, prepare, take_back
from fleet_api.deployment.users.process_users import obstacle, user_of
from storage.settings import Settings
from triggers.processes.death_signal import signal_on_parents_death
from triggers.processes.jail.privileges import become, drop_bounding_set, drop_capabilities, hide_memory

_log = logging.getLogger(__name__)
_SHARES_WITH_GROUP = 0o027


def drop_root(settings: Settings, process: str, *, supervised: bool = False) -> bool:
    """Become the process's user, without any capability; False where it stays who it is, which the log says of root."""
    user = user_of(settings, process)
    if user is None:
        _stay(settings, process)
        return False
    let_pass(settings)
    if why := obstacle(user, settings):
        _log.warning("%s runs as root: %s", process, why)
        _stay(settings, process)
        return False
    prepare(settings, user)
    drop_bounding_set()
    become(user.account, user.groups)
    drop_capabilities()
    hide_memory()
    if supervised:
        signal_on_parents_death(signal.SIGTERM)  # the kernel has cleared it with the change
    _share(process)
    _log.info("%s runs as user %d", process, user.account.uid)
    return True


def _stay(settings: Settings, process: str) -> None:
    """Root goes on as this process; the API may still be another user."""
    if os.geteuid() == 0 and process == "ingest":
        take_back(settings)
        if user_of(settings, "ingest") is None and user_of(settings, "api") is not None:
            _share(process)


def _share(process: str) -> None:
    """The API may be another user, and reads the objects that ingest writes; its other folders let nobody in."""
    if process == "ingest":
        os.umask(_SHARES_WITH_GROUP)
