"""The expansion of a whole file: its lets, triggers and campaigns without words of its own that are not plain lets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from triggers.language.expansion.calls import Broken, Calls
from triggers.language.expansion.definitions import Outside, parts_of
from triggers.language.expansion.expander import BROKEN, Expander
from triggers.language.expansion.linking import linked
from triggers.language.text import syntax
from triggers.language.text.clauses import CAMPAIGN_CLAUSES, TRIGGER_CLAUSES, Clause
from triggers.language.text.reporter import Reporter

_Block = TypeVar("_Block", syntax.Trigger, syntax.Campaign)


def expand(file: syntax.File, *, outside: Outside, report: Reporter) -> syntax.File:
    """A file that means the same and has neither constants nor lets with arguments; mistakes go to the reporter.

    >>> from triggers.language.text.diagnostics import Source
    >>> from triggers.language.text.parser import parse
    >>> text = "param hold = 1 s let held(p) = p for hold trigger a { when held(x) cooldown hold }"
    >>> report = Reporter(Source(text, "a.trigger"))
    >>> expanded = expand(parse(report.source, report), outside=Outside(signals={"x"}), report=report)
    >>> [(let.name.text, let.value.condition.name, let.value.duration.text) for let in expanded.lets]
    [('held(x)', 'x', '1')]
    >>> expanded.triggers[0].when.name, expanded.triggers[0].cooldown.text
    ('held(x)', '1')
    """
    calls = Calls(report)
    expanders = linked(file, calls, outside)
    expander = expanders[-1]
    for each in expanders:
        each.check_sets()
    lets = [let for each in expanders for let in each.lets()]
    triggers = [_block(trigger, TRIGGER_CLAUSES, expander) for trigger in file.triggers]
    campaigns = [_block(campaign, CAMPAIGN_CLAUSES, expander) for campaign in file.campaigns]
    calls.write_all()
    return replace(
        file,
        lets=list(_in_order(lets, calls.made)),
        fences=[fence for each in expanders for fence in each.fences()],
        triggers=triggers,
        campaigns=campaigns,
        params=[],
        sets=[],
        imports=[],
        files=[],
        broken_lets={*(name for each in expanders for name in each.broken()), *calls.names, BROKEN},
    )


def _block(block: _Block, clauses: Mapping[str, Clause], expander: Expander) -> _Block:
    """A trigger or campaign with its clauses expanded; one without its constant is broken."""
    changed: dict[str, Any] = {}
    broken = set(block.broken)
    for name, clause in clauses.items():
        try:
            changed[name] = expander.expanded(getattr(block, name))
        except Broken:
            changed[name] = clause.empty
            broken.add(name)
    return replace(block, **changed, broken=broken)


def _in_order(lets: list[syntax.Let], made: Mapping[str, syntax.Let]) -> Iterator[syntax.Let]:
    """The author's lets in their order, each after the lets that calls have become in it, and then all others."""
    waiting = dict(made)
    for let in [*lets, *made.values()]:
        if waiting.get(let.name.text) is let:
            del waiting[let.name.text]
        elif let.use is not None:
            continue
        opened = [(let, _names(let))]
        while opened:
            needed = next((name for name in opened[-1][1] if name in waiting), None)
            if needed is None:
                yield opened.pop()[0]
            else:
                inner = waiting.pop(needed)
                opened.append((inner, _names(inner)))


def _names(let: syntax.Let) -> Iterator[str]:
    return (part.name for part in parts_of(let.value) if isinstance(part, syntax.Name))
