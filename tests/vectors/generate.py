"""Writes the vectors: `python -m tests.vectors.generate` makes every case's files again, `--check` compares them.

Expected results come from the reference interpreter, not from the module that is to be checked.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.vectors import cases_catalog, cases_objects, cases_operators, cases_time, cases_windows, end_to_end
from tests.vectors.case import Case
from tests.vectors.recordings import Event, Line, stretches, to_csv
from triggers.language.compile import CompiledCampaign, CompiledTriggers, compile_source
from triggers.language.reference.interpreter import Interpreter
from triggers.language.text.diagnostics import render_all
from triggers.language.webassembly.emitter import emit
from triggers.signals.catalog import SignalCatalog

FOLDER = Path(__file__).parent
CASES = (
    *cases_time.CASES,
    *cases_catalog.CASES,
    *cases_operators.CASES,
    *cases_windows.CASES,
    *cases_objects.CASES,
)


def compiled(case: Case) -> CompiledCampaign | CompiledTriggers:
    """The case's only campaign, or all its triggers."""
    catalog = SignalCatalog.parse(case.catalog, name="signals.yaml")
    compilation = compile_source(case.source, filename="program.trigger", catalog=catalog)
    for campaign in compilation.campaigns.values():
        return campaign
    assert compilation.triggers is not None, render_all(compilation.diagnostics)
    return compilation.triggers


def module_of(case: Case) -> bytes:
    """The case's program, as the compiler makes it but for the size of the fire buffer."""
    program = compiled(case)
    if case.fire_capacity is None:
        return program.program
    settings = program.settings.triggers if isinstance(program, CompiledCampaign) else program.settings
    return emit(program.ir, settings, fire_capacity=case.fire_capacity)


def files_of(case: Case) -> dict[str, bytes]:
    """Every file of a case's folder, by name."""
    module = module_of(case)
    expected = {
        "case": case.name,
        "says": case.says,
        "program_digest": hashlib.sha256(module).hexdigest(),
        **expected_of(Interpreter(compiled(case).ir), case.lines),
    }
    return {
        "program.trigger": case.source.encode(),
        "signals.yaml": case.catalog.encode(),
        "program.wasm": module,
        "rows.csv": to_csv(case.lines).encode(),
        "expected.json": _json(expected).encode(),
    }


def expected_of(evaluator: Interpreter, lines: Sequence[Line]) -> dict[str, Any]:
    """What a recording must give. A restart changes nothing, so the interpreter, which has none, goes on."""
    fires, count = [], 0
    for rows, event in stretches(lines):
        for row in rows:
            fires += [{"t_ns": f.t_ns, "row": count, "trigger": f.trigger} for f in evaluator.run([row])]
            count += 1
        if event is Event.END:
            evaluator.end_drive()
    return {
        "rows": count,
        "fires": fires,
        "suppressed": dict(evaluator.suppressed),
        "overflows": evaluator.overflows,
        **({"left_out": left_out} if (left_out := dict(evaluator.left_out)) else {}),
        "compared": {head: asdict(counts) for head, counts in evaluator.compared.items()},
        **({"events": events} if (events := _events(evaluator)) else {}),
    }


def _events(evaluator: Interpreter) -> dict[str, dict[str, dict[str, int]]]:
    """The matched events by head and sides, as a report has them."""
    events: dict[str, dict[str, dict[str, int]]] = {}
    for key, counts in evaluator.events.items():
        events.setdefault(key.head, {})[key.sides] = asdict(counts)
    return events


def _json(expected: dict[str, Any]) -> str:
    """JSON with a line for each fire, so that a difference reads well."""
    fires = expected["fires"]
    text = json.dumps({**expected, "fires": []}, indent=2)
    listed = ",\n    ".join(json.dumps(fire) for fire in fires)
    return text.replace('"fires": []', f'"fires": [\n    {listed}\n  ]' if fires else '"fires": []') + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write all files, or, with `--check`, name those that differ; 1 if there are any."""
    different = 0
    folders = {case.name: files_of(case) for case in CASES} | {end_to_end.NAME: end_to_end.files()}
    for name_of_folder, files in folders.items():
        folder = FOLDER / name_of_folder
        folder.mkdir(exist_ok=True)
        for name, data in files.items():
            path = folder / name
            if path.is_file() and path.read_bytes() == data:
                continue
            different += 1
            print(path.relative_to(FOLDER))
            if "--check" not in arguments:
                path.write_bytes(data)
    return 1 if different and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
