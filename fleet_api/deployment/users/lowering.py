"""Giving up root: a process that root has started becomes its own user, for good, once its socket is bound."""

from __future__ import annotations

import logging
import os
import signal

from fleet_api.deployment.users.ownership import let_pass, prepare
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
        return False
    let_pass(settings)
    if why := obstacle(user, settings):
        _log.warning("%s runs as root: %s", process, why)
        return False
    prepare(settings, user)
    drop_bounding_set()
    become(user.account, user.groups)
    drop_capabilities()
    hide_memory()
    if supervised:
        signal_on_parents_death(signal.SIGTERM)  # the kernel has cleared it with the change
    if process == "ingest":
        os.umask(_SHARES_WITH_GROUP)  # the API reads its objects; its other folders let nobody in
    _log.info("%s runs as user %d", process, user.account.uid)
    return True
