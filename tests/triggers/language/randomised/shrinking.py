"""Makes a failing case small: fewer rows, samples and triggers, conditions replaced by parts of themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from tests.support.waiting import Deadline
from tests.triggers.language.randomised.agreement import Case
from tests.triggers.language.randomised.recordings import Recording
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Source
from triggers.language.text.parser import parse
from triggers.language.text.reporter import Reporter

Fails = Callable[[Case], bool]


def shrunk(case: Case, fails: Fails, *, seconds: float = 30.0) -> Case:
    """A smaller case that fails, too; the smallest found in this time."""
    deadline = Deadline(seconds)
    progress = True
    while progress:
        progress = False
        for smaller in _smaller(case):
            if deadline.passed():
                return case
            if _still(smaller, fails):
                case, progress = smaller, True
                break
    return case


def _still(case: Case, fails: Fails) -> bool:
    try:
        needed = {item.name for item in case.ir.inputs}
    except ValueError:  # this text does not compile
        return False
    return needed <= {*case.recording.columns, *case.recording.objects} and fails(case)


def _smaller(case: Case) -> Iterator[Case]:
    """Smaller cases, the greatest steps first."""
    for source in _smaller_sources(case.source):
        yield replace(case, source=source)
    rows = len(case.recording)
    size = rows // 2
    while size:
        for start in range(0, rows, size):
            yield replace(case, recording=case.recording.without(start, min(rows, start + size)))
        size //= 2
    for name in case.recording.columns:
        yield from (replace(case, recording=recording) for recording in _fewer_samples(case.recording, name))


def _fewer_samples(recording: Recording, name: str) -> Iterator[Recording]:
    column = recording.columns[name]
    places = np.flatnonzero(~np.isnan(column))
    for part in (places, *places.reshape(-1, 1)) if len(places) < 20 else (places,):
        thinner = column.copy()
        thinner[part] = np.nan
        if len(part):
            yield replace(recording, columns={**recording.columns, name: thinner})


def _smaller_sources(source: str) -> Iterator[str]:
    """Without one of its blocks; with an expression replaced by a part of it."""
    blocks = f"\n{source.lstrip()}".split("\ntrigger ")
    for index in range(1, len(blocks)):
        kept = blocks[:index] + blocks[index + 1 :]
        yield "\ntrigger ".join(kept).split("\ncampaign ")[0] + "\n"
    if "\ncampaign " in source:
        yield source.split("\ncampaign ", maxsplit=1)[0] + "\n"
    file = parse(Source(source, "case"), Reporter(Source(source, "case")))
    wholes = [let.value for let in file.lets] + [trigger.when for trigger in file.triggers if trigger.when]
    for whole in wholes:
        for expression in _parts(whole):
            for part in expression.children():
                yield _replaced(source, expression, part)


def _parts(expression: syntax.Expression) -> Iterator[syntax.Expression]:
    yield expression
    for child in expression.children():
        yield from _parts(child)


def _replaced(source: str, whole: syntax.Expression, part: syntax.Expression) -> str:
    text = source[part.span.start : part.span.end]
    return source[: whole.span.start] + text + source[whole.span.end :]


def pasted(case: Case) -> str:
    """The case as Python, to be made a test of its own."""
    columns = ", ".join(f'"{name}": np.array({_numbers(column)})' for name, column in case.recording.columns.items())
    return (
        "from math import inf, nan\nfrom triggers.signals.objects import ObjectSample\n"
        f"case = Case(\n    '''{case.catalog}''',\n    '''{case.source}''',\n"
        f"    Recording(np.array({case.recording.t_ns.tolist()}), {{{columns}}}, {case.recording.objects!r}),\n)\n"
        "check(case, Random(0), every=True)\n"
    )


def _numbers(column: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    return repr(column.tolist())
