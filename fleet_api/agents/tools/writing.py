"""Tools for writing trigger files: `check`, `explain` and `format`."""

from __future__ import annotations

from typing import Any

from fleet_api.agents.compiling import compiled, formatted
from fleet_api.agents.protocol.calls import Call
from fleet_api.agents.tools.arguments import FileArguments, ProgramArguments
from fleet_api.agents.tools.tool import Answer, Tool, counted
from fleet_api.agents.workspace import Workspace

MAX_OPERATORS = 20
"""Costliest operators of a program that are told."""


def refusal(found: dict[str, Any]) -> Answer:
    """The answer to what needs a file without errors, for one that has some."""
    text = f"the file has errors, so it cannot be compiled:\n\n{found['shown']}"
    return Answer(text, {"ok": False, "diagnostics": found["diagnostics"]}, is_error=True)


def _check(workspace: Workspace, given: ProgramArguments, call: Call) -> Answer:
    found = compiled(given.asked(workspace))
    call.check()
    errors = sum(each["severity"] == "error" for each in found["diagnostics"])
    warnings = len(found["diagnostics"]) - errors
    counts = f"{counted(errors, 'error')}, {counted(warnings, 'warning')}"
    parts = [f"{'compiles' if found['ok'] else 'does not compile'}: {counts}"]
    if found["shown"]:
        parts.append(found["shown"])
    if found["is_formatted"]:
        parts.append("It is formatted.")
    elif found["formatted"] is not None:
        parts.append(f"Formatted:\n\n{found['formatted']}")
    kept = ("ok", "diagnostics", "formatted", "is_formatted")
    return Answer("\n\n".join(parts), {key: found[key] for key in kept})


def _explain(workspace: Workspace, given: ProgramArguments, call: Call) -> Answer:
    found = compiled(given.asked(workspace))
    call.check()
    if not found["ok"]:
        return refusal(found)
    programs = [{**each, "operators": each["operators"][:MAX_OPERATORS]} for each in found["programs"]]
    text = "\n\n".join(_program_text(each) for each in programs) or "the file has no trigger"
    return Answer(text, {"programs": programs, "diagnostics": found["diagnostics"]})


def _program_text(program: dict[str, Any]) -> str:
    name = "all triggers of the file" if program["campaign"] is None else f"campaign {program['campaign']}"
    operations = program["operations_per_tick"]
    lines = [
        f"{name}: {program['state_bytes']:,} of {program['state_limit_bytes']:,} bytes of state, "
        f"at most {operations['most']:,} of {program['operations_limit']:,} operations per tick; "
        f"reads {', '.join(signal['name'] for signal in program['inputs'])}"
    ]
    lines += [
        f"- trigger {each['name']}: {each['operations_per_tick']['most']:,} operations per tick, "
        f"{each['state_bytes']:,} bytes of state; a clip of about {each['clip_bytes']:,} bytes without video"
        for each in program["triggers"]
    ]
    lines += [
        f"- costly: `{each['text']}` in line {each['line']}: {each['operations_per_tick']['most']:,} operations, "
        f"{each['state_bytes']:,} bytes"
        for each in program["operators"][:5]
        if each["operations_per_tick"]["most"]
    ]
    return "\n".join(lines)


def _format(workspace: Workspace, given: FileArguments, call: Call) -> Answer:
    folder, path = given.file(workspace)
    found = formatted(given.text, folder, path)
    call.check()
    if found["formatted"] is None:
        return Answer(f"mistakes of form, so it cannot be formatted:\n\n{found['mistakes_of_form']}", is_error=True)
    return Answer(found["formatted"], {"formatted": found["formatted"], "is_formatted": found["is_formatted"]})


TOOLS: tuple[Tool[Any], ...] = (
    Tool(
        "check",
        "Check a trigger file",
        "Compile a trigger file against a signal catalog. Answers every mistake and warning with its code (LT301), "
        "line, column, what is wrong and what to write instead, and the file in its canonical format. Repair the file "
        "and check again until it compiles. Nothing is kept or changed.",
        ProgramArguments,
        _check,
    ),
    Tool(
        "explain",
        "Explain what a trigger file costs",
        "What each campaign of a trigger file (or all its triggers, if it has none) reads, and what it needs on a "
        "vehicle: bytes of state and operations per tick against their limits, by trigger and by the costliest "
        "operators, and the size of clips.",
        ProgramArguments,
        _explain,
    ),
    Tool(
        "format",
        "Format a trigger file",
        "The canonical form of a trigger file, with the same meaning and all comments. It needs no signal catalog.",
        FileArguments,
        _format,
    ),
)
