#!/usr/bin/env python3
"""Creates `.venv` from the lock file, on a machine that has Python 3.11 or newer and nothing else.

Called by the Makefile: `python3 tools/setup_env.py [--no-dev | --bench]`; `--bench` adds the libraries that the
benchmarks compare with. It uses an installed uv, else a pinned version in its own environment. It needs only the
standard library, does nothing if nothing has changed, and may run twice at once. The file is valid Python 3.6, so that
an old Python can say what is missing.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OLDEST_UV = (0, 13)  # which reads the lock file's format, and holds build requirements to their hashes
UV_PIN = "tools/uv.txt"  # the one that is installed where there is none, with the SHA-256 of its files
OLDEST_PYTHON = (3, 11)
STAMP = "longtail-environment"
EXIT_MISSING = 2
RUNNING, DEVELOPMENT, MEASURING = PURPOSES = ("running", "development", "measuring")  # each holds those before it
_REEXECUTED = "LONGTAIL_SETUP_PYTHON_FOUND"


class Missing(Exception):
    """Something this machine lacks; the message names it and the command that installs it."""


def main(argv: "list[str]") -> int:
    root = Path(__file__).resolve().parent.parent
    try:
        require_python(sys.version_info[:2], argv)
        return set_up(root, purpose_of(argv))
    except Missing as missing:
        sys.stderr.write(f"{missing}\n")
        return EXIT_MISSING


def purpose_of(argv: "list[str]") -> str:
    """What the environment is for, from the command line."""
    if "--bench" in argv:
        return MEASURING
    return RUNNING if "--no-dev" in argv else DEVELOPMENT


# Python ------------------------------------------------------------------------------------------------------


def require_python(version: "tuple[int, int]", argv: "list[str]") -> None:
    """Return if `version` is new enough, else start again under a newer Python from PATH, else raise Missing."""
    if version >= OLDEST_PYTHON:
        return
    newer = newest_python(os.environ.get("PATH", ""))
    if newer is None or os.environ.get(_REEXECUTED):
        raise Missing(old_python_message(version))
    os.environ[_REEXECUTED] = newer
    os.execv(newer, [newer, __file__, *argv])


def newest_python(path: str) -> "str | None":
    """The newest `python3.N` on `path` that is new enough and runs, else None."""
    found = []
    for folder in path.split(os.pathsep):
        for candidate in Path(folder or ".").glob("python3.*"):
            minor = candidate.name[len("python3.") :]
            if minor.isdigit() and (3, int(minor)) >= OLDEST_PYTHON and runs(str(candidate)):
                found.append((int(minor), str(candidate)))
    return max(found, key=lambda each: each[0])[1] if found else None


def runs(python: str) -> bool:
    """Whether it starts at all: version managers leave names on PATH that only print an error."""
    try:
        check = run([python, "-c", "import ssl"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    return check.returncode == 0


def old_python_message(version: "tuple[int, int]") -> str:
    oldest, here = ("{}.{}".format(*each) for each in (OLDEST_PYTHON, version))
    return (
        f"Longtail needs Python {oldest} or newer; python3 is {here} here, and there is no newer one on PATH. "
        f"Install it:\n{install_lines('python3')}\n"
        "or, if that is too old as well:\n"
        "    curl -LsSf https://astral.sh/uv/install.sh | sh && ~/.local/bin/uv python install 3.12"
    )


def install_lines(what: str) -> str:
    """How to install `what` ('python3' or 'venv') with this machine's package manager."""
    minor = "{}.{}".format(*sys.version_info[:2])
    lines = {
        "apt-get": {"python3": "apt-get install python3 python3-venv", "venv": f"apt-get install python{minor}-venv"},
        "dnf": {"python3": "dnf install python3.12", "venv": f"dnf install python{minor}"},
        "apk": {"python3": "apk add python3", "venv": "apk add python3 py3-pip"},
        "brew": {"python3": "brew install python@3.12", "venv": f"brew reinstall python@{minor}"},
    }
    known = [manager for manager in sorted(lines) if shutil.which(manager)] or sorted(lines)
    sudo = "sudo " if hasattr(os, "geteuid") and os.geteuid() != 0 else ""
    return "\n".join(f"    {'' if manager == 'brew' else sudo}{lines[manager][what]}" for manager in known)


# The environment ---------------------------------------------------------------------------------------------


def set_up(root: Path, purpose: str) -> int:
    """Bring `.venv` in line with uv.lock; returns the exit status. A second process waits, then finds it done."""
    with locked(root / ".venv.lock"):
        if is_current(root, purpose):
            return 0
        say(f"creating {root / '.venv'} for {purpose}")
        remove_if_moved(root)
        uv = find_uv() or install_uv(root)
        status = sync(uv, root, purpose)
        if status == 0:
            write_stamp(root, purpose)
        return status


@contextmanager
def locked(path: Path) -> "Iterator[None]":
    """Hold an exclusive lock among processes; the kernel frees it when the holder is gone, however it died."""
    try:
        lock = path.open("a")
    except OSError as error:
        raise Missing(
            f"{path.parent} is not writable ({error.strerror}), but the environment is created in it. "
            "Work in your own copy:\n    git clone PATH-OR-URL longtail && cd longtail"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up in this folder")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fingerprint(root: Path) -> str:
    """A digest of what the environment is made from: the lock file, the project's metadata, and this script."""
    digest = hashlib.sha256()
    for name in ("uv.lock", "pyproject.toml", "tools/setup_env.py", UV_PIN):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def is_current(root: Path, purpose: str) -> bool:
    """Whether `.venv` was completed for this fingerprint, and for a purpose that holds `purpose`."""
    stamp = read_stamp(root)
    complete = stamp.get("made from") == fingerprint(root) and stamp.get("in") == str(root)
    has_python = (root / ".venv" / "bin" / "python").exists()  # one that was upgraded away leaves a dangling link
    return complete and has_python and stamp.get("for") in PURPOSES[PURPOSES.index(purpose) :]


def read_stamp(root: Path) -> "dict[str, str]":
    try:
        stamp = json.loads((root / ".venv" / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(root: Path, purpose: str) -> None:
    """Written last, so that an interrupted set-up is done again."""
    stamp = {"made from": fingerprint(root), "in": str(root), "for": purpose}
    (root / ".venv" / STAMP).write_text(json.dumps(stamp))


def remove_if_moved(root: Path) -> None:
    """The commands in an environment name its folder, so a moved clone needs a new one."""
    if read_stamp(root).get("in", str(root)) != str(root):
        shutil.rmtree(str(root / ".venv"))


# uv ----------------------------------------------------------------------------------------------------------


def find_uv() -> "str | None":
    """The uv on PATH if it is recent enough, else None."""
    uv = shutil.which("uv")
    if uv is None:
        return None
    try:
        answer = run([uv, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        version = answer.stdout.decode().split()[1].split(".")
        return uv if (int(version[0]), int(version[1])) >= OLDEST_UV else None
    except (OSError, IndexError, ValueError):
        return None


def install_uv(root: Path) -> str:
    """The pinned uv, in its own environment beside `.venv`; created once."""
    pin = root / UV_PIN
    version = pinned_version(pin)
    home = root / ".cache" / f"uv-{version}"
    uv = home / "bin" / "uv"
    if (home / "complete").exists():
        return str(uv)
    shutil.rmtree(str(home), ignore_errors=True)  # of a set-up that was killed
    say(f"installing uv {version} into {home}")
    home.parent.mkdir(exist_ok=True)
    made = run([sys.executable, "-m", "venv", str(home)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        raise Missing(
            f"This Python ({sys.executable}) cannot create virtual environments:\n"
            f"{indent(made.stdout.decode(errors='replace'))}\n"
            f"Install its venv module, or uv itself (https://docs.astral.sh/uv/):\n{install_lines('venv')}"
        )
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if run([*pip, "--require-hashes", "--requirement", str(pin)], env=environment(root)).returncode:
        raise Missing(
            f"uv {version} could not be installed; see pip's messages above. If they mention the network:\n"
            "    export HTTPS_PROXY=http://HOST:PORT                             (behind a proxy)\n"
            "    export PIP_INDEX_URL=https://... UV_DEFAULT_INDEX=https://...   (with a mirror of PyPI)\n"
            "then run the same command again."
        )
    (home / "complete").touch()
    return str(uv)


def pinned_version(pin: Path) -> str:
    """The version in a requirements file of one line `uv==VERSION` and its hashes."""
    (line,) = [line for line in pin.read_text().splitlines() if line.startswith("uv==")]
    return line.split()[0][len("uv==") :]


def sync(uv: str, root: Path, purpose: str) -> int:
    """`uv sync` from the lock file as it is; for running, installed packages that are not needed are kept."""
    command = [uv, "sync", "--frozen", "--python", sys.executable]
    command += ["--no-dev", "--group", "console", "--inexact"] if purpose == RUNNING else ["--group", "dev"]
    command += ["--group", "bench"] if purpose == MEASURING else []
    status = run(command, cwd=str(root), env=environment(root)).returncode
    if status:
        say(
            "the environment could not be created; see uv's messages above. If they mention the network:\n"
            "    export HTTPS_PROXY=http://HOST:PORT    (behind a proxy)\n"
            "    export UV_DEFAULT_INDEX=https://...    (with a mirror of PyPI)\n"
            "then run the same command again."
        )
    return status


def environment(root: Path) -> "dict[str, str]":
    """The variables for uv and pip: no foreign environment leaks in, and caches go where this user may write."""
    variables = {
        key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH")
    }
    variables["UV_PYTHON_DOWNLOADS"] = "never"  # use the Python that is here
    variables["UV_PROJECT_ENVIRONMENT"] = str(root / ".venv")
    home = variables.get("HOME", "")
    if not (home and Path(home).is_dir() and os.access(home, os.W_OK)):
        home_here = root / ".cache" / "home"
        home_here.mkdir(parents=True, exist_ok=True)
        variables["HOME"] = str(home_here)
        variables.setdefault("UV_CACHE_DIR", str(root / ".cache" / "uv"))
    return variables


def indent(text: str) -> str:
    return "\n".join("    " + line for line in text.strip().splitlines())


def run(command: "list[str]", **options: Any) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(command, check=False, **options)


def say(message: str) -> None:
    sys.stderr.write(f"setup: {message}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
