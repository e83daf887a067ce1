"""Compiles texts of users, campaigns and conditions, and reads signal catalogs: in a child process with limits.

The compiler is pure Python and holds the interpreter while it works, and how long it works is the text's choice. In a
child it delays nobody, and the kernel ends it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import multiprocessing
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import Any

from triggers.contracts.campaign import CampaignSettings
from triggers.contracts.problem import error_of, problem_of
from triggers.errors import InvalidInput, LongtailError, Unreachable
from triggers.language.compile import CompiledCampaign, compile_source, require_sound
from triggers.processes.death_signal import signal_on_parents_death
from triggers.scan.condition import FILENAME, Condition, compile_for_scan
from triggers.signals.catalog import ProgramLimits, Signal, SignalCatalog
from triggers.signals.objects import ObjectList

CPU_S = 30
"""Processor time of one compilation; the largest file that is right takes a part of it."""
LONGEST_S = 120.0
"""On a machine with much to do, the same work takes longer."""
MEMORY_BYTES = 2 * 1024**3

_processes = multiprocessing.get_context("forkserver")
# So that each child begins with the compiler imported, with the tables that it makes when it is first used, and with
# what checks a text while it is typed: importing that would take longer than most checks.
# What runs scans (`fleet_api.scans.reader`) is forked from the same process, and loads what else it needs itself: a
# scan takes longer than that, and most of the time there is none.
_processes.set_forkserver_preload(["fleet_api.campaigns.compiler_warm_up", "fleet_api.authoring.aside"])


@dataclass(frozen=True, slots=True)
class Compiled:
    """One campaign of a file, and the warnings about the file."""

    settings: CampaignSettings
    program: bytes
    warnings: list[dict[str, Any]]

    @property
    def digest(self) -> str:
        """SHA-256 of the program, in lower-case hex."""
        return hashlib.sha256(self.program).hexdigest()


@dataclass(frozen=True, slots=True)
class Text:
    """What is compiled: the texts of a trigger file and a signal catalog, and which campaign (None: the only one)."""

    source: str
    filename: str
    signals: str
    campaign: str | None


def begin() -> None:
    """Start the process that children are forked from, which then imports the compiler: nobody has to wait for it."""
    forkserver.ensure_running()


@dataclass(frozen=True, slots=True)
class ConditionText:
    """The texts of a condition, as after `when`, and of a signal catalog."""

    condition: str
    signals: str


@dataclass(frozen=True, slots=True)
class ReadCatalog:
    """What a signal catalog says of itself: how many signals it has, and what it allows programs."""

    signals: int
    limits: ProgramLimits


def compile_aside(text: Text, *, cpu_s: int = CPU_S, memory_bytes: int = MEMORY_BYTES) -> Compiled:
    """Compile a campaign in a child process.

    DiagnosticsError when the text has mistakes, InvalidInput when it does not contain the requested campaign or takes
    more processor time or memory than a compilation may; Unreachable when this machine cannot start a process now.
    """
    parts = run_aside(_compile, text, what=text.filename, cpu_s=cpu_s, memory_bytes=memory_bytes)
    settings = CampaignSettings.from_json(json.dumps(parts["settings"]).encode(), what="the campaign's settings")
    return Compiled(settings, base64.b64decode(parts["program"]), parts["warnings"])


def compile_condition_aside(text: ConditionText) -> tuple[Condition, list[dict[str, Any]]]:
    """Compile a condition in a child process, with the warnings about it; errors as in `compile_aside`."""
    parts = run_aside(_compile_condition, text, what=FILENAME)
    signals = {name: Signal.model_validate(declared, strict=False) for name, declared in parts["signals"].items()}
    lists = {name: ObjectList.model_validate(declared, strict=False) for name, declared in parts["lists"].items()}
    return Condition(base64.b64decode(parts["program"]), signals, lists), parts["warnings"]


def read_catalog_aside(signals: str) -> ReadCatalog:
    """Read a signal catalog in a child process, within the same limits; InvalidInput when it has mistakes."""
    parts = run_aside(_read, signals, what="the signal catalog")
    return ReadCatalog(parts["signals"], ProgramLimits(**parts["limits"]))


def run_aside(
    work: Callable[[Any], dict[str, Any]],
    given: object,
    *,
    what: str,
    cpu_s: int = CPU_S,
    memory_bytes: int = MEMORY_BYTES,
) -> dict[str, Any]:
    """What `work` makes of `given` in a child process, as JSON; raises what it raises there.

    InvalidInput when it takes more processor time or memory; Unreachable when no process can be started.
    """
    receiver, sender = _processes.Pipe(duplex=False)
    child = _processes.Process(target=_run, args=(sender, work, given, cpu_s, memory_bytes), daemon=True)
    try:
        child.start()
    except OSError as error:  # no process, or no room for the socket of their server, which is in a temporary folder
        receiver.close()
        raise Unreachable(
            f"no process can be started to compile {what} ({error})",
            remedy="let the API's user start processes, and write to /tmp or to the folder of TMPDIR",
        ) from error
    finally:
        sender.close()
    try:
        answer = receiver.recv_bytes() if receiver.poll(LONGEST_S) else b""
    except EOFError:
        answer = b""
    finally:
        receiver.close()
        child.kill()  # it has answered, or never will
        child.join()
    if not answer:
        raise InvalidInput(
            f"{what}: compiling it takes more than {cpu_s} s of processor time, or more than "
            f"{memory_bytes // 2**20} MiB of memory",
            remedy="divide the file, or simplify its longest conditions",
        )
    parts: dict[str, Any] = json.loads(answer)
    if "problem" in parts:
        problem = parts["problem"]
        raise error_of(problem["status"], {}, json.dumps(problem).encode(), what=what)
    return parts


def compile_campaign(text: Text) -> Compiled:
    """Compile in this process; errors as in `compile_aside`."""
    catalog = SignalCatalog.parse(text.signals, name="signals")
    compilation = compile_source(text.source, filename=text.filename, catalog=catalog)
    compilation.require_ok(text.filename)
    chosen = _chosen(compilation.campaigns, text)
    warnings = [diagnostic.to_json() for diagnostic in compilation.diagnostics]
    return Compiled(chosen.settings, chosen.program, warnings)


def _chosen(campaigns: dict[str, CompiledCampaign], text: Text) -> CompiledCampaign:
    if text.campaign is None and len(campaigns) == 1:
        return next(iter(campaigns.values()))
    if text.campaign is None or text.campaign not in campaigns:
        names = ", ".join(sorted(campaigns)) or "none"
        problem = "no campaign is named" if text.campaign is None else f"there is no campaign {text.campaign!r}"
        raise InvalidInput(
            f"{text.filename}: {problem}; the file has {names}", remedy="name one of the file's campaigns"
        )
    return campaigns[text.campaign]


def _run(
    sender: Connection, work: Callable[[Any], dict[str, Any]], given: object, cpu_s: int, memory_bytes: int
) -> None:
    """In the child: answer with what was made, or with the problem document of what was wrong, as JSON."""
    signal_on_parents_death(signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer: dict[str, Any]
    try:
        answer = work(given)
    except LongtailError as error:
        answer = {"problem": problem_of(error).to_json()}
    except MemoryError:  # or the interpreter has crashed, since not all of its parts stand that
        return
    sender.send_bytes(json.dumps(answer).encode())


def _compile(text: Text) -> dict[str, Any]:
    compiled = compile_campaign(text)
    return {
        "settings": compiled.settings.model_dump(mode="json"),
        "program": base64.b64encode(compiled.program).decode(),
        "warnings": compiled.warnings,
    }


def _compile_condition(text: ConditionText) -> dict[str, Any]:
    condition, warnings = compile_for_scan(text.condition, SignalCatalog.parse(text.signals, name="signals"))
    return {
        "signals": {name: signal.model_dump(mode="json") for name, signal in condition.signals.items()},
        "lists": {name: declared.model_dump(mode="json") for name, declared in condition.lists.items()},
        "program": base64.b64encode(condition.program).decode(),
        "warnings": warnings,
    }


def _read(signals: str) -> dict[str, Any]:
    catalog = SignalCatalog.parse(signals, name="signals")
    require_sound(catalog)
    return {"signals": len(catalog.signals), "limits": catalog.limits.model_dump(exclude_unset=True)}
