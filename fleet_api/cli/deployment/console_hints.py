"""How to get into the console, as `longtail up` and `longtail demo` tell it: commands that can be pasted."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path


def how_to_sign_in(data_dir: Path | None) -> str:
    """The command that issues a token for the deployment in `data_dir` (None: where it is by default)."""
    from fleet_api.client.data_dir import data_dir_of_environment

    is_default = data_dir is None or data_dir.absolute() == data_dir_of_environment().absolute()
    data = [] if is_default else ["--data", str(data_dir)]
    return shlex.join([command_name(), "token", "issue", "ada", "--role", "viewer", *data])


def how_to_serve(data_dir: Path) -> str:
    """The command that serves the deployment in `data_dir`."""
    return shlex.join([command_name(), "up", "--data", str(data_dir)])


def command_name() -> str:
    """`longtail`, or its path where a shell would not find this one: `.venv/bin/longtail` in a clone."""
    own = Path(sys.executable).with_name("longtail")
    found = shutil.which("longtail")
    if not own.is_file() or (found is not None and own.samefile(found)):
        return "longtail"
    here = Path.cwd()
    return str(own.relative_to(here) if own.is_relative_to(here) else own)
